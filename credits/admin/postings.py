"""Postings: every movement of credits, newest first."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from credits.models import Posting, Seal
from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


@admin.register(Posting)
class PostingAdmin(EvidenceAdmin):
    list_display = ("reference", "kind", "amount", "source", "destination", "reason", "made")
    list_filter = (
        questions(
            Question("in", _("bought or given"), lambda rows: rows.filter(kind__in=("purchase", "bonus"))),
            Question("spent", _("spent"), lambda rows: rows.filter(kind="spend")),
            Question(
                "back", _("taken back"), lambda rows: rows.filter(kind__in=("reverse", "reverse-expired"))
            ),
            Question("owed", _("owed"), lambda rows: rows.filter(kind="shortfall")),
        ),
    )
    list_select_related = ("source__user", "destination__user")
    search_fields = ("reference",)
    fields = (
        "kind", "reference", "source", "destination", "amount", "source_after", "destination_after", "actor", "reason", "at",
    )  # fmt: skip

    @display(description=_("when"), ordering="at")
    def made(self, row: Posting) -> str:
        return words.ago(row.at)


@admin.register(Seal)
class SealAdmin(EvidenceAdmin):
    """Proof that postings stay as they were written (docs/adr/0020)."""

    list_display = ("last_id", "count", "proof", "made")
    search_fields = ("last_id",)
    fields = ("after_id", "last_id", "count", "proof", "made_at")
    readonly_fields = ("proof",)

    @display(description=_("digest"))
    def proof(self, row: Seal) -> str:
        return bytes(row.digest).hex()

    @display(description=_("when"), ordering="made_at")
    def made(self, row: Seal) -> str:
        return words.ago(row.made_at)
