"""Joined accounts at the desk: which account went into which, and what moved. Read only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from payments.models import JoinedAccount
from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin


@admin.register(JoinedAccount)
class JoinedAccountAdmin(EvidenceAdmin):
    list_display = ("__str__", "into", "when")
    list_select_related = ("user", "into")
    search_fields = ("into__email",)
    fields = ("user", "into", "joined_at", "moved")

    @display(description=_("when"), ordering="joined_at")
    def when(self, row: JoinedAccount) -> str:
        return words.ago(row.joined_at)
