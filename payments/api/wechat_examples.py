"""Seed 2's examples for the API's description: requests and answers as the seed shows them, and the refusals."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, OpenApiTypes

_PAYMENT: dict[str, Any] = {
    "userId": "0b0f8f3e-3c3f-4b8e-9a52-0e1f5f7f2a11", "contentId": "pack:1", "amount": 9.90,
    "subject": "Premium Content Purchase", "body": "Detailed description", "metadata": {"custom": "data"},
}  # fmt: skip
_STARTED: dict[str, Any] = {"outTradeNo": "P202508301551028f3a91c2", "amount": 9.90, "currency": "CNY"}
_ID = "pay_6f1f3f0e-1d0f-4a9e-8c1b-7c9d2f6a5b10"


def answers(what: str) -> dict[int, Any]:
    """200 and every refusal that a client must be ready for."""
    refusals = {
        400: "PARAM_ERROR: a field is missing or wrong. INVALID_REQUEST: the amount, the product or the refund does not fit.",
        401: "NOAUTH: no token, or one that is not valid any more.",
        403: "NOAUTH: `userId` is not the caller, or the token may not do that.",
        404: "ORDERNOTEXIST: no such payment, order or product of the caller.",
        409: "ORDERPAID, ORDERCLOSED, or an idempotency key that was used for something else.",
        429: "RATE_LIMITED: wait `Retry-After` seconds.",
        502: "SIGN_ERROR: our credentials are refused. SYSTEMERROR: ask again after `Retry-After` seconds; do not pay twice.",
    }
    found: dict[int, Any] = {200: OpenApiResponse(OpenApiTypes.OBJECT, description=what)}
    return found | {
        status: OpenApiResponse(OpenApiTypes.OBJECT, description=why) for status, why in refusals.items()
    }


def _request(value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample("request", value=value, request_only=True)


def _answer(data: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(
        "answer", value={"success": True, "data": data}, response_only=True, status_codes=["200"]
    )


REFUSALS = [
    OpenApiExample(
        "refused", response_only=True, status_codes=["400", "401", "403", "404", "409", "429", "502"],
        value={"error": "There is no such payment.", "code": "ORDERNOTEXIST", "details": {}},
    )
]  # fmt: skip
NATIVE = [
    _request(_PAYMENT),
    _answer({"paymentId": _ID, "codeUrl": "weixin://wxpay/bizpayurl?pr=abc123", **_STARTED}),
]
JSAPI = [
    _request({**_PAYMENT, "openid": "user-wechat-openid"}),
    _answer(
        {
            "paymentId": _ID,
            "prepayId": "wx201410272009395522657a690389285100",
            "paymentParams": {
                "appId": "wx1234567890", "timeStamp": "1234567890", "nonceStr": "abc123",
                "package": "prepay_id=wx201410272009395522657a690389285100", "signType": "RSA", "paySign": "signature",
            },
            **_STARTED,
        }
    ),
]  # fmt: skip
QUERY = [
    _answer(
        {
            "outTradeNo": "P202508301551028f3a91c2", "transactionId": "4200001234567890", "tradeState": "SUCCESS",
            "tradeStateDesc": "Payment successful", "amount": {"total": 990, "currency": "CNY"},
            "payer": {"openid": "user-openid"}, "successTime": "2024-01-01T12:00:00+08:00",
        }
    )
]  # fmt: skip
REFUND = [
    _request({"outTradeNo": "P202508301551028f3a91c2", "refundAmount": 5.00, "refundReason": "User requested refund"}),
    _answer(
        {
            "outTradeNo": "P202508301551028f3a91c2", "outRefundNo": "P202508301551028f3a91c2_R1",
            "refundId": "50000001234567890", "refundAmount": 5.00, "status": "PROCESSING",
        }
    ),
]  # fmt: skip
CLOSE = [
    _request({"outTradeNo": "P202508301551028f3a91c2"}),
    _answer({"outTradeNo": "P202508301551028f3a91c2", "closed": True}),
]
DETAILS = [
    _answer(
        {
            "id": _ID, "userId": _PAYMENT["userId"], "contentId": "pack:1", "amount": "9.90", "currency": "CNY",
            "paymentMethod": "wechat", "status": "succeeded",
            "metadata": {
                "custom": "data", "outTradeNo": "P202508301551028f3a91c2", "transactionId": "4200001234567890",
                "tradeState": "SUCCESS",
            },
            "createdAt": "2024-01-01T12:00:00Z", "completedAt": "2024-01-01T12:01:00Z",
        }
    )
]  # fmt: skip
