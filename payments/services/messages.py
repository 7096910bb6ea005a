"""What the buyer is told of money that goes back, and an owner of a webhook endpoint that was switched off.

As orders.services.messages: put together when it is sent, from what is true then. A refund's message is about that refund
(`reference` is its number), so each is told once. Reads only, no call leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from orders.services import messages
from payments.models import PaymentIntent, Refund, WebhookEndpoint
from payments.services import credit_settling, endpoints
from pimpshop.core.models import Notification
from pimpshop.core.money import Money
from pimpshop.core.notifications import kinds


def _refund(note: Notification) -> Refund | None:
    rows = Refund.objects.select_related("intent__order__user")
    return rows.filter(out_refund_no=note.reference).first()


def _refunded(note: Notification) -> kinds.Letter | None:
    """The money is back, as far as the provider is concerned."""
    refund = _refund(note)
    if refund is None or refund.status != "succeeded":
        return None
    intent = refund.intent
    back = [
        row for row in intent.refunds.filter(status="succeeded")
        if (row.succeeded_at, row.pk) <= (refund.succeeded_at, refund.pk)
    ]  # fmt: skip
    so_far = sum(row.amount_minor for row in back)
    credits = Money(credit_settling.given_back(refund.out_refund_no), "CREDITS")
    return messages.letter(
        intent.order, amount=refund.amount, why=_why(refund), in_full=so_far >= intent.captured_minor,
        so_far=Money(so_far, intent.currency) if len(back) > 1 else None,
        paid=Money(intent.captured_minor, intent.currency), by_hand=refund.kind == Refund.Kind.MANUAL,
        goods=intent.order.kind in ("credits", "plan") and intent.settles_order, credits=credits,
        in_credits=intent.currency == "CREDITS",
        instead=Money(int(refund.metadata.get("credits", 0)), "CREDITS") if refund.kind == Refund.Kind.CREDITS else None,
    )  # fmt: skip


def _giving_back(note: Notification) -> kinds.Letter | None:
    """What was paid could not be fulfilled, or came twice: it is on its way back."""
    refund = _refund(note)
    if refund is None or refund.status not in ("created", "pending"):
        return None
    return messages.letter(refund.intent.order, amount=refund.amount, why=_why(refund))


def _why(refund: Refund) -> str:
    """What the money was for: `twice` for an order that another payment settled, `late` for one that could not be settled
    any more, else the order's own."""
    intent = refund.intent
    if not intent.is_surplus:
        return "order"
    others = PaymentIntent.objects.filter(order_id=intent.order_id, settles_order=True)
    return "twice" if others.exists() else "late"


def _endpoint_off(note: Notification) -> kinds.Letter | None:
    endpoint_id = str(note.data.get("endpoint_id", ""))
    endpoint = WebhookEndpoint.objects.filter(public_id=endpoint_id.removeprefix("we_")).first()
    if endpoint is None or endpoint.is_active:
        return None
    context = {"endpoint_id": endpoint_id, "url": endpoint.url, "reason": str(note.data.get("reason", ""))}
    return kinds.Letter(kinds.Addressee(email=note.recipient), note.language, context)


def _back_sample() -> Mapping[str, Any]:
    paid = Money(1999, "GBP")
    none = Money(0, "CREDITS")
    return messages.sample(
        why="order", in_full=True, so_far=None, paid=paid, by_hand=False, goods=False, credits=none, in_credits=False, instead=None
    )  # fmt: skip


def _endpoint_sample() -> Mapping[str, Any]:
    return {"endpoint_id": "we_…", "url": "https://merchant.example/hooks", "reason": "it answered 410 Gone"}


for _kind in (
    kinds.Kind("refunded", _("money is back"), _refunded, _back_sample),
    kinds.Kind("giving_back", _("money is on its way back"), _giving_back, _back_sample),
    kinds.Kind(endpoints.SWITCHED_OFF, _("webhook endpoint switched off"), _endpoint_off, _endpoint_sample),
):
    kinds.register(_kind)
