"""Stripe's objects as the mirror has them (payments.services.stripe_mirror): seven kinds, read only, to compare with ours.

dj-stripe registers some sixty pages of its own, in Django's plain look and with buttons that call Stripe; they are taken
off the desk again. Nothing here when the mirror is off.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin

SHOWN = ("Customer", "PaymentIntent", "Charge", "Refund", "Dispute", "Product", "Price")


class MirrorAdmin(EvidenceAdmin):
    list_display = ("id", "state", "sum", "made", "mirrored", "livemode")
    list_filter = ("livemode",)
    search_fields = ("id",)
    fields = ("id", "state", "sum", "made", "mirrored", "livemode", "content")
    readonly_fields = ("state", "sum", "made", "mirrored", "content")
    ordering = ("-djstripe_id",)

    @words.labelled(_("state"))
    def state(self, obj: Any) -> tuple[str, Any]:
        word = str(obj.stripe_data.get("status") or "")
        return words.tone(word), word.replace("_", " ") or "–"

    @display(description=_("amount"))
    def sum(self, obj: Any) -> str:
        """From the object itself: dj-stripe's own columns divide by 100 in every currency."""
        minor, currency = (obj.stripe_data.get(name) for name in ("amount", "currency"))
        minor = obj.stripe_data.get("unit_amount") if minor is None else minor
        return words.money(minor, str(currency).upper()) if isinstance(minor, int) and currency else "–"

    @display(description=_("made"))
    def made(self, obj: Any) -> str:
        created = obj.stripe_data.get("created")
        return words.ago(datetime.fromtimestamp(created, UTC)) if isinstance(created, int) else "–"

    @display(description=_("mirrored"), ordering="djstripe_updated")
    def mirrored(self, obj: Any) -> str:
        return words.ago(obj.djstripe_updated)

    @display(description=_("content"))
    def content(self, obj: Any) -> str:
        return words.json_block(obj.stripe_data) or "–"


def register(site: admin.AdminSite) -> None:
    """Put the seven pages on the desk in place of dj-stripe's own."""
    for model in apps.get_app_config("djstripe").get_models():
        if site.is_registered(model):
            site.unregister(model)
    for name in SHOWN:
        site.register(apps.get_model("djstripe", name), MirrorAdmin)


if apps.is_installed("djstripe"):
    register(admin.site)
