"""Whether a gateway may be used for new payments: what staff switched, and its rest after failures. One row each."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from pimpshop.core.models import Timestamped


class GatewaySwitch(Timestamped):
    """`is_off` is people's word; `failures` in a row and `rests_until` are written by payments.services.switches."""

    gateway = models.CharField(_("gateway"), max_length=20, unique=True)
    is_off = models.BooleanField(_("switched off"), default=False)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    actor = models.CharField(_("by"), max_length=120, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    rests_until = models.DateTimeField(_("rests until"), null=True, blank=True)

    class Meta:
        verbose_name = _("gateway switch")
        verbose_name_plural = _("gateway switches")
        ordering = ["gateway"]

    def __str__(self) -> str:
        return self.gateway
