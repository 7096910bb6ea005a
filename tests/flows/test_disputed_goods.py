"""Disputes and refunds of one payment in any order: at the end exactly that is away for which money is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from credits import selectors as credits
from credits.models import Lot, PlanTerm, Posting
from credits.services import ledger
from orders.models import Order
from orders.services import granting
from payments.models import Dispute, PaymentIntent
from payments.services import refunds
from pimpshop.core import invariants
from pimpshop.core.models import StaffItem
from pimpshop.core.money import Money
from tests import factories
from tests.support.bought import ask, bank_says, bought, end, pay, stands

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    broken = list(invariants.violations())
    assert broken == []


# --- a refund that fails beside a dispute -----------------------------------------------------------------------------
@pytest.mark.parametrize("minor", [3990, 1330])
def test_a_refund_that_fails_while_a_bank_decides_gives_nothing_twice(minor: int) -> None:
    """The credits are away for the dispute too: they come back with its verdict, all of them and once."""
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    refund = ask(intent, minor)
    bank_says(intent, "opened")
    assert credits.balance(alice.pk) == 0
    end(refund, "failed")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (0, 0)
    bank_says(intent, "won")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (500, 0)
    assert sum(p.amount for p in Posting.objects.filter(kind="restore")) == 500


def test_a_refund_that_fails_after_the_bank_took_the_money_gives_nothing() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    refund = ask(intent)
    bank_says(intent, "opened", "lost")
    end(refund, "failed")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (0, 0)


def test_a_dispute_that_is_won_leaves_away_what_a_refund_paid_back() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    refund = ask(intent, 1330)
    bank_says(intent, "opened", "won")
    assert credits.balance(alice.pk) == 500 - 166
    end(refund, "succeeded")
    assert credits.balance(alice.pk) == 500 - 166


def test_a_disputed_part_and_a_refunded_part_that_fails() -> None:
    """1330 paid back and 1330 disputed of 3990: each stands for its third of 500 credits."""
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    refund = ask(intent, 1330)
    part = Money(1330, "CNY")
    bank_says(intent, "opened", amount=part)
    assert credits.balance(alice.pk) == 500 - 333
    end(refund, "failed")
    assert credits.balance(alice.pk) == 500 - 166
    bank_says(intent, "won", amount=part)
    assert credits.balance(alice.pk) == 500


def test_spent_credits_that_are_disputed_and_paid_back_are_owed_once() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    ledger.spend(user_id=alice.pk, amount=400, reference="S1")
    refund = ask(intent)
    bank_says(intent, "opened")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (0, 400)
    end(refund, "failed")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (0, 400)
    bank_says(intent, "won")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (100, 0)


def test_a_plans_time_comes_back_with_the_verdict_too() -> None:
    alice = factories.user()
    intent = bought("plan", user=alice, credits=0, points=2000, plan_sku="starter", term_days=30)
    pay(intent)
    refund = ask(intent)
    bank_says(intent, "opened")
    end(refund, "failed")
    assert (credits.balance(alice.pk), credits.plan_until(alice.pk)) == (0, None)
    bank_says(intent, "won")
    assert credits.balance(alice.pk) == 2000
    again = PlanTerm.objects.get(reason="restored")
    assert timedelta(days=29, hours=23) < again.duration <= timedelta(days=30)
    assert stands(intent)[0] == "completed"


# --- a bank that turns round ------------------------------------------------------------------------------------------
def test_lost_after_it_had_been_won_takes_the_credits_again_each_time() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    seen = []
    for status in ("opened", "won", "lost", "won", "lost", "won"):
        bank_says(intent, status)
        seen.append(credits.balance(alice.pk))
    assert seen == [0, 500, 0, 500, 0, 500]
    taken = Posting.objects.filter(kind="reverse").order_by("pk").values_list("reference", "amount")
    lot = Lot.objects.get().pk
    assert list(taken) == [(f"dispute:dp_1{turn}/lot{lot}", 500) for turn in ("", "/2", "/3")]
    assert [(d.status, d.retaken) for d in Dispute.objects.all()] == [("won", 2)]


def test_lost_after_all_and_spent_meanwhile_is_owed() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    bank_says(intent, "opened", "won")
    ledger.spend(user_id=alice.pk, amount=200, reference="S1")
    bank_says(intent, "lost")
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (0, 200)
    assert [i.kind for i in StaffItem.objects.filter(resolved_at=None)] == ["dispute_lost"]
    with pytest.raises(refunds.AlreadyRefunded):
        ask(intent)


def test_lost_after_it_had_been_closed_takes_a_plans_time_again() -> None:
    alice = factories.user()
    intent = bought("plan", user=alice, credits=0, points=2000, plan_sku="starter", term_days=30)
    pay(intent)
    bank_says(intent, "opened", "closed")
    assert (credits.balance(alice.pk), credits.plan_until(alice.pk) is None) == (2000, False)
    bank_says(intent, "lost")
    assert (credits.balance(alice.pk), credits.plan_until(alice.pk)) == (0, None)


def test_an_inquiry_that_was_closed_and_comes_back_lost_takes_its_part_once() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    part = Money(1330, "CNY")
    bank_says(intent, "opened", "closed", amount=part, money_moved=False)
    assert credits.balance(alice.pk) == 500
    bank_says(intent, "lost", amount=part)
    assert credits.balance(alice.pk) == 500 - 166


# --- money that went back before anything was given ------------------------------------------------------------------
def paid_and_not_given(**more: Any) -> PaymentIntent:
    """A guest's pack: nobody to give it to yet."""
    intent = bought(**more)
    pay(intent)
    assert (stands(intent)[0], Posting.objects.count(), PlanTerm.objects.count()) == ("paid", 0, 0)
    return intent


