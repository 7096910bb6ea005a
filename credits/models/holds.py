"""Holds: credits of a user set apart for something that is being paid, until they are spent or free again."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from credits import states
from credits.models.accounts import CreditAccount
from credits.models.postings import PLAIN
from pimpshop.core.models import PREFIX, StateEvent, Timestamped
from pimpshop.core.states import StateModel, StateTable


class Hold(StateModel, Timestamped):
    """`amount` credits left the account's lots when the row was made (docs/adr/0015). `subject` is what they pay for, an
    order's number: one live hold each. `returned`: given back after they had been spent."""

    STATES: ClassVar[StateTable] = states.HOLD
    EVENT_MODEL: ClassVar[str] = "credits.HoldEvent"
    EVENT_LINK: ClassVar[str] = "hold"

    reference = models.CharField(_("reference"), max_length=120)
    subject = models.CharField(_("about"), max_length=120)
    account = models.ForeignKey(
        CreditAccount, models.PROTECT, related_name="holds", verbose_name=_("account"), **PLAIN
    )
    amount = models.BigIntegerField(_("credits"))
    returned = models.BigIntegerField(_("given back"), default=0)
    status = models.CharField(_("state"), max_length=12, choices=states.HOLD.choices(), default="held")
    expires_at = models.DateTimeField(_("held until"))

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["reference"], opclasses=[PREFIX], name="hold_number"),
            models.UniqueConstraint(
                fields=["subject"], condition=Q(status__in=states.LIVE), name="hold_one_for_each_subject"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="hold_amount_positive"),
            models.CheckConstraint(
                condition=Q(returned=0) | Q(status="committed", returned__gt=0, returned__lte=F("amount")),
                name="hold_returned_was_spent",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["expires_at"], condition=Q(status="held"), name="hold_due"),
            models.Index(fields=["account"], condition=Q(status="held"), name="hold_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.amount}"


class HoldEvent(StateEvent):
    hold = models.ForeignKey(Hold, models.CASCADE, related_name="events")

    class Meta(StateEvent.Meta):
        verbose_name = _("hold event")
        verbose_name_plural = _("hold events")
