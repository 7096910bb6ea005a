"""POST /api/auth/wechat/bind and /api/auth/email/bind: somebody with a token shows who they are elsewhere too."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import serializers
from accounts.api.devices import logged_in
from accounts.api.tokens import PER_ACCOUNT, PER_ADDRESS, answer
from accounts.authentication import BearerAuthentication
from accounts.models import User, normalise_email
from accounts.services import tokens
from payments.serializers.identities import Bound
from payments.services import proving
from pimpshop.core import throttles

_BOUND = OpenApiExample("bound", response_only=True, status_codes=["200"], value={
    "joined": False, "user": {"id": 7, "customer_id": "550e8400-e29b-41d4-a716-446655440001", "email": "alice@example.com"},
    "session": None})  # fmt: skip
_CONFLICT = OpenApiResponse(
    description="`accounts_cannot_be_joined`: both accounts have an e-mail address, or one is staff's. Nothing was changed."
)


def _answer(caller_id: int, proven: proving.Proven, label: str) -> Response:
    """The account that there is now. Whose account went into another gets a token of that one: the old one is dead."""
    user: User = proven.user
    session = answer(*tokens.issue(user, label=label)) if user.pk != caller_id else None
    who = {"id": user.pk, "customer_id": user.public_id, "email": user.email}
    told = Bound({"joined": proven.joined, "user": who, "session": session}).data
    return Response(told, headers={"Cache-Control": "no-store"})


class _Door(APIView):
    authentication_classes = [BearerAuthentication]
    permission_classes: list[Any] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttles.enforce(PER_ADDRESS, throttles.client_address(request))
        super().initial(request, *args, **kwargs)


class WeChatBindView(_Door):
    """Bind WeChat to the account in use."""

    @extend_schema(
        request=serializers.WeChatLogIn, tags=["log-in"],
        examples=[OpenApiExample("request", {"code": "0e3…"}, request_only=True), _BOUND],
        responses={
            200: Bound, 409: _CONFLICT,
            400: OpenApiResponse(description="`wechat_code_invalid`: the code is unknown, too old or was used."),
            503: OpenApiResponse(description="`wechat_unavailable`: come back after `Retry-After` seconds."),
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """From now on WeChat logs in as this account. If that person has an account without an e-mail address already, the
        two become one: orders, credits, plans, designs and saved ways to pay are in the account with the address, and
        devices of the other one log in again. When it is the caller's account that went, `session` is a log-in to the
        other one."""
        caller = logged_in(request)
        asked = serializers.WeChatLogIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        return _answer(caller.user.pk, proving.bind_wechat(caller.user, code=given["code"]), given["device"])


class EmailBindView(_Door):
    """Go on in the account that has an e-mail address."""

    @extend_schema(
        request=serializers.LogIn, tags=["log-in"],
        examples=[
            OpenApiExample("request", {"email": "alice@example.com", "password": "…"}, request_only=True),
            _BOUND,
        ],
        responses={
            200: Bound, 400: OpenApiResponse(description="`wrong_credentials`, `second_factor_needed`: as at the log-in."), 409: _CONFLICT,
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """For somebody who came by WeChat and has an account with a password too: the two become one, and `session` is a
        log-in to it (the token in use is dead then). Limits as at the log-in."""
        caller = logged_in(request)
        asked = serializers.LogIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        throttles.enforce(PER_ACCOUNT, normalise_email(given["email"]) or "")
        other = tokens.who(
            email=given["email"], password=given["password"], code=given["code"], request=request._request
        )
        return _answer(caller.user.pk, proving.has_address(caller.user, other.email or ""), given["device"])
