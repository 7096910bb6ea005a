"""Tables of the second person: limits, requests that wait for one, and what staff have moved. Import them from core.models.

Here: the tables and their constraints. Not here: who writes them (pimpshop.core.{staff_limits,staff_requests}).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import staff_states
from pimpshop.core.models import StateEvent, Timestamped
from pimpshop.core.money import EXPONENTS
from pimpshop.core.states import StateModel, StateTable


class StaffLimit(Timestamped):
    """How much one member of staff may move alone. Without a group: everybody's. Nothing here: the settings'."""

    group = models.ForeignKey(
        "auth.Group",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("group"),
        help_text=_("Empty: everybody."),
    )
    currency = models.CharField(_("currency"), max_length=8, choices=[(c, c) for c in EXPONENTS])
    at_once_minor = models.PositiveBigIntegerField(
        _("at once, minor units"), help_text=_("Above this a second person decides.")
    )
    per_day_minor = models.PositiveBigIntegerField(
        _("in a day (UTC), minor units"), help_text=_("Above this a second person decides.")
    )

    class Meta:
        verbose_name = _("limit of staff")
        verbose_name_plural = _("limits of staff")
        constraints = [
            models.UniqueConstraint(fields=["group", "currency"], name="stafflimit_group_currency"),
            models.UniqueConstraint(
                fields=["currency"], condition=models.Q(group=None), name="stafflimit_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group or '–'} {self.currency}"


class StaffRequest(StateModel, Timestamped):
    """An act that waits for a second person: what, about which row, why, what it would move as it was shown. Only its state
    and who decided are ever written again, and `person` is emptied (a trigger, migrations 0005 and 0007). `person_id`s are users' ids."""

    STATES: ClassVar[StateTable] = staff_states.REQUEST
    EVENT_MODEL: ClassVar[str] = "core.StaffRequestEvent"
    EVENT_LINK: ClassVar[str] = "request"

    act = models.CharField(_("what"), max_length=64)
    model = models.CharField(max_length=80, help_text="Of the row, as app.model.")
    object_id = models.CharField(max_length=64)
    subject = models.CharField(_("about"), max_length=120)
    reason = models.CharField(_("why"), max_length=500, blank=True)
    typed: Any = models.JSONField(_("what was typed"), default=dict, blank=True)
    person = models.EmailField(
        _("whom it is about"),
        max_length=254,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "A customer's address that was typed; emptied when this is over, and when they are erased."
        ),
    )
    lines: Any = models.JSONField(_("what would move"), default=list)
    moves: Any = models.JSONField(default=list, help_text="Pairs of minor units and currency.")
    fingerprint = models.CharField(max_length=64)
    above = models.CharField(_("which limit"), max_length=300, blank=True)
    status = models.CharField(
        _("state"), max_length=12, choices=staff_states.REQUEST.choices(), default="asked"
    )
    asked_by_id = models.BigIntegerField()
    asked_by = models.CharField(_("asked by"), max_length=120)
    decided_by_id = models.BigIntegerField(null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=120, blank=True)
    expires_at = models.DateTimeField(_("to be decided until"))

    class Meta:
        verbose_name = _("request for a second person")
        verbose_name_plural = _("requests for a second person")
        constraints = [
            models.UniqueConstraint(
                fields=["model", "object_id", "act"],
                condition=models.Q(status="asked"),
                name="staffrequest_one_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="done") | ~models.Q(decided_by_id=models.F("asked_by_id")),
                name="staffrequest_two_people",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=models.Q(status="asked"), name="staffrequest_to_lapse"
            ),
            models.Index(fields=["subject"], name="staffrequest_subject"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """What people call it."""
        return f"SR{self.pk}"


class StaffRequestEvent(StateEvent):
    """Append-only (a trigger, migration 0005)."""

    request = models.ForeignKey(StaffRequest, models.PROTECT, related_name="events")

    class Meta(StateEvent.Meta):
        verbose_name = _("event of a request")
        verbose_name_plural = _("events of requests")


class StaffMove(models.Model):
    """What a member of staff has moved, written with the act itself; the day's limit is counted from these rows.

    Append-only (a trigger, migration 0005): what did not move after all is a second row with the amount below zero."""

    person_id = models.BigIntegerField()
    person = models.CharField(_("who"), max_length=120)
    second_person = models.CharField(_("and who"), max_length=120, blank=True)
    act = models.CharField(_("what"), max_length=64)
    subject = models.CharField(_("about"), max_length=120)
    reference = models.CharField(_("number"), max_length=120, help_text=_("Of the refund or posting."))
    amount_minor = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=8)
    day = models.DateField(_("day (UTC)"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("what staff moved")
        verbose_name_plural = _("what staff moved")
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "currency"],
                condition=models.Q(amount_minor__gt=0),
                name="staffmove_once",
            ),
            models.UniqueConstraint(
                fields=["reference", "currency"],
                condition=models.Q(amount_minor__lt=0),
                name="staffmove_undone_once",
            ),
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="staffmove_is_something"),
        ]
        indexes = [models.Index(fields=["person_id", "day"], name="staffmove_of_a_day")]

    def __str__(self) -> str:
        return f"{self.person}: {self.act} {self.reference}"
