"""Plan terms: who has which plan, and until when."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from credits.models import PlanTerm
from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


@admin.register(PlanTerm)
class PlanTermAdmin(EvidenceAdmin):
    list_display = ("reference", "plan_sku", "whose", "starts_at", "ends_at", "made")
    list_filter = (
        questions(
            Question("now", _("running"), lambda rows: rows.filter(starts_at__lte=timezone.now(), ends_at__gt=timezone.now())),
            Question("waiting", _("waits for an address"), lambda rows: rows.filter(user=None)),
        ),
    )  # fmt: skip
    list_select_related = ("user",)
    search_fields = ("reference", "payment_reference", "user__email", "email")
    fields = (
        "plan_sku", "user", "email", "reference", "payment_reference", "duration", "removed", "starts_at", "ends_at",
        "actor", "reason", "created_at",
    )  # fmt: skip

    @display(description=_("whose"))
    def whose(self, row: PlanTerm) -> str:
        return str(row.user or row.email)

    @display(description=_("made"), ordering="created_at")
    def made(self, row: PlanTerm) -> str:
        return words.ago(row.created_at)
