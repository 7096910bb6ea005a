"""Sessions: one person in front of one machine. Rows are kept for ever; a late payment must find its session."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Design
from pimpshop.core.models import PREFIX, StateEvent, Timestamped
from pimpshop.core.states import StateModel, StateTable
from vending import states
from vending.models.machines import Machine


class VendingSession(StateModel, Timestamped):
    """A session. `order_no` and `third_id` point upwards and are opaque here."""

    STATES: ClassVar[StateTable] = states.SESSION
    MORE_STATES: ClassVar[dict[str, StateTable]] = {"user_progress": states.PROGRESS}
    EVENT_MODEL: ClassVar[str] = "vending.SessionEvent"
    EVENT_LINK: ClassVar[str] = "session"

    session_id = models.CharField(_("session id"), max_length=90)
    machine = models.ForeignKey(
        Machine, models.PROTECT, related_name="sessions", verbose_name=_("machine"), db_index=False
    )
    status = models.CharField(_("state"), max_length=20, choices=states.SESSION.choices(), default="active")
    user_progress = models.CharField(
        _("progress"),
        max_length=20,
        choices=states.PROGRESS.choices(),
        default="started",
    )
    location = models.CharField(_("location"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    expires_at = models.DateTimeField(_("expires"))
    claimed_at = models.DateTimeField(_("scanned"), null=True, blank=True)
    claim_hash = models.CharField(max_length=64, blank=True)
    claim_needs_token = models.BooleanField(
        default=False, help_text="Claimed by our own page: the phone's token is asked."
    )
    design = models.ForeignKey(Design, models.PROTECT, null=True, blank=True, verbose_name=_("design"))
    order_no = models.CharField(_("order"), max_length=32, blank=True)
    summary: Any = models.JSONField(_("order summary"), default=dict, blank=True)
    summary_hash = models.CharField(max_length=64, blank=True)
    amount_minor = models.PositiveBigIntegerField(_("amount in minor units"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=8, blank=True)
    third_id = models.CharField(_("payment third_id"), max_length=32, blank=True)
    provider_payment_id = models.CharField(_("manufacturer's payment id"), max_length=64, blank=True)
    payment_started_at = models.DateTimeField(_("payment started"), null=True, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        constraints = [
            models.UniqueConstraint(fields=["session_id"], opclasses=[PREFIX], name="session_number")
        ]
        indexes = [
            models.Index(fields=["order_no"], opclasses=[PREFIX], name="session_order_no"),
            models.Index(fields=["third_id"], opclasses=[PREFIX], name="session_third_id"),
            models.Index(fields=["machine", "-created_at"], name="session_machine_recent"),
            BrinIndex(fields=["created_at"], name="session_made", autosummarize=True),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status__in=["active", "designing", "payment_failed"]),
                name="session_to_expire",
            ),
            # The desk's questions, and the machine's screen: who pays now, and what did not go the usual way.
            models.Index(
                fields=["payment_started_at"],
                condition=models.Q(status="payment_pending"),
                name="session_paying",
            ),
            models.Index(
                fields=["-id"],
                condition=models.Q(status="payment_completed") & ~models.Q(user_progress="order_submitted"),
                name="session_unmade",
            ),
            models.Index(
                fields=["-id"],
                condition=models.Q(status="payment_failed") | models.Q(user_progress="order_failed"),
                name="session_failed",
            ),
        ]

    def __str__(self) -> str:
        return self.session_id

    @property
    def is_over(self) -> bool:
        """Ended unpaid: expired or cancelled."""
        return self.status in ("expired", "cancelled")


class SessionEvent(StateEvent):
    session = models.ForeignKey(VendingSession, models.CASCADE, related_name="events")

    class Meta(StateEvent.Meta):
        verbose_name = _("session event")
        verbose_name_plural = _("session events")
