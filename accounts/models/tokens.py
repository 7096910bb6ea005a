"""A user's Bearer token on one device. The token itself is never stored: a row knows its hash (`ids.hash_token`)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Revocable(models.Model):
    """What speaks for somebody until it is revoked. `last_used_at` is written at most once a minute."""

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class UserToken(Revocable):
    """Lets one device act for its user until `expires_at`."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens", verbose_name=_("user")
    )
    label = models.CharField(_("device"), max_length=120, blank=True)
    expires_at = models.DateTimeField(_("ends"))

    class Meta:
        verbose_name = _("log-in token")
        verbose_name_plural = _("log-in tokens")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="usertoken_ends_after_it_began",
            )
        ]

    def __str__(self) -> str:
        return f"log-in token {self.pk}"
