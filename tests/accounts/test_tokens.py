"""Bearer tokens of users: log-in, log-out, what is stored, what ends them."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import get_hasher
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.models import User, UserToken
from accounts.services import tokens
from pimpshop.core import ids, throttles
from tests import factories

pytestmark = pytest.mark.django_db
LOG_IN = "/api/auth/token"


def log_in(client: Client, email: Any, password: Any, **more: Any) -> Any:
    return client.post(
        LOG_IN, {"email": email, "password": password, **more}, content_type="application/json"
    )


class Mine(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        caller: Any = request.auth
        return Response(
            [request.user.pk, caller.kind, caller.owner, caller.token_id, sorted(caller.scopes)[:2]]
        )


def ask(header: str, **headers: str) -> Any:
    factory = APIRequestFactory()
    return Mine.as_view()(factory.get("/api/orders/", headers={"Authorization": header, **headers}))


def test_log_in_answers_a_token_of_ninety_days(client: Client) -> None:
    user = factories.user("alice@example.com")
    with time_machine.travel("2025-11-20T10:00:00Z", tick=False):
        answer = log_in(client, "  Alice@Example.com ", factories.PASSWORD, device="Alice's phone")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    assert re.fullmatch(r"shop_ut_[\w-]{43}", body["token"])
    assert {**body, "token": ""} == {
        "token": "",
        "token_type": "Bearer",
        "expires_at": "2026-02-18T10:00:00Z",
        "user": {"id": user.pk, "customer_id": str(user.public_id), "email": "alice@example.com"},
    }
    row = UserToken.objects.get()
    assert (row.user, row.label, row.token_hash) == (user, "Alice's phone", ids.hash_token(body["token"]))
    assert (row.last_used_at, row.revoked_at) == (None, None)
    assert body["token"] not in str(UserToken.objects.values())


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_slash_forms_answer(client: Client, slash: str) -> None:
    factories.user("alice@example.com")
    body = {"email": "alice@example.com", "password": factories.PASSWORD}
    assert client.post(f"{LOG_IN}{slash}", body, content_type="application/json").status_code == 200


def test_wrong_password_unknown_address_and_switched_off_are_one_answer(client: Client) -> None:
    factories.user("alice@example.com")
    factories.user("off@example.com", is_active=False)
    factories.user(None)
    answers = [
        log_in(client, "alice@example.com", "wrong"),
        log_in(client, "nobody@example.com", factories.PASSWORD),
        log_in(client, "off@example.com", factories.PASSWORD),
        log_in(client, "x", factories.PASSWORD),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert [answer.json() for answer in answers] == [
        {
            "detail": "That e-mail address and password do not go together.",
            "status_code": 400,
            "code": "wrong_credentials",
        }
    ] * 4
    assert UserToken.objects.count() == 0


def test_an_unknown_address_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a known one with a wrong password: the time tells nothing. Counted, for seconds differ by chance."""
    factories.user("alice@example.com")
    hashed: list[str] = []
    hasher = type(get_hasher())
    real = hasher.encode

    def encode(self: Any, password: str, *args: Any, **more: Any) -> str:
        hashed.append(password)
        return str(real(self, password, *args, **more))

    monkeypatch.setattr(hasher, "encode", encode)
    for email in ("alice@example.com", "nobody@example.com"):
        with pytest.raises(tokens.WrongCredentials):
            tokens.log_in(email=email, password="wrong")
        assert hashed == ["wrong"], email
        hashed.clear()


@pytest.mark.parametrize("body", [{}, {"email": "a@example.com"}, {"email": ["x"], "password": {}}, []])
def test_a_bad_body_is_400(client: Client, body: Any) -> None:
    answer = client.post(LOG_IN, body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) >= {"detail", "status_code"}


