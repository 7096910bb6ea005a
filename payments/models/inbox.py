"""The inbox: verified events of providers, stored before they are acknowledged and worked on after."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import states
from pimpshop.core.models import PREFIX, StateEvent
from pimpshop.core.states import StateModel, StateTable


class WebhookEvent(StateModel):
    """One event of a provider, once per (gateway, account, event id). An unsigned hint has no id of its own: there
    it is one row per (known number, status word), counted, and each one asks the provider again."""

    STATES: ClassVar[StateTable] = states.INBOX
    EVENT_MODEL: ClassVar[str] = "payments.WebhookEventChange"
    EVENT_LINK: ClassVar[str] = "event"

    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=64, blank=True)
    event_id = models.CharField(_("event id"), max_length=128)
    kind = models.CharField(_("kind"), max_length=64)
    subject = models.CharField(_("about"), max_length=128, help_text=_("Our number or the provider's."))
    live = models.BooleanField(_("live"), default=False)
    payload: Any = models.JSONField(_("content"), default=dict)
    status = models.CharField(_("state"), max_length=12, choices=states.INBOX.choices(), default="received")
    count = models.PositiveIntegerField(_("times received"), default=1)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    due_at = models.DateTimeField(_("work due"), null=True, blank=True, default=timezone.now)
    #: A worker is at it until then. In no index: taking the lease writes none.
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)
    #: Stripe's events only: when payments.services.stripe_mirror is to look at what it was about.
    mirror_due_at = models.DateTimeField(_("mirror due"), null=True, blank=True)
    mirror_attempts = models.PositiveSmallIntegerField(_("mirror attempts"), default=0, db_default=0)

    class Meta:
        verbose_name = _("inbox event")
        verbose_name_plural = _("inbox")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "account", "event_id"], name="webhookevent_once")
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="webhookevent_due",
            ),
            BrinIndex(fields=["received_at"], name="webhookevent_received", autosummarize=True),
            models.Index(
                fields=["mirror_due_at"],
                condition=models.Q(mirror_due_at__isnull=False),
                name="webhookevent_mirror_due",
            ),
            models.Index(fields=["subject"], opclasses=[PREFIX], name="webhookevent_about"),
            models.Index(fields=["-id"], condition=models.Q(status="parked"), name="webhookevent_parked"),
            models.Index(fields=["-id"], condition=models.Q(count__gt=1), name="webhookevent_repeated"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"


class WebhookEventChange(StateEvent):
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="changes")

    class Meta(StateEvent.Meta):
        verbose_name = _("inbox change")
        verbose_name_plural = _("inbox changes")
