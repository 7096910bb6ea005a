"""Payments and refunds as API clients see them: the shapes of GET /api/v1/payments/{id} and of a refund (seed 5).

Pure functions of a row, shared by the API and by outgoing events. `status` may be given, because an event tells of the
state that it reports, whatever the row has become since. Not here: who may see it.
"""

from __future__ import annotations

from typing import Any

from payments.models import PaymentIntent, Refund
from pimpshop.core.clock import iso

#: States in which the money was there.
_COMPLETED = {"succeeded", "partially_refunded", "refunded"}


def payment(intent: PaymentIntent, *, status: str = "") -> dict[str, Any]:
    """Seed 5, "获取支付状态". Amounts are texts in major units."""
    status = status or intent.status
    return {
        "payment_id": intent.payment_id,
        "status": status,
        "amount": f"{intent.amount.to_decimal():f}",
        "currency": intent.currency,
        "gateway": intent.gateway,
        "transaction_id": intent.transaction_ref or intent.provider_ref or None,
        "payment_method": payment_method(intent),
        "created_at": iso(intent.created_at),
        "completed_at": iso(intent.succeeded_at) if status in _COMPLETED else None,
    }


def payment_event(intent: PaymentIntent, *, status: str) -> dict[str, Any]:
    """What an event says of a payment: its shape, the order it is for, and why it failed."""
    failed = status == "failed"
    return {
        **payment(intent, status=status),
        "order_id": str(intent.order.public_id),
        "order_no": intent.order.order_no,
        "error_code": (intent.error_code or None) if failed else None,
        "error_message": (intent.error_message or None) if failed else None,
    }


def payment_method(intent: PaymentIntent) -> dict[str, Any]:
    """What was paid with: never more than the last four digits."""
    details = intent.method_details or {}
    return {
        "method_type": method_type(details.get("method_type") or intent.method, intent.gateway),
        "last_four": details.get("last_four") or None,
        "card_brand": details.get("card_brand") or None,
    }


#: Gateways' and providers' own words -> what the API calls it (payments.services.offers); others are its words already.
_TYPES = {"token": "card", "saved_card": "card", "checkout": "card", "us_bank_account": "bank_transfer"}
_ONE_TYPE = {"wechatpay": "wechat_pay", "alipay": "alipay"}


def method_type(word: str, gateway: str = "") -> str:
    """The API's word for a kind of method."""
    return _ONE_TYPE.get(gateway) or _TYPES.get(word, word)


def refund(row: Refund, *, status: str = "") -> dict[str, Any]:
    """Seed 5, "退款". A refund that is recorded and not sent yet is pending to those outside."""
    status = status or row.status
    return {
        "refund_id": row.refund_id,
        "payment_id": row.intent.payment_id,
        "amount": f"{row.amount.to_decimal():f}",
        "currency": row.currency,
        "status": "pending" if status == "created" else status,
        "reason": row.reason,
        "created_at": iso(row.created_at),
    }
