"""GET /api/credits and /api/credits/statement: what somebody has, and how it came to be. Doors: one call, then words."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import has_scope
from credits import selectors, serializers
from pimpshop.core import throttles
from pimpshop.core.api.callers import caller_of, owner_of

#: Requests of one person or key, both addresses together.
READS = throttles.Limit("credits-read", 300, 60)
UNKEPT = {"Cache-Control": "no-store"}
_HAS = {
    "balance": 620, "held": 20, "available": 600, "debt": 0,
    "next_expiry": {"amount": 500, "at": "2026-01-20T10:00:00Z"},
    "endings": [{"amount": 500, "at": "2026-01-20T10:00:00Z"}, {"amount": 100, "at": None}],
}  # fmt: skip
_LINES = {
    "lines": [
        {"id": 812, "at": "2025-11-21T08:30:00Z", "kind": "hold", "text": "held", "amount": -20, "balance_after": 600,
         "order_no": "P202511210830007f3a9c21", "reference": "P202511210830007f3a9c21", "note": ""},
        {"id": 790, "at": "2025-11-20T10:00:00Z", "kind": "purchase", "text": "bought", "amount": 500,
         "balance_after": 620, "order_no": "P202511201000005b1e0d44", "reference": "P202511201000005b1e0d44/1",
         "note": "500 credits"},
    ],
    "next_cursor": "790",
}  # fmt: skip


def _example(value: dict[str, Any]) -> list[OpenApiExample]:
    return [OpenApiExample("answer", value=value, response_only=True, status_codes=["200"])]


class Own(APIView):
    """Somebody's own account: a user's token, a log-in, or a server's key with an owner."""

    permission_classes = [has_scope("credits:read")]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        throttles.enforce(READS, owner_of(request) or "")

    def user_id(self, request: Request) -> int:
        """Raises PermissionDenied for a key that acts for nobody."""
        caller = caller_of(request)
        user: Any = caller.buyer if caller is not None else request.user
        if user is None:
            raise PermissionDenied("This key acts for nobody. Use a user's token.")
        return int(user.pk)


class StandingView(Own):
    @extend_schema(
        operation_id="get_credits", tags=["credits"], examples=_example(_HAS),
        responses=serializers.Standing,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """What the token's user has: `balance` = `available` + `held`, what of it ends when, and what they owe."""
        standing = selectors.standing(self.user_id(request))
        return Response(serializers.Standing(standing).data, headers=UNKEPT)


class StatementView(Own):
    @extend_schema(
        operation_id="list_credit_movements", tags=["credits"], parameters=[serializers.Page],
        examples=_example(_LINES), responses=serializers.Statement,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Every movement of the account, the newest first. Ask with `next_cursor` for the older ones: lines that come in
        meanwhile shift none. The sum of all `amount` is `available`."""
        asked = serializers.Page(data=request.query_params)
        asked.is_valid(raise_exception=True)
        limit, before = asked.validated_data["limit"], asked.validated_data["cursor"]
        lines = selectors.statement(self.user_id(request), before_id=before or None, limit=limit + 1)
        more = len(lines) > limit
        told = {"lines": lines[:limit], "next_cursor": str(lines[limit - 1].id) if more else None}
        return Response(serializers.Statement(told).data, headers=UNKEPT)
