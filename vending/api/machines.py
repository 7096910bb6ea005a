"""Seed 1: what the machine polls, and what staff look at when something is wrong."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import selectors as payments
from payments.services import intents, sync
from pimpshop.core import ids, throttles
from vending.api import examples
from vending.services import diagnostics, sessions

#: Many machines may poll from behind one address, each every five seconds.
PAYMENT_STATUS_PER_ADDRESS = throttles.Limit("payment-status", 600, 60)


class PaymentStatus(APIView):
    """The machine polls this every 5-15 s and never stops; an unknown number is no error to it."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @extend_schema(responses=OpenApiTypes.OBJECT, examples=examples.MACHINE_POLLS, tags=["machines"])
    def get(self, request: Request, third_id: str) -> Response:
        """GET /api/chinese/payment/{PYEN}/status. Status is the manufacturer's number, 1-5."""
        throttles.enforce(PAYMENT_STATUS_PER_ADDRESS, throttles.client_address(request))
        intent = intents.by_number(third_id) if ids.THIRD_ID.match(third_id) else None
        if intent is None:
            return Response(
                {
                    "success": False,
                    "third_id": third_id[:64],
                    "status": 1,
                    "polling_complete": False,
                    "message": _("Payment not found"),
                }
            )
        sync.refresh_if_stale(intent.order, source="machine")
        intent.refresh_from_db()
        return Response(payments.machine_status(intent))


class TestConnection(APIView):
    """Staff only: can we reach the manufacturer, and does it know us?"""

    permission_classes = [IsAdminUser]

    @extend_schema(responses=OpenApiTypes.OBJECT, examples=examples.CONNECTION, tags=["machines"])
    def get(self, request: Request) -> Response:
        return Response(diagnostics.test_connection())


class SessionValidation(APIView):
    """Staff only: everything that must be there for a session's webhook to print (seed 1, debug)."""

    permission_classes = [IsAdminUser]

    @extend_schema(responses=OpenApiTypes.OBJECT, examples=examples.VALIDATION, tags=["machines"])
    def get(self, request: Request, session_id: str) -> Response:
        return Response(diagnostics.validate_session(sessions.find(session_id)))
