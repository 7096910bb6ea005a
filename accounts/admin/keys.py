"""Log-in tokens and API keys at the desk: who has which, when it was last used, and its end. Never the key itself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts.models import ApiKey, UserToken
from accounts.models.tokens import Revocable
from accounts.services import api_keys, tokens
from pimpshop.core.admin import words
from pimpshop.core.admin.acting import WHY, Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


def _revoke_token(row: UserToken, doing: Doing) -> bool:
    return tokens.revoke(row.pk)


def _revoke_key(row: ApiKey, doing: Doing) -> bool:
    return api_keys.revoke(row.pk)


def _revoking(run: Any) -> Act:
    return Act(
        "revoke",
        _("Revoke"),
        _("From this moment it opens nothing, and it cannot be brought back."),
        run,
        reason=WHY,
        icon="key_off",
        variant=ActionVariant.DANGER,
        possible=lambda row: row.revoked_at is None,
    )


class RevocableAdmin(EvidenceAdmin):
    """What the pages of tokens and keys share."""

    list_select_related = ("user",)
    search_fields: tuple[str, ...] = ("user__email",)
    list_filter = (
        questions(
            Question("alive", _("not revoked"), lambda rows: rows.filter(revoked_at=None)),
            Question("revoked", _("revoked"), lambda rows: rows.exclude(revoked_at=None)),
        ),
    )

    @display(description=_("made"), ordering="created_at")
    def made(self, row: Revocable) -> str:
        return words.ago(row.created_at)

    @display(description=_("last used"), ordering="last_used_at")
    def used(self, row: Revocable) -> str:
        return words.ago(row.last_used_at)

    @display(description=_("revoked"), ordering="revoked_at")
    def ended(self, row: Revocable) -> str:
        return words.ago(row.revoked_at)


@admin.register(UserToken)
class UserTokenAdmin(RevocableAdmin):
    list_display = ("__str__", "user", "label", "made", "used", "ended")
    fields = ("user", "label", "created_at", "expires_at", "last_used_at", "revoked_at")
    acts = (_revoking(_revoke_token),)


@admin.register(ApiKey)
class ApiKeyAdmin(RevocableAdmin):
    list_display = ("name", "kind", "shown", "user", "made", "used", "ended")
    search_fields = ("shown", "user__email")
    fields = ("name", "kind", "shown", "user", "scopes", "created_at", "last_used_at", "revoked_at")
    acts = (_revoking(_revoke_key),)
