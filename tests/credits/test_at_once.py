"""The hot path of the ledger writes the very rows of the plain way, and says no to everything unusual."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from credits.models import CreditAccount
from credits.services import at_once, books, ledger, reversals
from pimpshop.core import errors
from tests import factories

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = list(apps.get_app_config("credits").get_models())
Way = Callable[[], Any]


@pytest.fixture(autouse=True)
def _frozen() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def alice() -> User:
    """Of a shop that has sold, given and spent before."""
    bob = factories.user("bob@example.com", password=None)
    ledger.grant(user_id=bob.pk, amount=10, reference="B1")
    ledger.grant(user_id=bob.pk, amount=10, reference="B2", kind="bonus")
    ledger.spend(user_id=bob.pk, amount=15, reference="B3")
    return factories.user("alice@example.com", password=None)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of credits; numbers that the database gave out become places in their table."""
    places = {model: {pk: n for n, pk in enumerate(model.objects.order_by("pk").values_list("pk", flat=True))}
              for model in MODELS}  # fmt: skip

    def told(row: Any, field: Any) -> Any:
        model = field.related_model if field.is_relation else type(row)
        value = getattr(row, field.attname)
        return places[model][value] if model in places and (field.is_relation or field.primary_key) else value

    return {
        model.__name__: [
            {field.attname: told(row, field) for field in row._meta.concrete_fields}
            for row in model.objects.order_by("pk")
        ]
        for model in MODELS
    }


def outcome(way: Way) -> tuple[Any, Any, list[str]]:
    """What `way` answered or refused, all rows then, what was sent; and everything is as it was before."""
    try:
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            try:
                with transaction.atomic():
                    posting = way()
                said = {
                    f.attname: getattr(posting, f.attname)
                    for f in posting._meta.concrete_fields
                    if f.attname != "id"
                }
                assert type(posting).objects.filter(pk=posting.pk).values().get() == {
                    **said, "id": posting.pk,
                }  # fmt: skip
            except errors.ShopError as refused:
                said = {"refused": type(refused).__name__, "details": refused.details}
            rows = everything()
            raise _Undo
    except _Undo:
        return said, rows, [query["sql"] for query in captured.captured_queries]


class _Undo(Exception):
    pass


def both(monkeypatch: pytest.MonkeyPatch, way: Way, *, quick: bool) -> Any:
    """Do it both ways and compare. `quick`: whether the hot path is expected to do it."""
    said, rows, sent = outcome(way)
    wrote = [sql for sql in sent if 'INSERT INTO "credits_' in sql or 'UPDATE "credits_' in sql]
    assert sum("_at_once(" in sql for sql in sent) == 1
    assert not (quick and wrote)
    with monkeypatch.context() as patch:
        patch.setattr(at_once, "grant", lambda **_: None)
        patch.setattr(at_once, "spend", lambda **_: None)
        plain_said, plain_rows, plain_sent = outcome(way)
    assert not any("_at_once(" in sql for sql in plain_sent)
    assert rows == plain_rows
    for one in ("source_id", "destination_id"):  # an account that both ways made anew
        said.pop(one, None), plain_said.pop(one, None)
    assert said == plain_said
    return said


def granting(user: User, **more: Any) -> dict[str, Any]:
    return {"user_id": user.pk, "amount": 100, "reference": "P1/1", **more}


def _nothing(alice: User) -> None:
    """No account yet."""


def _an_account(alice: User) -> None:
    ledger.grant(**granting(alice, amount=7, reference="P0"))


def _a_debt_paid_back(alice: User) -> None:
    _a_debt(alice)
    ledger.grant(**granting(alice, reference="P9"))


def _a_debt(alice: User) -> None:
    ledger.grant(**granting(alice, amount=50, reference="P0", payment_reference="P0"))
    ledger.spend(user_id=alice.pk, amount=50, reference="S0")
    reversals.reverse(reference="R0", payment_reference="P0")


def _booked(alice: User) -> None:
    ledger.grant(**granting(alice))


def _booked_differently(alice: User) -> None:
    ledger.grant(**granting(alice, amount=99))


def _booked_for_another(alice: User) -> None:
    ledger.grant(**granting(User.objects.get(email="bob@example.com")))


def _booked_as_a_bonus(alice: User) -> None:
    ledger.grant(**granting(alice, kind="bonus"))


@pytest.mark.parametrize("before", [_nothing, _an_account, _a_debt_paid_back, _booked_as_a_bonus])
@pytest.mark.parametrize("more", [
    {"payment_reference": "P1", "reason": "pack", "actor": "system"},
    {"kind": "bonus"},
    {"kind": "bonus", "expires_at": NOW + timedelta(days=30), "reference": "other"},
    {"actor": "a" * 130, "reason": "雪" * 510, "reference": "long"},
])  # fmt: skip
def test_both_ways_grant_the_same(
    alice: User, monkeypatch: pytest.MonkeyPatch, before: Callable[[User], None], more: dict[str, Any]
) -> None:
    before(alice)
    quick = not (before is _booked_as_a_bonus and more == {"kind": "bonus"})
    said = both(monkeypatch, lambda: ledger.grant(**granting(alice, **more)), quick=quick)
    assert (said["amount"], said["at"]) == (100, NOW)


