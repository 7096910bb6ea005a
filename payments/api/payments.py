"""Seed 5: start, confirm, complete and read a payment; what can be paid with. Doors: they translate and make one call."""

from __future__ import annotations

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from payments.api import examples
from payments.api.doors import UNKEPT, Door, refusals_of
from payments.serializers import answers, requests
from payments.services import offers, outcomes, shapes, unified, visibility
from pimpshop.core import throttles
from pimpshop.core.api.idempotent import idempotent, row_id

TAGS = ["payments"]


class MethodsView(Door):
    scope = "payments:pay"

    @extend_schema(
        request=requests.MethodsAsked, tags=TAGS, examples=examples.METHODS,
        responses={200: answers.Gateway(many=True), **refusals_of(400, 401, 403, 429)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """What can be paid with: the gateways that are configured and switched on, with their methods and fields."""
        viewer = self.viewer(request)
        body = requests.MethodsAsked(data=request.data)
        body.is_valid(raise_exception=True)
        user_id = None if viewer.is_public else viewer.user_id
        return Response(offers.listed(body.validated_data, user_id=user_id))


class PaymentsView(Door):
    scope = "payments:pay"

    @extend_schema(
        request=requests.CreatePayment, tags=TAGS, examples=examples.CREATE,
        responses={200: answers.Outcome, **refusals_of(400, 401, 402, 403, 404, 409, 429, 502, 503)},
    )  # fmt: skip
    @idempotent
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """Start a payment, and pay it where `payment_method` is given. A server's key makes an order where `order_id` is
        unknown or left out; tokens and publishable keys pay orders that exist. Send an `Idempotency-Key`."""
        body = requests.CreatePayment(data=request.data)
        viewer = self.viewer(request)
        body.is_valid(raise_exception=True)
        asked = body.asked(client_ip=throttles.client_address(request), new_order_id=row_id(request, "order"))
        intent, secret = unified.start(asked, viewer)
        status, told = outcomes.outcome(intent)
        return Response({**told, "client_secret": secret}, status=status, headers=UNKEPT)


class PaymentView(Door):
    scope, by_secret = "payments:read", True

    @extend_schema(
        tags=TAGS, examples=examples.READ, parameters=[examples.SECRET],
        responses={200: answers.Payment, **refusals_of(401, 403, 404, 429)},
    )  # fmt: skip
    def get(self, request: Request, payment_id: str) -> Response:
        """How a payment stands; the provider is asked when nobody did for three seconds."""
        intent = visibility.payment(self.viewer(request), payment_id)
        return Response(shapes.payment(unified.look(intent)), headers=UNKEPT)


class ConfirmView(Door):
    by_secret = True

    @extend_schema(
        request=requests.ConfirmPayment, tags=TAGS, examples=examples.CONFIRM, parameters=[examples.SECRET],
        responses={200: answers.Outcome, **refusals_of(400, 401, 402, 403, 404, 409, 429, 502, 503)},
    )  # fmt: skip
    @idempotent
    @sensitive_variables()
    def post(self, request: Request, payment_id: str) -> Response:
        """Pay what was started without a payment_method."""
        viewer = self.viewer(request)
        intent = visibility.payment(viewer, payment_id)
        body = requests.ConfirmPayment(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        paid = unified.confirm(intent, given["payment_method"], viewer, return_url=given["return_url"])
        status, told = outcomes.outcome(paid)
        return Response(told, status=status, headers=UNKEPT)


class CompleteView(Door):
    by_secret = True

    @extend_schema(
        request=requests.CompletePayment, tags=TAGS, examples=examples.COMPLETE, parameters=[examples.SECRET],
        responses={200: answers.Outcome, **refusals_of(400, 401, 402, 403, 404, 429, 502, 503)},
    )  # fmt: skip
    def post(self, request: Request, payment_id: str) -> Response:
        """The shopper is back from 3-D Secure or a redirect. What the body says is compared; the provider is asked."""
        intent = visibility.payment(self.viewer(request), payment_id)
        body = requests.CompletePayment(data=request.data)
        body.is_valid(raise_exception=True)
        told_ref = body.validated_data.get("action_data", {}).get("payment_intent", "")
        status, told = outcomes.outcome(unified.complete(intent, told_ref=told_ref))
        return Response(told, status=status, headers=UNKEPT)
