"""The ledger under real threads: failures 16, 17 and 19 of the guarantees."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from credits import selectors
from credits.models import CreditAccount, Hold, Lot, LotChange, PlanTerm, Posting, Reversal
from credits.services import holds, ledger, reversals, terms, waiting
from pimpshop.core import invariants
from tests import factories
from tests.support import threads

pytestmark = pytest.mark.django_db(transaction=True)


class RolledBack(Exception):
    """The rest of the caller's transaction failed after the posting."""


@pytest.fixture(autouse=True)
def _the_books_balance(transactional_db: None) -> Iterator[None]:
    yield
    assert [str(v) for v in invariants.violations() if v.check.startswith(("3", "4"))] == []


@pytest.mark.parametrize("had", [0, 7])
def test_query_and_callback_together_grant_once(had: int) -> None:
    """16. Twenty doors settle the same payment, of somebody with an account and of somebody without one yet."""
    user = factories.user(password=None)
    if had:
        ledger.grant(user_id=user.pk, amount=had, reference="P0/1")

    def settle(number: int) -> int:
        return ledger.grant(
            user_id=user.pk, amount=100, reference="P1/1", payment_reference="P1", actor=f"door {number}"
        ).pk

    assert len(set(threads.together(20, settle))) == 1
    assert selectors.balance(user.pk) == had + 100
    assert (
        Posting.objects.filter(reference="P1/1").count()
        == Lot.objects.filter(payment_reference="P1").count()
        == 1
    )


def test_twenty_threads_spend_the_last_ten_credits() -> None:
    """17. One wins."""
    user = factories.user()
    ledger.grant(user_id=user.pk, amount=10, reference="P1/1")

    def spend(number: int) -> str:
        try:
            ledger.spend(user_id=user.pk, amount=10, reference=f"S{number}")
        except ledger.NotEnoughCredits:
            return "refused"
        return "spent"

    assert Counter(threads.together(20, spend)) == {"spent": 1, "refused": 19}
    assert (selectors.balance(user.pk), Posting.objects.filter(kind="spend").count()) == (0, 1)


def test_terms_bought_together_follow_each_other() -> None:
    user = factories.user()

    def buy(number: int) -> None:
        terms.grant_term(user_id=user.pk, plan_sku="starter", days=30, reference=f"P{number % 6}")

    threads.together(12, buy)
    spans = list(PlanTerm.objects.order_by("starts_at").values_list("starts_at", "ends_at"))
    assert len(spans) == 6
    assert [start for start, _end in spans[1:]] == [end for _start, end in spans[:-1]]


def test_claiming_and_refunding_together_is_one_story() -> None:
    user = factories.user("carol@example.com")
    for n in range(6):
        ledger.grant(email="carol@example.com", amount=100, reference=f"P{n}/1", payment_reference=f"P{n}")

    def work(number: int) -> None:
        if number % 2:
            waiting.claim_pending(user)
        else:
            reversals.reverse(
                reference=f"R{number}", payment_reference=f"P{number // 2}", refunded_minor=1, paid_minor=2
            )

    threads.together(12, work)
    waiting.claim_pending(user)
    assert (selectors.balance(user.pk), selectors.debt(user.pk)) == (300, 0)
    assert CreditAccount.objects.get(kind="waiting").balance == 0


def test_twenty_refunds_and_a_won_dispute_together() -> None:
    """18. Twenty refunds of a twentieth each, told twice; then everything is restored together."""
    user = factories.user()
    ledger.grant(user_id=user.pk, amount=110, reference="P1/1", payment_reference="P1")
    ledger.spend(user_id=user.pk, amount=90, reference="S1")

    def refund(number: int) -> None:
        reversals.reverse(
            reference=f"R{number // 2}", payment_reference="P1", refunded_minor=1, paid_minor=10
        )

    threads.together(20, refund)
    assert (selectors.balance(user.pk), selectors.debt(user.pk)) == (0, 90)
    assert Reversal.objects.aggregate(Sum("credits"))["credits__sum"] == 110
    threads.together(20, lambda number: reversals.restore(reference=f"R{number // 2}"))
    assert (selectors.balance(user.pk), selectors.debt(user.pk)) == (20, 0)


#: The guarantee says 10,000 postings. That many take minutes on two cores: the suite does a tenth, and
#: LEDGER_POSTINGS=10000 all of them.
POSTINGS, THREADS = int(os.environ.get("LEDGER_POSTINGS", "1000")), 16


