"""Seed 3: POST /api/create-checkout-session and GET /api/check-payment-status/{sessionId}. Doors: they make one call.

Open to everybody; a Bearer token or a log-in says whose purchase it is. Together 100 requests a minute and address.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication, PageSession
from payments.api.wechat_bodies import Metadata
from payments.services import checkout_sessions, operations
from pimpshop.core import clients, redirects, throttles
from pimpshop.core.api import idempotent
from pimpshop.core.api.callers import caller_of
from pimpshop.core.middleware import supported_language
from vending.serializers import Text

PER_ADDRESS = throttles.Limit("seed3-address", 100, 60)


class Checkout(serializers.Serializer):
    """Only `priceId` is needed. `paymentMethodTypes` and `allowPromotionCodes` of newer clients are accepted and change
    nothing: the page takes cards, and the price is fixed."""

    priceId = serializers.JSONField(
        required=False, allow_null=True, help_text="price_…, one of the seed's table"
    )
    metadata = Metadata(required=False, allow_null=True)
    paymentMethodTypes = serializers.ListField(
        child=Text(max_length=40), required=False, allow_null=True, max_length=20
    )
    successUrl = Text(required=False, allow_blank=True, allow_null=True, max_length=500)
    cancelUrl = Text(required=False, allow_blank=True, allow_null=True, max_length=500)
    customerEmail = serializers.EmailField(required=False, allow_blank=True, allow_null=True, max_length=254)
    allowPromotionCodes = serializers.BooleanField(required=False, allow_null=True)
    locale = Text(required=False, allow_blank=True, allow_null=True, max_length=16)


def _refusals(*statuses: int) -> dict[int, Any]:
    why = {
        400: "invalid_price_id, currency_not_supported, amount_too_small, amount_too_large, redirect_not_allowed, invalid_request",
        401: "unauthorized: a token that is not valid (any more)",
        403: "virtual_goods_hidden: plans are not sold in the app that asks (X-Client)",
        404: "price_not_found; session_not_found",
        429: "rate_limit_exceeded: wait `Retry-After` seconds",
        502: "payment_not_started: nothing was charged",
        503: "payment_uncertain: ask again after `Retry-After` seconds",
    }
    return {status: OpenApiResponse(OpenApiTypes.OBJECT, description=why[status]) for status in statuses}


_REFUSED = OpenApiExample(
    "refused", response_only=True, status_codes=["400", "401", "403", "404", "429", "502", "503"],
    value={"error": {"code": "invalid_price_id", "message": "…", "type": "invalid_request_error"}},
)  # fmt: skip


class CheckoutView(APIView):
    authentication_classes = [BearerAuthentication, PageSession]
    permission_classes: list[Any] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttles.enforce(PER_ADDRESS, throttles.client_address(request))
        super().initial(request, *args, **kwargs)


class CreateCheckoutSession(CheckoutView):
    @extend_schema(
        request=Checkout, tags=["checkout"],
        responses={200: OpenApiTypes.OBJECT, **_refusals(400, 401, 403, 404, 429, 502, 503)},
        examples=[
            OpenApiExample("request", value={"priceId": "price_1Qme87HVMy0i1BlJR1PRWOgz"}, request_only=True),
            OpenApiExample("answer", value={"url": "https://checkout.stripe.com/xxx", "sessionId": "cs_xxx"},
                           response_only=True, status_codes=["200"]),
            _REFUSED,
        ],
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request) -> Response:
        """POST /api/create-checkout-session: where to pay. The same buyer and price: the page that is open already."""
        intent = checkout_sessions.open_page(_asked(request))
        operations.note("checkout_session", user_id=intent.order.user_id, intent=intent)
        return Response({"url": checkout_sessions.page_url(intent), "sessionId": intent.provider_ref})


def _asked(request: Request) -> checkout_sessions.Asked:
    clients.must_sell_virtual_goods(request)
    body = Checkout(data=request.data)
    body.is_valid(raise_exception=True)
    sent = {name: value for name, value in body.validated_data.items() if value is not None}
    price_id = sent.get("priceId")
    if not isinstance(price_id, str):
        raise checkout_sessions.PriceUnknown
    caller = caller_of(request)
    user = caller.buyer if caller else request.user if request.user.is_authenticated else None
    return checkout_sessions.Asked(
        price_id=price_id,
        user=user,
        email=sent.get("customerEmail", "").lower(),
        language=supported_language(sent.get("locale", "")) or get_language() or "zh-hans",
        success_url=redirects.must_be_allowed(sent.get("successUrl", "")),
        cancel_url=redirects.must_be_allowed(sent.get("cancelUrl", "")),
        client_ip=throttles.client_address(request),
        api_key_id=caller.key_id if caller else None,
        metadata=sent.get("metadata", {}),
    )


class CheckPaymentStatus(CheckoutView):
    @extend_schema(
        tags=["checkout"], responses={200: OpenApiTypes.OBJECT, **_refusals(404, 429)},
        examples=[
            OpenApiExample("answer", value={"status": "paid"}, response_only=True, status_codes=["200"]),
            _REFUSED,
        ],
    )  # fmt: skip
    def get(self, request: Request, session_id: str) -> Response:
        """GET /api/check-payment-status/{sessionId}: paid, unpaid, processing, expired, failed, canceled or
        no_payment_required. Poll on unpaid and processing; nobody shall pay again meanwhile."""
        intent = checkout_sessions.look(session_id)
        return Response({"status": checkout_sessions.status_word(intent)})
