"""Seed 2's answers from our rows: field for field as the seed shows them. Pure reading; nobody is asked here.

Amounts: `amount` of a payment is a JSON number of yuan, in payment details a text, in a query an object in fen.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payments.gateways import base
from payments.models import PaymentIntent, Refund
from pimpshop.core.clock import iso

CHINA = timezone(timedelta(hours=8))
#: Our words as WeChat's trade_state. A payment that was paid back in part stays SUCCESS's neighbour: it *was* paid.
TRADE_STATE = {
    "created": "NOTPAY",
    "requires_action": "NOTPAY",
    "expiring": "NOTPAY",
    "processing": "USERPAYING",
    "authorized": "USERPAYING",
    "succeeded": "SUCCESS",
    "partially_refunded": "REFUND",
    "refunded": "REFUND",
    "failed": "PAYERROR",
    "canceled": "CLOSED",
    "expired": "CLOSED",
}
DESCRIPTIONS = {
    "NOTPAY": gettext_noop("Not paid yet"),
    "USERPAYING": gettext_noop("The payment is being confirmed"),
    "SUCCESS": gettext_noop("Payment successful"),
    "REFUND": gettext_noop("Paid, and a refund was made"),
    "PAYERROR": gettext_noop("The payment did not go through"),
    "CLOSED": gettext_noop("Order closed"),
}
#: Our words for a refund as WeChat's. CLOSED: it did not go through; the money is still with us.
REFUND_STATUS = {"created": "PROCESSING", "pending": "PROCESSING", "succeeded": "SUCCESS", "failed": "CLOSED"}


def trade_state(intent: PaymentIntent) -> str:
    """REFUND as soon as a refund was accepted (WeChat's rule), whether or not it has arrived."""
    if intent.status == "succeeded" and intent.refund_reserved_minor:
        return "REFUND"
    return TRADE_STATE[intent.status]


def started(intent: PaymentIntent) -> dict[str, Any]:
    """POST native and jsapi."""
    common = {
        "outTradeNo": intent.out_trade_no,
        "amount": intent.amount.to_decimal(),
        "currency": intent.currency,
    }
    action = base.next_action_from_dict(intent.next_action)
    if isinstance(action, base.QrCode):
        return {"paymentId": intent.payment_id, "codeUrl": action.content, **common}
    params = dict(action.params) if isinstance(action, base.ClientParams) else {}
    prepay_id = str(params.get("package", "")).removeprefix("prepay_id=")
    return {"paymentId": intent.payment_id, "prepayId": prepay_id, "paymentParams": params, **common}


def queried(intent: PaymentIntent) -> dict[str, Any]:
    """GET query/{outTradeNo}. What is not known is null, so that the shape is always the same."""
    state = trade_state(intent)
    return {
        "outTradeNo": intent.out_trade_no,
        "transactionId": intent.transaction_ref or None,
        "tradeState": state,
        "tradeStateDesc": _(DESCRIPTIONS[state]),
        "amount": {"total": intent.amount_minor, "currency": intent.currency},
        "payer": {"openid": intent.metadata.get("payer_ref") or None},
        "successTime": _in_china(intent.succeeded_at),
    }


def details(intent: PaymentIntent) -> dict[str, Any]:
    """GET payment/{outTradeNo}: what our database says."""
    order = intent.order
    return {
        "id": intent.payment_id,
        "userId": str(order.user.public_id) if order.user else None,
        "contentId": intent.metadata.get("content_id") or order.order_no,
        "amount": str(intent.amount.to_decimal()),
        "currency": intent.currency,
        "paymentMethod": "wechat",
        "status": intent.status,
        "metadata": {
            **intent.metadata.get("client", {}),
            "outTradeNo": intent.out_trade_no,
            "transactionId": intent.transaction_ref or None,
            "tradeState": trade_state(intent),
        },
        "createdAt": iso(intent.created_at),
        "completedAt": iso(intent.succeeded_at),
    }


def refunded(refund: Refund) -> dict[str, Any]:
    """POST refund."""
    return {
        "outTradeNo": refund.intent.out_trade_no,
        "outRefundNo": refund.out_refund_no,
        "refundId": refund.provider_ref or None,
        "refundAmount": refund.amount.to_decimal(),
        "status": REFUND_STATUS[refund.status],
    }


def _in_china(moment: datetime | None) -> str | None:
    """RFC 3339 with Shanghai's offset, as WeChat writes it."""
    return moment.astimezone(CHINA).replace(microsecond=0).isoformat() if moment else None
