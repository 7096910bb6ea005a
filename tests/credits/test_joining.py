"""Two accounts of credits become one: nothing is lost, nothing made, and refunds still find what was bought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from credits.models import CreditAccount, Lot, PlanTerm, Posting
from credits.services import holds, joining, ledger, reversals, terms
from tests import factories

NOW = datetime(2025, 11, 20, 10, tzinfo=UTC)


def balance(user: Any, kind: str = "user") -> int:
    return CreditAccount.objects.filter(user=user, kind=kind).values_list("balance", flat=True).first() or 0


def join(user: Any, into: Any) -> joining.Joined:
    return joining.join(user_id=user.pk, to_user_id=into.pk, actor=f"user {into.pk}")


def test_lots_move_with_their_payment_and_end() -> None:
    user, into = factories.user(None), factories.user()
    ends = timezone.now() + timedelta(days=9)
    factories.posting(user, 100, payment_reference="P1", reference="P1/1", expires_at=ends)
    factories.posting(user, 30, kind="bonus", reference="B1")
    factories.posting(into, 5)
    ledger.spend(user_id=user.pk, amount=40, reference="S1")
    joined = join(user, into)
    assert (joined.credits, joined.lots, joined.owed, joined.terms) == (90, 2, 0, [])
    assert (balance(user), balance(into)) == (0, 95)
    lot = Lot.objects.get(payment_reference="P1")
    assert (lot.account.user, lot.amount, lot.remaining + lot.expired, lot.expires_at) == (
        into,
        100,
        lot.remaining,
        ends,
    )
    postings = Posting.objects.filter(kind="join").order_by("pk")
    assert [(p.source.user_id, p.destination.user_id) for p in postings] == [
        (user.pk, into.pk)
    ] * postings.count()
    assert sum(p.amount for p in postings) == 90


def test_twice_moves_everything_once() -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(user, 100)
    first, again = join(user, into), join(user, into)
    assert (first.credits, again) == (100, joining.Joined())
    assert (balance(user), balance(into)) == (0, 100)
    assert Posting.objects.filter(kind="join").count() == 1


def test_nobody_is_joined_with_themselves() -> None:
    user = factories.user()
    factories.posting(user, 100)
    with pytest.raises(ValueError, match="themselves"):
        join(user, user)
    assert balance(user) == 100


def test_what_comes_in_later_is_moved_by_joining_again() -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(user, 100)
    join(user, into)
    factories.posting(user, 7)
    assert join(user, into).credits == 7
    assert (balance(user), balance(into)) == (0, 107)


def test_a_refund_after_the_join_takes_back_from_the_one_account() -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(user, 100, payment_reference="P1", reference="P1/1")
    ledger.spend(user_id=user.pk, amount=100, reference="S1")
    join(user, into)
    factories.posting(into, 30)
    taken = reversals.reverse(reference="R1", payment_reference="P1", refunded_minor=1, paid_minor=2)
    assert (taken.credits, taken.shortfall) == (50, 20)
    assert (balance(into), balance(into, "debt"), balance(user), balance(user, "debt")) == (0, -20, 0, 0)


def test_a_debt_follows_and_is_paid_out_of_what_there_is() -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(user, 100, payment_reference="P1", reference="P1/1")
    ledger.spend(user_id=user.pk, amount=100, reference="S1")
    reversals.reverse(reference="R1", payment_reference="P1")
    factories.posting(into, 60)
    assert balance(user, "debt") == -100
    assert join(user, into).owed == 100
    assert (balance(user), balance(user, "debt"), balance(into), balance(into, "debt")) == (0, 0, 0, -40)


def test_a_debt_is_paid_by_the_credits_that_come_with_the_join() -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(into, 100, payment_reference="P1", reference="P1/1")
    ledger.spend(user_id=into.pk, amount=100, reference="S1")
    reversals.reverse(reference="R1", payment_reference="P1")
    factories.posting(user, 130)
    join(user, into)
    assert (balance(into), balance(into, "debt")) == (30, 0)


@pytest.mark.parametrize("end", ["release", "commit and give back"])
def test_a_hold_goes_on_in_the_one_account(end: str) -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(user, 100)
    hold = holds.reserve(
        user_id=user.pk, amount=40, reference="H1", subject="P1", source="test",
        expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    join(user, into)
    assert (balance(user), balance(into)) == (0, 60)
    if end == "release":
        assert holds.release(hold, source="test")
    else:
        assert holds.commit(hold, source="test")
        assert holds.give_back(hold, amount=40, reference="R1") == 40
    assert (balance(user), balance(into)) == (0, 100)


def _times(user: Any) -> list[tuple[str, int, int]]:
    rows = PlanTerm.objects.filter(user=user).order_by("starts_at", "pk")
    return [
        (row.reference, (row.starts_at - NOW).days, (row.ends_at - NOW).days) for row in rows if row.starts_at and row.ends_at
    ]  # fmt: skip


def test_terms_that_fit_keep_their_times() -> None:
    user, into = factories.user(None), factories.user()
    with time_machine.travel(NOW - timedelta(days=10), tick=False):
        factories.plan_term(user, reference="A")
    with time_machine.travel(NOW, tick=False):
        join(user, into)
    assert (_times(into), _times(user)) == ([("A", -10, 20)], [])


def test_terms_that_overlap_follow_with_the_time_that_was_left() -> None:
    user, into = factories.user(None), factories.user()
    with time_machine.travel(NOW - timedelta(days=10), tick=False):
        factories.plan_term(user, reference="A")
        factories.plan_term(user, reference="B")
    with time_machine.travel(NOW - timedelta(days=5), tick=False):
        factories.plan_term(into, reference="C")
    with time_machine.travel(NOW, tick=False):
        joined = join(user, into)
    assert _times(into) == [("C", -5, 25), ("A", 25, 45), ("B", 45, 75)]
    assert [one["reference"] for one in joined.terms] == ["A", "B"]
    assert joined.terms[0]["starts_at"] == NOW - timedelta(days=10)


def test_terms_that_are_over_lose_nothing_that_could_be_used() -> None:
    user, into = factories.user(None), factories.user()
    with time_machine.travel(NOW - timedelta(days=60), tick=False):
        factories.plan_term(user, reference="A")
        factories.plan_term(into, reference="C")
    with time_machine.travel(NOW, tick=False):
        join(user, into)
    assert _times(into) == [("C", -60, -30), ("A", -30, -30)]


def test_a_moved_term_is_refunded_and_restored_as_before() -> None:
    user, into = factories.user(None), factories.user()
    with time_machine.travel(NOW - timedelta(days=10), tick=False):
        factories.plan_term(user, reference="A", payment_reference="P1")
        factories.plan_term(into, reference="C")
    with time_machine.travel(NOW, tick=False):
        join(user, into)
        gone = terms.revoke_term(reference="R1", payment_reference="P1", refunded_minor=1, paid_minor=2)
        assert gone == timedelta(days=15)
        assert _times(into) == [("C", -10, 20), ("A", 20, 25)]
        assert terms.restore_term(reference="R1") == timedelta(days=15)
    assert _times(into) == [
        ("C", -10, 20),
        ("A", 20, 25),
        (f"R1/term{PlanTerm.objects.get(reference='A').pk}", 25, 40),
    ]
