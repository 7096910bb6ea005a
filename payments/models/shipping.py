"""What WeChat is told about the delivery of what a mini program sold."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments.models.intents import PaymentIntent


class ShippingNotice(models.Model):
    """One a settled payment, made when its order is fulfilled. Due at `next_attempt_at` until `told_at` or `ended_at`
    (given up, or there is nothing to tell any more: `last_error` says why)."""

    class Kind(models.IntegerChoices):
        """WeChat's logistics_type; we send no parcels."""

        VIRTUAL = 3, _("virtual goods")
        PICKED_UP = 4, _("picked up")

    intent = models.OneToOneField(
        PaymentIntent, models.PROTECT, related_name="shipping_notice", verbose_name=_("payment")
    )
    logistics_type = models.PositiveSmallIntegerField(_("kind"), choices=Kind)
    description = models.CharField(_("what"), max_length=120)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, default=timezone.now)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)
    ended_at = models.DateTimeField(_("given up"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("delivery told to WeChat")
        verbose_name_plural = _("deliveries told to WeChat")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(next_attempt_at__isnull=False, told_at=None, ended_at=None)
                | Q(next_attempt_at=None, told_at__isnull=False, ended_at=None)
                | Q(next_attempt_at=None, told_at=None, ended_at__isnull=False),
                name="shippingnotice_due_told_or_ended",
            ),
            models.CheckConstraint(condition=Q(logistics_type__in=[3, 4]), name="shippingnotice_kind"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="shippingnotice_due"
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.intent} ({self.get_logistics_type_display()})"
