"""Surplus money that stays: instead of going back to how it was paid, the buyer has it as credits.

A surplus never pays its order again: paid(order) = settled attempts − surplus stays true, for the surplus ends as paid
back, in credits. Guarantees: the refund that waits for it (or a new one, after the provider's failed) is ended and the
credits are granted under its number in one transaction, once; never what is on its way back already. No call leaves.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payments import states
from payments.models import PaymentIntent, Refund
from payments.services import refund_credits
from pimpshop.core import errors, staff_items
from pimpshop.core.money import Money


class NoSurplus(errors.Conflict):
    code = "no_surplus"
    message = _(
        "Nothing of this payment is surplus and still here: it paid its order, or it is back or on its way back. "
        "Nothing was changed."
    )


def by_hand(intent: PaymentIntent) -> Refund | None:
    """The refund that waits for a person to pay it back."""
    waiting = intent.refunds.filter(kind=Refund.Kind.MANUAL, status__in=("created", "pending"))
    return waiting.order_by("pk").first()


def kept(intent: PaymentIntent) -> Money | None:
    """The surplus that is still here: nobody has sent it back yet. None: there is none."""
    if not intent.is_surplus or intent.status not in states.PAID:
        return None
    refund = by_hand(intent)
    minor = refund.amount_minor if refund else intent.captured_minor - intent.refund_reserved_minor
    return Money(minor, intent.currency) if minor > 0 else None


def must_be_here(intent: PaymentIntent) -> Money:
    """Raises NoSurplus."""
    amount = kept(intent)
    if amount is None:
        raise NoSurplus
    return amount


def can_be_credits(intent: PaymentIntent) -> bool:
    """Is it here, and has what was bought a price in credits?"""
    amount, refund = kept(intent), by_hand(intent)
    return amount is not None and bool(refund_credits.worth(intent, amount.amount_minor, besides=refund))


def keep_as_credits(*, intent: PaymentIntent, actor: str, reason: str, email: str = "") -> Refund:
    """The buyer has the surplus as credits. Raises NoSurplus, refund_credits.{NoRate,TooLittle,NoOwner}, and as
    refunds.request_refund does (a bank decides)."""
    with transaction.atomic():
        locked = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        must_be_here(locked)
        refund = by_hand(locked)
        if refund is not None:
            refund_credits.pay_manual_refund(refund=refund, actor=actor, reason=reason, email=email)
        else:
            refund = refund_credits.request_refund(
                intent=locked, amount_minor=None, actor=actor, reason=reason, email=email
            )
        refund.refresh_from_db()
        for number in locked.refunds.filter(status="failed").values_list("out_refund_no", flat=True):
            staff_items.resolve_about(
                kind="refund_failed", subject=number, actor=actor, resolution="given as credits instead"
            )
    return refund
