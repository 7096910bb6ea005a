"""Refunds: the row is committed before any call. A refund of kind `manual` is done by hand (at the machine);
one of kind `credits` was done as credits by staff."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from payments import states
from payments.models.intents import PaymentIntent
from pimpshop.core.models import StateEvent, Timestamped
from pimpshop.core.money import Money
from pimpshop.core.states import StateModel, StateTable


class Refund(StateModel, Timestamped):
    STATES: ClassVar[StateTable] = states.REFUND
    EVENT_MODEL: ClassVar[str] = "payments.RefundEvent"
    EVENT_LINK: ClassVar[str] = "refund"

    class Kind(models.TextChoices):
        PROVIDER = "provider", _("by the provider")
        MANUAL = "manual", _("by hand")
        CREDITS = "credits", _("as credits")

    class Origin(models.TextChoices):
        STAFF = "staff", _("staff")
        SHOPPER = "shopper", _("shopper")
        SYSTEM = "system", _("system")
        PROVIDER = "provider", _("provider")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    intent = models.ForeignKey(
        PaymentIntent, models.PROTECT, related_name="refunds", verbose_name=_("payment")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    origin = models.CharField(_("origin"), max_length=12, choices=Origin.choices)
    status = models.CharField(_("state"), max_length=12, choices=states.REFUND.choices(), default="created")
    amount_minor = models.PositiveBigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=8)
    out_refund_no = models.CharField(_("our number"), max_length=64, unique=True)
    provider_ref = models.CharField(_("provider's reference"), max_length=128, blank=True)
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    actor = models.CharField(_("by"), max_length=120, blank=True)
    error_code = models.CharField(_("error"), max_length=64, blank=True)
    error_message = models.CharField(_("error message"), max_length=300, blank=True)
    sent_count = models.PositiveSmallIntegerField(_("times sent"), default=0)
    query_count = models.PositiveIntegerField(_("queries"), default=0)
    next_query_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(_("paid back"), null=True, blank=True)
    stated_on = models.DateField(
        _("in the statement of"),
        null=True,
        blank=True,
        help_text=_("The provider's day whose statement has it."),
    )
    metadata: Any = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="refund_amount_positive"),
            models.UniqueConstraint(
                fields=["intent", "provider_ref"],
                condition=~models.Q(provider_ref=""),
                name="refund_provider_ref",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_query_at"],
                condition=models.Q(next_query_at__isnull=False),
                name="refund_due",
            ),
            BrinIndex(fields=["created_at"], name="refund_made", autosummarize=True),
            models.Index(  # the desk's questions
                fields=["status", "-id"], condition=~models.Q(status="succeeded"), name="refund_unusual"
            ),
        ]

    def __str__(self) -> str:
        return self.out_refund_no

    @property
    def refund_id(self) -> str:
        """The id that API clients see."""
        return f"ref_{self.public_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class RefundEvent(StateEvent):
    refund = models.ForeignKey(Refund, models.CASCADE, related_name="events")
    published = models.BooleanField(
        db_default=False, editable=False, help_text="The outgoing events that tell of it are written."
    )
    told = models.BooleanField(
        db_default=False,
        editable=False,
        help_text="The messages to the buyer that follow from it are written.",
    )

    class Meta(StateEvent.Meta):
        verbose_name = _("refund event")
        verbose_name_plural = _("refund events")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(published=False), name="refundevent_unpublished"),
            models.Index(
                fields=["id"], condition=models.Q(told=False, to_status__in=["created", "succeeded"]),
                name="refundevent_untold",
            ),
        ]  # fmt: skip
