"""Seed 5: give back, capture, cancel. Doors: they translate and make one call."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from payments.api import examples
from payments.api.doors import UNKEPT, Door, refusals_of
from payments.serializers import answers, requests
from payments.services import aftermath, refusals, shapes, visibility
from pimpshop.core.api.idempotent import idempotent, row_id

TAGS = ["payments"]


class RefundView(Door):
    scope = "refunds:write"

    @extend_schema(
        request=requests.RefundPayment, tags=TAGS, examples=examples.REFUND,
        responses={200: answers.Refund, **refusals_of(400, 401, 403, 404, 409, 429, 502)},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, payment_id: str) -> Response:
        """Give money back, all that is left or a part. The answer is how the refund stands after it was sent: banks may
        take days (`pending`). Send an `Idempotency-Key`."""
        viewer = self.viewer(request)
        intent = visibility.payment(viewer, payment_id)
        body = requests.RefundPayment(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        made = aftermath.refund(
            intent, amount=body.amount_in(intent.currency), reason=given["reason"], metadata=given["metadata"],
            actor=viewer.actor, refund_id=row_id(request, f"refund {intent.pk}"),
        )  # fmt: skip
        return Response(shapes.refund(made))


class CaptureView(Door):
    @extend_schema(
        request=requests.CapturePayment, tags=TAGS, examples=examples.CAPTURE,
        responses={200: answers.Payment, **refusals_of(400, 401, 403, 404, 409, 429, 502, 503)},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, payment_id: str) -> Response:
        """Take what was only held (`capture: false`). For servers' keys. 409 ALREADY_CAPTURED when nothing is held."""
        viewer = self.viewer(request)
        intent = visibility.payment(viewer, payment_id)
        if not viewer.is_server:
            raise refusals.MayNot
        body = requests.CapturePayment(data=request.data)
        body.is_valid(raise_exception=True)
        taken = aftermath.capture(intent, amount=body.amount_in(intent.currency), actor=viewer.actor)
        return Response(shapes.payment(taken), headers=UNKEPT)


class CancelView(Door):
    @extend_schema(
        request=requests.CancelPayment, tags=TAGS, examples=examples.CANCEL,
        responses={200: answers.Payment, **refusals_of(400, 401, 403, 404, 409, 429, 503)},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, payment_id: str) -> Response:
        """Withdraw a payment that is not paid; what was held is given back. 409 ALREADY_PAID when the money came first."""
        viewer = self.viewer(request)
        intent = visibility.payment(viewer, payment_id)
        requests.CancelPayment(data=request.data).is_valid(raise_exception=True)
        if intent.manual_capture and not viewer.is_server:
            raise refusals.MayNot
        return Response(shapes.payment(aftermath.cancel(intent, actor=viewer.actor)), headers=UNKEPT)
