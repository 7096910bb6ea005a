"""Tokens and keys at the desk: seen without their text, revoked with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import ApiKey, UserToken
from accounts.services import api_keys, tokens
from pimpshop.core.models import AuditEntry
from tests import factories


@pytest.mark.parametrize("model", ["accounts_apikey", "accounts_usertoken"])
def test_revoking_asks_why_and_is_written_down(admin: Any, model: str) -> None:
    row: Any = factories.api_key() if model == "accounts_apikey" else factories.user_token()
    assert admin.act(model, row, "revoke").status_code == 200  # asks again: no reason was given
    row.refresh_from_db()
    assert (row.revoked_at, AuditEntry.objects.count()) == (None, 0)
    assert admin.act(model, row, "revoke", "seen in a page").status_code == 302
    row.refresh_from_db()
    assert row.revoked_at is not None
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (
        "boss@example.com", "revoke", str(row), "seen in a page",
    )  # fmt: skip
    assert admin.said(admin.act(model, row, "revoke", "again"))[-1] == f"{row}: nothing was to be done."
    assert [r.pk for r in admin.rows(model, show="revoked")] == [row.pk]


def test_no_page_shows_a_hash(admin: Any) -> None:
    key, row = api_keys.create(kind="secret", name="till")
    token, mine = tokens.issue(factories.user())
    for model, obj, text in (("accounts_apikey", row, key), ("accounts_usertoken", mine, token)):
        for page in (admin.page(model, obj), admin.list(model)):
            content = page.content.decode()
            assert page.status_code == 200
            assert text not in content
            assert obj.token_hash not in content


def test_support_looks_and_revokes_nothing(member: Any) -> None:
    row = factories.api_key()
    desk = member("support")
    assert desk.page("accounts_apikey", row).status_code == 200
    assert desk.act("accounts_apikey", row, "revoke", "why not").status_code == 403
    assert (ApiKey.objects.get().revoked_at, UserToken.objects.count()) == (None, 0)
