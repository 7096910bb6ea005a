"""Workers killed (SIGKILL) at each commit boundary of a payment with credits: hold, settle, refund, a part with its money.

Whatever dies where: the credits are spent exactly if the order is paid, once, and back exactly if it was refunded.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import User
from credits.models import Posting
from orders.models import Order
from payments.models import PaymentIntent
from payments.services import credit_payments, refund_credits, refund_steps, refunds
from tests.support import workers
from tests.support.online import settle_down
from tests.support.shop import assert_invariants
from tests.support.spending import attempt, money_comes, order, pay_all, shopper, stands, told
from tests.support.workers import Point, after, before

APPLY = "payments.services.settlement:apply_result"
HOLD, GIVE_BACK = "credits.services.till:hold", "credits.services.till:give_back"
COMMIT, SETTLE = "credits.services.holds:commit", "orders.services.fulfilment:settle"


@pytest.fixture(autouse=True)
def _what_always_holds(transactional_db: None) -> Iterator[None]:
    yield
    assert_invariants()


def restart() -> None:
    """New workers; every lease of the dead has run out, and what they left is asked about."""
    settle_down(seconds=150, rounds=2)


def again(bought: Order, alice: User) -> None:
    """The shopper comes back and presses the button once more, if the page still has it."""
    if stands(bought)[0] == "pending":
        pay_all(bought, alice)


@pytest.mark.parametrize(
    "point",
    [
        after("payments.services.online_payments:_record"), after("payments.services.intents:lease"), before(HOLD),
        after(HOLD), before(APPLY), before(COMMIT), after(COMMIT), after(SETTLE), after(APPLY),
    ],
    ids=str,
)  # fmt: skip
def test_killed_while_credits_pay_a_case(point: Point) -> None:
    alice = shopper()
    bought = order(alice, "CREDITS")
    workers.dies(lambda: pay_all(bought, alice), point)
    assert sum(told(alice)) in (2000, 500)
    restart()
    again(bought, alice)
    assert (stands(bought)[0], told(alice)) == ("paid", (500, 0))
    assert Posting.objects.filter(kind="spend").count() == 1
    assert PaymentIntent.objects.filter(order=bought, settles_order=True).count() == 1


@pytest.mark.parametrize(
    "point",
    [before(GIVE_BACK), after(GIVE_BACK), before("payments.services.refund_steps:apply_result")],
    ids=str,
)
def test_killed_while_credits_go_back(point: Point) -> None:
    alice = shopper()
    intent = pay_all(order(alice, "CREDITS"), alice)
    refund = refunds.request_refund(
        intent=intent, amount_minor=600, origin="staff", actor="finance", reason="late", source="admin"
    )
    workers.dies(lambda: refund_steps.send(refund.pk), point)
    restart()
    refund.refresh_from_db()
    assert (refund.status, told(alice)) == ("succeeded", (1100, 0))
    assert Posting.objects.filter(kind="give-back").count() == 1


@pytest.mark.parametrize(
    "point", [before(COMMIT), after(COMMIT), before(SETTLE), after(SETTLE), after(APPLY)], ids=str
)
def test_killed_while_the_money_for_the_rest_is_settled(point: Point) -> None:
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=750, source="page")
    intent = attempt(bought)
    workers.dies(lambda: money_comes(intent), point)
    assert told(alice) in ((1250, 750), (1250, 0))
    money_comes(intent)  # the provider tells it again
    assert (stands(bought)[0], told(alice)) == ("paid", (1250, 0))
    assert Posting.objects.filter(kind="spend").count() == 1


@pytest.mark.parametrize(
    "point", [before("credits.services.holds:reserve"), after("credits.services.holds:reserve")], ids=str
)
def test_killed_while_a_part_is_held(point: Point) -> None:
    alice = shopper()
    bought = order(alice)
    workers.dies(lambda: credit_payments.use(bought, user=alice, amount=750, source="page"), point)
    assert (stands(bought), told(alice)) == (("pending", 1999), (2000, 0))
    credit_payments.use(bought, user=alice, amount=750, source="page")
    assert (stands(bought), told(alice)) == (("pending", 999), (1250, 750))


def test_killed_before_the_order_in_money_is_cancelled() -> None:
    """The case is paid once; the other order waits for money that nobody asks for."""
    alice = shopper()
    bought = order(alice)
    workers.dies(lambda: pay_all(bought, alice), before("orders.services.goods_orders:cancel_unpaid"))
    assert (stands(bought)[0], told(alice)) == ("pending", (500, 0))
    assert Order.objects.filter(status="paid").count() == 1


@pytest.mark.parametrize(
    "point",
    [after("payments.services.refunds:record"), before("credits.services.ledger:grant"), after("credits.services.ledger:grant")],
    ids=str,
)  # fmt: skip
def test_killed_while_money_is_paid_back_as_credits(point: Point) -> None:
    """All of it or nothing: one transaction."""
    alice = shopper(0)
    intent = attempt(order(alice))
    money_comes(intent)
    intent.refresh_from_db()

    def pay_back() -> None:
        refund_credits.request_refund(intent=intent, amount_minor=None, actor="finance", reason="jammed")

    workers.dies(pay_back, point)
    assert (told(alice), stands(intent.order)[0]) == ((0, 0), "paid")
    pay_back()
    assert (told(alice), stands(intent.order)[0]) == ((1500, 0), "refunded")
