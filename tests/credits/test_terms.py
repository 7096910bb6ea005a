"""Plan terms follow each other; refunds take unused time; what waits for an address is claimed once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from credits import selectors
from credits.models import CreditAccount, PlanTerm, Posting
from credits.services import books, ledger, reversals, terms, waiting
from tests import factories

NOW = datetime(2025, 11, 20, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def buy(user: Any, reference: str = "P1", days: int = 30, sku: str = "starter") -> PlanTerm:
    return terms.grant_term(
        user_id=user.pk, plan_sku=sku, days=days, reference=reference, payment_reference=reference
    )


def spans(user: Any) -> list[tuple[datetime, datetime]]:
    return [(t.starts_at, t.ends_at) for t in PlanTerm.objects.filter(user=user).order_by("pk")]  # type: ignore[misc]


def test_a_new_term_follows_an_unexpired_one() -> None:
    user = factories.user()
    with time_machine.travel(NOW, tick=False) as clock:
        first = buy(user)
        assert buy(user) == first
        clock.shift(10 * DAY)
        buy(user, "P2", 365, "professional")
        assert spans(user) == [(NOW, NOW + 30 * DAY), (NOW + 30 * DAY, NOW + 395 * DAY)]
        assert selectors.active_term(user.pk) == first
        clock.shift(20 * DAY)
        assert selectors.active_term(user.pk).plan_sku == "professional"  # type: ignore[union-attr]
        assert selectors.plan_until(user.pk) == NOW + 395 * DAY


def test_after_the_end_it_begins_now() -> None:
    user = factories.user()
    with time_machine.travel(NOW, tick=False) as clock:
        buy(user)
        clock.shift(40 * DAY)
        assert (selectors.active_term(user.pk), selectors.plan_until(user.pk)) == (None, None)
        buy(user, "P2")
        assert spans(user)[1] == (NOW + 40 * DAY, NOW + 70 * DAY)


def test_a_lifetime_is_36500_days() -> None:
    user = factories.user()
    with time_machine.travel(NOW, tick=False):
        assert buy(user, days=36_500).ends_at == NOW + 36_500 * DAY


def test_another_meaning_under_the_same_reference_is_refused() -> None:
    user = factories.user()
    buy(user)
    for other in (lambda: buy(user, days=31), lambda: buy(factories.user()), lambda: buy(user, sku="x")):
        with pytest.raises(books.ReferenceTaken):
            other()
    assert PlanTerm.objects.count() == 1


def test_half_of_the_money_is_half_of_the_time_and_the_next_moves_up() -> None:
    user = factories.user()
    with time_machine.travel(NOW, tick=False):
        buy(user)
        buy(user, "P2")
        taken = [
            terms.revoke_term(reference="R1", payment_reference="P1", refunded_minor=1, paid_minor=2)
            for _again in range(2)
        ]
        assert taken == [15 * DAY, timedelta()]
        assert spans(user) == [(NOW, NOW + 15 * DAY), (NOW + 15 * DAY, NOW + 45 * DAY)]


def test_what_was_used_is_not_taken_back() -> None:
    user = factories.user()
    with time_machine.travel(NOW, tick=False) as clock:
        buy(user)
        buy(user, "P2")
        clock.shift(20 * DAY)
        assert terms.revoke_term(reference="R1", payment_reference="P1") == 10 * DAY
        assert spans(user) == [(NOW, NOW + 20 * DAY), (NOW + 20 * DAY, NOW + 50 * DAY)]
        assert terms.restore_term(reference="R1") == 10 * DAY
        assert terms.restore_term(reference="R1") == timedelta()
        assert spans(user)[2] == (NOW + 50 * DAY, NOW + 60 * DAY)
        assert terms.revoke_term(reference="R2", payment_reference="P1") == 10 * DAY
        assert selectors.plan_until(user.pk) == NOW + 50 * DAY


def half(reference: str, halves: int = 1) -> timedelta:
    return terms.revoke_term(reference=reference, payment_reference="P1", refunded_minor=halves, paid_minor=2)


def test_half_of_the_money_is_half_of_the_time_also_after_it_was_given_back() -> None:
    """What was given back is of the bought term, not bought beside it."""
    user = factories.user()
    with time_machine.travel(NOW, tick=False):
        buy(user)
        for turn in range(3):
            assert half(f"R{turn}") == 15 * DAY
            assert selectors.plan_until(user.pk) == NOW + 15 * DAY
            assert terms.restore_term(reference=f"R{turn}") == 15 * DAY
            assert selectors.plan_until(user.pk) == NOW + 30 * DAY
        assert (half("R3"), half("R4"), half("R5")) == (15 * DAY, 15 * DAY, timedelta())
        assert selectors.plan_until(user.pk) is None


def test_each_unit_of_money_takes_its_time_once() -> None:
    user = factories.user()
    with time_machine.travel(NOW, tick=False):
        buy(user)
        assert half("R1") == 15 * DAY
        assert half("D1", 2) == 15 * DAY
        assert terms.restore_term(reference="R1") == timedelta()
        assert selectors.plan_until(user.pk) is None
        assert terms.restore_term(reference="D1") == 30 * DAY
        assert terms.restore_term(reference="D1") == timedelta()
        assert selectors.plan_until(user.pk) == NOW + 30 * DAY


def test_a_payment_without_a_term_takes_nothing() -> None:
    buy(factories.user())
    assert terms.revoke_term(reference="R1", payment_reference="P9") == timedelta()
    with pytest.raises(ValueError, match="no reversal"):
        terms.revoke_term(reference="R1", payment_reference="P1", refunded_minor=2, paid_minor=1)


# --- Waiting for an address
def bought_by(email: str, payment: str = "P1") -> None:
    ledger.grant(email=email, amount=800, reference=f"{payment}/1", payment_reference=payment)
    terms.grant_term(email=email, plan_sku="starter", days=30, reference=payment, payment_reference=payment)


def test_what_was_bought_waits_for_the_address_and_is_claimed_once() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        bought_by("Carol@Example.com")
        bought_by("carol@example.com")
        clock.shift(5 * DAY)
        user, other = factories.user("carol@example.com"), factories.user()
        assert selectors.balance(user.pk) == 0
        assert waiting.claim_pending(other) == waiting.Claimed()
        assert waiting.claim_pending(factories.user(None)) == waiting.Claimed()
        assert waiting.claim_pending(user) == waiting.Claimed(800, 1)
        assert waiting.claim_pending(user) == waiting.Claimed(0, 0)
        assert (selectors.balance(user.pk), selectors.balance(other.pk)) == (800, 0)
        assert spans(user) == [(NOW + 5 * DAY, NOW + 35 * DAY)]
        bought_by("carol@example.com")  # the same settlement again, after the claim
        assert (Posting.objects.count(), PlanTerm.objects.count()) == (2, 1)


def test_a_refund_while_it_waits_and_one_after() -> None:
    with time_machine.travel(NOW, tick=False):
        bought_by("carol@example.com")
        reversals.reverse(reference="R1", payment_reference="P1", refunded_minor=1, paid_minor=4)
        terms.revoke_term(reference="R1", payment_reference="P1", refunded_minor=1, paid_minor=3)
        user = factories.user("carol@example.com")
        assert waiting.claim_pending(user) == waiting.Claimed(600, 1)
        assert spans(user) == [(NOW, NOW + 20 * DAY)]
        reversals.reverse(reference="R2", payment_reference="P1", refunded_minor=3, paid_minor=4)
        assert (selectors.balance(user.pk), selectors.debt(user.pk)) == (0, 0)
        assert reversals.restore(reference="R1") == 200
        assert selectors.balance(user.pk) == 200


def test_what_is_claimed_pays_a_debt_first() -> None:
    user = factories.user("carol@example.com")
    ledger.grant(user_id=user.pk, amount=100, reference="P0/1", payment_reference="P0")
    ledger.spend(user_id=user.pk, amount=100, reference="S1")
    reversals.reverse(reference="R0", payment_reference="P0")
    bought_by("carol@example.com")
    waiting.claim_pending(user)
    assert (selectors.balance(user.pk), selectors.debt(user.pk)) == (700, 0)
    assert CreditAccount.objects.get(kind="waiting").balance == 0
