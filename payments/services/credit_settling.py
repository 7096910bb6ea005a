"""What credits have to do with a payment that settles or goes back: inside the transactions that move it.

Here: committing what is held for an order when its money is there, giving it back with the last of the money, and taking
it again when that failed. Not here: holding credits (`credit_payments`), the ledger. Guarantees: credits are spent exactly
if the order is settled; money that came for a part whose credits are gone does not settle the order and goes back.
Locks: the payment (the caller's), then the order, then the account. No call leaves.
"""

from __future__ import annotations

import structlog
from django.db import transaction

from credits.models import Posting
from credits.services import holds, ledger, returning
from orders.models import CreditPart, Order
from orders.services import credit_parts
from payments.models import PaymentIntent

log = structlog.get_logger(__name__)

GATEWAY = "credits"
#: In an attempt's metadata: the number of the part that was held when it was started.
PART = "credit_part"


class CreditsGone(Exception):
    """What was held for a payment wholly with credits was released meanwhile: nothing is paid."""


def is_whole(intent: PaymentIntent, order: Order, captured: int, *, source: str) -> bool:
    """Are the money of a success and the credits held for its order the whole price? Then the credits are spent now.

    True also where another attempt paid the order before: settling says so. Raises CreditsGone.
    """
    if intent.gateway == GATEWAY:
        held = holds.find(intent.out_trade_no)
        if held is None or not holds.commit(held, source=source, reason=f"order {order.order_no}"):
            raise CreditsGone
        return True
    if order.kind != Order.Kind.CASE or captured > order.total_minor:
        return True
    order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    if order.status not in ("pending", "cancelled"):
        return True
    part, missing = credit_parts.current(order), order.total_minor - captured
    if part is not None and part.covers_minor == missing:
        if credit_parts.commit(part, source=source):
            return True
    elif part is not None:
        credit_parts.let_go(order, source=source, reason=f"paid by {intent.out_trade_no}")
    return missing == 0 or _hold_again(intent, order, missing, source=source)


def _hold_again(intent: PaymentIntent, order: Order, missing: int, *, source: str) -> bool:
    """Late money for a part that was released: the same credits once more, if they are still there."""
    first = CreditPart.objects.filter(order=order, number=intent.metadata.get(PART) or 0).first()
    if first is None or first.covers_minor != missing:
        return False
    try:
        with transaction.atomic():
            part = credit_parts.record(
                order, user_id=first.user_id, credits=first.credits, covers=missing, source=source
            )
    except (ledger.NotEnoughCredits, holds.AlreadyHeld):
        log.warning("credits_gone", payment=intent.out_trade_no, order=order.order_no)
        return False
    return credit_parts.commit(part, source=source)


def give_back(order: Order, *, reference: str, reason: str, actor: str = "") -> None:
    """All of the money is back, by the refund `reference`: so are the credits that had paid a part."""
    part = credit_parts.current(order)
    held = holds.find(part.reference) if part is not None else None
    if held is not None and held.status == "committed" and held.amount > held.returned:
        left = held.amount - held.returned
        holds.give_back(held, amount=left, reference=reference, reason=reason, actor=actor)


def take_again(order: Order, *, reference: str, reason: str, actor: str = "") -> None:
    """Not all of the money is back after all, for the refund `reference` failed: the part is paid with credits again."""
    part = credit_parts.current(order)
    held = holds.find(part.reference) if part is not None else None
    if held is not None and held.returned:
        holds.take_again(held, amount=held.returned, reference=reference, reason=reason, actor=actor)


def given_back(reference: str) -> int:
    """The credits that came back by that refund."""
    return returning.booked(Posting.Kind.GIVE_BACK, reference)
