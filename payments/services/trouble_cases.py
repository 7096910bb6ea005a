"""Demo trouble with cases and machines (payments.services.trouble has the rest), and which kinds of trouble a demo has not.

Guarantees as there. Here too: why no demo makes a kind, for whoever misses it; a test holds that none is forgotten.
"""

from __future__ import annotations

import io
from datetime import timedelta

from django.utils import timezone
from PIL import Image, ImageDraw

from catalog import selectors as catalogue
from catalog.services import designs
from orders.services import goods_orders
from payments.models import PaymentIntent
from payments.services.trouble import ACTOR, attempt, pay, shopper, trouble
from pimpshop.core import staff_items
from pimpshop.core.states import advance
from vending.models import Machine, PrintJob
from vending.services import print_jobs

#: Kinds that no demo makes: why not.
NOT_MADE = {
    "invariant": "the books of a demo stay right",
    "api_errors": "a figure of the last ten minutes: it closes by itself",
    "payments_failing": "a figure of the last hour: it closes by itself",
    "deliveries_failing": "a figure of the last hour: it closes by itself",
    "refunds_unusual": "a figure of the last day: it closes by itself",
    "second_person": "ask for it as one colleague, say yes as another",
    "wechat_login_broken": "a setting to be mended, nothing to be done in the admin",
    "content_checks_away": "a setting to be mended, nothing to be done in the admin",
    "gateway_misuse": "a setting to be mended, nothing to be done in the admin",
    "manufacturer_credentials": "a setting to be mended, nothing to be done in the admin",
    "stripe_price_differs": "comes when somebody changes a price in Stripe's own pages",
    "payment_uncertain": "like payment_unknown, for an answer that was lost",
    "payment_odd_status": "like payment_unknown, for a word that is new",
    "webhook_amount": "like payment_mismatch, for a post that nobody believes",
    "refund_mismatch": "like payment_mismatch, for a refund",
    "refund_stuck": "like refund_failed, before it fails",
    "refund_uncertain": "like refund_failed, before it is known",
    "refund_while_printing": "like case_not_received: look into the machine",
    "external_refund_not_ours": "what becomes of external_refund when it was none of us",
    "dispute_lost": "what becomes of dispute_open when the bank has decided",
    "grant_failed": "a mistake of ours: it is tried again every minute and closes by itself",
    "print_late": "like case_not_received, before anybody asks",
    "print_canceled": "what becomes of print_stuck when it is cancelled",
    "print_paused": "what becomes of a case that waits when its money is asked back",
    "print_unclaimed": "comes 30 days after a case was paid at home",
    "order_status_odd": "the manufacturer's log is looked at, nothing to be done in the admin",
    "order_status_unknown": "the manufacturer's log is looked at, nothing to be done in the admin",
    "catalogue_odd": "closes by itself with the next clean answer",
    "catalogue_new_shell": "the manufacturer's simulator has no case that we do not sell",
    "catalogue_resized": "the manufacturer's simulator keeps its sizes",
}


def _case(machine_id: str, colour: str) -> PaymentIntent:
    """A case for an iPhone 15 Pro, 19.99 GBP, paid by card, for a machine."""
    shell = catalogue.find_shell(model_id="MM020250224000010", shell_id="MS102503270003")
    picture, drawing = io.BytesIO(), Image.new("RGB", (1200, 2400), colour)
    for top in range(0, 2400, 400):
        ImageDraw.Draw(drawing).rectangle((0, top, 1200, top + 200), fill="#fde68a")
    drawing.save(picture, "PNG")
    design = designs.design_from_picture(
        owner=f"demo:{machine_id}", shell=shell, picture=picture.getvalue(), accept_low_resolution=True
    )
    alice = shopper()
    who = goods_orders.Buyer(user=alice, email=alice.email or "", language=alice.language)
    order = goods_orders.order_case(
        design=design, currency="GBP", buyer=who, source="seed", machine_id=machine_id, reuse=False
    )
    return pay(attempt(order, gateway="stripe", method="card"))


def _job(intent: PaymentIntent) -> PrintJob:
    return PrintJob.objects.get(order_no=intent.order.order_no)


@trouble("print_stuck")
def _stuck() -> None:
    """Six hours without success; the machine works again meanwhile, so that sending it again prints it."""
    job = _job(_case("CXYLOGD8OQUK", "#0f766e"))
    advance(
        job, "gave_up", source="seed", actor=ACTOR, reason="device is unavailable", last_error="device is unavailable",
        leased_until=None, due_at=None,
    )  # fmt: skip
    staff_items.open_item(
        kind="print_stuck", subject=job.reference, why="device is unavailable",
        title=f"Paid, but the machine does not take the order ({job.order_no})",
        detail="Send it again from the print job when the machine works, or pay the customer back.",
    )  # fmt: skip


@trouble("print_failed")
def _failed() -> None:
    """The machine took the case and jammed; it is mended meanwhile."""
    job = _job(_case("CXYLOGD8OQUK", "#be185d"))
    for step in ("confirming", "submitting", "accepted"):
        advance(job, step, source="seed", actor=ACTOR, due_at=None, leased_until=None)
    jam = "code 13: paper jam"
    advance(job, "failed", source="seed", actor=ACTOR, reason=jam, last_error=jam, provider_status="13")
    staff_items.open_item(
        kind=print_jobs.FAILED_KIND, subject=job.reference, why=jam,
        title=f"The machine could not print a paid case ({job.order_no})",
        detail="Look at the machine first, then send it again from the print job, or pay the customer back.",
    )  # fmt: skip


@trouble("machine_offline")
def _offline() -> None:
    """A machine in a basement that nobody has heard of for three hours, and a paid case that waits for it."""
    ago = timezone.now() - timedelta(hours=3)
    Machine.objects.get_or_create(
        machine_id="VM_DEMO_SILENT",
        defaults={"name": "Basement", "location": "Level -2", "currency": "GBP", "last_contact_at": ago},
    )
    job = _job(_case("VM_DEMO_SILENT", "#7c2d12"))
    later = timezone.now() + timedelta(hours=1)  # it will be tried again then; nobody answers
    PrintJob.objects.filter(pk=job.pk).update(due_at=later, last_error="device is unavailable")


@trouble("case_not_received")
def _not_received() -> None:
    """Sent again by staff and printed, but the tray was empty: the customer says so on the order's page."""
    job = _job(_case("CXYLOGD8OQUK", "#1d4ed8"))
    staff_items.open_item(
        kind="case_not_received", subject=job.order_no,
        title=f"The customer of {job.order_no} says that the case never came",
        detail="Look at the machine's tray and at the print job. Print it again, or pay the customer back.",
    )  # fmt: skip
