"""Seed 5's own examples for the API's description, word for word, and the header that a page sends."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

SECRET = OpenApiParameter(
    "X-Payment-Client-Secret", str, OpenApiParameter.HEADER,
    description="The client secret of this very payment: opens it to a publishable key.",
)  # fmt: skip
PAYMENT = "pay_550e8400-e29b-41d4-a716-446655440000"
CARD = {
    "type": "card",
    "card": {
        "number": "4242424242424242", "exp_month": 12, "exp_year": 2035, "cvc": "123", "name": "John Doe",
    },
}  # fmt: skip
SAVED_CARD = {"type": "saved_card", "token": "pm_550e8400-e29b-41d4-a716-446655440002"}
BANK_TRANSFER = {
    "type": "bank_transfer",
    "bank_transfer": {
        "account_number": "000123456789", "routing_number": "110000000", "account_holder_name": "John Doe",
        "bank_name": "测试银行",
    },
}  # fmt: skip
_ORDER = {
    "order_id": "550e8400-e29b-41d4-a716-446655440100",
    "customer_email": "customer@example.com",
    "customer_id": "550e8400-e29b-41d4-a716-446655440001",
    "description": "订单 #1001",
    "metadata": {"order_number": "1001"},
    "return_url": "https://yoursite.com/checkout/complete",
    "idempotency_key": "unique-key-123",
    "save_payment_method": False,
}
_USED = {
    "method_type": "card", "last_four": "4242", "card_brand": "visa", "exp_month": "12", "exp_year": "2035",
    "cardholder_name": "John Doe", "token": None,
}  # fmt: skip
_SUCCESS = {
    "type": "success",
    "payment_id": PAYMENT,
    "transaction_id": "pi_3O...",
    "payment_status": "succeeded",
    "payment_method": _USED,
    "receipt_url": "https://pay.stripe.com/receipts/...",
}
_ACTION = {
    "type": "requires_action",
    "payment_id": PAYMENT,
    "action_type": "three_d_secure",
    "action_data": {
        "type": "use_stripe_sdk",
        "stripe_js": {"type": "three_d_secure_redirect", "stripe_js": "..."},
        "redirect_url": "https://hooks.stripe.com/3d_secure/...",
    },
    "expires_at": "2026-01-28T11:00:00Z",
}
_FAILED = {
    "type": "failed",
    "payment_id": PAYMENT,
    "error_code": "card_declined",
    "error_message": "您的卡被拒绝。",
    "retry_allowed": True,
    "error": {"code": "CARD_DECLINED", "message": "您的卡被拒绝。"},
}
_READ = {
    "payment_id": PAYMENT,
    "status": "succeeded",
    "amount": "99.99",
    "currency": "USD",
    "gateway": "stripe",
    "transaction_id": "pi_3O...",
    "payment_method": {"method_type": "card", "last_four": "4242", "card_brand": "visa"},
    "created_at": "2026-01-28T10:00:00Z",
    "completed_at": "2026-01-28T10:00:05Z",
}
_SHOWN = {name: value for name, value in _USED.items() if name != "token"}


def _asked(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _told(name: str, value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


def _create(means: Any) -> dict[str, Any]:
    return {"gateway_id": "stripe", "amount": "99.99", "currency": "USD", "payment_method": means, **_ORDER}


METHODS = [
    _asked("amount", {"currency": "USD", "amount": "99.99"}),
    _told(
        "gateways",
        [{"gateway_id": "stripe", "name": "Stripe", "methods": [{"type": "card", "name": "Card"}]}],
    ),
]
DEFAULT = [_told("chosen", {**SAVED_CARD, "is_default": True})]
CREATE = [
    _asked("card", _create(CARD)),
    _asked("saved card", _create(SAVED_CARD)),
    _asked("bank transfer", _create(BANK_TRANSFER)),
    _told("success", {**_SUCCESS, "client_secret": "shop_cs_…"}),
    _told("3-D Secure", {**_ACTION, "client_secret": "shop_cs_…"}),
    _told("declined", _FAILED, 402),
]
CONFIRM = [
    _asked("card", {"payment_method": CARD}),
    _told("success", _SUCCESS),
    _told("declined", _FAILED, 402),
]
COMPLETE = [
    _asked(
        "3-D Secure",
        {
            "action_type": "three_d_secure",
            "action_data": {
                "payment_intent": "pi_3O...",
                "payment_intent_client_secret": "pi_3O..._secret_...",
            },
        },
    ),
    _told("success", _SUCCESS),
]
READ = [_told("paid", _READ)]
CAPTURE = [_asked("a part", {"amount": "50.00"}), _told("taken", _READ)]
CANCEL = [
    _asked("why", {"reason": "requested_by_customer"}),
    _told("withdrawn", {**_READ, "status": "canceled", "completed_at": None}),
]
REFUND = [
    _asked(
        "all",
        {"amount": "99.99", "reason": "requested_by_customer", "metadata": {"note": "客户对产品不满意"}},
    ),
    _told(
        "paid back",
        {
            "refund_id": "ref_550e8400-e29b-41d4-a716-446655440001",
            "payment_id": PAYMENT,
            "amount": "99.99",
            "currency": "USD",
            "status": "succeeded",
            "reason": "requested_by_customer",
            "created_at": "2026-01-28T10:30:00Z",
        },
    ),
]
SAVE = [
    _asked("card", {"gateway_id": "stripe", "payment_method_data": CARD, "set_as_default": True}),
    _told("saved", {"token": SAVED_CARD["token"], "payment_method": _SHOWN, "expires_at": None}),
]
LIST = [_told("saved", [{"token": SAVED_CARD["token"], **_SHOWN, "is_default": True}])]
REMOVED = [_told("removed", {"success": True, "message": "支付方式已删除", "token": SAVED_CARD["token"]})]
