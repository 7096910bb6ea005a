"""Grants, spends, refunds, disputes and claims in any order, beside a model of ten lines."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
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
from credits.services import ledger, reversals
from tests import factories

LEDGER_CHECKS = (
    checks._balance_is_sum_of_postings, checks._balance_is_sum_of_lots, checks._prefix_sums, checks._lots_add_up,
    checks._postings_move_lots,
)  # fmt: skip


class LedgerMachine(RuleBasedStateMachine):
    """The model: what a user has less what they owe is all that came in, less what was spent and taken back."""

    payments = Bundle("payments")
    refunds = Bundle("refunds")

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
        has = selectors.balance(self.user.pk)
        try:
            ledger.spend(user_id=self.user.pk, amount=amount, reference=self.name())
        except ledger.NotEnoughCredits:
            assert has < amount
        else:
            assert has >= amount
            self.net -= amount

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

    @rule(reference=consumes(refunds))
    def restore(self, reference: str) -> None:
        payment, part = self.taken.pop(reference)
        self.money_back[payment] -= part
        self.net += reversals.restore(reference=reference)
        assert reversals.restore(reference=reference) == 0

    @invariant()
    def the_model_agrees(self) -> None:
        has, owes = selectors.balance(self.user.pk), selectors.debt(self.user.pk)
        assert has - owes == self.net
        assert has == 0 or owes == 0

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
            max_examples=12, stateful_step_count=12, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
