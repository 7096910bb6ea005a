"""What clients and screens read of a session: seed 1's answers. No design is ever shown here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pimpshop.core.clock import iso
from pimpshop.core.money import Money
from vending.models import PrintJob, VendingSession

#: For a session that was ended after its payment had started: it must not send anybody to pay a second time.
ENDED = gettext_lazy(
    "This session was ended after its payment had started. If you have paid, we will notice and print; please do "
    "not pay again. The session's status tells."
)

#: Milliseconds until the next poll, by state of the session.
POLL_MS = {"payment_pending": 3000, "payment_completed": 5000}


def amount(session: VendingSession) -> Decimal | None:
    """Major units; a JSON number in answers."""
    return (
        None if session.amount_minor is None else Money(session.amount_minor, session.currency).to_decimal()
    )


def qr_url(session: VendingSession) -> str:
    """The address that the machine's screen shows as a QR code."""
    query = {"qr": "true", "machine_id": session.machine.machine_id, "session_id": session.session_id}
    if session.language != "en":
        query["lang"] = session.language
    return f"{settings.PUBLIC_BASE_URL}/?{urlencode(query)}"


def job_of(session: VendingSession) -> PrintJob | None:
    """The print job of the session's order, once it is paid."""
    return PrintJob.objects.filter(order_no=session.order_no).first() if session.order_no else None


#: Seed 1's order_status word for each state of a print job.
ORDER_STATUS = {
    "waiting": "waiting",
    "announcing": "submitting",
    "confirming": "submitting",
    "submitting": "submitting",
    "accepted": "queued",
    "printing": "printing",
    "printed": "printed",
    "collected": "collected",
    "failed": "delayed",
    "gave_up": "delayed",
    "canceled": "canceled",
}


def session_status(session: VendingSession) -> dict[str, Any]:
    """GET …/status, before and after the payment (seed 1)."""
    body: dict[str, Any] = {
        "session_id": session.session_id,
        "status": session.status,
        "user_progress": session.user_progress,
        "payment_amount": amount(session),
        "currency": session.currency or session.machine.currency,
        "expires_at": iso(session.expires_at),
        "next_poll_ms": POLL_MS.get(session.status, 5000),
    }
    if session.status == "payment_completed":
        job = job_of(session)
        body |= {
            "queue_number": job.queue_no or None if job else None,
            "order_status": ORDER_STATUS[job.status] if job else "submitting",
            "chinese_order_id": job.manufacturer_order_id or None if job else None,
            "chinese_payment_id": session.provider_payment_id or None,
        }
    elif session.third_id:
        body |= {
            "instructions": _instructions(session),
            "third_id": session.third_id,
            "chinese_payment_id": session.provider_payment_id or None,
        }
    return body


def _instructions(session: VendingSession) -> str:
    if session.status == "payment_pending":
        return _("Complete payment on vending machine")
    if session.is_over:
        return str(ENDED)
    return _("The payment did not go through. Nothing was charged. You can try again.")
