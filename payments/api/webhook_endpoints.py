"""Webhooks out and the pullable list of events, under /api/v1 and /api/v2. Doors: they translate and make one call.

Callers are keys with the scopes `webhooks:read`, `webhooks:write`, `events:read` (a secret key has them all) and staff.
A key with an owner sees what is its owner's, one of the shop itself everything; what is foreign is a 404.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import has_scope
from payments.api import webhook_bodies as bodies
from payments.api import webhook_examples
from payments.api.doors import Counted
from payments.services import deliveries, endpoints, outbox_lists
from pimpshop.core import throttles
from pimpshop.core.api.callers import caller_of, owner_of

#: Each of these lets us post somewhere.
SENDS = throttles.Limit("webhook-sends", 30, 60)
WRITES = throttles.Limit("webhook-endpoints", 60, 60)
#: An answer with a secret is kept by nobody on its way.
UNKEPT = {"Cache-Control": "no-store"}


#: How a call may be refused; each in seed 5's shape.
REFUSALS = dict.fromkeys((400, 401, 403, 404, 409, 429), bodies.WebhookRefusal)


def described(operation: str, answer: Any, *, status: int = 200, **more: Any) -> Any:
    """What the API's description says of a call."""
    return extend_schema(
        operation_id=operation,
        responses={status: answer, **REFUSALS},
        tags=["webhooks"],
        examples=webhook_examples.of(operation, status),
        **more,
    )


def viewer(request: Request) -> outbox_lists.Viewer:
    """A key acts for its owner, or for the shop; staff, whom the scopes admit by their permissions, for the shop."""
    caller = caller_of(request)
    if caller is None or caller.kind == "user":
        return outbox_lists.Viewer(user_id=None, sees_all=True)
    return outbox_lists.Viewer(user_id=caller.user_id, sees_all=caller.sees_all)


