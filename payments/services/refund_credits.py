"""Money paid back as credits: staff decide it, with a reason, and the shopper has them at once.

For cases: the rate is the case's own (orders.services.credit_parts), rounded up once for all parts of a payment. Guarantees: one transaction reserves the
refund, takes back what the money had bought, grants the credits under the refund's number and ends it, so it happens
exactly once or not at all; it counts as paid back like any refund. Locks: the payment, the order, the account. No call.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from credits.services import ledger
from orders.models import Order
from orders.services import credit_parts
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import refund_steps, refunds
from pimpshop.core import errors
from pimpshop.core.models import AuditEntry


class NoOwner(errors.ShopError):
    code = "credits_need_an_owner"
    message = _(
        "Nobody is known to whom the credits belong. Give the shopper's e-mail address. Nothing was changed."
    )


class NoRate(errors.Conflict):
    code = "no_credits_rate"
    message = _("What was bought has no price in credits. Nothing was changed.")


class TooLittle(errors.ShopError):
    code = "too_little_for_credits"
    message = _("So little money is no whole credit more than was given already. Nothing was changed.")


def worth(intent: PaymentIntent, minor: int, *, besides: Refund | None = None) -> int | None:
    """The credits that stand for `minor` units more of a payment, after those that its other refunds (but for `besides`)
    gave: many small parts give no more than one large one. None where there is no rate (no price in credits)."""
    rate = _rate(intent)
    if rate is None:
        return None
    given = intent.refunds.filter(kind=Refund.Kind.CREDITS).exclude(status="failed")
    rows = [one for one in given if besides is None or one.pk != besides.pk]
    before = sum(one.amount_minor for one in rows)
    return rate.worth(before + minor) - sum(int(one.metadata.get("credits", 0)) for one in rows)


def _rate(intent: PaymentIntent) -> credit_parts.Rate | None:
    """The case's own price in credits; a pack of credits that was paid twice: what is in the pack."""
    order = intent.order
    if not intent.is_surplus or order.kind != Order.Kind.CREDITS:
        return credit_parts.rate_of(order)
    pack = sum(int(line.snapshot.get("credits") or 0) * line.quantity for line in order.lines.all())
    return credit_parts.Rate(pack, order.total) if pack and order.total_minor else None


def must_be_worth(intent: PaymentIntent, minor: int, *, besides: Refund | None = None) -> int:
    """Raises NoRate, TooLittle."""
    credits = worth(intent, minor, besides=besides)
    if credits is None:
        raise NoRate
    if credits <= 0:
        raise TooLittle
    return credits


def request_refund(
    *, intent: PaymentIntent, amount_minor: int | None, actor: str, reason: str, email: str = ""
) -> Refund:
    """Pay `amount_minor` (None: all that is left) of a payment back as credits: to the order's user, else to whoever proves
    the order's address or `email`. Raises NoRate, NoOwner, and as refunds.request_refund does."""
    with transaction.atomic():
        refund = refunds.record(
            intent=intent, amount_minor=amount_minor, kind=Refund.Kind.CREDITS, actor=actor, reason=reason
        )
        _pay(refund, actor=actor, reason=reason, email=email)
    refund.refresh_from_db()
    return refund


def pay_manual_refund(*, refund: Refund, actor: str, reason: str, email: str = "") -> None:
    """A refund that was to be paid back by hand is paid as credits instead. Raises NoRate, NoOwner, refunds.RefundNotOpen."""
    with transaction.atomic():
        PaymentIntent.objects.select_for_update(no_key=True).get(pk=refund.intent_id)
        open_ = Refund.objects.filter(
            pk=refund.pk, kind=Refund.Kind.MANUAL, status__in=("created", "pending")
        )
        if not open_.update(kind=Refund.Kind.CREDITS):
            raise refunds.RefundNotOpen
        refund.refresh_from_db()
        _pay(refund, actor=actor, reason=reason, email=email)


def _pay(refund: Refund, *, actor: str, reason: str, email: str) -> None:
    """Grant, then end the refund, inside the caller's transaction."""
    intent = PaymentIntent.objects.select_related("order").get(pk=refund.intent_id)
    credits = must_be_worth(intent, refund.amount_minor, besides=refund)
    owner = owner_of(intent.order, email)
    done = base.RefundResult(status=base.RefundStatus.SUCCEEDED)
    told = {**refund.metadata, "credits": credits}
    if not refund_steps.apply_result(
        refund, done, source="admin", actor=actor, reason=reason, note=reason[:500], metadata=told
    ):
        raise refunds.RefundNotOpen
    ledger.grant(
        amount=credits, reference=refund.out_refund_no, payment_reference=refund.out_refund_no, reason=reason, actor=actor,
        **owner,
    )  # fmt: skip
    AuditEntry.objects.create(
        actor=actor,
        action="paid back as credits",
        subject=refund.out_refund_no,
        reason=reason,
        data={"credits": credits},
    )


def owner_of(order: Order, email: str) -> dict[str, Any]:
    """Whose the credits are. What staff type comes first only where the order knows nobody. Raises NoOwner."""
    if order.user_id is not None:
        return {"user_id": order.user_id}
    address = order.email or email.strip().lower()
    if not address:
        raise NoOwner
    user = User.objects.filter(email__iexact=address, is_active=True).first() if not order.email else None
    return {"user_id": user.pk} if user is not None else {"email": address}
