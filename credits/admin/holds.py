"""Holds: credits set apart for something that is being paid, and what became of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from credits.models import Hold
from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


@admin.register(Hold)
class HoldAdmin(EvidenceAdmin):
    list_display = ("reference", "state", "amount", "returned", "whose", "expires_at", "made")
    list_filter = (
        questions(
            Question("held", _("held now"), lambda rows: rows.filter(status="held")),
            Question("spent", _("spent"), lambda rows: rows.filter(status="committed")),
            Question("back", _("given back"), lambda rows: rows.filter(returned__gt=0)),
        ),
    )
    search_fields = ("reference", "subject", "account__user__email")
    fields = ("state", "reference", "subject", "account", "amount", "returned", "expires_at", "created_at")
    readonly_fields = ("state",)
    state = words.state_column()

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("account__user")
        return rows

    @display(description=_("whose"))
    def whose(self, row: Hold) -> str:
        return str(row.account)

    @display(description=_("made"), ordering="created_at")
    def made(self, row: Hold) -> str:
        return words.ago(row.created_at)
