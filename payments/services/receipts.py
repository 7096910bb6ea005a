"""An order's receipt: what was bought, what was paid and how, what went back, what is left. Reads rows; no call leaves.

Guarantees: sums are of integers of minor units, and they add up: lines make the total; the total is what credits covered and
the payment that settled it; payments less what was given back and what banks took is what is left. Who may see it is the
door's to ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from credits.services import holds
from orders import selectors as orders
from orders.models import Order
from orders.services import credit_parts
from payments import states
from payments.models import PaymentIntent, Refund
from payments.services import disputes
from pimpshop.core import errors
from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop


class NotPaid(errors.NotFound):
    message = gettext_lazy("There is no receipt yet: this order is not paid.")


@dataclass(frozen=True)
class Entry:
    """One payment or one return of money. `second`: it came for an order that was paid already. `done` False: under way."""

    at: datetime
    text: str
    amount: Money
    number: str
    second: bool = False
    done: bool = True


@dataclass(frozen=True)
class Receipt:
    """Everything that the page shows. `credits` paid a part, worth `covered` of the total; `credits_back` of them came back
    (0: none)."""

    shop: list[str]
    order_no: str
    placed_at: datetime
    paid_at: datetime
    lines: list[dict[str, Any]]
    total: Money
    credits: Money
    covered: Money
    credits_back: Money
    payments: list[Entry]
    refunds: list[Entry]
    given_back: Money
    left: Money


def receipt(order: Order) -> Receipt:
    """The receipt of a paid order, in the active language. Raises NotPaid."""
    paid = list(
        PaymentIntent.objects.filter(order=order, status__in=states.PAID).order_by(
            "-settles_order", "attempt"
        )
    )
    if order.paid_at is None or not paid:
        raise NotPaid
    refunds = [entry for intent in paid for entry in _returns(intent)]
    got = sum(intent.captured_minor for intent in paid)
    back = sum(entry.amount.amount_minor for entry in refunds if entry.done)
    part = credit_parts.current(order)
    held = holds.find(part.reference) if part is not None else None
    return Receipt(
        shop=settings.RECEIPT_SHOP, order_no=order.order_no, placed_at=order.created_at, paid_at=order.paid_at,
        lines=orders.line_texts(order), total=order.total, credits=Money(part.credits if part else 0, "CREDITS"),
        covered=Money(part.covers_minor if part else 0, order.currency),
        credits_back=Money(held.returned if held else 0, "CREDITS"),
        payments=[_payment(intent) for intent in paid], refunds=sorted(refunds, key=lambda entry: entry.at),
        given_back=Money(back, order.currency), left=Money(got - back, order.currency),
    )  # fmt: skip


def _payment(intent: PaymentIntent) -> Entry:
    return Entry(
        at=intent.succeeded_at or intent.created_at, text=paid_with(intent), number=intent.out_trade_no,
        amount=Money(intent.captured_minor, intent.currency), second=intent.is_surplus,
    )  # fmt: skip


def paid_with(intent: PaymentIntent) -> str:
    """How it was paid, in words for the buyer: "Card (visa •••• 4242)"."""
    names = {
        "machine": _("At the machine"), "wechatpay": _("WeChat Pay"), "alipay": _("Alipay"), "credits": _("Your credits"),
    }  # fmt: skip
    name = names.get(intent.gateway) or pgettext("way to pay", "Card")
    brand, last_four = (str(intent.method_details.get(key) or "") for key in ("card_brand", "last_four"))
    told = " ".join(part for part in (brand, f"•••• {last_four}" if last_four else "") if part)
    return f"{name} ({told})" if told else name


def _given(refund: Refund) -> str:
    if refund.kind != Refund.Kind.CREDITS:
        return _("Given back")
    credits = shop.money(Money(int(refund.metadata.get("credits", 0)), "CREDITS"))
    return _("Given back as credits: %(credits)s") % {"credits": credits}


def _returns(intent: PaymentIntent) -> Iterator[Entry]:
    for refund in intent.refunds.exclude(status="failed").order_by("pk"):
        done = refund.status == "succeeded"
        yield Entry(
            at=refund.succeeded_at or refund.created_at, text=_given(refund), amount=refund.amount,
            number=refund.out_refund_no, second=intent.is_surplus, done=done,
        )  # fmt: skip
    taken = disputes.taken_by_banks(intent)
    if taken:
        last = intent.disputes.filter(money_moved=True, status="lost").order_by("-pk").first()
        yield Entry(
            at=last.updated_at if last else intent.updated_at, text=_("Given back by your bank"),
            amount=Money(taken, intent.currency), number=intent.out_trade_no,
        )  # fmt: skip
