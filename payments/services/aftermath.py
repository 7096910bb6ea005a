"""Seed 5 after the start: give back, take what was held, withdraw. Thin rules over `refunds` and `closing`.

Guarantees: the refund's row is committed before it is sent; what the provider says at once is what the caller hears; a
part is captured only where another shop decides what it takes.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext

from orders.models import Order
from payments import states
from payments.models import PaymentIntent, Refund
from payments.services import closing, intents, refund_steps, refunds, refusals
from pimpshop.core.money import Money

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def refund(
    intent: PaymentIntent,
    *,
    amount: Money | None,
    reason: str,
    metadata: dict[str, Any],
    actor: str,
    refund_id: uuid.UUID | None = None,
) -> Refund:
    """Record a refund (`amount` None: all that is left), send it now, and answer it as it stands then. With `refund_id` (of
    a request that may be repeated) the second call answers the first one's refund.

    Raises refunds.NotPaid, AlreadyRefunded, RefundTooLarge, RefundBlocked, print_jobs.UnderWay.
    """
    made = refunds.request_refund(
        intent=intent, amount_minor=amount.amount_minor if amount else None, origin=Refund.Origin.STAFF,
        actor=actor, reason=reason, source="api", metadata=metadata, public_id=refund_id,
    )  # fmt: skip
    refund_steps.send(made.pk)
    made.refresh_from_db()
    return made


def capture(intent: PaymentIntent, *, amount: Money | None, actor: str) -> PaymentIntent:
    """Take what was held. Raises closing.NotAuthorized, refusals.InvalidAmount, intents.PaymentUncertain,
    intents.PaymentNotStarted (refused; it is still held)."""
    if amount is not None:
        part = amount.amount_minor < intent.amount_minor
        if amount.amount_minor > intent.amount_minor or (part and intent.order.kind != Order.Kind.MERCHANT):
            raise refusals.InvalidAmount(
                gettext("That much cannot be taken of this payment. Nothing was taken.")
            )
    return closing.capture(intent, amount=amount, source="api", actor=actor)


def cancel(intent: PaymentIntent, *, actor: str) -> PaymentIntent:
    """Withdraw what is not paid (a hold is given back). One that has ended already is answered as it is.

    Raises intents.AlreadyPaid, closing.CannotClose, intents.PaymentUncertain (the provider did not answer; we go on).
    """
    if intent.status in states.UNDECIDED:
        closing.close(intent, to="canceled", source="api", actor=actor, reason="canceled through the API")
    if intent.status in states.PAID:
        raise intents.AlreadyPaid
    if intent.status in states.UNDECIDED:
        raise intents.PaymentUncertain(retry_after=3)
    return intent
