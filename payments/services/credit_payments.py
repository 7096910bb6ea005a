"""Pay with credits from a page: wholly, or a part of an order in money.

What is offered to whom (`offer`), and what buttons do: hold a part (`use`), take it off (`take_off`), pay all (`pay_all`).
Guarantees: attempts for another amount are closed at their providers first, so nobody can pay the old price; nothing is held
for an order that is paid or over; at least what every way to pay needs stays due. What follows from a hold when money comes
is `credit_settling`'s. Calls outside: closing, and the machine's stock before credits are taken for all of a case.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import Design, Shell
from credits import selectors as credits
from credits.services import ledger
from orders.models import CreditPart, Order
from orders.services import credit_parts, goods_orders
from payments import registry, states
from payments.models import PaymentIntent
from payments.services import closing, intents, online_payments, page_payments, switches
from payments.services.credit_settling import GATEWAY
from pimpshop.core import errors
from pimpshop.core.money import Money


class CreditsNotTaken(errors.Conflict):
    code = "credits_not_taken"
    message = _(
        "The credits could not be used. Nothing was taken. Please look at your balance and try again."
    )


@dataclass(frozen=True)
class Offer:
    """What a shopper may do with their credits for one order. `whole`: the price of all of it in credits, and `can_all`
    whether they have that; `most`: the most for a part (0: none); `part`: what is held, `is_mine` of this shopper's."""

    available: int
    whole: int
    can_all: bool
    most: int
    covers_most: Money
    part: CreditPart | None
    is_mine: bool

    @property
    def whole_price(self) -> Money:
        return Money(self.whole, credit_parts.CREDITS)

    @property
    def has(self) -> Money:
        return Money(self.available, credit_parts.CREDITS)

    @property
    def most_credits(self) -> Money:
        return Money(self.most, credit_parts.CREDITS)


def offer(order: Order, user: User) -> Offer | None:
    """For somebody who is logged in; None where credits are of no use (no price in credits, switched off, in credits already)."""
    rate = credit_parts.rate_of(order) if order.status == "pending" else None
    return _offer(rate, user, order, can_all=not order.session_id) if rate is not None else None


def offer_of_case(shell: Shell, price: Money, user: User, order: Order | None) -> Offer | None:
    """The same in front of a machine, where all of it is one of the ways to pay; `order` is there once a part is held."""
    whole = catalogue.price_in_credits(shell.model.product.pk)
    return _offer(credit_parts.Rate(whole, price), user, order, can_all=False) if whole else None


def _offer(rate: credit_parts.Rate, user: User, order: Order | None, *, can_all: bool) -> Offer | None:
    if GATEWAY not in switches.usable():
        return None
    available, part = credits.available(user.pk), credit_parts.current(order) if order else None
    mine = part.credits if part and part.user_id == user.pk else 0
    most = min(available + mine, rate.most(least_due(rate.money)))
    return Offer(
        available=available, whole=rate.credits, can_all=can_all and part is None and available >= rate.credits,
        most=most, covers_most=Money(rate.covers(most), rate.money.currency), part=part, is_mine=bool(mine),
    )  # fmt: skip


def least_due(total: Money) -> int:
    """Minor units that every way to pay which takes the total still takes."""
    floors = [1]
    for key in switches.usable():
        for method in registry.get(key).methods(total.currency, total):
            if method.min_amount is not None and method.min_amount.currency == total.currency:
                floors.append(method.min_amount.amount_minor)
    return max(floors)


def use(order: Order, *, user: User, amount: int, source: str) -> CreditPart:
    """Hold `amount` of a user's credits for a part of the order, instead of what was held before.

    Raises switches.GatewayOff, intents.AlreadyPaid, intents.SessionMoved, intents.PaymentUncertain, closing.CannotClose (an attempt is open
    that cannot be withdrawn), credit_parts.NotForCredits, credit_parts.PartOutOfRange, ledger.NotEnoughCredits.
    """
    switches.must_be_on(GATEWAY)
    _close_open(order, source=source)
    least = least_due(order.total)
    with transaction.atomic():
        _lock(order)
        credit_parts.let_go(order, source=source, reason="another number of credits", actor=_name(user))
        return credit_parts.hold(
            order, user_id=user.pk, credits=amount, least_due=least, source=source, actor=_name(user)
        )


def take_off(order: Order, *, user: User, source: str) -> bool:
    """The buyer takes the credits off the order: all of it is due in money again. Answers whether there were any; somebody
    else's stay. Raises as `use`."""
    part = credit_parts.current(order)
    if part is None or part.user_id != user.pk:
        return False
    _close_open(order, source=source)
    with transaction.atomic():
        _lock(order)
        return credit_parts.let_go(order, source=source, reason="taken off", actor=_name(user))


def pay_all(order: Order, *, user: User, source: str) -> PaymentIntent:
    """Pay all of an order with a user's credits. One in money is replaced by the same in credits, and cancelled once that
    is paid; its currency is fixed. Raises as `use`, CreditsNotTaken, and what page_payments.must_be_printable raises."""
    switches.must_be_on(GATEWAY)
    page_payments.must_be_printable(order)
    if order.currency == credit_parts.CREDITS:
        return _pay(order, user, source=source)
    rate = credit_parts.rate_of(order)
    if rate is None or order.session_id:
        raise credit_parts.NotForCredits
    if credits.available(user.pk) < rate.credits:
        raise ledger.NotEnoughCredits
    _close_open(order, source=source)
    line = order.lines.get()
    same = goods_orders.order_case(
        design=Design.objects.get(pk=str(line.design_id)), currency=credit_parts.CREDITS, machine_id=order.machine_id,
        buyer=goods_orders.Buyer(user=order.user or user, email=order.email, language=order.language),
        template=line.snapshot.get("template", ""), source=source,
    )  # fmt: skip
    intent = _pay(same, user, source=source)
    goods_orders.cancel_unpaid(
        order=order, source=source, reason=f"paid with credits as {same.order_no}", actor=_name(user)
    )
    return intent


def _pay(order: Order, user: User, *, source: str) -> PaymentIntent:
    choice = online_payments.Choice(gateway=GATEWAY, method="credits", payer_ref=str(user.pk))
    intent = online_payments.start_payment(order, choice, source=source, actor=_name(user))
    if intent.status in states.ENDED:
        raise CreditsNotTaken
    return intent


def _close_open(order: Order, *, source: str) -> None:
    """Nobody shall be able to pay an attempt for another amount. Raises as `use`."""
    online_payments.must_be_unpaid(order)
    for intent in order.payment_intents.filter(status__in=states.UNDECIDED).order_by("attempt"):
        closing.close(intent, to="canceled", source=source, reason="credits are used for the order")
        if intent.status in states.PAID:
            raise intents.AlreadyPaid
        if intent.status in states.UNDECIDED:
            raise intents.PaymentUncertain(retry_after=5)


def _lock(order: Order) -> None:
    """Under the order's lock nobody starts an attempt. Raises intents.PaymentUncertain when somebody just did."""
    Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    if order.payment_intents.filter(status__in=states.UNDECIDED).exists():
        raise intents.PaymentUncertain(retry_after=1)


def _name(user: User) -> str:
    return f"user {user.pk}"
