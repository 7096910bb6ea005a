"""Seed 5: payment methods that customers keep. Doors: they translate and make one call."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from payments.api import examples
from payments.api.doors import UNKEPT, Door, refusals_of
from payments.serializers import answers, requests
from payments.serializers.fields import saved_token
from payments.services import keeping, outcomes, refusals, visibility
from payments.services.visibility import Viewer
from pimpshop.core import errors, throttles
from pimpshop.core.api.idempotent import idempotent

TAGS = ["payment methods"]


class SavedMethodsView(Door):
    scope = "methods:write"

    @extend_schema(
        request=requests.SaveMethod, tags=TAGS, examples=examples.SAVE,
        responses={200: answers.SavedMethod, **refusals_of(400, 401, 402, 403, 404, 409, 429, 502)},
    )  # fmt: skip
    @idempotent
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """Save a payment method. Its owner is the token's user; a server's key sends `customer_id`."""
        viewer = self.viewer(request)
        body = requests.SaveMethod(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user = visibility.customer(viewer, given["customer_id"])
        if user is None:
            raise errors.ShopError(_("Send customer_id: whose payment method is it?"))
        means = given["payment_method_data"]
        row, step = keeping.save(
            user=user, gateway_key=given["gateway_id"], kind=means.kind, instrument=means.instrument,
            default=given["set_as_default"], return_url=given["return_url"],
            client_ip=throttles.client_address(request),
        )  # fmt: skip
        told: dict[str, Any] = {"token": row.token, "payment_method": keeping.shown(row), "expires_at": None}
        if step is not None:
            kind, data = outcomes.redirect_or_params(step, gateway=row.gateway)
            told |= {"type": "requires_action", "action_type": kind, "action_data": data}
        return Response(told, headers=UNKEPT)


class CustomerMethodsView(Door):
    scope = "methods:read"

    @extend_schema(
        tags=TAGS, examples=examples.LIST,
        responses={200: answers.ListedMethod(many=True), **refusals_of(401, 403, 404, 429)},
    )  # fmt: skip
    def get(self, request: Request, customer_id: str) -> Response:
        """The customer's saved methods, the default first. A user's own `customer_id` is in the answer to their log-in."""
        user = visibility.customer(self.viewer(request), _uuid(customer_id))
        rows = keeping.kept(user)
        listed = [{"token": row.token, **keeping.shown(row), "is_default": row.is_default} for row in rows]
        return Response(listed, headers=UNKEPT)


def _uuid(text: str) -> uuid.UUID:
    """Raises CustomerNotFound: what is no id is nobody's."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        raise refusals.CustomerNotFound from None
    return found


def _find(viewer: Viewer, token: str) -> Any:
    public_id = saved_token(token)
    if public_id is None:
        raise refusals.MethodNotFound
    return keeping.find(public_id, user_id=viewer.user_id, sees_all=viewer.sees_all)


class DefaultMethodView(Door):
    scope = "methods:write"

    @extend_schema(
        request=None, tags=TAGS, examples=examples.DEFAULT,
        responses={200: answers.ListedMethod, **refusals_of(401, 403, 404, 429)},
    )  # fmt: skip
    def post(self, request: Request, token: str) -> Response:
        """Make a saved method the customer's default."""
        row = keeping.choose(_find(self.viewer(request), token))
        return Response(
            {"token": row.token, **keeping.shown(row), "is_default": row.is_default}, headers=UNKEPT
        )


class SavedMethodView(Door):
    scope = "methods:write"

    @extend_schema(
        tags=TAGS, examples=examples.REMOVED,
        responses={200: answers.Removed, **refusals_of(401, 403, 404, 429, 502)},
    )  # fmt: skip
    def delete(self, request: Request, token: str) -> Response:
        """Remove a saved method, at the provider too."""
        row = _find(self.viewer(request), token)
        keeping.remove(row)
        return Response({"success": True, "message": _("Payment method deleted"), "token": row.token})
