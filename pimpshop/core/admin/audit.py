"""What staff did: read, asked by who and when, taken out as a file; never changed (the database refuses it too).

A row in the file has the columns of `COLUMNS`; taking it out is itself an entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from pimpshop.core import sheets
from pimpshop.core.admin import finding, words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions
from pimpshop.core.clock import iso
from pimpshop.core.models import AuditEntry

COLUMNS = ("at", "actor", "action", "subject", "reason", "field", "before", "after")
MAY_EXPORT = "core.export_audit"


@admin.register(AuditEntry)
class AuditEntryAdmin(EvidenceAdmin):
    list_display = ("at", "actor", "action", "about", "reason")
    list_filter = (
        questions(
            Question("today", _("last 24 hours"), lambda rows: rows.filter(at__gt=_ago(days=1))),
            Question("week", _("last 7 days"), lambda rows: rows.filter(at__gt=_ago(days=7))),
            Question(
                "edits", _("with values before and after"), lambda rows: rows.filter(data__has_key="changes")
            ),
        ),
    )
    search_fields = ("subject", "actor")
    fields = ("at", "actor", "action", "about", "reason", "changed", "facts")
    readonly_fields = ("about", "changed", "facts")
    actions_list = ("take_out",)

    def get_urls(self) -> list[Any]:
        return [
            path("export.csv", self.admin_site.admin_view(self.export), name="audit-export"),
            *super().get_urls(),
        ]

    @action(
        description=_("Take out as a file"),
        icon="download",
        variant=ActionVariant.DEFAULT,
        permissions=["export"],
    )
    def take_out(self, request: HttpRequest) -> StreamingHttpResponse:
        return self.export(request)

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_EXPORT)

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """The whole log, or what `?q=` finds, newest first, as CSV."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        term = request.GET.get("q", "").strip()
        own = AuditEntry.objects.create(
            actor=str(request.user), action="export audit log", subject=(term or "everything")[:120]
        )
        before = AuditEntry.objects.filter(pk__lt=own.pk).order_by("-pk")
        rows, _duplicates = self.get_search_results(request, before, term)
        return sheets.answer(f"audit-{timezone.now():%Y-%m-%d}.csv", COLUMNS, _rows(rows))

    @display(description=_("about"))
    def about(self, entry: AuditEntry) -> str:
        return words.link(finding.address(entry.subject), entry.subject)

    @display(description=_("before and after"))
    def changed(self, entry: AuditEntry) -> SafeString | str:
        found = entry.data.get("changes") if isinstance(entry.data, dict) else None
        return render_to_string("admin/changes.html", {"changes": found}) if found else "–"

    @display(description=_("details"))
    def facts(self, entry: AuditEntry) -> str:
        more = {key: value for key, value in entry.data.items() if key != "changes"}
        return words.json_block(more) if more else "–"


def _ago(*, days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def _rows(entries: Any) -> Iterator[list[str]]:
    for entry in entries.iterator(chunk_size=1000):
        start = [iso(entry.at), entry.actor, entry.action, entry.subject, entry.reason]
        for change in entry.data.get("changes") or [{}]:
            yield [str(cell or "") for cell in (*start, *(change.get(name, "") for name in COLUMNS[5:]))]
