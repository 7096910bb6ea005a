"""Staff items: what needs a person, what to do, and the word with which it was resolved."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from pimpshop.core import staff_items
from pimpshop.core.admin import dashboard, finding, words
from pimpshop.core.admin.acting import Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions
from pimpshop.core.models import AuditEntry, StaffItem

SHOWN_ON_FIRST_PAGE = 8


def _resolve(item: StaffItem, doing: Doing) -> bool:
    with transaction.atomic():
        done = staff_items.resolve(item, actor=doing.actor, resolution=doing.reason)
        if done:
            AuditEntry.objects.create(
                actor=doing.actor, action="resolve item", subject=item.subject, reason=doing.reason,
                data={"kind": item.kind, "title": item.title},
            )  # fmt: skip
    return done


@admin.register(StaffItem)
class StaffItemAdmin(EvidenceAdmin):
    list_display = ("headline", "kind_word", "about", "age", "state")
    list_filter = (
        questions(
            Question("open", _("open"), lambda rows: rows.filter(resolved_at=None)),
            Question("resolved", _("resolved"), lambda rows: rows.exclude(resolved_at=None)),
            default="open",
        ),
        "kind",
    )
    search_fields = ("subject",)
    fieldsets = (
        (None, {"fields": ("state", "title", "about", "todo", "created_at")}),
        (_("How it ended"), {"fields": ("resolved_at", "resolved_by", "resolution")}),
        (_("Details"), {"fields": ("kind", "facts")}),
    )
    readonly_fields = ("state", "about", "todo", "facts")
    acts = (
        Act(
            "resolve",
            _("Resolve"),
            _("Say in a word what you did. The item is closed and kept."),
            _resolve,
            reason=_("What did you do? (kept with your name)"),
            icon="task_alt",
            variant=ActionVariant.PRIMARY,
            possible=lambda item: item.resolved_at is None,
            audited=True,
        ),
    )

    def get_urls(self) -> list[Any]:
        """`admin:find` lives under the items, whose page everybody at the desk may open."""
        return [path("find/", self.admin_site.admin_view(finding.find), name="find"), *super().get_urls()]

    @display(description=_("what happened"), header=True)
    def headline(self, item: StaffItem) -> tuple[str, str]:
        return item.title, item.detail

    @display(description=_("kind"), ordering="kind")
    def kind_word(self, item: StaffItem) -> str:
        return item.kind.replace("_", " ")

    @display(description=_("about"))
    def about(self, item: StaffItem) -> SafeString:
        return words.link(finding.address(item.subject), item.subject)

    @display(description=_("since"), ordering="created_at")
    def age(self, item: StaffItem) -> str:
        return words.ago(item.created_at)

    @words.labelled(_("state"))
    def state(self, item: StaffItem) -> tuple[str, Any]:
        return ("danger", _("open")) if item.resolved_at is None else ("success", _("resolved"))

    @display(description=_("what to do"))
    def todo(self, item: StaffItem) -> SafeString:
        return format_html('<span class="desk-todo">{}</span>', item.detail or "–")

    @display(description=_("details"))
    def facts(self, item: StaffItem) -> str:
        return words.json_block(item.data)

    def audit_subject(self, obj: StaffItem) -> str:
        return obj.subject

    def get_fieldsets(self, request: HttpRequest, obj: StaffItem | None = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        return sets if obj is None or obj.resolved_at else [entry for entry in sets if entry is not sets[1]]


@dashboard.panel(order=10, permission="core.view_staffitem")
def _open_items() -> dashboard.Panel:
    """Oldest first: the longest wait is the worst."""
    waiting = StaffItem.objects.filter(resolved_at=None)
    rows = [
        dashboard.Row(
            text=item.title,
            href=reverse("admin:core_staffitem_change", args=[item.pk]),
            detail=item.detail,
            label=words.ago(item.created_at),
            tone="danger",
        )
        for item in waiting.order_by("created_at")[:SHOWN_ON_FIRST_PAGE]
    ]
    count = len(rows) if len(rows) < SHOWN_ON_FIRST_PAGE else waiting.count()
    return dashboard.Panel(
        title=_("Needs a person"),
        rows=rows,
        count=count,
        tone="danger" if count else "success",
        href=reverse("admin:core_staffitem_changelist"),
        empty=_("Nothing waits for a person."),
    )
