"""Seed 4: packs of credits for yuan, ordered and paid in our mini program.

Guarantees: product, price and currency (CNY) are ours to say; an order belongs to who made it and nobody else finds it; a
repeat of pay answers the open attempt, and one is open at a time; what a client or a callback says about money is a hint:
WeChat Pay is asked, at most once in three seconds per order, and `settlement` compares; a success counts however late.
An order that nobody pays ends by `unpaid_orders`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import selectors as accounts
from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import CreditPack, Price
from orders import selectors as orders
from orders.models import Order
from orders.services import checkout, goods_orders
from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import credit_words as words
from payments.services import intents, online_payments, schedule, switches, sync, unpaid_orders, wechat_orders
from pimpshop.core import errors

GATEWAY, METHOD, CURRENCY = wechat_orders.GATEWAY, "mini", wechat_orders.CURRENCY
#: How long an order waits for its first payment. Each payment that is started may be paid for its own time.
WAIT_FOR = timedelta(hours=1)


class ProductUnknown(errors.ShopError):
    code = "product_unknown"
    message = words.later("There is no such product, or it is not sold any more")


class OrderUnknown(errors.NotFound):
    code = "order_unknown"
    message = words.later("There is no such order")


class NotPayable(errors.ShopError):
    """Paid, cancelled or paid back; the message says which."""

    code = "order_not_payable"


class NotNow(errors.Unavailable):
    """WeChat Pay is not set up, or switched off by staff."""

    message = switches.GatewayOff.message


class NoOpenid(errors.ShopError):
    code = "openid_unknown"
    message = _("Please log in through our mini program in WeChat first. Nothing was charged.")


class NothingStarted(errors.ShopError):
    code = "payment_not_found"
    message = _("No payment was started for this order. Nothing was changed.")


class AmountDiffers(errors.ShopError):
    code = "amount_mismatch"
    message = _("The amount is not the order's. Nothing was changed.")


def products() -> list[tuple[CreditPack, Price]]:
    """What is sold here, in its order."""
    return catalogue.pack_offers(CURRENCY)


def product(number: int) -> tuple[CreditPack, Price]:
    """One of them. Raises ProductUnknown."""
    try:
        return catalogue.pack_offer(number, CURRENCY)
    except catalogue.ProductUnknown as error:
        raise ProductUnknown from error


def mine(user: User) -> Any:
    """The caller's orders (a query), newest first."""
    return orders.of_packs(user, CURRENCY)


def find(user: User, number: str) -> Order:
    """One of the caller's orders by its id. Raises OrderUnknown."""
    known = number.isascii() and number.isdigit() and len(number) < 19
    order: Order | None = mine(user).filter(pk=int(number)).first() if known else None
    if order is None:
        raise OrderUnknown
    return order


def create(user: User, number: int, *, public_id: uuid.UUID | None = None) -> Order:
    """A new order of a product. With `public_id` (of a request that may be repeated) the second call answers the first
    one's order. Raises ProductUnknown."""
    pack, _price = product(number)
    fixed: dict[str, Any] = {"public_id": public_id} if public_id else {}
    try:
        return goods_orders.order_pack(
            pack=pack, currency=CURRENCY, buyer=goods_orders.Buyer(user=user, language=get_language() or "zh-hans"),
            source="api", reuse=False, cancel_at=timezone.now() + WAIT_FOR, **fixed,
        )  # fmt: skip
    except catalogue.NotSold as error:
        raise ProductUnknown from error


def pay(order: Order, *, client_ip: str = "", api_key_id: int | None = None) -> PaymentIntent:
    """The attempt that waits for its payer in the mini program.

    Raises NotPayable, NoOpenid, NotNow, intents.PaymentUncertain, intents.PaymentNotStarted.
    """
    _must_be_payable(order)
    openid = accounts.wechat_openid(order.user, settings.WECHAT_MINI_APP_ID) if order.user else ""
    if not openid or not settings.WECHAT_MINI_APP_ID:
        raise NoOpenid
    choice = online_payments.Choice(
        gateway=GATEWAY,
        method=METHOD,
        payer_ref=openid,
        client_ip=client_ip,
        description=_subject(order),
        api_key_id=api_key_id,
    )
    try:
        intent = wechat_orders.begin(order, choice, actor=f"user:{order.user_id}")
    except (registry.GatewayUnknown, switches.GatewayOff) as error:
        raise NotNow from error
    except (intents.AlreadyPaid, intents.SessionMoved) as error:
        order.refresh_from_db()
        _must_be_payable(order)
        raise error
    unpaid_orders.wait_for(order, intent)
    return intent


