"""A refund asked for through an API: recorded, sent at once, and told as it stands then. What may have been paid since we
looked is asked about first.

Guarantees: those of `refunds` and `refund_steps`; the sweeper goes on with what has no answer yet.
"""

from __future__ import annotations

import uuid
from typing import Any

from payments import states
from payments.models import PaymentIntent, Refund
from payments.services import refund_steps, refunds, sync
from pimpshop.core.money import InvalidAmount, Money


def refund_now(
    intent: PaymentIntent, *, amount: Any, reason: str, actor: str, refund_id: uuid.UUID | None = None
) -> Refund:
    """Pay `amount` (major units as sent) back; the row as it stands after the provider's first answer. With `refund_id` (of
    a request that may be repeated) the second call answers the first one's refund.

    Raises refunds.RefundTooLarge (also for what is no amount of that currency), and what `refunds.request_refund` does.
    """
    try:
        money = Money.parse(amount, intent.currency)
    except InvalidAmount as error:
        raise refunds.RefundTooLarge(refunds.BAD_AMOUNT) from error
    if intent.status in states.UNDECIDED:
        sync.refresh_if_stale(intent.order, source="api")
        intent.refresh_from_db()
    refund = refunds.request_refund(
        intent=intent, amount_minor=money.amount_minor, origin=Refund.Origin.STAFF, actor=actor, reason=reason,
        note=reason, source="api", public_id=refund_id,
    )  # fmt: skip
    refund_steps.send(refund.pk)
    refund.refresh_from_db()
    return refund
