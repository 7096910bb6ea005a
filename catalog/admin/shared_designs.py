"""Designs that shoppers show to others: looked at, taken down, allowed again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest
from django.urls import path, reverse
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from catalog.models import Draft, SharedDesign, TakenDownFor
from catalog.services import takedowns
from pimpshop.core.admin import finding, words
from pimpshop.core.admin.acts import WHY, Act, Doing, Preview
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


def _take_down(shared: SharedDesign, doing: Doing) -> bool:
    return takedowns.take_down(shared, why=doing.choice, actor=doing.actor)


def _of_taking_down(shared: SharedDesign, doing: Doing) -> Preview:
    lines = [
        gettext(
            "Its page says that it is not shown any more, and its pictures are deleted. This cannot be undone."
        ),
        gettext("The design itself stays with its maker, who can still change it and have it printed."),
    ]
    if doing.choice:
        why = TakenDownFor(doing.choice).label
        lines.append(gettext("Its maker reads: “%(why)s”") % {"why": why})
    return Preview(lines)


def _locked(shared: SharedDesign) -> SharedDesign:
    """As sharing locks: the draft. Its maker may have stopped sharing meanwhile; then there is nothing to do."""
    Draft.objects.select_for_update(no_key=True).filter(pk=shared.draft_id).first()
    return SharedDesign.objects.filter(pk=shared.pk).first() or shared


ACTS = (
    Act(
        "take-down",
        _("Take it down"),
        _(
            "Nobody sees it any more, and its maker cannot share it again. They read what you choose, not what you write."
        ),
        _take_down,
        reason=WHY,
        choice=_("What does its maker read?"),
        choices=lambda shared: list(TakenDownFor.choices),
        icon="visibility_off",
        variant=ActionVariant.DANGER,
        possible=lambda shared: shared.taken_down_at is None,
        on_lists=False,
        preview=_of_taking_down,
        lock=_locked,
    ),
    Act(
        "allow-again",
        _("Allow it again"),
        _("Its maker may share it again. Nothing is shown before they press “Share”; this entry goes away."),
        lambda shared, doing: takedowns.allow_again(shared),
        reason=WHY,
        icon="visibility",
        possible=lambda shared: shared.taken_down_at is not None,
        on_lists=False,
    ),
)


@admin.register(SharedDesign)
class SharedDesignAdmin(EvidenceAdmin):
    list_display = ("short_id", "shell", "state", "made")
    list_filter = (
        questions(
            Question("shown", _("shown"), lambda rows: rows.filter(taken_down_at=None)),
            Question("down", _("taken down"), lambda rows: rows.exclude(taken_down_at=None)),
        ),
    )
    list_select_related = ("shell__model", "shell__colour")
    search_fields = ("token",)
    ordering = ("-created_at",)
    fields = (
        "picture",
        "state",
        "shell",
        "page",
        "taken_down_for",
        "taken_down_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("picture", "state", "page")
    acts = ACTS

    def subjects_of(self, obj: SharedDesign) -> list[str]:
        return [obj.token]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.picture_view)
        return [
            path("<uuid:shared_id>/picture/", view, name="catalog_shareddesign_picture"),
            *super().get_urls(),
        ]

    def picture_view(self, request: HttpRequest, shared_id: Any) -> FileResponse:
        """What others see. 403 without the permission, 404 once it is gone."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        shared = SharedDesign.objects.filter(pk=shared_id).first()
        if shared is None or not shared.case or not shared.case.storage.exists(str(shared.case.name)):
            raise Http404
        response = FileResponse(shared.case.open("rb"), content_type="image/png")
        patch_cache_control(response, private=True, max_age=60)
        return response

    @display(description=_("shared design"))
    def short_id(self, shared: SharedDesign) -> str:
        return str(shared.pk)[:8]

    @words.labelled(_("state"))
    def state(self, shared: SharedDesign) -> tuple[str, Any]:
        return ("danger", _("taken down")) if shared.taken_down_at else ("success", _("shown"))

    @display(description=_("made"), ordering="created_at")
    def made(self, shared: SharedDesign) -> str:
        return words.ago(shared.created_at)

    @display(description=_("picture"))
    def picture(self, shared: SharedDesign) -> str:
        if not shared.case:
            return "–"
        shown = reverse("admin:catalog_shareddesign_picture", args=[shared.pk])
        return format_html('<img class="desk-preview" src="{}" alt="">', shown)

    @display(description=_("page"))
    def page(self, shared: SharedDesign) -> str:
        address = reverse("shared", args=[shared.token])
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', address, address)


@finding.finder("shared design", permission="catalog.view_shareddesign")
def _shared_design(token: str) -> SharedDesign | None:
    return SharedDesign.objects.filter(token=token).first()
