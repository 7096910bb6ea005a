"""WeChat identities at the desk: who came from which WeChat app, and when. Read only, and without the openid: it is
personal data, and nobody at the desk can do anything with it."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import WeChatIdentity
from pimpshop.core.admin import words
from pimpshop.core.admin.base import EvidenceAdmin


@admin.register(WeChatIdentity)
class WeChatIdentityAdmin(EvidenceAdmin):
    list_display = ("__str__", "user", "app_id", "made", "used")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "app_id", "created_at", "last_used_at")

    @display(description=_("made"), ordering="created_at")
    def made(self, row: WeChatIdentity) -> str:
        return words.ago(row.created_at)

    @display(description=_("last used"), ordering="last_used_at")
    def used(self, row: WeChatIdentity) -> str:
        return words.ago(row.last_used_at)
