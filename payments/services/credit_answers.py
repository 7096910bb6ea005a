"""Seed 4's answers from our rows: field for field as the seed shows them. Pure reading; nobody is asked here.

Amounts are JSON numbers of yuan, made from integers of fen. Times are ISO 8601 with Z. `payment_id` is WeChat Pay's
transaction. Names and descriptions are in the language of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language

from catalog.models import CreditPack, Price
from orders.models import Order
from payments.models import PaymentIntent
from payments.services import credit_words as words
from pimpshop.core.clock import iso


def product(pack: CreditPack, price: Price) -> dict[str, Any]:
    """GET /api/products/. A new price is a change of the product."""
    return {
        "id": pack.number,
        "name": _in_language(pack.name, pack.name_zh),
        "description": _in_language(pack.description, pack.description_zh),
        "credits": pack.credits,
        "price": price.money.to_decimal(),
        "image_url": pack.image_url,
        "is_active": pack.is_active,
        "sort_order": pack.sort_order,
        "created_at": iso(pack.created_at),
        "updated_at": iso(max(pack.updated_at, price.starts_at)),
    }


def created(order: Order) -> dict[str, Any]:
    """POST create."""
    return {
        "order_id": order.pk,
        "order_no": order.order_no,
        "amount": order.total.to_decimal(),
        "credits": _credits(order),
        "message": words.say("Order created"),
    }


def started(intent: PaymentIntent, params: Mapping[str, Any]) -> dict[str, Any]:
    """POST pay: what wx.requestPayment takes. `packageValue` is the seed's name of it, `package` WeChat's."""
    package = params.get("package", "")
    given = {name: params.get(name, "") for name in ("appId", "timeStamp", "nonceStr", "signType", "paySign")}
    return {
        "payment_data": {
            **given, "packageValue": package, "package": package, "outTradeNo": intent.out_trade_no,
        },
        "message": words.say("Payment created"),
    }  # fmt: skip


def orders(found: list[Order]) -> list[dict[str, Any]]:
    """GET the list; one query for the payments of all of them."""
    paid = {
        intent.order_id: intent
        for intent in PaymentIntent.objects.filter(
            order__in=[order.pk for order in found], settles_order=True
        )
    }
    return [
        {
            "id": order.pk,
            "order_no": order.order_no,
            "user_id": order.user_id,
            "product_id": _said(order).get("number"),
            **_how_it_stands(order, paid.get(order.pk)),
        }
        for order in found
    ]


def order(found: Order) -> dict[str, Any]:
    """GET one, with what was shown of its product when it was ordered."""
    said = _said(found)
    intent = PaymentIntent.objects.filter(order=found, settles_order=True).first()
    return {
        "id": found.pk,
        "order_no": found.order_no,
        **_how_it_stands(found, intent),
        "product_name": _in_language(said.get("name", ""), said.get("name_zh", "")),
        "product_description": _in_language(said.get("description", ""), said.get("description_zh", "")),
        "product_image_url": said.get("image_url", ""),
    }


def _how_it_stands(order: Order, paid: PaymentIntent | None) -> dict[str, Any]:
    return {
        "amount": order.total.to_decimal(),
        "credits": _credits(order),
        "status": order.status,
        "payment_id": (paid.transaction_ref or paid.provider_ref or None) if paid else None,
        "payment_time": iso(order.paid_at),
        "refund_time": iso(order.paid_back_at),  # type: ignore[attr-defined]  # orders.selectors.of_packs
        "remark": order.remark or None,
        "created_at": iso(order.created_at),
        "updated_at": iso(order.updated_at),
    }


def _said(order: Order) -> dict[str, Any]:
    """The snapshot of its one line."""
    said: dict[str, Any] = next((line.snapshot for line in order.lines.all()), {})
    return said


def _credits(order: Order) -> int:
    """What was ordered, whatever was given back since."""
    return sum(int(line.snapshot.get("credits") or 0) * line.quantity for line in order.lines.all())


def _in_language(english: str, chinese: str) -> str:
    return english if (get_language() or "zh").startswith("en") else chinese or english
