"""Grant and spend: once per reference, bought and given kept apart, what ends soonest goes first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, InternalError, transaction
from django.utils import timezone

from credits import selectors
from credits.models import CreditAccount, Lot, LotChange, Posting
from credits.services import books, ledger
from tests import factories


def grant(user: Any, amount: int = 100, reference: str = "P1/1", **more: Any) -> Posting:
    return ledger.grant(user_id=user.pk, amount=amount, reference=reference, **more)


def spend(user: Any, amount: int, reference: str = "S1") -> Posting:
    return ledger.spend(user_id=user.pk, amount=amount, reference=reference)


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (CreditAccount, Posting, Lot, LotChange)]


def lots(user: Any) -> list[tuple[str, int, int]]:
    rows = Lot.objects.filter(account__user=user).order_by("pk")
    return [(row.origin, row.amount, row.remaining) for row in rows]


def test_a_grant_is_one_posting_and_one_lot() -> None:
    user = factories.user()
    posting = grant(user, 500, payment_reference="P1", reason="pack", actor="system")
    assert (posting.kind, posting.reference, posting.amount, posting.reason, posting.actor) == (
        "purchase", "P1/1", 500, "pack", "system",
    )  # fmt: skip
    assert (posting.source.name, posting.source_after, posting.destination_after) == ("issuance", None, 500)
    lot = posting.lot
    assert (lot.origin, lot.payment_reference, lot.amount, lot.remaining) == ("purchased", "P1", 500, 500)
    assert selectors.balance(user.pk) == 500


def test_the_same_reference_grants_once() -> None:
    user = factories.user()
    first = grant(user)
    before = everything()
    assert grant(user) == first
    assert everything() == before


@pytest.mark.parametrize("change", [{"amount": 101}, {"user": 1}])
def test_the_same_reference_with_another_meaning_is_refused(change: dict[str, int]) -> None:
    user = factories.user()
    grant(user)
    before = everything()
    whom = factories.user() if "user" in change else user
    with pytest.raises(books.ReferenceTaken):
        grant(whom, change.get("amount", 100))
    assert everything()[1:] == before[1:]


def test_bought_and_given_are_kept_apart() -> None:
    user = factories.user()
    grant(user, 100)
    grant(user, 20, kind="bonus")  # the same reference: a bonus on top of the purchase
    assert lots(user) == [("purchased", 100, 100), ("bonus", 20, 20)]
    assert [p.source.name for p in Posting.objects.order_by("pk")] == ["issuance", "bonus"]
    spend(user, 30)
    assert lots(user) == [("purchased", 100, 90), ("bonus", 20, 0)]


@pytest.mark.parametrize("bad", [
    {"amount": 0}, {"amount": -5}, {"reference": ""}, {"kind": "gift"}, {"user_id": None}, {"email": "a@example.com"},
])  # fmt: skip
def test_nonsense_is_refused_loudly(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no grant|give one of the two"):
        ledger.grant(**{"user_id": factories.user().pk, "amount": 1, "reference": "r", **bad})
    assert Posting.objects.count() == 0


def test_spending_leaves_the_rest() -> None:
    user = factories.user()
    grant(user, 100)
    posting = spend(user, 30)
    assert (posting.destination.name, posting.source_after, posting.destination_after) == ("spent", 70, None)
    assert (selectors.balance(user.pk), lots(user)) == (70, [("purchased", 100, 70)])
    assert spend(user, 30) == posting
    with pytest.raises(books.ReferenceTaken):
        spend(user, 31)
    assert selectors.balance(user.pk) == 70


def test_more_than_there_is_cannot_be_spent() -> None:
    user = factories.user()
    grant(user, 10)
    before = everything()
    with pytest.raises(ledger.NotEnoughCredits) as refused:
        spend(user, 11)
    assert (refused.value.status, refused.value.details) == (409, {"available": 10, "asked": 11})
    assert everything() == before
    with pytest.raises(ledger.NotEnoughCredits):
        spend(factories.user(), 1)


def test_what_ends_soonest_goes_first_and_what_ended_is_gone() -> None:
    user, now = factories.user(), timezone.now()
    grant(user, 100, "never")
    grant(user, 50, "late", expires_at=now + timedelta(days=30))
    grant(user, 40, "soon", expires_at=now + timedelta(days=3))
    spend(user, 60)
    assert [left for _o, _a, left in lots(user)] == [100, 30, 0]
    with time_machine.travel(now + timedelta(days=30)):
        assert selectors.balance(user.pk) == 100  # before anybody swept
        with pytest.raises(ledger.NotEnoughCredits):
            spend(user, 101, "S2")
        assert ledger.expire_due() == 30
        assert ledger.expire_due() == 0
    assert (Lot.objects.get(posting__reference="late").expired, selectors.balance(user.pk)) == (30, 100)
    assert Posting.objects.get(kind="expire").destination.name == "expired"


def test_the_database_keeps_every_posting_as_it_is() -> None:
    posting = grant(factories.user())
    for change in (
        lambda: Posting.objects.update(amount=1),
        lambda: Posting.objects.filter(pk=posting.pk)._raw_delete("default"),
        lambda: LotChange.objects.update(amount=1),
        lambda: LotChange.objects.all()._raw_delete("default"),
        lambda: Lot.objects.all()._raw_delete("default"),
        lambda: CreditAccount.objects.all()._raw_delete("default"),
        lambda: CreditAccount.objects.filter(kind="user").update(id=0),
    ):
        with (
            pytest.raises((IntegrityError, InternalError), match="never changed or removed"),
            transaction.atomic(),
        ):
            change()
    assert posting.amount == Posting.objects.get().amount == 100


@pytest.mark.parametrize("wrong", [
    lambda: CreditAccount.objects.filter(kind="user").update(balance=-1),
    lambda: CreditAccount.objects.filter(kind="system").update(balance=-1),
    lambda: CreditAccount.objects.create(kind="debt", user=factories.user(), balance=1),
    lambda: CreditAccount.objects.create(kind="user", email="a@example.com"),
    lambda: CreditAccount.objects.create(kind="waiting", email="A@example.com"),
    lambda: CreditAccount.objects.create(kind="system", name="issued", email="a@example.com"),
    lambda: CreditAccount.objects.create(kind="gift", user=factories.user()),
    lambda: CreditAccount.objects.filter(kind="user").update(name="spent"),
    lambda: CreditAccount.objects.filter(kind="user").update(user=None),
    lambda: Lot.objects.update(remaining=-1),
    lambda: Lot.objects.update(reversed=1),
    lambda: Posting.objects.create(kind="bonus", reference="x", source_id=1, destination_id=1, amount=1),
])  # fmt: skip
def test_the_tables_refuse_what_the_services_would(wrong: Any) -> None:
    grant(factories.user())
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong()


def test_the_statement_is_newest_first_and_pages() -> None:
    user = factories.user()
    grant(user, 100, reason="pack")
    spend(user, 30)
    grant(user, 5, kind="bonus")
    rows = selectors.statement(user.pk)
    assert [(r.kind, r.reference, r.amount, r.balance, r.note) for r in rows] == [
        ("bonus", "P1/1", 5, 75, ""), ("spend", "S1", -30, 70, ""), ("purchase", "P1/1", 100, 100, "pack"),
    ]  # fmt: skip
    assert selectors.statement(user.pk, before_id=rows[1].id) == rows[2:]
    assert selectors.statement(user.pk, limit=1) == rows[:1]
    assert selectors.statement(factories.user().pk) == []
