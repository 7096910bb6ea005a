"""Refunds and disputes take credits back in proportion; a won dispute restores them; a shortfall is owed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from credits import selectors
from credits.models import CreditAccount, Lot, Posting, Reversal
from credits.services import ledger, reversals
from tests import factories


def buy(user: Any, amount: int = 100, payment: str = "P1", **more: Any) -> Posting:
    return ledger.grant(
        user_id=user.pk, amount=amount, reference=f"{payment}/1", payment_reference=payment, **more
    )


def spend(user: Any, amount: int) -> None:
    ledger.spend(user_id=user.pk, amount=amount, reference=f"S{factories.number()}")


def reverse(reference: str, part: int = 1, whole: int = 1, payment: str = "P1") -> tuple[int, int]:
    done = reversals.reverse(
        reference=reference, payment_reference=payment, refunded_minor=part, paid_minor=whole
    )
    return done.credits, done.shortfall


def stand(user: Any) -> tuple[int, int]:
    return selectors.balance(user.pk), selectors.debt(user.pk)


def test_all_of_the_money_is_all_of_the_credits() -> None:
    user = factories.user()
    buy(user)
    assert reverse("R1") == (100, 0)
    assert stand(user) == (0, 0)
    assert Posting.objects.get(kind="reverse").destination.name == "issuance"
    assert reverse("R1") == (100, 0)  # again: the same answer, nothing moves
    assert (reverse("R2"), Posting.objects.count()) == ((0, 0), 2)


def test_thirds_of_the_money_leave_nothing_behind() -> None:
    user = factories.user()
    buy(user, 100)
    assert [reverse(f"R{n}", 333, 1000) for n in range(3)] == [(33, 0), (33, 0), (33, 0)]
    assert reverse("R3", 1, 1000) == (1, 0)
    assert stand(user) == (0, 0)


def test_its_own_lot_first_then_others_then_a_debt() -> None:
    user = factories.user()
    buy(user, 100, "P1")
    buy(user, 50, "P2")
    spend(user, 90)  # all from P1, the older
    assert reverse("R1") == (100, 40)
    assert stand(user) == (0, 40)
    shortfall = Posting.objects.get(kind="shortfall")
    assert (shortfall.source.kind, shortfall.source_after, shortfall.amount) == ("debt", -40, 40)
    assert [lot.reversed for lot in Lot.objects.order_by("pk")] == [100, 0]


def test_credits_that_come_in_pay_the_debt_first() -> None:
    user = factories.user()
    buy(user, 100)
    spend(user, 100)
    reverse("R1")
    buy(user, 30, "P2")
    assert stand(user) == (0, 70)
    buy(user, 100, "P3")
    assert stand(user) == (30, 0)
    assert reverse("R3", payment="P3") == (100, 70)
    assert stand(user) == (0, 70)


def test_a_won_dispute_restores_and_pays_the_debt_it_had_made() -> None:
    user = factories.user()
    buy(user, 100)
    spend(user, 60)
    assert reverse("D1") == (100, 60)
    assert stand(user) == (0, 60)
    assert reversals.restore(reference="D1", actor="dispute du_1") == 100
    assert stand(user) == (40, 0)
    assert reversals.restore(reference="D1") == 0
    assert stand(user) == (40, 0)
    assert reverse("D2", 1, 2) == (50, 10)  # and it can be taken back again


def test_a_refund_that_failed_counts_no_more() -> None:
    user = factories.user()
    buy(user, 100)
    reverse("R1", 50, 100)
    reversals.restore(reference="R1")
    assert reverse("R2", 50, 100) == (50, 0)
    assert reverse("R3", 50, 100) == (50, 0)
    assert stand(user) == (0, 0)


def test_a_bonus_of_the_payment_goes_with_it_to_where_it_came_from() -> None:
    user = factories.user()
    buy(user, 100)
    buy(user, 10, kind="bonus")
    spend(user, 5)
    assert reverse("R1", 1, 2) == (55, 0)
    back = {p.destination.name: p.amount for p in Posting.objects.filter(kind="reverse")}
    assert back == {"issuance": 50, "bonus": 5}
    assert stand(user) == (50, 0)
    assert reverse("R2", 1, 2) == (55, 5)
    assert stand(user) == (0, 5)


def test_what_expired_unused_is_not_owed() -> None:
    user, now = factories.user(), timezone.now()
    buy(user, 100, expires_at=now + timedelta(days=30))
    spend(user, 20)
    with time_machine.travel(now + timedelta(days=31)):
        ledger.expire_due()
        assert reverse("R1") == (100, 20)
        assert stand(user) == (0, 20)
        assert Posting.objects.get(kind="reverse-expired").amount == 80
        reversals.restore(reference="R1")
        ledger.expire_due()
        assert stand(user) == (0, 0)


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (-1, 1), (2, 1)])
def test_a_part_is_a_part(part: int, whole: int) -> None:
    buy(factories.user())
    with pytest.raises(ValueError, match="no reversal"):
        reverse("R1", part, whole)
    assert Reversal.objects.count() == 0


def test_a_payment_that_bought_none_says_so() -> None:
    ledger.grant(user_id=factories.user().pk, amount=5, reference="gift", kind="bonus")
    for payment in ("P9", ""):
        with pytest.raises(reversals.NothingGranted):
            reverse("R1", payment=payment)
    assert reversals.restore(reference="R1") == 0
    assert CreditAccount.objects.filter(kind="debt").count() == 0
