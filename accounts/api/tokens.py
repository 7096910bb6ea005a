"""POST /api/auth/token and /api/auth/logout: a Bearer token for a device, and its end."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import serializers
from accounts.authentication import BearerAuthentication
from accounts.models import UserToken, normalise_email
from accounts.services import tokens
from pimpshop.core import throttles
from pimpshop.core.api.callers import caller_of

#: Counted before the password is looked at, so that guessing stops however many addresses or accounts it uses.
PER_ADDRESS = throttles.Limit("log-in-address", 60, 600)
PER_ACCOUNT = throttles.Limit("log-in-account", 10, 600)


def answer(token: str, row: UserToken) -> dict[str, Any]:
    """What every log-in of the API answers, whichever way somebody came."""
    user = row.user
    who = {"id": user.pk, "customer_id": user.public_id, "email": user.email}
    return dict(
        serializers.LoggedIn(
            {"token": token, "token_type": "Bearer", "expires_at": row.expires_at, "user": who}
        ).data
    )


class TokenView(APIView):
    """Log in with e-mail and password."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @extend_schema(
        request=serializers.LogIn, responses=serializers.LoggedIn, tags=["log-in"],
        examples=[
            OpenApiExample("request", {"email": "alice@example.com", "password": "…", "device": "Phone"}, request_only=True),
            OpenApiExample("answer", response_only=True, value={
                "token": "…", "token_type": "Bearer", "expires_at": "2026-02-28T10:00:00Z",
                "user": {"id": 7, "customer_id": "550e8400-e29b-41d4-a716-446655440001", "email": "alice@example.com"}}),
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The same 400 for a wrong password and an unknown address. 10 tries an account and 60 an address in ten minutes.

        An account with a second factor gets 400 `second_factor_needed`: send the same again with `code`.
        """
        throttles.enforce(PER_ADDRESS, throttles.client_address(request))
        asked = serializers.LogIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        throttles.enforce(PER_ACCOUNT, normalise_email(given["email"]) or "")
        token, row = tokens.log_in(
            email=given["email"], password=given["password"], code=given["code"], label=given["device"],
            request=request._request,
        )  # fmt: skip
        return Response(answer(token, row), headers={"Cache-Control": "no-store"})


class LogoutView(APIView):
    """End the token in use."""

    authentication_classes = [BearerAuthentication]
    permission_classes: list[Any] = []

    @extend_schema(
        request=None, responses={204: OpenApiResponse(description="The token is dead.")}, tags=["log-in"]
    )
    def post(self, request: Request) -> Response:
        """Ends this token only; other devices stay logged in. API keys are revoked at the desk, not here."""
        caller = caller_of(request)
        if caller is None or caller.token_id is None:
            raise NotAuthenticated
        tokens.revoke(caller.token_id)
        return Response(status=204)
