"""Phones, shells, colours and templates, keyed by the manufacturer's ids. Sizes are millimetres."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from pimpshop.core.models import Timestamped


class Named(models.Model):
    """A name in English and in Chinese; `str()` follows the active language."""

    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("Chinese name"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name_zh if self.name_zh and (get_language() or "").startswith("zh") else self.name


class PhoneBrand(Named, Timestamped):
    """A brand. `slug` is what clients send ("iphone"); `manufacturer_id` is BR…"""

    manufacturer_id = models.CharField(_("manufacturer's id"), max_length=40, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    is_active = models.BooleanField(_("shown"), default=True)
    sort_order = models.PositiveSmallIntegerField(pgettext_lazy("position in a list", "order"), default=100)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["sort_order", "name"]


class PhoneModel(Named, Timestamped):
    """A phone model. `manufacturer_id` is MM…"""

    brand = models.ForeignKey(PhoneBrand, models.PROTECT, related_name="models", verbose_name=_("brand"))
    manufacturer_id = models.CharField(_("manufacturer's id"), max_length=40, unique=True)
    is_active = models.BooleanField(_("shown"), default=True)
    sort_order = models.PositiveSmallIntegerField(pgettext_lazy("position in a list", "order"), default=100)

    class Meta:
        verbose_name = _("phone model")
        verbose_name_plural = _("phone models")
        ordering = ["brand", "sort_order", "name"]


class Colour(Named):
    """A colour of a shell, as shoppers call it ("Natural Titanium")."""

    slug = models.SlugField(max_length=60, unique=True)
    hex = models.CharField(_("shown as"), max_length=7, default="#e5e7eb")

    class Meta:
        verbose_name = _("colour")
        verbose_name_plural = _("colours")
        ordering = ["name"]


class Shell(Timestamped):
    """What is printed on: one model in one make and colour. Keyed by (model id, shell id), never by a model's name.

    `width_mm` x `height_mm` is the trimmed print area; the print file adds `bleed_mm` on all sides. `cutouts` are
    camera holes: a list of {"x", "y", "w", "h", "r"} in mm from the top-left corner of the trimmed area. They are
    approximations, made from published dimensions of the phones, not measured at the case: good enough to show where the
    camera looks through and to warn of words under it, not to leave ink out. Words should stay `safe_mm` inside the edge.
    """

    model = models.ForeignKey(PhoneModel, models.PROTECT, related_name="shells", verbose_name=_("model"))
    manufacturer_id = models.CharField(_("manufacturer's id"), max_length=40, help_text="MS…")
    colour = models.ForeignKey(Colour, models.PROTECT, verbose_name=_("colour"))
    sku = models.CharField(max_length=60, blank=True)
    width_mm = models.DecimalField(_("width, mm"), max_digits=6, decimal_places=2)
    height_mm = models.DecimalField(_("height, mm"), max_digits=6, decimal_places=2)
    bleed_mm = models.DecimalField(_("bleed, mm"), max_digits=4, decimal_places=2, default=2)
    corner_radius_mm = models.DecimalField(_("corner radius, mm"), max_digits=5, decimal_places=2, default=10)
    safe_mm = models.DecimalField(
        _("safe distance from the edge, mm"),
        max_digits=4,
        decimal_places=2,
        default=3,
        help_text=_("Words nearer to the edge than this are warned about."),
    )
    cutouts: Any = models.JSONField(_("camera holes"), default=list, blank=True)
    is_active = models.BooleanField(_("shown"), default=True)
    synced_at = models.DateTimeField(_("last seen at the manufacturer"), null=True, blank=True)

    class Meta:
        verbose_name = _("shell")
        verbose_name_plural = _("shells")
        ordering = ["model", "colour"]
        constraints = [
            models.UniqueConstraint(fields=["model", "manufacturer_id"], name="shell_model_and_id"),
            models.CheckConstraint(
                condition=models.Q(width_mm__gt=0) & models.Q(height_mm__gt=0) & models.Q(bleed_mm__gte=0),
                name="shell_has_a_size",
            ),
        ]
        indexes = [models.Index(fields=["manufacturer_id"], name="shell_manufacturer_id")]

    def __str__(self) -> str:
        return f"{self.model} · {self.colour}"


class DesignTemplate(Named, Timestamped):
    """A layout to start from: slots for photos and shapes above them, as fractions of the trimmed area (`spec`)."""

    slug = models.SlugField(max_length=60, unique=True)
    spec: Any = models.JSONField(default=dict)
    is_active = models.BooleanField(_("shown"), default=True)
    sort_order = models.PositiveSmallIntegerField(pgettext_lazy("position in a list", "order"), default=100)

    class Meta:
        verbose_name = _("design template")
        verbose_name_plural = _("design templates")
        ordering = ["sort_order", "name"]

    @property
    def slots(self) -> int:
        """How many photos it takes."""
        return len(self.spec.get("slots", [])) or 1
