"""Seed 4's examples for the API's description: requests and answers as the seed shows them, and the refusals."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, OpenApiTypes

_NO = "P202307011200001234abcd"
_PRODUCT: dict[str, Any] = {
    "id": 1, "name": "100积分套餐", "description": "购买100积分", "credits": 100, "price": 9.9,
    "image_url": "https://example.com/images/credits-100.png", "is_active": True, "sort_order": 1,
    "created_at": "2023-07-01T12:00:00Z", "updated_at": "2023-07-01T12:00:00Z",
}  # fmt: skip
_STANDS: dict[str, Any] = {
    "amount": 9.9, "credits": 100, "status": "completed", "payment_id": "4200001234202307011234567890",
    "payment_time": "2023-07-01T12:05:00Z", "refund_time": None, "remark": None,
    "created_at": "2023-07-01T12:00:00Z", "updated_at": "2023-07-01T12:05:30Z",
}  # fmt: skip
_WHY = {
    400: "商品不存在或已下架, 订单已支付, 订单已取消, 订单已退款, no log-in through the mini program, a field that does not fit",
    401: "No token, or one that is not valid any more; the callback without its token.",
    403: "This token or key may not do that, or acts for nobody; credits are not sold in the app that asks (X-Client).",
    404: "订单不存在; 商品不存在或已下架",
    409: "The idempotency key was used for something else.",
    429: "Too many requests: wait `Retry-After` seconds.",
    502: "WeChat Pay refused. Nothing was charged.",
    503: "No answer yet: ask again after `Retry-After` seconds; do not pay twice.",
}


def refusals(*statuses: int) -> dict[int, Any]:
    return {
        status: OpenApiResponse(OpenApiTypes.OBJECT, description=_WHY[status], examples=[_refused(status)])
        for status in statuses
    }


def _refused(status: int) -> OpenApiExample:
    said = {400: "商品不存在或已下架", 404: "订单不存在"}.get(status, "…")
    return OpenApiExample(f"refused {status}", value={"detail": said}, response_only=True)


def _request(value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample("request", value=value, request_only=True)


def _answer(value: Any) -> OpenApiExample:
    return OpenApiExample("answer", value=value, response_only=True, status_codes=["200"])


PRODUCTS = [_answer(_PRODUCT)]
PRODUCT = [_answer(_PRODUCT)]
CREATE = [
    _request({"product_id": 1}),
    _answer({"order_id": 100, "order_no": _NO, "amount": 9.9, "credits": 100, "message": "订单创建成功"}),
]
PAY = [
    _answer(
        {
            "payment_data": {
                "appId": "wx123456789", "timeStamp": "1627436982", "nonceStr": "abcdefg12345",
                "packageValue": "prepay_id=wx12345678901234567890", "package": "prepay_id=wx12345678901234567890",
                "signType": "RSA", "paySign": "abcdefghijklmnopqrstuvwxyz123456789", "outTradeNo": _NO,
            },
            "message": "创建支付成功",
        }
    )
]  # fmt: skip
ORDERS = [_answer({"id": 100, "order_no": _NO, "user_id": 1, "product_id": 1, **_STANDS})]
ORDER = [
    _answer(
        {
            "id": 100, "order_no": _NO, **_STANDS, "product_name": "100积分套餐", "product_description": "购买100积分",
            "product_image_url": "https://example.com/images/credits-100.png",
        }
    )
]  # fmt: skip
STATUS = [_answer({"order_id": 100, "status": "completed", "paid": True, "message": "支付成功"})]
CALLBACK = [
    _request(
        {"order_no": _NO, "payment_id": "4200001234202307011234567890", "status": "SUCCESS", "amount": 9.9}
    ),
    _answer({"message": "处理支付回调成功"}),
]
TOKEN = OpenApiParameter(
    "X-Payment-Token",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="PAYMENT_CALLBACK_TOKEN of the settings.",
)
