"""GET and DELETE /api/auth/devices, POST /api/auth/logout-all: where somebody is logged in, and the end of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import serializers
from accounts.authentication import BearerAuthentication
from accounts.services import tokens
from pimpshop.core import errors
from pimpshop.core.api.callers import Caller, caller_of

_EXAMPLE = OpenApiExample("answer", response_only=True, status_codes=["200"], value={"devices": [{
    "id": 12, "label": "iPhone 15", "created_at": "2025-11-20T10:00:00Z", "last_used_at": "2025-11-21T08:30:00Z",
    "expires_at": "2026-02-18T10:00:00Z", "current": True}]})  # fmt: skip


def logged_in(request: Request) -> Caller:
    """The caller with a user's token. API keys are no devices. Raises NotAuthenticated."""
    caller = caller_of(request)
    if caller is None or caller.token_id is None:
        raise NotAuthenticated
    return caller


class DevicesView(APIView):
    """Where this account is logged in."""

    authentication_classes = [BearerAuthentication]
    permission_classes: list[Any] = []

    @extend_schema(responses=serializers.Devices, tags=["log-in"], examples=[_EXAMPLE])
    def get(self, request: Request) -> Response:
        """One entry per living token, the newest first; `current` is the one that asks. Tokens themselves are never shown."""
        caller = logged_in(request)
        rows = [
            {
                "id": row.pk, "label": row.label, "created_at": row.created_at, "last_used_at": row.last_used_at,
                "expires_at": row.expires_at, "current": row.pk == caller.token_id,
            }
            for row in tokens.living(caller.user)[:100]
        ]  # fmt: skip
        return Response(serializers.Devices({"devices": rows}).data, headers={"Cache-Control": "no-store"})


class DeviceView(APIView):
    """One device of this account."""

    authentication_classes = [BearerAuthentication]
    permission_classes: list[Any] = []

    @extend_schema(
        request=None, responses={204: OpenApiResponse(description="That device is logged out.")}, tags=["log-in"],
        parameters=[OpenApiParameter("token_id", int, OpenApiParameter.PATH, description="The `id` of the list.")],
    )  # fmt: skip
    def delete(self, request: Request, token_id: str) -> Response:
        """Log one device out, this one too. 404 for one that is logged out already and for somebody else's."""
        caller = logged_in(request)
        if not tokens.revoke_of(caller.user, int(token_id)):
            raise errors.NotFound
        return Response(status=204)


class LogoutAllView(APIView):
    """End every token of this account."""

    authentication_classes = [BearerAuthentication]
    permission_classes: list[Any] = []

    @extend_schema(
        request=None, tags=["log-in"],
        responses={204: OpenApiResponse(description="Every device is logged out, this one too.")},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """For a lost phone: log in again on the devices that you still have."""
        tokens.revoke_all(logged_in(request).user)
        return Response(status=204)
