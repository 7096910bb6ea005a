"""Credits that pay a part of an order in money: a hold on the order, not an attempt. due = total - what the hold covers.

The rate is the case's own: its price in credits stands for its price in the order's currency. What `n` credits cover is
rounded up, in the shopper's favour, by less than one minor unit; at least what the caller names stays due. Guarantees: one
live part for each order (also a case paid wholly with credits is a live hold of it); the credits are spent in the
transaction that settles the order, and free again when it is cancelled. Locks: the order, then the account. No call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import selectors as catalogue
from credits.models import Hold
from credits.services import holds
from orders.models import CreditPart, Order
from pimpshop.core import errors
from pimpshop.core.money import Money

CREDITS = "CREDITS"
#: How long credits are kept for an order that nobody begins to pay; starting to pay prolongs it.
LASTS = timedelta(hours=1)


class NotForCredits(errors.Conflict):
    code = "not_for_credits"
    message = _("This cannot be paid with credits. Nothing was taken.")


class PartOutOfRange(errors.Conflict):
    code = "credit_part_out_of_range"
    message = _("So many credits cannot be used for this order. Nothing was taken.")


class OrderMoved(errors.Conflict):
    code = "order_moved"
    message = _("This order is paid or over. No credits were taken.")


@dataclass(frozen=True)
class Rate:
    """`credits` are worth `money`: both are the price of the whole order."""

    credits: int
    money: Money

    def covers(self, credits: int) -> int:
        """Minor units that `credits` pay, rounded up; never more than all."""
        return min(-(-credits * self.money.amount_minor // self.credits), self.money.amount_minor)

    def most(self, least_due: int) -> int:
        """The most credits that leave at least `least_due` minor units to be paid; 0 when there are none."""
        return max(0, (self.money.amount_minor - least_due) * self.credits // self.money.amount_minor)

    def worth(self, minor: int) -> int:
        """The credits that stand for `minor` units of money, rounded up."""
        return -(-minor * self.credits // self.money.amount_minor)


def rate_of(order: Order) -> Rate | None:
    """What the order's goods cost in credits and in its money; None when they are not sold for credits.

    The price in credits is that of the time of the order, as its money is: else two parts of one refund would be worth
    differently. What got its first price in credits later is reckoned at that of now.
    """
    if order.kind != Order.Kind.CASE or order.currency == CREDITS:
        return None
    whole = 0
    for line in order.lines.all():
        price = _in_credits(line.product_id, order.created_at) if line.product_id else None
        if price is None:
            return None
        whole += price * line.quantity
    return Rate(whole, order.total) if whole else None


def _in_credits(product_id: int, at: datetime) -> int | None:
    then = catalogue.price_in_credits(product_id, at)
    return catalogue.price_in_credits(product_id) if then is None else then


def current(order: Order) -> CreditPart | None:
    """The part that is held or was committed. None also for a case that credits pay wholly."""
    if order.kind != Order.Kind.CASE:
        return None
    hold = holds.live(order.order_no)
    return _of(order, hold) if hold is not None else None


def _of(order: Order, hold: Hold) -> CreditPart | None:
    number = hold.reference.removeprefix(f"{order.order_no}/c")
    if number == hold.reference or not number.isdigit():
        return None
    return CreditPart.objects.filter(order=order, number=int(number)).first()


def due(order: Order) -> Money:
    """What is to be paid in money."""
    part = current(order)
    return Money(order.total_minor - (part.covers_minor if part else 0), order.currency)


def told(order: Order) -> dict[str, Money] | None:
    """{credits, covers} of the part, for pages; None when there is none."""
    part = current(order)
    if part is None:
        return None
    return {"credits": Money(part.credits, CREDITS), "covers": Money(part.covers_minor, order.currency)}


@transaction.atomic
def hold(
    order: Order, *, user_id: int, credits: int, least_due: int, source: str, actor: str = ""
) -> CreditPart:
    """Hold `credits` of a user for an order that waits for its money; at least `least_due` minor units stay due.

    Raises OrderMoved, NotForCredits, PartOutOfRange, holds.AlreadyHeld, ledger.NotEnoughCredits: nothing was held.
    """
    locked = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    if locked.status != "pending":
        raise OrderMoved
    rate = rate_of(locked)
    if rate is None:
        raise NotForCredits
    if not 0 < credits <= rate.most(least_due):
        raise PartOutOfRange(details={"most": rate.most(least_due)})
    return record(
        locked, user_id=user_id, credits=credits, covers=rate.covers(credits), source=source, actor=actor
    )


def record(
    locked: Order, *, user_id: int, credits: int, covers: int, source: str, actor: str = ""
) -> CreditPart:
    """The part's row and its hold, inside the caller's transaction, with the order locked. Raises as `hold`."""
    last = locked.credit_parts.aggregate(Max("number"))["number__max"] or 0
    part = CreditPart.objects.create(
        order=locked, number=last + 1, user_id=user_id, credits=credits, covers_minor=covers
    )
    holds.reserve(
        user_id=user_id, amount=credits, reference=part.reference, subject=locked.order_no,
        expires_at=timezone.now() + LASTS, source=source, reason=f"order {locked.order_no}", actor=actor,
    )  # fmt: skip
    return part


def keep(part: CreditPart, at_least: timedelta) -> None:
    """Somebody begins to pay the rest: the credits are held for so long at least, and a little longer."""
    held = holds.find(part.reference)
    if held is not None:
        holds.extend(held, timezone.now() + at_least + timedelta(minutes=15))


def commit(part: CreditPart, *, source: str) -> bool:
    """Spend the part, inside the settling transaction. False: it was released."""
    held = holds.find(part.reference)
    if held is None or held.status == "released":
        return False
    return held.status == "committed" or holds.commit(
        held, source=source, reason=f"order {part.order.order_no}"
    )


def let_go(order: Order, *, source: str, reason: str, actor: str = "") -> bool:
    """The credits held for an order are free again, inside the caller's transaction. Answers whether any were; those of a
    payment wholly with credits are its own to close."""
    part = current(order)
    held = holds.find(part.reference) if part is not None else None
    return held is not None and holds.release(held, source=source, reason=reason, actor=actor)


def let_go_ended(limit: int = 100) -> int:
    """Release what is held for orders that do not wait for money any more (one attempt paid all of it, at a machine that
    could not be asked to stop); a sweep round."""
    held = Hold.objects.filter(status="held").values("subject")
    over = Order.objects.filter(order_no__in=held, kind=Order.Kind.CASE).exclude(status="pending")
    return sum(
        let_go(order, source="sweeper", reason=f"the order is {order.status}") for order in over[:limit]
    )