def test_running_totals_are_recomputed_totals_after_random_postings_with_rollbacks() -> None:
    """19. Five users, every verb, one transaction in six rolled back after its posting."""
    users = [factories.user(password=None) for _ in range(5)]

    def verb(dice: random.Random, name: str) -> None:
        user, amount = dice.choice(users), dice.randint(1, 50)
        payment = f"P{dice.randrange(60)}"
        choice = dice.randrange(10)
        if choice < 4:
            ledger.grant(
                user_id=user.pk, amount=amount, reference=name, payment_reference=f"P-{name}",
                kind="bonus" if choice == 0 else "purchase",
            )  # fmt: skip
        elif choice < 8:
            ledger.spend(user_id=user.pk, amount=amount, reference=name)
        elif choice == 8:
            known = Lot.objects.order_by("?").values_list("payment_reference", flat=True).first()
            reversals.reverse(
                reference=name, payment_reference=known or payment, refunded_minor=amount, paid_minor=50
            )
        else:
            known = Reversal.objects.order_by("?").values_list("reference", flat=True).first()
            reversals.restore(reference=known or name)

    def work(number: int) -> int:
        dice, refused = random.Random(number), 0
        for turn in range(POSTINGS // THREADS):
            try:
                with transaction.atomic():
                    verb(dice, f"{number}-{turn}")
                    if dice.randrange(6) == 0:
                        raise RolledBack
            except (ledger.NotEnoughCredits, reversals.NothingGranted, RolledBack):
                refused += 1
        return refused

    refused = sum(threads.together(THREADS, work))
    assert 0 < refused < POSTINGS
    for account in CreditAccount.objects.exclude(kind="system"):
        received: Any = account.received.aggregate(Sum("amount"))["amount__sum"] or 0
        sent: Any = account.sent.aggregate(Sum("amount"))["amount__sum"] or 0
        assert account.balance == received - sent
    for lot in Lot.objects.all():
        assert lot.remaining == LotChange.objects.filter(lot=lot).aggregate(Sum("amount"))["amount__sum"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM credits_posting")
        assert cursor.fetchone()[0] > POSTINGS // 3


def test_twenty_threads_hold_and_spend_the_last_ten_credits() -> None:
    """17. Whether it is a hold or a spending: one wins."""
    user = factories.user(password=None)
    ledger.grant(user_id=user.pk, amount=10, reference="P1/1")

    def want(number: int) -> str:
        try:
            if number % 2:
                ledger.spend(user_id=user.pk, amount=10, reference=f"S{number}")
            else:
                hold(user.pk, 10, f"H{number}")
        except ledger.NotEnoughCredits:
            return "refused"
        return "won"

    assert Counter(threads.together(20, want)) == {"won": 1, "refused": 19}
    assert selectors.available(user.pk) == 0


def hold(user_id: int, amount: int, name: str) -> Hold:
    until = timezone.now() + timedelta(hours=1)
    return holds.reserve(
        user_id=user_id, amount=amount, reference=name, subject=name, expires_at=until, source="test"
    )


def test_a_hold_is_committed_or_released_never_both() -> None:
    user = factories.user(password=None)
    ledger.grant(user_id=user.pk, amount=10, reference="P1/1")
    held = hold(user.pk, 10, "H1")
    ways = (holds.commit, holds.release)
    moved = threads.together(12, lambda number: ways[number % 2](Hold.objects.get(pk=held.pk), source="test"))
    assert Counter(moved) == {True: 1, False: 11}
    held.refresh_from_db()
    assert selectors.available(user.pk) == (10 if held.status == "released" else 0)


def test_holds_beside_expiry_refund_and_spending() -> None:
    """Whatever comes together, nothing is below zero and the books balance (checked after the test)."""
    user = factories.user(password=None)
    for number in range(4):
        ledger.grant(
            user_id=user.pk, amount=25, reference=f"P{number}", payment_reference=f"P{number}",
            expires_at=timezone.now() + timedelta(seconds=1) if number % 2 else None,
        )  # fmt: skip

    def work(number: int) -> None:
        try:
            match number % 4:
                case 0:
                    held = hold(user.pk, 20, f"H{number}")
                    (holds.release if number % 8 else holds.commit)(held, source="test")
                case 1:
                    reversals.reverse(reference=f"R{number}", payment_reference=f"P{number // 4 % 4}")
                case 2:
                    ledger.expire_due()
                case _:
                    ledger.spend(user_id=user.pk, amount=10, reference=f"S{number}")
        except ledger.NotEnoughCredits:
            pass

    threads.together(24, work)
    assert CreditAccount.objects.get(user=user, kind="user").balance >= 0
    assert Hold.objects.filter(status="held").count() == 0


def test_twenty_refunds_give_back_no_more_than_was_spent() -> None:
    user = factories.user(password=None)
    ledger.grant(user_id=user.pk, amount=100, reference="P1/1")
    held = hold(user.pk, 100, "H1")
    holds.commit(held, source="test")

    def refund(number: int) -> int:
        try:
            return holds.give_back(held, amount=30, reference=f"R{number}")
        except holds.ReturnTooLarge:
            return 0

    assert sum(threads.together(20, refund)) == 90
    assert selectors.balance(user.pk) == 90