def give_at_last(intent: PaymentIntent) -> User:
    bob = factories.user()
    Order.objects.filter(pk=intent.order_id).update(user=bob)
    assert granting.grant_again(intent.order_id) is True
    assert granting.grant_again(intent.order_id) is False
    return bob


def test_a_grant_after_a_part_was_paid_back_gives_the_rest() -> None:
    intent = paid_and_not_given()
    end(ask(intent, 1330), "succeeded")
    bob = give_at_last(intent)
    assert credits.balance(bob.pk) == 500 - 166
    assert stands(intent) == ("completed", "partially_refunded", 1330, 1330)
    lot = Lot.objects.get().pk
    assert list(Posting.objects.order_by("pk").values_list("kind", "reference", "amount")) == [
        ("purchase", f"{intent.order.order_no}/1", 500),
        ("reverse", f"{intent.out_trade_no}_R1/lot{lot}", 166),
    ]
    end(ask(intent), "succeeded")
    assert credits.balance(bob.pk) == 0


def test_a_grant_while_all_is_on_its_way_back_gives_nothing_until_that_fails() -> None:
    intent = paid_and_not_given()
    refund = ask(intent)
    bob = give_at_last(intent)
    assert credits.balance(bob.pk) == 0
    end(refund, "failed")
    assert credits.balance(bob.pk) == 500


def test_a_refund_that_failed_before_the_grant_takes_nothing_from_it() -> None:
    intent = paid_and_not_given()
    end(ask(intent, 1330), "failed")
    assert credits.balance(give_at_last(intent).pk) == 500


def test_a_grant_while_a_bank_decides_gives_with_the_verdict() -> None:
    intent = paid_and_not_given(kind="plan", credits=0, points=2000, plan_sku="starter", term_days=30)
    bank_says(intent, "opened")
    bob = give_at_last(intent)
    assert (credits.balance(bob.pk), credits.plan_until(bob.pk)) == (0, None)
    bank_says(intent, "won")
    assert (credits.balance(bob.pk), credits.plan_until(bob.pk) is None) == (2000, False)


def test_what_was_paid_back_in_full_is_not_to_be_given_any_more() -> None:
    intent = paid_and_not_given()
    end(ask(intent), "succeeded")
    assert stands(intent)[0] == "refunded"
    assert granting.due() == []
    assert not StaffItem.objects.filter(resolved_at=None).exists()
