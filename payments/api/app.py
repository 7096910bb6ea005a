"""Seed 1, "Pay via App": POST /create-checkout-session and POST /process-payment-success. Doors: they make one call.

Open to everybody, as the seed has it. What the browser says after the payment is a nudge, never the order.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication, PageSession
from payments.services import app_payments, checkout_sessions, operations
from pimpshop.core import redirects, throttles
from pimpshop.core.api.callers import caller_of
from vending.serializers import Amount, OrderData, Text
from vending.services.summaries import Summary

#: A picture is fetched, decoded and drawn for each.
CREATE_PER_ADDRESS = throttles.Limit("app-checkout", 30, 60)
LOOK_PER_ADDRESS = throttles.Limit("app-look", 120, 60)


def _text(most: int, **more: Any) -> Text:
    return Text(required=False, allow_blank=True, allow_null=True, max_length=most, **more)


class AppCheckout(serializers.Serializer):
    """The seed's fields; `chinese_model_id` and `mobile_shell_id` name the shell exactly, `designImage` (a data URL) wins
    over `design_image_url`. Without device_id the case waits until its buyer chooses a machine."""

    brand_name = _text(120)
    brand_id = _text(40)
    model_name = _text(120)
    chinese_model_id = _text(40)
    mobile_shell_id = _text(40)
    color = _text(120)
    template_id = _text(60)
    design_image_url = _text(2000)
    designImage = Text(required=False, allow_blank=True, allow_null=True, trim_whitespace=False)
    device_id = _text(60)
    price = Amount(required=False, allow_null=True)
    currency = _text(8)
    customer_email = serializers.EmailField(required=False, allow_blank=True, allow_null=True, max_length=254)
    success_url = _text(500)
    cancel_url = _text(500)

    def to_summary(self) -> Summary:
        sent = {name: value for name, value in self.validated_data.items() if value is not None}
        return Summary(
            price=sent.get("price"),
            currency=sent.get("currency", "").upper(),
            brand=sent.get("brand_name", ""),
            brand_id=sent.get("brand_id", ""),
            model=sent.get("model_name", ""),
            model_id=sent.get("chinese_model_id", ""),
            shell_id=sent.get("mobile_shell_id", ""),
            colour=sent.get("color", ""),
            device_id=sent.get("device_id", ""),
            template=sent.get("template_id", ""),
            picture=sent.get("designImage", ""),
            picture_url=sent.get("design_image_url", ""),
        )


class Unread(Text):
    """Taken whatever it is, and not looked at."""

    def to_internal_value(self, data: Any) -> str:
        return ""


class AppOrderData(OrderData):
    """What the browser believes was ordered; nothing in it is needed, and a picture is not looked at, however it comes:
    whoever paid shall not be refused for it."""

    designImage = Unread(required=False, allow_blank=True, allow_null=True)
    finalImagePublicUrl = Unread(required=False, allow_blank=True, allow_null=True)
    finalImageUrl = Unread(required=False, allow_blank=True, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs


class AppSuccess(serializers.Serializer):
    session_id = Text(max_length=200)
    order_data = AppOrderData(required=False, allow_null=True)


def _refusals(*statuses: int) -> dict[int, Any]:
    why = {
        400: "shell_unknown, shell_ambiguous, picture_missing, picture_unreachable, redirect_not_allowed, invalid_request",
        404: "machine_not_found; session_not_found",
        409: "price_mismatch, not_sold, out_of_stock; order_differs: nothing was changed",
        413: "too_large",
        429: "rate_limited: wait `Retry-After` seconds",
        502: "payment_not_started: nothing was charged",
        503: "machine_not_ready, busy, payment_uncertain",
    }
    return {status: OpenApiResponse(OpenApiTypes.OBJECT, description=why[status]) for status in statuses}


_REFUSED = OpenApiExample(
    "refused", response_only=True, status_codes=["400", "404", "409", "429", "502", "503"],
    value={"detail": "Session not found", "status_code": 404, "code": "session_not_found"},
)  # fmt: skip


class AppView(APIView):
    authentication_classes = [BearerAuthentication, PageSession]
    permission_classes: list[Any] = []
    limit = LOOK_PER_ADDRESS

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttles.enforce(self.limit, throttles.client_address(request))
        super().initial(request, *args, **kwargs)


class AppCheckoutSession(AppView):
    limit = CREATE_PER_ADDRESS
    max_body_bytes = settings.ORDER_SUMMARY_MAX_BYTES

    @extend_schema(
        request=AppCheckout, tags=["app"],
        responses={200: OpenApiTypes.OBJECT, **_refusals(400, 404, 409, 413, 429, 502, 503)},
        examples=[
            OpenApiExample("request", request_only=True, value={
                "brand_name": "iphone", "model_name": "iPhone 15 Pro", "color": "Natural Titanium", "template_id": "classic",
                "design_image_url": "https://example.com/design.png", "device_id": "CXYLOGD8OQUK", "price": 19.99}),
            OpenApiExample("answer", response_only=True, status_codes=["200"], value={
                "checkout_url": "https://checkout.stripe.com/c/pay/cs_test_a1", "session_id": "cs_test_a1"}),
            _REFUSED,
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """POST /create-checkout-session: the picture is taken in and the machine asked before any money is."""
        intent = app_payments.start(_asked(request))
        operations.note("app_checkout", user_id=intent.order.user_id, intent=intent)
        return Response(
            {"checkout_url": checkout_sessions.page_url(intent), "session_id": intent.provider_ref}
        )


def _asked(request: Request) -> app_payments.Asked:
    body = AppCheckout(data=request.data)
    body.is_valid(raise_exception=True)
    sent = body.validated_data
    caller = caller_of(request)
    return app_payments.Asked(
        summary=body.to_summary(),
        user=caller.buyer if caller else request.user if request.user.is_authenticated else None,
        email=(sent.get("customer_email") or "").lower(),
        language=get_language() or "en",
        success_url=redirects.must_be_allowed(sent.get("success_url") or ""),
        cancel_url=redirects.must_be_allowed(sent.get("cancel_url") or ""),
        client_ip=throttles.client_address(request),
    )


class AppPaymentSuccess(AppView):
    max_body_bytes = settings.ORDER_SUMMARY_MAX_BYTES  # clients send the picture along; it is not looked at

    @extend_schema(
        request=AppSuccess, tags=["app"], responses={200: OpenApiTypes.OBJECT, **_refusals(400, 404, 409, 429)},
        examples=[
            OpenApiExample("request", request_only=True, value={
                "session_id": "cs_stripe_session_id",
                "order_data": {"brand": "iphone", "model": "iPhone 15 Pro", "chinese_model_id": "MM020250224000010",
                               "mobile_shell_id": "MS102503270003", "device_id": "CXYLOGD8OQUK",
                               "finalImageUrl": "https://example.com/final-design.png"}}),
            OpenApiExample("answer", response_only=True, status_codes=["200"], value={
                "success": True, "order_id": "P202508301551028f3a91c2", "payment_id": "pay_6f1f3f0e-…", "queue_no": "9578",
                "status": "paid", "brand": "iphone", "model": "iPhone 15 Pro", "color": "Natural Titanium",
                "template_id": "classic", "amount": 19.99}),
            _REFUSED,
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """POST /process-payment-success: look at that session now. The order is ours; order_data is only compared."""
        body = AppSuccess(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(app_payments.nudge(body.validated_data["session_id"], _told(body)))


def _told(body: AppSuccess) -> Summary:
    inner = AppOrderData(data=body.initial_data.get("order_data") or {})
    inner.is_valid(raise_exception=True)
    return inner.to_summary()
