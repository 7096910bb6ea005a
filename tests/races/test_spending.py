"""Credits under real threads: one balance for many phones, money beside the end of a hold, refunds beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from credits.models import Hold, Posting
from credits.services import holds, ledger
from orders.services import credit_parts
from payments.models import PaymentIntent, Refund
from payments.services import credit_payments, intents, refund_credits, refund_steps, refunds
from pimpshop.core import errors, invariants
from tests.support import threads
from tests.support.spending import a_case, attempt, money_comes, order, pay_all, shopper, stands, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _what_always_holds(transactional_db: None) -> Iterator[None]:
    yield
    assert [str(v) for v in invariants.violations()] == []


def tried(work: Any) -> str:
    try:
        work()
    except errors.ShopError as refusal:
        return refusal.code
    return "done"


def test_ten_phones_spend_the_last_credits_on_ten_cases() -> None:
    alice = shopper(1500)
    bought = [order(alice, "CREDITS", a_case()) for _ in range(10)]
    said = threads.together(10, lambda number: tried(lambda: pay_all(bought[number], alice)))
    assert Counter(said) == {"done": 1, "credits_not_taken": 9}
    assert Counter(stands(one)[0] for one in bought) == {"paid": 1, "pending": 9}
    assert (told(alice), Posting.objects.filter(kind="spend").count()) == ((0, 0), 1)


def test_eight_clicks_pay_one_order_once() -> None:
    alice = shopper(15000)
    bought = order(alice, "CREDITS")
    said = threads.together(8, lambda _number: tried(lambda: pay_all(bought, alice)))
    assert set(said) <= {"done", "already_paid", "payment_uncertain"}
    assert (stands(bought)[0], told(alice)) == ("paid", (13500, 0))
    assert PaymentIntent.objects.filter(status="succeeded").count() == 1


def test_a_whole_a_part_and_a_spending_share_one_balance() -> None:
    alice = shopper(1500)
    whole, part = order(alice, "CREDITS"), order(alice)
    ways = (
        lambda: pay_all(whole, alice),
        lambda: credit_payments.use(part, user=alice, amount=1400, source="page"),
        lambda: ledger.spend(user_id=alice.pk, amount=1300, reference="elsewhere"),
    )
    said = threads.together(9, lambda number: tried(ways[number % 3]))
    assert "done" in said
    available, held = told(alice)
    spent = sum(Posting.objects.filter(kind="spend").values_list("amount", flat=True))
    assert available >= 0
    assert available + held + spent == 1500
    assert (held, spent) in {(1400, 0), (0, 1500), (0, 1300)}


@pytest.mark.parametrize("_round", range(4))
def test_the_money_comes_while_its_hold_ends(_round: int) -> None:
    """Whoever is first: the order is paid, and the credits are spent once."""
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=750, source="page")
    intent = attempt(bought)

    def work(number: int) -> Any:
        if number % 2:
            return holds.release(Hold.objects.earliest("pk"), source="sweeper", reason="its time was over")
        return money_comes(intent)

    threads.together(6, work)
    assert (stands(bought)[0], told(alice)) == ("paid", (1250, 0))
    assert Posting.objects.filter(kind="spend").count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_an_attempt_and_a_part_together_agree_on_the_amount(_round: int) -> None:
    alice = shopper()
    bought = order(alice)

    def work(number: int) -> str:
        if number:
            return tried(lambda: credit_payments.use(bought, user=alice, amount=750, source="page"))
        return tried(lambda: attempt(bought))

    said = threads.together(2, work)
    assert set(said) <= {"done", intents.PaymentUncertain.code}
    assert "done" in said
    due = credit_parts.due(bought).amount_minor
    assert [intent.amount_minor for intent in PaymentIntent.objects.all()] in ([due], [])


def test_twenty_partial_refunds_give_back_no_more_than_was_spent() -> None:
    """13."""
    alice = shopper()
    intent = pay_all(order(alice, "CREDITS"), alice)

    def refund(number: int) -> str:
        def ask() -> None:
            made = refunds.request_refund(
                intent=intent,
                amount_minor=400,
                origin="staff",
                actor=f"staff {number}",
                reason="late",
                source="admin",
            )
            refund_steps.send(made.pk)

        return tried(ask)

    assert Counter(threads.together(20, refund))["done"] == 3
    assert told(alice) == (500 + 1200, 0)


def test_paid_back_as_money_or_as_credits_never_both() -> None:
    alice = shopper(0)
    intent = attempt(order(alice))
    money_comes(intent)
    intent.refresh_from_db()

    def pay_back(number: int) -> str:
        if number % 2:
            return tried(
                lambda: refund_credits.request_refund(intent=intent, amount_minor=None, actor="a", reason="r")
            )
        return tried(
            lambda: refunds.request_manual_refund(intent=intent, amount_minor=1999, actor="b", reason="r")
        )

    said = threads.together(10, pay_back)
    assert Counter(said) == {"done": 1, "ALREADY_REFUNDED": 9}
    assert Refund.objects.count() == 1
    assert told(alice)[0] == (1500 if Refund.objects.get().kind == "credits" else 0)


def test_a_refund_by_hand_is_paid_as_credits_by_one_of_ten() -> None:
    alice = shopper(0)
    intent = attempt(order(alice))
    money_comes(intent)
    intent.refresh_from_db()
    refund = refunds.request_manual_refund(intent=intent, amount_minor=1999, actor="b", reason="r")
    said = threads.together(
        10,
        lambda _number: tried(
            lambda: refund_credits.pay_manual_refund(
                refund=Refund.objects.get(pk=refund.pk), actor="a", reason="r"
            )
        ),
    )
    assert Counter(said) == {"done": 1, "refund_not_open": 9}
    assert told(alice) == (1500, 0)
