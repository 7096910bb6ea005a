"""The outbox: who wants to hear what happens, the numbered list of what happened, and each delivery with its attempts.

Here: rows and constraints. Not here: who numbers events and who sends (payments.services.outbox, deliveries,
endpoints). Signing secrets stand sealed (core.crypto) and nowhere else; what a receiver answered stands redacted.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import states
from payments.models.intents import PaymentIntent
from pimpshop.core.models import StateEvent, Timestamped
from pimpshop.core.states import StateModel, StateTable

#: The type of an event that only proves that an endpoint can be reached; it has no number.
TEST_EVENT = "webhook.test"


class WebhookEndpoint(Timestamped):
    """An address of a merchant. `user` NULL: made with a key of the whole shop, it hears of everybody's payments."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="webhook_endpoints",
        verbose_name=_("owner"),
    )
    api_key_id = models.BigIntegerField(_("made by API key"), null=True, blank=True)
    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    events: Any = models.JSONField(_("events"), default=list, help_text=_("Names of events, or *."))
    secret_sealed = models.TextField(editable=False)
    old_secret_sealed = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(_("old secret valid until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    disabled_at = models.DateTimeField(_("switched off"), null=True, blank=True)
    disabled_reason = models.CharField(_("switched off because"), max_length=200, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(is_active=False), name="endpoint_deleted_is_off"
            )
        ]
        indexes = [models.Index(fields=["user", "-id"], name="endpoint_user")]

    def __str__(self) -> str:
        return self.endpoint_id

    @property
    def endpoint_id(self) -> str:
        """The id that API clients see."""
        return f"we_{self.public_id}"


class OutboundEvent(models.Model):
    """One line of the list that clients pull. `sequence` has no gap and grows in the order of publication; `change_id`
    is the event row that it tells of (payments_paymentevent or payments_refundevent, as `source` says)."""

    class Source(models.TextChoices):
        PAYMENT = "payment", _("payment")
        REFUND = "refund", _("refund")
        TEST = "test", _("test")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.BigIntegerField(_("number"), null=True, unique=True)
    type = models.CharField(_("event"), max_length=40)
    api_version = models.CharField(_("API version"), max_length=16)
    payload: Any = models.JSONField(_("content"))
    occurred_at = models.DateTimeField(_("happened"))
    published_at = models.DateTimeField(_("published"), default=timezone.now)
    intent = models.ForeignKey(
        PaymentIntent,
        models.PROTECT,
        null=True,
        related_name="outbound_events",
        verbose_name=_("payment"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("owner"),
        db_index=False,
    )
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    change_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("outgoing event")
        verbose_name_plural = _("outgoing events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "change_id", "type"], name="outboundevent_once"),
            models.CheckConstraint(
                condition=(
                    Q(source="test", sequence=None, change_id=None)
                    | (~Q(source="test") & Q(sequence__gte=1) & Q(change_id__isnull=False))
                ),
                name="outboundevent_numbered",
            ),
        ]
        indexes = [models.Index(fields=["user", "sequence"], name="outboundevent_user")]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    @property
    def event_id(self) -> str:
        """The id that API clients see, and the header `webhook-id`."""
        return f"evt_{self.public_id}"


class WebhookDelivery(StateModel, Timestamped):
    """One event on its way to one endpoint. While somebody is sending, `next_attempt_at` is when the right to send ends."""

    STATES: ClassVar[StateTable] = states.DELIVERY
    EVENT_MODEL: ClassVar[str] = "payments.WebhookDeliveryChange"
    EVENT_LINK: ClassVar[str] = "delivery"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.PROTECT, related_name="deliveries", verbose_name=_("endpoint"), db_index=False
    )
    event = models.ForeignKey(
        OutboundEvent, models.PROTECT, related_name="deliveries", verbose_name=_("event")
    )
    status = models.CharField(_("state"), max_length=12, choices=states.DELIVERY.choices(), default="pending")
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    tries = models.PositiveSmallIntegerField(
        default=0,
        help_text="Attempts since it was made or last sent again by hand: the place in the schedule.",
    )
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, default=timezone.now)
    last_status = models.PositiveSmallIntegerField(_("last answer"), null=True, blank=True)
    last_latency_ms = models.PositiveIntegerField(_("ms"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    response_excerpt = models.CharField(_("answered"), max_length=600, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False)
                | (~Q(status="pending") & Q(next_attempt_at=None)),
                name="delivery_pending_is_due",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="delivery_recent"),
            BrinIndex(fields=["created_at"], name="delivery_made", autosummarize=True),
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="delivery_due"
            ),
            # The desk's questions.
            models.Index(fields=["-id"], condition=Q(status="failed"), name="delivery_failed"),
            models.Index(fields=["-id"], condition=Q(attempts__gt=1), name="delivery_again"),
        ]

    def __str__(self) -> str:
        return self.delivery_id

    @property
    def delivery_id(self) -> str:
        """The id that API clients see."""
        return f"wd_{self.public_id}"


class WebhookDeliveryChange(StateEvent):
    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="changes")

    class Meta(StateEvent.Meta):
        verbose_name = _("delivery change")
        verbose_name_plural = _("delivery changes")


class DeliveryAttempt(models.Model):
    """One attempt, written before anything is sent. Without `ended_at` its sender died: whether the receiver got it is
    not known, so it was sent again."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="log", db_index=False)
    number = models.PositiveIntegerField(_("attempt"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    answered = models.PositiveSmallIntegerField(_("answer"), null=True)
    latency_ms = models.PositiveIntegerField(_("ms"), null=True)
    error = models.CharField(_("error"), max_length=200, blank=True)
    response_excerpt = models.CharField(_("answered"), max_length=600, blank=True)

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ["delivery", "number"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="deliveryattempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"
