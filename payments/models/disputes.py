"""Disputes: the buyer's bank asks for the money back. Written by payments.services.disputes from signed events."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments import states
from payments.models.intents import PaymentIntent
from pimpshop.core.models import StateEvent, Timestamped
from pimpshop.core.money import Money
from pimpshop.core.states import StateModel, StateTable


class Dispute(StateModel, Timestamped):
    """One dispute of the provider about one payment. `money_moved` False: an inquiry, nothing was taken yet."""

    STATES: ClassVar[StateTable] = states.DISPUTE
    EVENT_MODEL: ClassVar[str] = "payments.DisputeEvent"
    EVENT_LINK: ClassVar[str] = "dispute"

    intent = models.ForeignKey(
        PaymentIntent, models.PROTECT, related_name="disputes", verbose_name=_("payment")
    )
    provider_ref = models.CharField(_("provider's reference"), max_length=128)
    status = models.CharField(_("state"), max_length=12, choices=states.DISPUTE.choices(), default="opened")
    provider_status = models.CharField(_("provider's word"), max_length=64, blank=True)
    amount_minor = models.PositiveBigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=8)
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    money_moved = models.BooleanField(_("money was taken"), default=True)
    deadline = models.DateTimeField(_("evidence until"), null=True, blank=True)
    retaken = models.PositiveSmallIntegerField(
        _("times taken back again"), default=0, db_default=0, help_text=_("Lost after it had been won.")
    )

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["intent", "provider_ref"], name="dispute_provider_ref"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="dispute_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.provider_ref

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class DisputeEvent(StateEvent):
    dispute = models.ForeignKey(Dispute, models.CASCADE, related_name="events")

    class Meta(StateEvent.Meta):
        verbose_name = _("dispute event")
        verbose_name_plural = _("dispute events")
