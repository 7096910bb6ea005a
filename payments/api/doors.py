"""What the doors of seed 5 share: who asks, how often, and the seed's code for what a provider did not do."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import STAFF_SCOPES, may
from payments.serializers import answers
from payments.services import intents, refusals
from payments.services.visibility import Viewer
from pimpshop.core import clients, throttles
from pimpshop.core.api.callers import caller_of, owner_of

#: Counted before anybody is known, so that guessing keys and tokens stops.
PER_ADDRESS = throttles.Limit("payments-address", 1200, 60)
#: A server sells to many, a person pays a few times; a key in a page is counted with the address that uses it.
WRITE_PER_SERVER = throttles.Limit("payments-write-server", 1200, 60)
WRITE_PER_PERSON = throttles.Limit("payments-write-person", 60, 60)
READ_PER_SERVER = throttles.Limit("payments-read-server", 3000, 60)
READ_PER_PERSON = throttles.Limit("payments-read-person", 300, 60)
#: An answer with a secret or a card's last digits is kept by nobody on its way.
UNKEPT = {"Cache-Control": "no-store"}
SERVERS = ("secret", "restricted")


def refusals_of(*statuses: int) -> dict[int, Any]:
    """The refusals of an address, for the API's description."""
    said = {
        400: "INVALID_REQUEST, INVALID_AMOUNT, INVALID_CURRENCY, INVALID_PAYMENT_METHOD, REFUND_AMOUNT_INVALID",
        401: "UNAUTHORIZED", 402: "CARD_DECLINED, INSUFFICIENT_FUNDS, EXPIRED_CARD, INCORRECT_CVC, PROCESSING_ERROR",
        403: "FORBIDDEN", 404: "PAYMENT_NOT_FOUND, GATEWAY_NOT_FOUND, ORDER_NOT_FOUND, CUSTOMER_NOT_FOUND",
        409: "IDEMPOTENCY_KEY_REUSED, ALREADY_PAID, ALREADY_CAPTURED, ALREADY_REFUNDED",
        429: "RATE_LIMITED", 502: "GATEWAY_ERROR", 503: "PAYMENT_UNCERTAIN: ask again after Retry-After",
    }  # fmt: skip
    return {status: OpenApiResponse(answers.Error, description=said[status]) for status in statuses}


class SomebodyKnown(BasePermission):
    """A token, a key or a log-in; who may see what is for the payment to say (404, never 403)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if caller_of(request) is None and not request.user.is_authenticated:
            raise exceptions.NotAuthenticated
        return True


class Counted(APIView):
    """A door of the payments API: each request is counted, first by its address, then by who sent it."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttles.enforce(PER_ADDRESS, throttles.client_address(request))
        super().initial(request, *args, **kwargs)
        self._count(request)

    def _count(self, request: Request) -> None:
        caller, reads = caller_of(request), request.method in ("GET", "HEAD", "OPTIONS")
        who = owner_of(request) or ""
        if caller is not None and caller.kind in SERVERS:
            throttles.enforce(READ_PER_SERVER if reads else WRITE_PER_SERVER, who)
            return
        if caller is not None and caller.kind == "publishable":
            who = f"{who} {throttles.client_address(request)}"
        throttles.enforce(READ_PER_PERSON if reads else WRITE_PER_PERSON, who)


class Door(Counted):
    """`scope` is what a verb needs by right; with `by_secret` a payment's client secret does as well."""

    permission_classes = [SomebodyKnown]
    scope = "payments:write"
    by_secret = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            # Before a repeat is answered with what another key of the same owner was told.
            self.viewer(request)

    def handle_exception(self, exc: Exception) -> Response:
        """A provider that refused our request or did not answer is seed 5's GATEWAY_ERROR."""
        if isinstance(exc, intents.PaymentNotStarted):
            exc = refusals.ProviderRefused()
        return super().handle_exception(exc)

    def viewer(self, request: Request) -> Viewer:
        """Who asks. Raises MayNot."""
        return viewer_of(request, self.scope, by_secret=self.by_secret)


def viewer_of(request: Request, scope: str, *, by_secret: bool) -> Viewer:
    """Who asks for `scope`. Raises MayNot for a caller whose scopes do not allow it and whom (`by_secret`) no client
    secret may help."""
    caller, by_right = caller_of(request), may(request, scope)
    secret = request.headers.get("X-Payment-Client-Secret", "")[:200]
    sells_virtual = not clients.hides_virtual_goods(request)
    if not by_right and not (by_secret and may(request, "payments:pay")):
        raise refusals.MayNot
    if caller is None or caller.kind == "user":
        staff = by_right and scope in STAFF_SCOPES
        return Viewer(
            user_id=request.user.pk, sees_all=staff, by_right=by_right, secret=secret,
            actor=f"user:{request.user.pk}", sells_virtual=sells_virtual,
        )  # fmt: skip
    return Viewer(
        user_id=caller.user_id,
        key_id=caller.key_id,
        sees_all=caller.sees_all,
        by_right=by_right,
        is_server=caller.kind in SERVERS and may(request, "payments:write"),
        is_public=caller.kind == "publishable",
        actor=f"key:{caller.key_id}",
        secret=secret,
        sells_virtual=sells_virtual,
    )
