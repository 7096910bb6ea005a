"""POST /api/auth/wechat/login: a Bearer token for the code of wx.login."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import serializers
from accounts.api.tokens import PER_ADDRESS, answer
from payments.services import proving
from pimpshop.core import throttles

EXAMPLES = [
    OpenApiExample("request", {"code": "0e3…", "device": "iPhone 15"}, request_only=True),
    OpenApiExample("answer", response_only=True, status_codes=["200"], value={
        "token": "…", "token_type": "Bearer", "expires_at": "2026-02-28T10:00:00Z",
        "user": {"id": 7, "customer_id": "550e8400-e29b-41d4-a716-446655440001", "email": None}}),
]  # fmt: skip


class WeChatLogInView(APIView):
    """Log in from a WeChat mini program."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @extend_schema(
        request=serializers.WeChatLogIn, tags=["log-in"], examples=EXAMPLES,
        responses={
            200: serializers.LoggedIn,
            400: OpenApiResponse(description="`wechat_code_invalid`: the code is unknown, too old or was used."),
            403: OpenApiResponse(description="`account_off`: the account was switched off."),
            404: OpenApiResponse(description="`wechat_off`: this shop has no mini program."),
            503: OpenApiResponse(description="`wechat_unavailable`: come back after `Retry-After` seconds."),
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The code of `wx.login` is good once and for five minutes: after a 400 or a lost answer call `wx.login` again.
        The first log-in makes an account without an e-mail address. 60 tries an address in ten minutes. 503 carries
        `Retry-After`."""
        throttles.enforce(PER_ADDRESS, throttles.client_address(request))
        asked = serializers.WeChatLogIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        token, row = proving.log_in(code=given["code"], label=given["device"])
        return Response(answer(token, row), headers={"Cache-Control": "no-store"})