def checked(body: Any, data: Any) -> dict[str, Any]:
    """What a serializer made of `data`. Raises DRF's ValidationError."""
    given = body(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class WebhooksView(Counted):
    """GET needs `webhooks:read`, everything else `webhooks:write`."""

    def get_permissions(self) -> list[BasePermission]:
        reads = self.request.method in ("GET", "HEAD", "OPTIONS")
        return [has_scope("webhooks:read" if reads else "webhooks:write")()]

    def count(self, limit: throttles.Limit, request: Request) -> None:
        throttles.enforce(limit, owner_of(request) or "")


class EndpointsView(WebhooksView):
    @described("webhook_endpoints_list", bodies.EndpointList, parameters=[bodies.Paging])
    def get(self, request: Request) -> Response:
        """The endpoints, newest first. `after` is the id of the last one seen."""
        page = outbox_lists.endpoints(viewer(request), **checked(bodies.Paging, request.query_params))
        return Response(bodies.EndpointList({"data": page.rows, "has_more": page.has_more}).data)

    @described("webhook_endpoints_create", bodies.EndpointWithSecret, status=201, request=bodies.NewEndpoint)
    def post(self, request: Request) -> Response:
        """Make an endpoint. The answer has its signing secret, which is never shown again."""
        self.count(WRITES, request)
        caller = caller_of(request)
        endpoint, secret = endpoints.create_endpoint(
            user_id=viewer(request).user_id,
            api_key_id=caller.key_id if caller else None,
            **checked(bodies.NewEndpoint, request.data),
        )
        return Response({**bodies.Endpoint(endpoint).data, "secret": secret}, status=201, headers=UNKEPT)


class EndpointView(WebhooksView):
    @described("webhook_endpoints_retrieve", bodies.Endpoint)
    def get(self, request: Request, endpoint_id: str) -> Response:
        return Response(bodies.Endpoint(outbox_lists.endpoint(viewer(request), endpoint_id)).data)

    @described("webhook_endpoints_update", bodies.Endpoint, request=bodies.EndpointChange)
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Change what is given; what is left out stays. `is_active` switches it on (again) or off."""
        self.count(WRITES, request)
        endpoint = outbox_lists.endpoint(viewer(request), endpoint_id)
        changed = endpoints.update_endpoint(endpoint=endpoint, **checked(bodies.EndpointChange, request.data))
        return Response(bodies.Endpoint(changed).data)

    @described(
        "webhook_endpoints_delete", OpenApiResponse(description="Nothing is sent there any more."), status=204
    )
    def delete(self, request: Request, endpoint_id: str) -> Response:
        endpoints.delete_endpoint(endpoint=outbox_lists.endpoint(viewer(request), endpoint_id))
        return Response(status=204)


class RotateSecretView(WebhooksView):
    @described("webhook_endpoints_rotate_secret", bodies.EndpointWithSecret, request=bodies.Rotation)
    def post(self, request: Request, endpoint_id: str) -> Response:
        """A new secret, shown once. The old one signs too for `old_secret_hours` (0 to 168, 24 if left out)."""
        self.count(WRITES, request)
        endpoint = outbox_lists.endpoint(viewer(request), endpoint_id)
        hours = checked(bodies.Rotation, request.data)["old_secret_hours"]
        secret = endpoints.rotate_secret(endpoint=endpoint, old_for=timedelta(hours=hours))
        return Response({**bodies.Endpoint(endpoint).data, "secret": secret}, headers=UNKEPT)


class TestEndpointView(WebhooksView):
    @described("webhook_endpoints_test", bodies.Delivery, status=202, request=None)
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send an event `webhook.test` there. Look at the delivery for what became of it."""
        self.count(SENDS, request)
        delivery = endpoints.send_test(endpoint=outbox_lists.endpoint(viewer(request), endpoint_id))
        return Response(bodies.Delivery(delivery).data, status=202)


class DeliveriesView(WebhooksView):
    @described("webhook_endpoints_deliveries", bodies.DeliveryList, parameters=[bodies.DeliveryPaging])
    def get(self, request: Request, endpoint_id: str) -> Response:
        """The deliveries to an endpoint, newest first. `after` is the id of the last one seen."""
        endpoint = outbox_lists.endpoint(viewer(request), endpoint_id)
        page = outbox_lists.deliveries(endpoint, **checked(bodies.DeliveryPaging, request.query_params))
        return Response(bodies.DeliveryList({"data": page.rows, "has_more": page.has_more}).data)


class DeliveryView(WebhooksView):
    @described("webhook_deliveries_retrieve", bodies.DeliveryWithLog)
    def get(self, request: Request, delivery_id: str) -> Response:
        """One delivery with all its attempts."""
        return Response(bodies.DeliveryWithLog(outbox_lists.delivery(viewer(request), delivery_id)).data)


class ResendView(WebhooksView):
    @described("webhook_deliveries_resend", bodies.Delivery, status=202, request=None)
    def post(self, request: Request, delivery_id: str) -> Response:
        """Send an ended delivery again, under the same `webhook-id`. 409 while it is under way."""
        self.count(SENDS, request)
        delivery = outbox_lists.delivery(viewer(request), delivery_id)
        sent = deliveries.resend(delivery=delivery, source="api", actor=owner_of(request) or "")
        return Response(bodies.Delivery(sent).data, status=202)


class EventsView(Counted):
    permission_classes = [has_scope("events:read")]

    @described("events_list", bodies.OutgoingEventList, parameters=[bodies.EventPaging])
    def get(self, request: Request) -> Response:
        """Everything that happened, by number, upwards from behind `after`. Keep the last number that you handled and ask
        again: nothing is missed and nothing comes later below it."""
        asked = checked(bodies.EventPaging, request.query_params)
        page = outbox_lists.events(
            viewer(request), after=asked["after"], limit=asked["limit"], type_=asked["type"]
        )
        return Response(bodies.OutgoingEventList({"data": page.rows, "has_more": page.has_more}).data)


class EventView(Counted):
    permission_classes = [has_scope("events:read")]

    @described("events_retrieve", bodies.OutgoingEvent)
    def get(self, request: Request, event_id: str) -> Response:
        return Response(bodies.OutgoingEvent(outbox_lists.event(viewer(request), event_id)).data)
