"""Methods that customers keep at a provider: what may be shown, and the provider's own references. Never a number."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pimpshop.core.models import Timestamped


class ProviderCustomer(Timestamped):
    """A user of ours as a customer at one account of a provider."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="provider_customers")
    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=64, blank=True)
    customer_ref = models.CharField(_("provider's customer"), max_length=128)

    class Meta:
        verbose_name = _("customer at a provider")
        verbose_name_plural = _("customers at providers")
        constraints = [
            models.UniqueConstraint(fields=["user", "gateway", "account"], name="providercustomer_once")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.customer_ref}"


class SavedPaymentMethod(Timestamped):
    """One kept method. `setup_ref` while the shopper still has to confirm it; `method_ref` once it may be used."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_methods")
    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=64, blank=True)
    method_ref = models.CharField(_("provider's method"), max_length=128, blank=True)
    customer_ref = models.CharField(_("provider's customer"), max_length=128, blank=True)
    setup_ref = models.CharField(max_length=128, blank=True)
    details: Any = models.JSONField(_("what may be shown"), default=dict)
    is_default = models.BooleanField(_("default"), default=False)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("saved payment method")
        verbose_name_plural = _("saved payment methods")
        ordering = ["-is_default", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "account", "method_ref"],
                condition=~models.Q(method_ref="") & models.Q(removed_at=None),
                name="savedmethod_once",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(is_default=True, removed_at=None),
                name="savedmethod_one_default",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.gateway} {self.details.get('card_brand', '')} {self.details.get('last_four', '')}".strip()
        )

    @property
    def token(self) -> str:
        """The id that API clients see."""
        return f"pm_{self.public_id}"
