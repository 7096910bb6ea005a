"""Reconciliation: which day of which account was compared with the provider's statement, and what did not agree."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments import states
from pimpshop.core.models import StateEvent, Timestamped
from pimpshop.core.states import StateModel, StateTable


class StatementRun(Timestamped):
    """One day of one gateway's account, compared. `day` is the provider's own day."""

    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=64, blank=True)
    day = models.DateField(_("day"))
    lines = models.PositiveIntegerField(_("lines"), default=0)
    matched = models.PositiveIntegerField(_("matched"), default=0)
    differences = models.PositiveIntegerField(_("differences"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["-day", "gateway"]
        constraints = [models.UniqueConstraint(fields=["gateway", "account", "day"], name="statement_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="statement_due")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.day}"


class ReconcileDifference(StateModel, Timestamped):
    """One thing that is not the same on both sides, once per (day's statement, kind, subject)."""

    STATES: ClassVar[StateTable] = states.DIFFERENCE
    EVENT_MODEL: ClassVar[str] = "payments.ReconcileChange"
    EVENT_LINK: ClassVar[str] = "difference"

    class Kind(models.TextChoices):
        PAYMENT_ONLY_THERE = "payment_only_there", _("payment that we do not know")
        PAYMENT_UNPAID_HERE = "payment_unpaid_here", _("paid there, not here")
        PAYMENT_ONLY_HERE = "payment_only_here", _("paid here, not there")
        PAYMENT_AMOUNT = "payment_amount", _("other amount of a payment")
        REFUND_ONLY_THERE = "refund_only_there", _("refund that we do not know")
        REFUND_ONLY_HERE = "refund_only_here", _("paid back here, not there")
        REFUND_AMOUNT = "refund_amount", _("other amount of a refund")

    run = models.ForeignKey(StatementRun, models.PROTECT, related_name="found", verbose_name=_("statement"))
    kind = models.CharField(_("kind"), max_length=24, choices=Kind.choices)
    subject = models.CharField(_("about"), max_length=128)
    status = models.CharField(_("state"), max_length=12, choices=states.DIFFERENCE.choices(), default="open")
    currency = models.CharField(_("currency"), max_length=8)
    ours_minor = models.PositiveBigIntegerField(_("ours, minor units"), null=True, blank=True)
    theirs_minor = models.PositiveBigIntegerField(_("theirs, minor units"), null=True, blank=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["run", "kind", "subject"], name="difference_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"


class ReconcileChange(StateEvent):
    difference = models.ForeignKey(ReconcileDifference, models.CASCADE, related_name="changes")

    class Meta(StateEvent.Meta):
        verbose_name = _("difference change")
        verbose_name_plural = _("difference changes")
