"""What the webhook endpoints' API takes and answers. Unknown fields are ignored, wrong types are named."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments import states
from payments.models import DeliveryAttempt, OutboundEvent, WebhookDelivery, WebhookEndpoint
from payments.services import outbox, outbox_lists

MOST_HOURS = 168


class Text(serializers.CharField):
    """A real string: numbers and booleans are not turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """A real boolean."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Hours(serializers.IntegerField):
    """A real integer."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


# --- taken ------------------------------------------------------------------------------------------------------------
class NewEndpoint(serializers.Serializer):
    url = Text(max_length=500)
    events = serializers.ListField(child=Text(max_length=40), min_length=1, max_length=20, default=["*"])
    description = Text(max_length=200, allow_blank=True, default="")


class EndpointChange(serializers.Serializer):
    url = Text(max_length=500, required=False)
    events = serializers.ListField(child=Text(max_length=40), min_length=1, max_length=20, required=False)
    description = Text(max_length=200, allow_blank=True, required=False)
    is_active = Flag(required=False)


class Rotation(serializers.Serializer):
    old_secret_hours = Hours(min_value=0, max_value=MOST_HOURS, default=24)


class Paging(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=outbox_lists.MOST, default=20)
    after = serializers.CharField(max_length=60, default="")


class DeliveryPaging(Paging):
    status = serializers.ChoiceField(choices=states.DELIVERY.statuses, default="")


class EventPaging(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=outbox_lists.MOST, default=50)
    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    type = serializers.ChoiceField(choices=outbox.EVENT_TYPES, default="")


# --- answered ---------------------------------------------------------------------------------------------------------
class Endpoint(serializers.ModelSerializer):
    id = serializers.CharField(source="endpoint_id")
    events = serializers.ListField(child=serializers.CharField())
    old_secret_expires_at = serializers.DateTimeField(source="old_secret_until", allow_null=True)

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "url", "events", "description", "is_active", "disabled_at", "disabled_reason", "failing_since",
            "old_secret_expires_at", "created_at",
        ]  # fmt: skip


class EndpointWithSecret(Endpoint):
    """The secret is shown here and never again."""

    secret = serializers.CharField()

    class Meta(Endpoint.Meta):
        fields = [*Endpoint.Meta.fields, "secret"]


class Delivery(serializers.ModelSerializer):
    id = serializers.CharField(source="delivery_id")
    endpoint_id = serializers.CharField(source="endpoint.endpoint_id")
    event_id = serializers.CharField(source="event.event_id")
    event_type = serializers.CharField(source="event.type")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "endpoint_id", "event_id", "event_type", "status", "attempts", "next_attempt_at", "last_status",
            "last_latency_ms", "last_error", "response_excerpt", "delivered_at", "created_at",
        ]  # fmt: skip


class LoggedAttempt(serializers.ModelSerializer):
    status = serializers.IntegerField(source="answered", allow_null=True)

    class Meta:
        model = DeliveryAttempt
        fields = ["number", "at", "ended_at", "status", "latency_ms", "error", "response_excerpt"]


class DeliveryWithLog(Delivery):
    log = LoggedAttempt(many=True)

    class Meta(Delivery.Meta):
        fields = [*Delivery.Meta.fields, "log"]


class OutgoingEvent(serializers.Serializer):
    """The same body that endpoints are posted."""

    id = serializers.CharField()
    type = serializers.CharField()
    api_version = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True)
    timestamp = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # the API's word, not the serializer's

    def to_representation(self, instance: OutboundEvent) -> dict[str, Any]:
        return outbox.envelope(instance)


class WebhookError(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class WebhookRefusal(serializers.Serializer):
    """Seed 5's error. `error` may have further fields that name what is wrong."""

    error = WebhookError()


class EndpointList(serializers.Serializer):
    data = Endpoint(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()


class DeliveryList(serializers.Serializer):
    data = Delivery(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()


class OutgoingEventList(serializers.Serializer):
    data = OutgoingEvent(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
