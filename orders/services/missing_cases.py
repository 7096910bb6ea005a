"""“I did not get my case”: the buyer of a paid case tells us, and staff get one item with all that the machine said.

Guarantees: one open item per print job, however often and from however many windows it is sent; a report exists exactly
if it opened an item; the item holds no words of the buyer. No call leaves, no money moves.
"""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders import selectors
from orders.models import CaseReport, Order
from pimpshop.core import errors, redaction, staff_items
from pimpshop.core.models import StaffItem
from vending.models import PrintJob
from vending.services import machine_logs

KIND = "case_not_received"
#: The machine has taken the case: before, its page says that we try on; after these, staff or the money are on the way.
REPORTABLE = ("accepted", "printing", "printed", "collected", "failed")
OFFER, SENT = "offer", "sent"


class NothingToReport(errors.Conflict):
    code = "nothing_to_report"
    message = _("There is nothing to report about this order. Its page says where it stands.")


def standing(order: Order, job: PrintJob | None) -> str:
    """OFFER: the buyer may tell us. SENT: they have, and staff are on it. "" : there is nothing to tell."""
    if job is None or order.paid_at is None or order.status == "refunded":
        return ""
    if job.accepted_at is None or job.status not in REPORTABLE:
        return ""
    waits = StaffItem.objects.filter(kind=KIND, subject=job.reference, resolved_at=None).exists()
    return SENT if waits else OFFER


def report(order: Order, *, what: str, words: str, contact: str) -> bool:
    """Tell staff. Answers False when they know already. Raises NothingToReport.

    Of card numbers and passwords that somebody types into `words` nothing is kept.
    """
    job = selectors.case_state(order).job if order.kind == Order.Kind.CASE else None
    if job is None or not standing(order, job):
        raise NothingToReport
    chosen = CaseReport.What(what)
    with transaction.atomic():
        new = staff_items.open_item(
            kind=KIND, subject=job.reference, what=chosen.value,
            title=f"Somebody paid and did not get their case ({order.order_no})",
            detail="Their words, and how to reach them, stand on the order's page. Look at the machine, its tray and "
            "its log below; then print it again, hand it out, or pay it back. They were told not to pay again.",
            path=reverse("admin:orders_order_change", args=[order.pk]),
            log=machine_logs.of_job(job),
        )  # fmt: skip
        if new:
            CaseReport.objects.create(
                order=order, reference=job.reference, what=chosen, words=_scrubbed(words, 1000),
                contact=contact.strip()[:120],
            )  # fmt: skip
    return new


def _scrubbed(words: str, longest: int) -> str:
    return redaction.scrub_text(words.strip(), max_bytes=4 * longest)[: longest + 1]
