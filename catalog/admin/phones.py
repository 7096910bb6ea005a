"""Brands, models, shells and colours. The sync with the manufacturer adds; staff name, size and hide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin import shell_drawings
from catalog.admin.sheets import SheetMixin
from catalog.models import Colour, PhoneBrand, PhoneModel, Shell
from catalog.services import geometry, sheet_columns
from pimpshop.core.admin import words
from pimpshop.core.admin.base import KeptAdmin
from vending.admin import stock


class ShownAdmin(KeptAdmin):
    """Rows that shoppers see, or not."""

    list_filter: tuple[Any, ...] = ("is_active",)

    @display(description=_("shown"), boolean=True, ordering="is_active")
    def shown(self, obj: Any) -> bool:
        return bool(obj.is_active)


@admin.register(PhoneBrand)
class PhoneBrandAdmin(SheetMixin, ShownAdmin):
    sheet = sheet_columns.BRANDS
    list_display = ("name", "name_zh", "manufacturer_id", "shown", "sort_order")
    search_fields = ("name", "slug", "manufacturer_id")
    fields = ("name", "name_zh", "slug", "manufacturer_id", "is_active", "sort_order")

    def audit_subject(self, obj: PhoneBrand) -> str:
        return obj.manufacturer_id


@admin.register(PhoneModel)
class PhoneModelAdmin(SheetMixin, ShownAdmin):
    sheet = sheet_columns.MODELS
    list_display = ("name", "name_zh", "brand", "manufacturer_id", "shown", "sort_order")
    list_filter = ("brand", "is_active")
    list_select_related = ("brand",)
    search_fields = ("name", "manufacturer_id")
    fields = ("brand", "name", "name_zh", "manufacturer_id", "is_active", "sort_order")

    def audit_subject(self, obj: PhoneModel) -> str:
        return obj.manufacturer_id


@admin.register(Colour)
class ColourAdmin(KeptAdmin):
    list_display = ("name", "name_zh", "swatch", "slug")
    search_fields = ("name", "slug")
    fields = ("name", "name_zh", "slug", "hex")

    @display(description=_("shown as"))
    def swatch(self, colour: Colour) -> str:
        return format_html(
            '<span class="desk-swatch" style="background:{}"></span> {}', colour.hex, colour.hex
        )

    def audit_subject(self, obj: Colour) -> str:
        return obj.slug


class ShellForm(forms.ModelForm):
    """Holes that cannot be are refused before they spoil every preview."""

    def clean(self) -> dict[str, Any] | None:
        found = super().clean()
        if not self.errors:
            try:
                geometry.must_hold_its_holes(self.instance, self.cleaned_data)
            except (ValueError, TypeError, AttributeError):
                self.add_error("cutouts", shell_drawings.HOW)
        return found


@admin.register(Shell)
class ShellAdmin(SheetMixin, ShownAdmin):
    sheet = sheet_columns.SHELLS
    form = ShellForm
    change_form_outer_after_template = "admin/stock.html"
    list_display = ("headline", "colour", "size", "in_stock", "shown", "last_seen")
    list_filter = ("model__brand", "is_active")
    list_select_related = ("model", "colour")
    search_fields = ("manufacturer_id", "model__name", "model__manufacturer_id")
    autocomplete_fields = ("model", "colour")
    fieldsets = (
        (None, {"fields": ("model", "colour", "manufacturer_id", "sku", "is_active", "synced_at")}),
        (
            _("Size in millimetres"),
            {
                "description": _("The trimmed print area. The print file adds the bleed on all four sides."),
                "fields": (
                    ("width_mm", "height_mm"),
                    ("bleed_mm", "corner_radius_mm"),
                    "safe_mm",
                    "cutouts",
                    "drawing",
                ),
            },
        ),
    )
    readonly_fields = ("synced_at", "drawing")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the machines in use hold."""
        told = Sum("stock__count", filter=Q(stock__machine__is_active=True))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(in_stock=told)
        return rows

    def add_to_page(self, request: HttpRequest, obj: Shell, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)
        if request.user.has_perm("vending.view_stocklevel"):
            context["stock_rows"] = stock.at_machines(obj)

    @words.labelled(_("in stock"), ordering="in_stock")
    def in_stock(self, shell: Shell) -> tuple[str, Any]:
        return stock.total(shell)

    @display(description=_("as it was saved"))
    def drawing(self, shell: Shell) -> str:
        return shell_drawings.svg(shell) if shell.pk else "–"

    @display(description=_("shell"), header=True, ordering="model")
    def headline(self, shell: Shell) -> tuple[str, str]:
        return str(shell.model), shell.manufacturer_id

    @display(description=_("size"), ordering="width_mm")
    def size(self, shell: Shell) -> str:
        return f"{shell.width_mm} × {shell.height_mm} mm"

    @display(description=_("last seen at the manufacturer"), ordering="synced_at")
    def last_seen(self, shell: Shell) -> str:
        return words.ago(shell.synced_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders and designs name it: it is hidden instead."""
        return False

    def audit_subject(self, obj: Shell) -> str:
        return obj.manufacturer_id
