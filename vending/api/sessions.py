"""Seed 1: sessions at a machine, from create-session to cancel. Doors: they translate and make one call.

Anonymous: a session claimed by our own page needs its phone's token (cookie or X-Session-Token); one registered by a
bare API client works as in the seed. No answer ever shows a design.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import selectors as orders
from orders.services import session_orders
from payments.services import machine_payments, sync
from pimpshop.core import clock, throttles
from vending import selectors, serializers
from vending.api import examples
from vending.models import VendingSession
from vending.services import machines, sessions

# Nobody may use up what others need: a machine and a session are counted per address, and a whole mall may share one.
CREATE_PER_MACHINE = throttles.Limit("create-session-machine", 60, 60)
CREATE_PER_ADDRESS = throttles.Limit("create-session-address", 240, 60)
CLAIM_PER_MACHINE = throttles.Limit("register-user-machine", 30, 60)
WRITE_PER_SESSION = throttles.Limit("session-write", 30, 60)
READ_PER_SESSION = throttles.Limit("session-read", 300, 60)
SUMMARY_PER_MACHINE = throttles.Limit("order-summary-machine", 40, 60)
SUMMARY_PER_ADDRESS = throttles.Limit("order-summary-address", 120, 60)


def claim_token(request: HttpRequest | Request, session_id: str) -> str:
    """The phone's token: the header for clients, the cookie for our pages."""
    return request.headers.get("X-Session-Token", "") or request.COOKIES.get(
        sessions.claim_cookie(session_id), ""
    )


def admit(limit: throttles.Limit, request: HttpRequest | Request, thing: str) -> None:
    """Count a request for `thing` (a machine, a session) by its caller's address. Raises TooManyRequests."""
    throttles.enforce(limit, f"{thing} {throttles.client_address(request)}")