def parameters(intent: PaymentIntent) -> Mapping[str, Any]:
    """What wx.requestPayment takes, signed for this moment: a repeat may come an hour after the payment was opened."""
    action = base.next_action_from_dict(intent.next_action)
    renewed = registry.get(GATEWAY).renew_action(action) if action is not None else None
    return renewed.params if isinstance(renewed, base.ClientParams) else {}


def _must_be_payable(order: Order) -> None:
    said = {
        "paid": "The order is paid already",
        "completed": "The order is paid already",
        "cancelled": "The order was cancelled",
        "refunded": "The order was paid back",
    }.get(order.status)
    if said is not None:
        raise NotPayable(words.say(said))


def _subject(order: Order) -> str:
    """What WeChat shows beside the amount, in the language in which it was ordered."""
    said = order.lines.all()[0].snapshot
    chinese = order.language.startswith("zh")
    return str((said.get("name_zh") if chinese else "") or said.get("name", ""))


def look(order: Order) -> dict[str, Any]:
    """How the payment of an order stands: WeChat Pay is asked when our rows may be stale."""
    if order.status in ("pending", "cancelled"):
        asked = sync.refresh_if_stale(order, source="api", even_ended=True)
        unpaid_orders.follow(order, may_call=asked, source="api")
        order.refresh_from_db()
    told = {
        "paid": "Payment successful",
        "completed": "Payment successful",
        "cancelled": "The payment failed or was cancelled",
        "refunded": "The order was paid back",
    }.get(order.status)
    message = words.say(told) if told else words.say("Payment in progress, state: ") + _trade_state(order)
    return {
        "order_id": order.pk,
        "status": order.status,
        "paid": order.status in ("paid", "completed"),
        "message": message,
    }


def _trade_state(order: Order) -> str:
    """WeChat's word for the newest attempt; NOTPAY before there is one."""
    intent = intents.current_attempt(order)
    return unpaid_orders.their_word(intent) if intent else "NOTPAY"


def hint(*, order_no: str, amount: Any = None) -> Order:
    """Somebody who knows the callback's token says that an order was paid: WeChat Pay is asked before anything moves, and a
    question that has no answer yet is due at once for the sweeper. `order_no` may be the number of an attempt.

    Raises OrderUnknown, AmountDiffers, NothingStarted, intents.PaymentUncertain (ask again: it did not answer).
    """
    order, intent = _hinted(order_no)
    if amount is not None:
        try:
            checkout.check_price(checkout.told_price(amount, CURRENCY, order.total), order.total)
        except checkout.PriceDiffers as error:
            raise AmountDiffers from error
    if order.status not in ("pending", "cancelled"):
        return order
    if intent is None:
        raise NothingStarted
    sync.make_due(order)
    checked = sync.check_now(intent=intent, source="webhook", actor="callback")
    if checked.asked and checked.applied is None:
        raise intents.PaymentUncertain(retry_after=int(schedule.MIN_GAP.total_seconds()))
    order.refresh_from_db()
    return order


def _hinted(number: str) -> tuple[Order, PaymentIntent | None]:
    """The order, and the attempt to ask about: the one that is named, else the newest."""
    if "\x00" in number:
        raise OrderUnknown
    order = orders.find(number)
    intent = intents.current_attempt(order) if order else intents.by_number(number)
    order = order or (intent.order if intent else None)
    if order is None or (order.kind, order.currency) != (Order.Kind.CREDITS, CURRENCY):
        raise OrderUnknown
    return order, intent
