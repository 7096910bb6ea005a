"""GET and DELETE /api/auth/devices, POST /api/auth/logout-all: one's own devices, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import UserToken
from accounts.services import api_keys, tokens
from tests import factories

pytestmark = pytest.mark.django_db
DEVICES, ALL = "/api/auth/devices", "/api/auth/logout-all"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@time_machine.travel("2025-11-20T10:00:00Z", tick=False)
def test_ones_own_living_devices_are_listed(client: Client) -> None:
    user = factories.user()
    phone, _row = tokens.issue(user, label="Phone")
    pad, row = tokens.issue(user, label="Pad")
    dead = tokens.issue(user, label="Lost")[1]
    tokens.revoke(dead.pk)
    old = tokens.issue(user, label="Old")[1]
    UserToken.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=91), expires_at=timezone.now()
    )
    tokens.issue(factories.user(), label="Somebody else's")
    answer = client.get(DEVICES, headers=bearer(pad))
    first = UserToken.objects.get(label="Phone")
    times = {"created_at": "2025-11-20T10:00:00Z", "expires_at": "2026-02-18T10:00:00Z"}
    assert answer.json() == {
        "devices": [
            {"id": row.pk, "label": "Pad", "last_used_at": "2025-11-20T10:00:00Z", "current": True} | times,
            {"id": first.pk, "label": "Phone", "last_used_at": None, "current": False} | times,
        ]
    }
    assert answer["Cache-Control"] == "no-store"
    assert phone not in answer.content.decode()
    assert row.token_hash not in answer.content.decode()


def test_one_device_is_logged_out_and_the_others_stay(client: Client) -> None:
    user = factories.user()
    (one, _), (two, row) = tokens.issue(user), tokens.issue(user)
    first = client.delete(f"{DEVICES}/{row.pk}", headers=bearer(one))
    again = client.delete(f"{DEVICES}/{row.pk}/", headers=bearer(one))
    assert (first.status_code, first.content, again.status_code) == (204, b"", 404)
    assert tokens.find(two) is None
    assert tokens.find(one) is not None


def test_this_device_may_log_itself_out(client: Client) -> None:
    token, row = tokens.issue(factories.user())
    answers = [client.delete(f"{DEVICES}/{row.pk}", headers=bearer(token)).status_code for _ in range(2)]
    assert answers == [204, 401]


@pytest.mark.parametrize("token_id", ["foreign", "0", "999999999999999999"])
def test_somebody_elses_device_is_not_there(client: Client, token_id: str) -> None:
    foreign, row = tokens.issue(factories.user())
    mine, _row = tokens.issue(factories.user())
    wanted = str(row.pk) if token_id == "foreign" else token_id
    answer = client.delete(f"{DEVICES}/{wanted}", headers=bearer(mine))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert tokens.find(foreign) is not None
    assert client.delete(f"{DEVICES}/x", headers=bearer(mine)).status_code == 404


@pytest.mark.parametrize("slash", ["", "/"])
def test_log_out_everywhere(client: Client, slash: str) -> None:
    user = factories.user()
    (one, _), (two, _) = tokens.issue(user), tokens.issue(user)
    foreign, _row = tokens.issue(factories.user())
    assert client.post(f"{ALL}{slash}", headers=bearer(one)).status_code == 204
    assert [tokens.find(token) is None for token in (one, two, foreign)] == [True, True, False]
    assert client.post(ALL, headers=bearer(one)).status_code == 401


@pytest.mark.parametrize(("method", "path"), [("get", DEVICES), ("delete", f"{DEVICES}/1"), ("post", ALL)])
def test_a_key_is_no_device_and_nobody_is_nobody(client: Client, method: str, path: str) -> None:
    user = factories.user()
    living, _row = tokens.issue(user)
    key, _row = api_keys.create(kind="secret", name="k", user=user)
    call: Any = getattr(client, method)
    assert [call(path, headers=headers).status_code for headers in ({}, bearer(key), bearer("x"))] == [
        401
    ] * 3
    assert tokens.find(living) is not None
