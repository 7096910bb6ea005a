"""GET /api/credits and /api/credits/statement: who may ask, what of, and how one goes through the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import api_keys, tokens
from credits.services import ledger
from tests import factories


def ask(path: str, user: User | None = None, *, key: str = "") -> Any:
    token = key or (tokens.issue(user)[0] if user else "")
    return Client().get(path, headers={"authorization": f"Bearer {token}"} if token else {})


@pytest.mark.parametrize(
    "path", ["/api/credits", "/api/credits/", "/api/credits/statement", "/api/credits/statement/"]
)
def test_one_sees_ones_own_with_and_without_a_slash(path: str) -> None:
    alice, bob = factories.user(), factories.user()
    ledger.grant(user_id=alice.pk, amount=7, reference="G1")
    assert ask(path, alice).status_code == 200
    assert "7" not in str(
        {name: told for name, told in ask(path, bob).json().items() if name != "next_cursor"}
    )


@pytest.mark.parametrize("path", ["/api/credits", "/api/credits/statement"])
def test_strangers_and_keys_that_act_for_nobody_are_refused(path: str) -> None:
    assert ask(path).status_code == 401
    assert ask(path, key="shop_ut_unknown").status_code == 401
    assert ask(path, key=api_keys.create(kind="secret", name="shop")[0]).status_code == 403
    user = factories.user()
    assert ask(path, key=api_keys.create(kind="publishable", name="page", user=user)[0]).status_code == 403
    other = api_keys.create(kind="restricted", name="orders", user=user, scopes=["orders:read"])[0]
    assert ask(path, key=other).status_code == 403
    assert ask(path, key=api_keys.create(kind="secret", name="mine", user=user)[0]).status_code == 200


def test_what_ends_next_is_told() -> None:
    user = factories.user()
    soon = (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    ledger.grant(user_id=user.pk, amount=40, reference="G1", expires_at=soon)
    ledger.grant(user_id=user.pk, amount=2, reference="G2", expires_at=soon)
    ledger.grant(user_id=user.pk, amount=100, reference="G3")
    answer = ask("/api/credits", user)
    at = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert answer.json() == {
        "balance": 142, "held": 0, "available": 142, "debt": 0, "next_expiry": {"amount": 42, "at": at},
        "endings": [{"amount": 42, "at": at}, {"amount": 100, "at": None}],
    }  # fmt: skip
    assert answer["Cache-Control"] == "no-store"


def test_what_comes_in_meanwhile_shifts_no_page() -> None:
    user = factories.user()
    for number in range(5):
        ledger.grant(user_id=user.pk, amount=number + 1, reference=f"G{number}")
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        told = ask(f"/api/credits/statement?limit=2&cursor={cursor}", user).json()
        seen += [line["amount"] for line in told["lines"]]
        cursor = told["next_cursor"]
        ledger.grant(user_id=user.pk, amount=100, reference=f"late {len(seen)}")
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=-1", f"cursor={'9' * 20}"]
)
def test_what_is_no_page_is_refused(query: str) -> None:
    answer = ask(f"/api/credits/statement?{query}", factories.user())
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_the_furthest_cursor_is_the_first_page() -> None:
    assert ask(f"/api/credits/statement?cursor={'9' * 19}", factories.user()).json() == {
        "lines": [], "next_cursor": None,
    }  # fmt: skip