class SessionView(APIView):
    """A public door of one session."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def session_for_write(self, request: Request, session_id: str) -> VendingSession:
        session = sessions.get_session(session_id)
        sessions.require_access(session, claim_token(request, session_id))
        admit(WRITE_PER_SESSION, request, session.session_id)
        sessions.must_be_running(session)
        return session


class CreateSession(SessionView):
    @extend_schema(
        request=serializers.CreateSession,
        responses=examples.ANSWERS,
        examples=examples.CREATE,
        tags=["vending"],
    )
    def post(self, request: Request) -> Response:
        """POST /api/vending/create-session. 404 unknown machine, 429 with Retry-After when five sessions are live."""
        throttles.enforce(CREATE_PER_ADDRESS, throttles.client_address(request))
        body = serializers.CreateSession(data=request.data)
        body.is_valid(raise_exception=True)
        machine = machines.get_machine(body.validated_data["machine_id"])
        admit(CREATE_PER_MACHINE, request, machine.machine_id)
        machines.note_contact(machine)
        session = sessions.create_session(
            machine=machine,
            location=body.validated_data["location"],
            timeout_minutes=body.validated_data["session_timeout_minutes"],
            language=body.validated_data["lang"],
            source="api",
        )
        return Response(
            {
                "success": True,
                "session_id": session.session_id,
                "qr_url": selectors.qr_url(session),
                "expires_at": clock.iso(session.expires_at),
            }
        )


class RegisterUser(SessionView):
    @extend_schema(
        request=serializers.RegisterUser,
        responses=examples.ANSWERS,
        examples=examples.REGISTER,
        tags=["vending"],
    )
    def post(self, request: Request, session_id: str) -> Response:
        """POST …/register-user: the first phone takes the session; 409 for the second."""
        session = sessions.get_session(session_id)
        admit(WRITE_PER_SESSION, request, session.session_id)
        body = serializers.RegisterUser(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["machine_id"] != session.machine.machine_id:
            raise sessions.WrongMachine
        if body.validated_data["session_id"] != session_id:
            raise sessions.SessionIdMalformed(_("The session id in the body is not the one in the address."))
        admit(CLAIM_PER_MACHINE, request, session.machine.machine_id)
        told = claim_token(request, session_id)
        token = sessions.claim(session, token=told, needs_token=False, source="api")
        response = Response(
            {
                "success": True,
                "session_id": session.session_id,
                "machine_info": {
                    "id": session.machine.machine_id,
                    "name": session.machine.name,
                    "location": session.location,
                },
                "expires_at": clock.iso(session.expires_at),
                "user_progress": session.user_progress,
                "session_token": token,
            }
        )
        set_claim_cookie(response, session_id, token)
        return response


def set_claim_cookie(response: Any, session_id: str, token: str) -> None:
    """Give the phone its token for that session."""
    response.set_cookie(
        sessions.claim_cookie(session_id),
        token,
        max_age=24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


class OrderSummary(SessionView):
    max_body_bytes = settings.ORDER_SUMMARY_MAX_BYTES

    @extend_schema(
        request=serializers.OrderData, responses=examples.ANSWERS, examples=examples.SUMMARY, tags=["vending"]
    )
    def post(self, request: Request, session_id: str) -> Response:
        """POST …/order-summary, flat or nested. 409 when the price or (after init-payment) the content differs."""
        session = self.session_for_write(request, session_id)
        admit(SUMMARY_PER_MACHINE, request, session.machine.machine_id)
        throttles.enforce(SUMMARY_PER_ADDRESS, throttles.client_address(request))
        summary = serializers.read_summary(request.data, session_id)
        order = session_orders.submit_summary(session, summary, source="api")
        session.refresh_from_db()
        return Response(
            {
                "success": True,
                "message": _("Order summary received"),
                "session_id": session.session_id,
                "payment_amount": order.total.to_decimal(),
                "currency": order.currency,
                "status": session.status,
            }
        )


_TO_PAY = {
    "message": gettext_lazy("Vending machine payment initialized - complete payment on machine"),
    "status": "awaiting_payment",
    "instructions": gettext_lazy("Complete payment on vending machine to receive order confirmation"),
}
_PAID = {
    "message": gettext_lazy("This order is paid already"),
    "status": "payment_completed",
    "instructions": gettext_lazy("Do not pay again. The machine prints the case."),
}


class InitPayment(SessionView):
    @extend_schema(request=None, responses=examples.ANSWERS, examples=examples.PAY, tags=["vending"])
    def post(self, request: Request, session_id: str) -> Response:
        """POST …/init-payment: asks the machine for the money. The second call returns the first answer."""
        session = self.session_for_write(request, session_id)
        payment = machine_payments.start_machine_payment(session, source="api")
        words = _PAID if payment.is_paid else _TO_PAY
        return Response(
            {
                "success": True,
                "message": str(words["message"]),
                "session_id": session.session_id,
                "third_id": payment.third_id,
                "payment_amount": payment.intent.amount.to_decimal(),
                "currency": payment.intent.currency,
                "chinese_payment_id": payment.intent.provider_ref or None,
                "status": words["status"],
                "instructions": str(words["instructions"]),
            }
        )


class SessionStatus(SessionView):
    @extend_schema(responses=examples.ANSWERS, examples=examples.STATUS, tags=["vending"])
    def get(self, request: Request, session_id: str) -> Response:
        """GET …/status. Asks the provider when the answer may be stale (at most once per three seconds)."""
        session = sessions.get_session(session_id)
        admit(READ_PER_SESSION, request, session.session_id)
        machines.note_contact(session.machine)
        order = orders.of_session(session.order_no)
        if order is not None:
            sync.refresh_if_stale(order, source="api")
            session.refresh_from_db()
        return Response(selectors.session_status(session))


class OrderInfo(SessionView):
    @extend_schema(responses=examples.ANSWERS, examples=examples.INFO, tags=["vending"])
    def get(self, request: Request, session_id: str) -> Response:
        """GET …/order-info: brand, model, colour, template, amount, currency, state; never a picture."""
        session = sessions.get_session(session_id)
        sessions.require_access(session, claim_token(request, session_id))
        snapshot = orders.snapshot(session.order_no)
        return Response(
            {
                "success": True,
                "session_id": session.session_id,
                "brand": snapshot.get("brand"),
                "model": snapshot.get("model"),
                "color": snapshot.get("colour"),
                "template": snapshot.get("template") or session.summary.get("template"),
                "amount": selectors.amount(session),
                "currency": session.currency or session.machine.currency,
                "status": session.status,
            }
        )


class SessionHealth(SessionView):
    @extend_schema(responses=examples.ANSWERS, examples=examples.HEALTH, tags=["vending"])
    def get(self, request: Request, session_id: str) -> Response:
        """GET …/health: is the machine of this (not yet ended) session ready?"""
        session = sessions.get_session(session_id)
        ready = machines.readiness(session.machine)
        return Response(
            {
                "success": True,
                "session_id": session.session_id,
                "healthy": not session.is_over and ready.ok,
                "status": session.status,
                "user_progress": session.user_progress,
                "expires_at": clock.iso(session.expires_at),
                "machine_ready": ready.ok,
                "machine_reason": ready.code or None,
            }
        )


class CancelSession(SessionView):
    def _cancel(self, request: Request, session_id: str) -> Response:
        session = self.session_for_write(request, session_id)
        sessions.cancel_session(session=session, source="api", reason="cancelled by the client")
        return Response({"success": True, "session_id": session.session_id, "status": "cancelled"})

    @extend_schema(request=None, responses=examples.ANSWERS, examples=examples.CANCEL, tags=["vending"])
    def post(self, request: Request, session_id: str) -> Response:
        """POST …/cancel. A payment that was started is still honoured if it comes."""
        return self._cancel(request, session_id)

    @extend_schema(responses=examples.ANSWERS, examples=examples.CANCEL, tags=["vending"])
    def delete(self, request: Request, session_id: str) -> Response:
        """DELETE …/{session_id}: the same as cancel."""
        return self._cancel(request, session_id)


class SessionAddress(CancelSession):
    """The session's bare address, for DELETE. Whoever glues the query string to the id (…_A2440143?qr=true/status)
    lands here, and is told so."""

    http_method_names = ["delete", "options"]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if "/" in request.META.get("QUERY_STRING", ""):
            raise sessions.SessionIdMalformed
        return super().http_method_not_allowed(request, *args, **kwargs)
