"""POST /api/auth/wechat/login: who becomes who, every refusal, and what is written down."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.gateways import mini_program
from accounts.models import User, UserToken, WeChatIdentity
from accounts.services import tokens
from payments.services import proving
from pimpshop.core import http, ids, throttles
from pimpshop.core.models import OutboundCall, StaffItem
from tests import factories
from tests.accounts.wechat_answers import OPENID, SESSION_KEY, UNIONID, known, wechat

pytestmark = pytest.mark.django_db
LOG_IN, CODE, APP = "/api/auth/wechat/login", "023Bq0ll2sZ0Fc4", "wxsandboxminiprogram"
SECRET = "sandbox-mini-app-secret"


def log_in(client: Client, code: Any = CODE, **more: Any) -> Any:
    headers = more.pop("headers", {})
    return client.post(LOG_IN, {"code": code, **more}, content_type="application/json", headers=headers)


def nothing_happened() -> None:
    assert (User.objects.count(), WeChatIdentity.objects.count(), UserToken.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_first_log_in_makes_a_person_without_an_address(client: Client, slash: str) -> None:
    with time_machine.travel("2025-11-20T10:00:00Z", tick=False), wechat(known(unionid=UNIONID)) as wire:
        answer = client.post(
            f"{LOG_IN}{slash}", {"code": CODE, "device": "iPhone"}, content_type="application/json",
            headers={"Accept-Language": "zh-CN"},
        )  # fmt: skip
        sent = wire.calls[0].request.params
    assert sent == {"appid": APP, "secret": SECRET, "js_code": CODE, "grant_type": "authorization_code"}
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    user, row, token = User.objects.get(), WeChatIdentity.objects.get(), UserToken.objects.get()
    assert (user.email, user.language, user.has_usable_password()) == (None, "zh-hans", False)
    assert (row.user, row.app_id, row.openid, row.unionid) == (user, APP, OPENID, UNIONID)
    assert (token.user, token.label) == (user, "iPhone")
    body = answer.json()
    assert ids.hash_token(body["token"]) == token.token_hash
    assert {**body, "token": ""} == {
        "token": "", "token_type": "Bearer", "expires_at": "2026-02-18T10:00:00Z",
        "user": {"id": user.pk, "customer_id": str(user.public_id), "email": None},
    }  # fmt: skip


def test_the_second_log_in_is_the_same_person_on_a_token_of_its_own(client: Client) -> None:
    with wechat(known(), known()):
        with time_machine.travel(timezone.now() - timedelta(days=2)):
            first = log_in(client).json()
        second = log_in(client).json()
    assert first["user"] == second["user"]
    assert first["token"] != second["token"]
    row = WeChatIdentity.objects.get()
    assert row.last_used_at - row.created_at > timedelta(days=1)
    assert (User.objects.count(), UserToken.objects.count()) == (1, 2)


def test_a_unionid_joins_what_the_person_is_at_several_apps(client: Client, settings: Any) -> None:
    user = factories.user("alice@example.com")
    factories.wechat_identity(user, app_id="wxofficial", openid="oOTHER", unionid=UNIONID)
    with wechat(known(unionid=UNIONID)):
        body = log_in(client).json()
    assert body["user"]["email"] == "alice@example.com"
    assert WeChatIdentity.objects.get(app_id=APP).user == user
    assert User.objects.count() == 1


def test_a_unionid_that_appears_later_joins_two_accounts(client: Client) -> None:
    alice = factories.user("alice@example.com")
    factories.wechat_identity(alice, app_id="wxofficial", openid="oOTHER", unionid=UNIONID)
    with wechat(known(), known(unionid=UNIONID)):
        first, second = log_in(client).json(), log_in(client).json()
    assert (first["user"]["email"], second["user"]["id"]) == (None, alice.pk)
    assert set(WeChatIdentity.objects.values_list("user", flat=True)) == {alice.pk}
    assert tokens.find(first["token"]) is None
    assert tokens.find(second["token"]) is not None


def test_two_that_cannot_be_joined_are_let_in_as_before(client: Client) -> None:
    alice, bob = factories.user("alice@example.com"), factories.user("bob@example.com")
    factories.wechat_identity(alice, app_id="wxofficial", openid="oOTHER", unionid=UNIONID)
    factories.wechat_identity(bob, openid=OPENID)
    with wechat(known(unionid=UNIONID)):
        assert log_in(client).json()["user"]["id"] == bob.pk
    assert WeChatIdentity.objects.get(app_id="wxofficial").user == alice


def test_without_a_unionid_two_people_are_two(client: Client) -> None:
    with wechat(known("oONE"), known("oTWO")):
        one, two = log_in(client).json(), log_in(client).json()
    assert one["user"]["id"] != two["user"]["id"]
    assert User.objects.count() == 2


def test_a_unionid_that_appears_later_is_kept(client: Client) -> None:
    with wechat(known(), known(unionid=UNIONID), known()):
        for _ in range(3):
            log_in(client)
    assert WeChatIdentity.objects.get().unionid == UNIONID


@pytest.mark.parametrize("errcode", [40029, 40163, 41008, 40226])
def test_a_code_that_is_not_good_is_a_friendly_400(client: Client, errcode: int) -> None:
    with wechat({"errcode": errcode, "errmsg": "code been used, rid: 1"}):
        answer = log_in(client)
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "WeChat did not accept this log-in any more. Please try again.",
        "status_code": 400,
        "code": "wechat_code_invalid",
    }
    nothing_happened()


@pytest.mark.parametrize(
    "told",
    [
        {"errcode": -1, "errmsg": "system error"},
        {"errcode": 45011, "errmsg": "too often"},
        (503, ""),
        (200, "<html>"),
        (200, "[]"),
        (404, "{}"),
        {},
        {"openid": ""},
        {"openid": 7},
        {"openid": "o" * 129},
        {"errcode": "x"},
        requests.ConnectionError("refused"),
        requests.ReadTimeout("slow"),
    ],
    ids=str,
)  # fmt: skip
def test_wechat_away_is_503_with_a_time_to_come_back(client: Client, told: Any) -> None:
    with wechat(told):
        answer = log_in(client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "wechat_unavailable"
    nothing_happened()


@pytest.mark.parametrize("errcode", [40013, 40125, 40226_0])
def test_settings_that_wechat_refuses_are_told_to_staff_once(client: Client, errcode: int) -> None:
    with wechat({"errcode": errcode}, {"errcode": errcode}):
        answers = [log_in(client), log_in(client)]
    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "60")] * 2
    item = StaffItem.objects.get()
    assert (item.kind, item.title) == (
        "wechat_login_broken",
        f"Nobody can log in by WeChat: errcode {errcode}",
    )
    nothing_happened()


def test_a_switched_off_account_gets_no_token(client: Client) -> None:
    factories.wechat_identity(factories.user(None, is_active=False), openid=OPENID)
    with wechat(known()):
        answer = log_in(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "account_off")
    assert UserToken.objects.count() == 0


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": ["x"]}, {"code": "x" * 129}, []])
def test_a_bad_body_reaches_nobody(client: Client, body: Any) -> None:
    with wechat():
        answer = client.post(LOG_IN, body, content_type="application/json")
    assert answer.status_code == 400
    nothing_happened()


def test_an_address_has_the_limit_of_the_other_log_in(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.api import tokens as password_door
    from accounts.api import wechat as door

    limit = throttles.Limit("log-in-address", 2, 600)
    monkeypatch.setattr(door, "PER_ADDRESS", limit)
    monkeypatch.setattr(password_door, "PER_ADDRESS", limit)
    with wechat({"errcode": 40029}):
        tries = [log_in(client).status_code, client.post("/api/auth/token").status_code, log_in(client)]
    assert (tries[:2], tries[2].status_code) == ([400, 415], 429)
    assert int(tries[2]["Retry-After"]) > 0


def test_without_a_mini_program_the_door_says_so(client: Client, settings: Any) -> None:
    settings.WECHAT_MINI_APP_SECRET = ""
    with wechat():
        answer = log_in(client)
    assert (answer.status_code, answer.json()["code"]) == (404, "wechat_off")


def test_nothing_secret_or_personal_is_written_down(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with wechat(known(unionid=UNIONID), requests.ConnectionError(f"GET /sns/jscode2session?secret={SECRET}")):
        body = log_in(client).json()
        log_in(client, "anothercode12345")
    calls = list(OutboundCall.objects.order_by("pk").values())
    assert [(c["provider"], c["name"], c["status"]) for c in calls] == [
        ("wechat", "jscode2session", 200), ("wechat", "jscode2session", None),
    ]  # fmt: skip
    assert calls[0]["request"]["params"] == {
        "appid": APP, "secret": "[redacted]", "js_code": "[redacted]", "grant_type": "authorization_code",
    }  # fmt: skip
    assert calls[0]["response"] == dict.fromkeys(("session_key", "openid", "unionid"), "[redacted]")
    written = json.dumps(calls, default=str) + caplog.text + str(WeChatIdentity.objects.values())
    for secret in (SECRET, CODE, "anothercode12345", SESSION_KEY, body["token"]):
        assert secret not in written
    assert OPENID not in json.dumps(calls, default=str) + caplog.text
    assert SECRET not in repr(mini_program.Person(OPENID)) + repr(client)


def test_the_call_is_not_made_inside_a_transaction(client: Client) -> None:
    """core.http refuses that; here the door is asked with one open."""
    with responses.RequestsMock(), transaction.atomic(), pytest.raises(http.OpenTransaction):
        proving.log_in(code=CODE)
    nothing_happened()