def test_ten_tries_an_account_and_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.user("alice@example.com")
    monkeypatch.setattr(throttles, "clock", lambda: 30.0)  # seconds into the window of ten minutes
    tries = [log_in(client, "alice@example.com", "wrong").status_code for _ in range(10)]
    late = log_in(client, "ALICE@example.com", factories.PASSWORD)
    other = log_in(client, "bob@example.com", "wrong")
    assert tries == [400] * 10
    assert (late.status_code, late["Retry-After"], other.status_code) == (429, "570", 400)
    assert UserToken.objects.count() == 0


def test_one_address_does_not_try_many_accounts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts.api import tokens as door

    monkeypatch.setattr(door, "PER_ADDRESS", throttles.Limit("log-in-address", 2, 600))
    assert [log_in(client, f"p{n}@example.com", "wrong").status_code for n in range(3)] == [400, 400, 429]


def test_a_token_acts_for_its_user() -> None:
    user = factories.user()
    token, row = tokens.issue(user)
    answer = ask(f"bearer  {token}")
    assert (answer.status_code, answer.data) == (
        200,
        [user.pk, "user", f"user:{user.pk}", row.pk, ["credits:read", "methods:read"]],
    )
    assert ask(f"Bearer {token}", Origin="https://shop.example.com").status_code == 200


def test_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    token, row = tokens.issue(factories.user())
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        ask(f"Bearer {token}")
        clock.shift(59)
        with django_assert_num_queries(1):
            ask(f"Bearer {token}")
        row.refresh_from_db()
        assert row.last_used_at == now
        clock.shift(1)
        ask(f"Bearer {token}")
    row.refresh_from_db()
    assert row.last_used_at == now + timedelta(minutes=1)


def _expire(user: User, row: UserToken) -> None:
    UserToken.objects.filter(pk=row.pk).update(
        created_at=timezone.now() - timedelta(days=91), expires_at=timezone.now()
    )


def _switch_off(user: User, row: UserToken) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize(
    "end",
    [
        _expire,
        _switch_off,
        lambda user, row: tokens.revoke(row.pk),
        lambda user, row: tokens.revoke_all(user),
        lambda user, row: user.delete(),
    ],
)
def test_what_ended_opens_nothing(end: Any) -> None:
    user = factories.user()
    token, row = tokens.issue(user)
    end(user, row)
    answer = ask(f"Bearer {token}")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert set(answer.data) == {"detail"}


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer shop_ut_" + "a" * 43, "Bearer " + "a" * 500, "Bearer é"]
)
def test_a_bad_token_is_never_anonymous(header: str) -> None:
    answer = ask(header)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_without_a_token_the_caller_is_told_to_bring_one() -> None:
    answer = ask("Basic abc")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_log_out_ends_this_token_only(client: Client) -> None:
    user = factories.user()
    one, two = tokens.issue(user), tokens.issue(user)
    first = client.post("/api/auth/logout", headers={"Authorization": f"Bearer {one[0]}"})
    again = client.post("/api/auth/logout", headers={"Authorization": f"Bearer {one[0]}"})
    assert (first.status_code, again.status_code) == (204, 401)
    assert tokens.find(one[0]) is None
    assert tokens.find(two[0]) == two[1]
    assert client.post("/api/auth/logout/").status_code == 401


def test_a_token_of_staff_opens_staffs_api_and_a_shoppers_does_not(client: Client) -> None:
    url = f"/api/chinese/debug/session-validation/{factories.session().session_id}"
    staff, _row = tokens.issue(factories.staff())
    shopper, _row = tokens.issue(factories.user())
    answers = [client.get(url, headers={"Authorization": f"Bearer {token}"}) for token in (shopper, staff)]
    assert [answer.status_code for answer in answers] == [403, 200]


def test_the_command_prints_the_token_alone_on_its_last_line() -> None:
    user = factories.user("alice@example.com")
    out = StringIO()
    call_command("create_user_token", "Alice@example.com", stdout=out)
    row = tokens.find(out.getvalue().splitlines()[-1])
    assert row is not None
    assert row.user == user
    with pytest.raises(CommandError, match="nobody"):
        call_command("create_user_token", "eve@example.com", stdout=out)
    assert UserToken.objects.count() == 1
