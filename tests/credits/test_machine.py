"""Grants, spends, holds, expiry, refunds and disputes in any order, beside a model of ten lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from credits import checks, selectors
from credits.models import Lot
from credits.services import holds, ledger, reversals
from tests import factories

LEDGER_CHECKS = (
    checks._balance_is_sum_of_postings, checks._balance_is_sum_of_lots, checks._prefix_sums, checks._lots_add_up,
    checks._postings_move_lots, checks._holds_are_their_postings, checks._held_is_held,
)  # fmt: skip


class LedgerMachine(RuleBasedStateMachine):
    """The model: what a user has and what ended unused, less what they owe, is all that came in less what was spent and
    taken back."""

    payments = Bundle("payments")
    refunds = Bundle("refunds")
    held, spent, given_back = Bundle("held"), Bundle("spent"), Bundle("given_back")

    def __init__(self) -> None:
        super().__init__()
        self.atomic: Any = transaction.atomic()
        self.atomic.__enter__()
        self.user = factories.user(password=None)  # hashing one takes longer than the test
        self.net, self.number = 0, 0
        self.bought: dict[str, int] = {}
        self.money_back: dict[str, int] = {}
        self.taken: dict[str, tuple[str, int]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    @rule(target=payments, amount=st.integers(1, 200), kind=st.sampled_from(["purchase", "bonus"]))
    def grant(self, amount: int, kind: Any) -> str:
        payment = self.name()
        for _again in range(2):
            ledger.grant(
                user_id=self.user.pk, amount=amount, reference=payment, payment_reference=payment, kind=kind
            )
        self.bought[payment], self.money_back[payment] = amount, 0
        self.net += amount
        return payment

    @rule(amount=st.integers(1, 250))
    def spend(self, amount: int) -> None:
        has = selectors.available(self.user.pk)
        try:
            ledger.spend(user_id=self.user.pk, amount=amount, reference=self.name())
        except ledger.NotEnoughCredits:
            assert has < amount
        else:
            assert has >= amount
            self.net -= amount

    @rule(target=held, amount=st.integers(1, 250))
    def hold(self, amount: int) -> str:
        name, has = self.name(), selectors.available(self.user.pk)
        until = timezone.now() + timedelta(hours=1)
        try:
            for _again in range(2):
                holds.reserve(
                    user_id=self.user.pk,
                    amount=amount,
                    reference=name,
                    subject=name,
                    expires_at=until,
                    source="test",
                )
        except ledger.NotEnoughCredits:
            assert has < amount
        return name

    @rule(target=spent, name=consumes(held), keep=st.booleans())
    def end_hold(self, name: str, keep: bool) -> str:
        hold = holds.find(name)
        if hold is not None and keep:
            assert [holds.commit(hold, source="test") for _again in range(2)] == [True, False]
            self.net -= hold.amount
        elif hold is not None:
            assert [holds.release(hold, source="test") for _again in range(2)] == [True, False]
        return name

    @rule(target=given_back, name=spent, part=st.integers(1, 100))
    def give_back(self, name: str, part: int) -> tuple[str, str, int]:
        hold, reference = holds.find(name), self.name()
        if hold is None or hold.status != "committed" or hold.amount - hold.returned < part:
            return name, reference, 0
        for _again in range(2):
            assert holds.give_back(hold, amount=part, reference=reference) == part
        self.net += part
        return name, reference, part

    @rule(done=consumes(given_back))
    def take_again(self, done: tuple[str, str, int]) -> None:
        name, reference, part = done
        hold = holds.find(name)
        if hold is not None and part:
            twice = [holds.take_again(hold, amount=part, reference=reference) for _again in range(2)]
            assert twice == [True, False]
            self.net -= part

    @rule(target=refunds, payment=payments, part=st.integers(1, 7))
    def refund(self, payment: str, part: int) -> str:
        reference = self.name()
        first, again = [
            reversals.reverse(
                reference=reference, payment_reference=payment, refunded_minor=part, paid_minor=7
            )
            for _again in range(2)
        ]
        assert first == again
        self.money_back[payment] += part
        self.taken[reference] = (payment, part)
        self.net -= first.credits
        return reference

    @rule(target=refunds, payment=payments)
    def dispute(self, payment: str) -> str:
        """A bank takes back all of the money; `restore` is the dispute won."""
        return self.refund(payment, 7)

    @rule(payment=payments)
    def end_a_lot(self, payment: str) -> None:
        """Its time is over: what of it is not spent, held or taken back by now ends."""
        Lot.objects.filter(payment_reference=payment).update(expires_at=timezone.now() - timedelta(seconds=1))
        left = sum(Lot.objects.filter(payment_reference=payment).values_list("remaining", flat=True))
        assert (ledger.expire_due(), ledger.expire_due()) == (left, 0)

    @rule(reference=consumes(refunds))
    def restore(self, reference: str) -> None:
        payment, part = self.taken.pop(reference)
        self.money_back[payment] -= part
        self.net += reversals.restore(reference=reference)
        ledger.expire_due()  # what came back to a lot that has ended
        assert reversals.restore(reference=reference) == 0

    @invariant()
    def the_model_agrees(self) -> None:
        has, owes = selectors.balance(self.user.pk), selectors.debt(self.user.pk)
        ended = sum(Lot.objects.values_list("expired", flat=True))
        assert has - owes + ended == self.net
        assert selectors.available(self.user.pk) == 0 or owes == 0

    @invariant()
    def exactly_the_share_of_the_money_is_away(self) -> None:
        for lot in Lot.objects.all():
            money = min(self.money_back[lot.payment_reference], 7)
            assert lot.reversed == self.bought[lot.payment_reference] * money // 7

    @invariant()
    def the_books_balance(self) -> None:
        assert [row for check in LEDGER_CHECKS for row in check()] == []


@pytest.mark.django_db(transaction=True)
def test_any_order() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LedgerMachine,
        settings=settings(
            max_examples=16, stateful_step_count=14, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
