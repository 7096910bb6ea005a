"""Customers' designs: read only, and only for staff with the permission to view them. The files are private."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest
from django.urls import path, reverse
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.models import Design
from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


@admin.register(Design)
class DesignAdmin(EvidenceAdmin):
    list_display = ("short_id", "shell", "template", "frozen", "low_resolution", "made")
    list_filter = (
        questions(
            Question("ordered", _("ordered"), lambda rows: rows.exclude(frozen_at=None)),
            Question("coarse", _("low resolution"), lambda rows: rows.filter(low_resolution=True)),
        ),
    )
    list_select_related = ("shell__model", "shell__colour", "template")
    search_fields = ("owner",)
    ordering = ("-created_at",)
    fields = (
        "picture", "shell", "template", "owner", "frozen_at", "low_resolution", "low_resolution_accepted_at",
        "print_sha256", "preview_sha256", "created_at", "updated_at", "plan",
    )  # fmt: skip
    readonly_fields = ("picture", "plan")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.preview_view)
        return [path("<uuid:design_id>/preview/", view, name="catalog_design_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest, design_id: Any) -> FileResponse:
        """The preview's bytes. 403 without the permission, 404 without a picture."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        design = Design.objects.filter(pk=design_id).first()
        if (
            design is None
            or not design.preview
            or not design.preview.storage.exists(str(design.preview.name))
        ):
            raise Http404
        response = FileResponse(design.preview.open("rb"), content_type="image/png")
        patch_cache_control(response, private=True, max_age=300)
        return response

    @display(description=_("design"))
    def short_id(self, design: Design) -> str:
        return str(design.pk)[:8]

    @words.labelled(_("state"))
    def frozen(self, design: Design) -> tuple[str, Any]:
        return ("success", _("ordered")) if design.frozen_at else ("", _("being made"))

    @display(description=_("made"), ordering="created_at")
    def made(self, design: Design) -> str:
        return words.ago(design.created_at)

    @display(description=_("picture"))
    def picture(self, design: Design) -> str:
        if not design.preview:
            return "–"
        shown = reverse("admin:catalog_design_preview", args=[design.pk])
        return format_html('<img class="desk-preview" src="{}" alt="">', shown)

    @display(description=_("layout"))
    def plan(self, design: Design) -> str:
        return words.json_block(design.layout) or "–"
