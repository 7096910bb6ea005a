"""Plan terms: from when to when a user has a plan. Terms of a user follow each other and never overlap."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PlanTerm(models.Model):
    """One bought term. While it waits for an e-mail address to be proven it has no user and has not begun.

    Once begun: ends_at = starts_at + duration - removed.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("user")
    )
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Whoever proves this address gets it."))
    plan_sku = models.CharField(_("plan"), max_length=80)
    reference = models.CharField(_("reference"), max_length=120, unique=True)
    payment_reference = models.CharField(_("payment"), max_length=120, blank=True, db_index=True)
    restores = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="pieces", verbose_name=_("gives back of"),
        help_text=_("The bought term of which time was taken and is given back by this one."),
    )  # fmt: skip
    duration = models.DurationField(_("bought time"))
    removed = models.DurationField(_("taken back"), default=timedelta)
    starts_at = models.DateTimeField(_("begins"), null=True)
    ends_at = models.DateTimeField(_("ends"), null=True)
    actor = models.CharField(_("who"), max_length=120, blank=True)
    reason = models.CharField(_("why"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("plan term")
        verbose_name_plural = _("plan terms")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, starts_at__isnull=False, ends_at__isnull=False)
                | (Q(user=None, starts_at=None, ends_at=None, email=Lower("email")) & ~Q(email="")),
                name="term_has_a_user_or_waits",
            ),
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="term_ends_after_it_began"),
            models.CheckConstraint(
                condition=Q(removed__lte=F("duration"), removed__gte=timedelta()), name="term_removed_fits"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "ends_at"], name="term_of_user"),
            models.Index(fields=["email"], condition=Q(user=None), name="term_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_sku} ({self.reference})"


class TermReversal(models.Model):
    """A refund or dispute gave back `part` of `whole` minor units of a term, so `removed` of its time went."""

    reference = models.CharField(max_length=120)
    term = models.ForeignKey(PlanTerm, models.PROTECT, related_name="reversals")
    part = models.BigIntegerField()
    whole = models.BigIntegerField()
    removed = models.DurationField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    restored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference", "term"], name="termreversal_once"),
            models.CheckConstraint(
                condition=Q(part__gt=0, whole__gte=F("part")), name="termreversal_in_proportion"
            ),
        ]

    def __str__(self) -> str:
        return self.reference
