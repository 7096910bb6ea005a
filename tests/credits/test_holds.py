"""Holds: set apart, spent once or free again; what ends or is taken back meanwhile; spent credits given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from credits import selectors
from credits.models import Hold, Lot, Posting
from credits.services import books, holds, ledger, returning, reversals
from tests import factories


@pytest.fixture
def alice() -> User:
    return factories.user("alice@example.com", password=None)


def give(user: User, amount: int, reference: str = "", **more: Any) -> None:
    name = reference or f"P{factories.number()}"
    ledger.grant(user_id=user.pk, amount=amount, reference=name, payment_reference=name, **more)


def hold(user: User, amount: int, reference: str = "O1/c1", subject: str = "O1", minutes: int = 60) -> Hold:
    return holds.reserve(
        user_id=user.pk, amount=amount, reference=reference, subject=subject, source="test",
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )  # fmt: skip


def told(user: User) -> tuple[int, int, int]:
    """balance, held, available"""
    return selectors.balance(user.pk), selectors.held(user.pk), selectors.available(user.pk)


def left() -> list[int]:
    return list(Lot.objects.order_by("pk").values_list("remaining", flat=True))


def test_held_then_spent_by_exactly_one_posting(alice: User) -> None:
    give(alice, 100)
    held = hold(alice, 60)
    assert told(alice) == (100, 60, 40)
    assert holds.commit(held, source="test", reason="paid") is True
    assert told(alice) == (40, 0, 40)
    assert holds.commit(held, source="test") is False
    assert holds.release(held, source="test") is False
    spent = Posting.objects.get(kind="spend")
    assert (spent.reference, spent.amount, spent.source.name) == ("O1/c1", 60, "held")
    assert list(held.events.values_list("from_status", "to_status")) == [
        ("held", "held"), ("held", "committed"),
    ]  # fmt: skip


def test_released_goes_back_to_its_lots(alice: User) -> None:
    give(alice, 30, "P1")
    give(alice, 100, "P2")
    held = hold(alice, 50)
    assert left() == [0, 80]
    assert holds.release(held, source="test", reason="taken off") is True
    assert (told(alice), left()) == ((130, 0, 130), [30, 100])
    assert holds.release(held, source="test") is False
    assert holds.commit(held, source="test") is False
    assert not Posting.objects.filter(kind="spend").exists()


def test_the_same_again_is_one_hold(alice: User) -> None:
    give(alice, 100)
    assert hold(alice, 60).pk == hold(alice, 60).pk
    with pytest.raises(books.ReferenceTaken):
        hold(alice, 61)
    assert told(alice) == (100, 60, 40)


def test_a_subject_has_one_live_hold(alice: User) -> None:
    give(alice, 100)
    first = hold(alice, 10)
    with pytest.raises(holds.AlreadyHeld):
        hold(alice, 10, "O1/c2")
    holds.release(first, source="test")
    second = hold(alice, 20, "O1/c2")
    holds.commit(second, source="test")
    with pytest.raises(holds.AlreadyHeld):
        hold(alice, 10, "O1/c3")
    assert told(alice) == (80, 0, 80)
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.create(
            reference="other", subject="O1", account_id=first.account_id, amount=1, expires_at=timezone.now()
        )


def test_too_little_holds_nothing(alice: User) -> None:
    give(alice, 100)
    hold(alice, 60)
    with pytest.raises(ledger.NotEnoughCredits) as error:
        hold(alice, 41, "O2/c1", "O2")
    assert error.value.details == {"available": 40, "asked": 41}
    assert Hold.objects.count() == 1


def test_spending_sees_only_what_is_not_held(alice: User) -> None:
    give(alice, 100)
    hold(alice, 60)
    with pytest.raises(ledger.NotEnoughCredits):
        ledger.spend(user_id=alice.pk, amount=41, reference="S1")
    ledger.spend(user_id=alice.pk, amount=40, reference="S1")
    assert told(alice) == (60, 60, 0)


def test_what_ends_while_it_is_held_can_be_spent(alice: User) -> None:
    give(alice, 50, expires_at=timezone.now() + timedelta(minutes=10))
    held = hold(alice, 50)
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        assert ledger.expire_due() == 0
        assert holds.commit(held, source="test") is True
        assert told(alice) == (0, 0, 0)


def test_what_ended_while_it_was_held_expires_when_it_is_released(alice: User) -> None:
    give(alice, 50, expires_at=timezone.now() + timedelta(minutes=10))
    give(alice, 10)
    held = hold(alice, 55)
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        holds.release(held, source="test")
        assert told(alice) == (10, 0, 10)
        assert list(Lot.objects.order_by("pk").values_list("remaining", "expired")) == [(0, 50), (10, 0)]


def test_held_credits_whose_money_went_back_are_owed(alice: User) -> None:
    give(alice, 100, "P1")
    held = hold(alice, 80)
    taken = reversals.reverse(reference="R1", payment_reference="P1")
    assert (taken.credits, taken.shortfall) == (100, 80)
    assert (told(alice), selectors.debt(alice.pk)) == ((80, 80, 0), 80)
    holds.release(held, source="test")  # pays the debt, and nothing is left
    assert (told(alice), selectors.debt(alice.pk)) == ((0, 0, 0), 0)


def test_what_others_paid_in_its_place_comes_back_to_them(alice: User) -> None:
    give(alice, 100, "P1")
    give(alice, 100, "P2")
    held = hold(alice, 100)
    taken = reversals.reverse(reference="R1", payment_reference="P1")
    assert (taken.shortfall, left()) == (0, [0, 0])
    holds.release(held, source="test")
    assert (told(alice), left()) == ((100, 0, 100), [0, 100])


def test_its_time_over_it_is_released_by_the_sweeper(alice: User) -> None:
    give(alice, 100)
    held = hold(alice, 60, minutes=5)
    hold(alice, 10, "O2/c1", "O2", minutes=60)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert holds.release_due() == 1
        assert holds.release_due() == 0
        assert told(alice) == (100, 10, 90)
    held.refresh_from_db()
    assert (held.status, held.events.last().reason) == ("released", "its time was over")  # type: ignore[union-attr]


def test_one_that_is_extended_lives_on(alice: User) -> None:
    give(alice, 100)
    held = hold(alice, 60, minutes=5)
    holds.extend(held, timezone.now() + timedelta(hours=2))
    holds.extend(held, timezone.now() + timedelta(minutes=1))
    with time_machine.travel(timezone.now() + timedelta(minutes=90)):
        assert holds.release_due() == 0


def test_given_back_in_parts_never_more_than_was_spent(alice: User) -> None:
    give(alice, 100)
    held = hold(alice, 60)
    with pytest.raises(holds.ReturnTooLarge):
        holds.give_back(held, amount=1, reference="R0")
    holds.commit(held, source="test")
    assert holds.give_back(held, amount=25, reference="R1") == 25
    assert holds.give_back(held, amount=25, reference="R1") == 25
    with pytest.raises(books.ReferenceTaken):
        holds.give_back(held, amount=26, reference="R1")
    with pytest.raises(holds.ReturnTooLarge):
        holds.give_back(held, amount=36, reference="R2")
    assert told(alice) == (65, 0, 65)
    holds.give_back(held, amount=35, reference="R2")
    assert (told(alice), left()) == ((100, 0, 100), [100])
    assert Posting.objects.filter(kind="give-back").count() == 2


def test_what_is_given_back_of_an_ended_lot_can_be_spent_for_a_while(alice: User) -> None:
    give(alice, 50, expires_at=timezone.now() + timedelta(minutes=10))
    held = hold(alice, 30)
    holds.commit(held, source="test")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        holds.give_back(held, amount=30, reference="R1")
        assert told(alice) == (30, 0, 30)  # the 20 that were not spent have ended
        assert ledger.expire_due() == 0
    with time_machine.travel(timezone.now() + timedelta(days=3) + returning.GRACE):
        assert ledger.expire_due() == 30


def test_not_given_back_after_all(alice: User) -> None:
    give(alice, 60)
    held = hold(alice, 60)
    holds.commit(held, source="test")
    holds.give_back(held, amount=60, reference="R1")
    ledger.spend(user_id=alice.pk, amount=45, reference="S1")
    assert holds.take_again(held, amount=60, reference="R1") is True
    assert holds.take_again(held, amount=60, reference="R1") is False
    assert (told(alice), selectors.debt(alice.pk)) == ((0, 0, 0), 45)
    held.refresh_from_db()
    assert (held.status, held.returned) == ("committed", 0)


@pytest.mark.parametrize(
    ("amount", "reference", "subject"), [(0, "R", "S"), (-1, "R", "S"), (1, "", "S"), (1, "R", "")]
)
def test_nonsense_is_refused(alice: User, amount: int, reference: str, subject: str) -> None:
    with pytest.raises(ValueError, match="no hold"):
        hold(alice, amount, reference, subject)