@pytest.mark.parametrize("unusual", [_a_debt, _booked, _booked_differently, _booked_for_another])
def test_an_unusual_grant_is_left_alone(
    alice: User, monkeypatch: pytest.MonkeyPatch, unusual: Callable[[User], None]
) -> None:
    unusual(alice)
    before = everything()
    asked: dict[str, Any] = {
        "kind": "purchase", "payment_reference": "", "expires_at": None, "reason": "", "actor": "", **granting(alice),
    }  # fmt: skip
    assert at_once.grant(**asked) is None
    assert everything() == before
    said = both(monkeypatch, lambda: ledger.grant(**granting(alice)), quick=False)
    assert ("refused" in said) == (unusual in (_booked_differently, _booked_for_another))
    assert CreditAccount.objects.filter(kind="user", user=alice).exists() == (
        unusual is not _booked_for_another
    )


def test_the_first_grant_of_a_shop_goes_the_plain_way(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.user(password=None)
    assert CreditAccount.objects.count() == 0
    both(monkeypatch, lambda: ledger.grant(**granting(user)), quick=False)


def test_what_waits_for_an_address_goes_the_plain_way(alice: User) -> None:
    _said, rows, sent = outcome(lambda: ledger.grant(email="carol@example.com", amount=5, reference="P1/1"))
    assert not any("_at_once(" in sql for sql in sent)
    assert [row["balance"] for row in rows["CreditAccount"] if row["kind"] == "waiting"] == [5]


def test_a_grant_is_one_statement(alice: User) -> None:
    _an_account(alice)
    with CaptureQueriesContext(connection) as captured:
        posting = ledger.grant(**granting(alice))
    assert len(captured.captured_queries) == 1
    assert (posting.source.name, posting.destination.user, posting.lot.remaining) == ("issuance", alice, 100)
    assert books.booked("purchase", "P1/1") == posting


def _lots(alice: User) -> None:
    """115 credits in four lots; what ends soonest came last, and what ended is spent."""
    for n, (kind, amount, days) in enumerate(
        [("purchase", 60, None), ("bonus", 20, None), ("purchase", 30, 30), ("bonus", 5, 3), ("bonus", 9, -1)]
    ):
        ends = None if days is None else NOW + timedelta(days=days)
        with time_machine.travel(NOW - timedelta(days=2), tick=False):
            ledger.grant(**granting(alice, kind=kind, amount=amount, reference=f"L{n}", expires_at=ends))
            if days == -1:
                ledger.spend(user_id=alice.pk, amount=9, reference="S-1")


def _lots_that_ended(alice: User) -> None:
    _lots(alice)
    ledger.grant(**granting(alice, amount=50, reference="L9", expires_at=NOW))


def _spent(alice: User) -> None:
    _lots(alice)
    ledger.spend(user_id=alice.pk, amount=50, reference="S1")


def _spent_differently(alice: User) -> None:
    _lots(alice)
    ledger.spend(user_id=alice.pk, amount=51, reference="S1")


def _spent_by_another(alice: User) -> None:
    _lots(alice)
    ledger.spend(user_id=User.objects.get(email="bob@example.com").pk, amount=5, reference="S1")


@pytest.mark.parametrize("amount", [1, 5, 6, 35, 55, 60, 114, 115])
def test_both_ways_spend_the_same(alice: User, monkeypatch: pytest.MonkeyPatch, amount: int) -> None:
    _lots(alice)
    said = both(
        monkeypatch,
        lambda: ledger.spend(
            user_id=alice.pk, amount=amount, reference="S1", reason="r" * 501, actor="alice"
        ),
        quick=True,
    )
    assert (said["source_after"], said["destination_after"], said["reason"]) == (
        115 - amount,
        None,
        "r" * 500,
    )


@pytest.mark.parametrize("unusual", [
    _nothing, _an_account, _lots_that_ended, _spent, _spent_differently, _spent_by_another,
])  # fmt: skip
def test_unusual_spending_is_left_alone(
    alice: User, monkeypatch: pytest.MonkeyPatch, unusual: Callable[[User], None]
) -> None:
    unusual(alice)
    before = everything()
    asked: dict[str, Any] = {"user_id": alice.pk, "amount": 50, "reference": "S1"}
    assert at_once.spend(**asked, reason="", actor="") is None
    assert everything() == before
    said = both(monkeypatch, lambda: ledger.spend(**asked), quick=False)
    assert ("refused" in said) == (unusual not in (_lots_that_ended, _spent))


def test_spending_is_one_statement(alice: User) -> None:
    _lots(alice)
    with CaptureQueriesContext(connection) as captured:
        posting = ledger.spend(user_id=alice.pk, amount=56, reference="S1")
    assert len(captured.captured_queries) == 1
    assert (posting.source.balance, posting.destination.name, posting.changes.count()) == (59, "spent", 4)
