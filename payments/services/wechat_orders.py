"""Seed 2's payments: what a `contentId` means, and starting a WeChat payment of the caller's own order.

Guarantees: whose order, which price and which currency (CNY) are ours to say, the client's are compared; the same caller
asking twice for the same thing gets one order and one open attempt; nothing is started for an order that is paid.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog import selectors as catalogue
from orders import selectors as orders
from orders.models import Order
from orders.services import checkout, credit_parts, goods_orders, granting
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import closing, intents, online_payments
from pimpshop.core import clients, errors

GATEWAY, CURRENCY = "wechatpay", "CNY"


class ContentUnknown(errors.NotFound):
    code = "content_unknown"
    message = _("There is no such order or product. Nothing was charged.")


class NotPayableHere(errors.Conflict):
    code = "order_not_payable_here"
    message = _("WeChat Pay takes CNY only, and this order is in another currency. Nothing was charged.")


class PaymentClosed(errors.Conflict):
    code = "payment_closed"
    message = _("This payment has ended. Nothing was charged. Please start a new one.")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request of seed 2. `amount` in yuan as sent; `subject` is what WeChat shows; `metadata` is the client's own."""

    user: User
    content_id: str
    amount: Any
    subject: str
    method: str
    body: str = ""
    openid: str = ""
    language: str = "en"
    client_ip: str = ""
    api_key_id: int | None = None
    sells_virtual: bool = True  # the app that asks may sell packs and plans (core.clients)
    metadata: dict[str, Any] = field(default_factory=dict)


def start(asked: Asked) -> PaymentIntent:
    """The attempt of what was asked for, waiting for its payer.

    Raises ContentUnknown, checkout.PriceDiffers, catalogue.NotSold, NotPayableHere, intents.AlreadyPaid,
    clients.VirtualGoodsHidden, intents.SessionMoved, intents.PaymentUncertain, intents.PaymentNotStarted, PaymentClosed.
    """
    order = _order(asked)
    kept = {"body": asked.body, "client": asked.metadata, "content_id": asked.content_id}
    choice = online_payments.Choice(
        gateway=GATEWAY,
        method=asked.method,
        payer_ref=asked.openid,
        client_ip=asked.client_ip,
        description=asked.subject,
        api_key_id=asked.api_key_id,
        metadata={name: value for name, value in kept.items() if value},
    )
    return begin(order, choice, actor=str(asked.user))


def begin(order: Order, choice: online_payments.Choice, *, actor: str) -> PaymentIntent:
    """The attempt of an order, waiting for its payer. Raises what online_payments.start_payment raises, PaymentClosed."""
    intent = online_payments.start_payment(order, choice, source="api", actor=actor)
    if intent.status != "requires_action" or not intent.next_action:
        raise _why_not(intent)
    return intent


def _why_not(intent: PaymentIntent) -> errors.ShopError:
    if intent.status == "failed" and intent.error_code == base.ErrorCode.PAYMENT_CLOSED:
        return PaymentClosed()
    if intent.status == "failed":
        return intents.PaymentNotStarted(details={"reason": intent.error_code})
    return intents.PaymentUncertain(retry_after=3)


def _order(asked: Asked) -> Order:
    """The caller's unpaid order that `content_id` names, or one made for what it names, at the amount that was told."""
    kind, _colon, name = asked.content_id.partition(":")
    if not _colon:
        order = orders.find(asked.content_id)
        if order is None or order.user_id != asked.user.pk:
            raise ContentUnknown
        _must_be_sold_here(asked, virtual=order.kind in granting.KINDS)
        online_payments.must_be_unpaid(order)
        if order.currency != CURRENCY:
            raise NotPayableHere
        _compare(asked, credit_parts.due(order))
        return order
    buyer = goods_orders.Buyer(user=asked.user, language=asked.language)
    if kind == "case":
        design = _design(asked.user, name)
        _compare(asked, catalogue.case_price(design.shell, CURRENCY))
        return goods_orders.order_case(design=design, currency=CURRENCY, buyer=buyer, source="api")
    _must_be_sold_here(asked, virtual=True)
    product = _product(kind, name)
    _compare(asked, catalogue.product_price(product, CURRENCY))
    return goods_orders.order_product(product=product, currency=CURRENCY, buyer=buyer, source="api")


def _must_be_sold_here(asked: Asked, *, virtual: bool) -> None:
    if virtual and not asked.sells_virtual:
        raise clients.VirtualGoodsHidden


def _compare(asked: Asked, ours: Any) -> None:
    checkout.check_price(checkout.told_price(asked.amount, CURRENCY, ours), ours)


def _product(kind: str, name: str) -> Any:
    try:
        if kind == "pack" and name.isascii() and name.isdigit() and len(name) < 10:
            return catalogue.pack_by_number(int(name))
        if kind == "plan":
            return catalogue.plan_by_price_id(name)
    except catalogue.ProductUnknown as error:
        raise ContentUnknown from error
    raise ContentUnknown


def _design(user: User, name: str) -> Any:
    """The design of a case, which must be the caller's own."""
    try:
        return catalogue.design_of(f"user:{user.pk}", uuid.UUID(name))
    except (ValueError, errors.NotFound) as error:
        raise ContentUnknown from error


def close(intent: PaymentIntent, *, actor: str) -> None:
    """End an unpaid attempt at WeChat Pay, and the order with it where this API made it for the caller and nothing came
    after that attempt. Twice is harmless.

    Raises intents.AlreadyPaid (the money was faster), intents.PaymentUncertain (WeChat Pay did not answer; we go on).
    """
    closing.close(intent, to="canceled", source="api", actor=actor, reason="closed by the client")
    if intent.status in ("failed", "canceled", "expired"):
        newest = intents.current_attempt(intent.order)
        if ":" in intent.metadata.get("content_id", "") and newest == intent:
            goods_orders.cancel_unpaid(
                order=intent.order, source="api", actor=actor, reason="closed by the client"
            )
        return
    if intent.captured_minor:
        raise intents.AlreadyPaid
    raise intents.PaymentUncertain(retry_after=5)
