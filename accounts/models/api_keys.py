"""API keys: secret (everything), restricted (its scopes), publishable (may be in a browser). Stored hashed, shown once."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.tokens import Revocable


class ApiKey(Revocable):
    """A key of a program. Without a user it belongs to the shop and sees every payment."""

    class Kind(models.TextChoices):
        SECRET = "secret", _("secret")
        RESTRICTED = "restricted", _("restricted")
        PUBLISHABLE = "publishable", _("publishable")

    #: How a key of a kind begins. Ours on purpose: nobody shall take one for a provider's.
    PREFIXES: ClassVar[dict[str, str]] = {
        "secret": "shop_sk_",
        "restricted": "shop_rk_",
        "publishable": "shop_pk_",
    }

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    name = models.CharField(_("name"), max_length=120)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("owner"),
    )
    scopes = ArrayField(
        models.CharField(max_length=32), default=list, blank=True, verbose_name=_("may do"),
        help_text=_("A restricted key may do exactly this. The other kinds have theirs by nature."),
    )  # fmt: skip
    shown = models.CharField(
        _("key"), max_length=24, help_text=_("How the key begins, to tell it from others.")
    )

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["secret", "restricted", "publishable"]), name="apikey_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="restricted") ^ models.Q(scopes=[]),
                name="apikey_scopes_if_restricted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.shown}…)"
