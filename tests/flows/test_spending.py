"""Credits pay for a case at home: wholly, or a part of it; what becomes of them when nothing is printed or money is late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from credits.models import Hold, Posting
from credits.services import holds, ledger
from orders.models import CreditPart
from orders.services import credit_parts, goods_orders
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import credit_payments, refund_steps, refunds, switches, sync
from pimpshop.core import invariants
from tests.support import spending
from tests.support.spending import attempt, fails, money_comes, order, pay_all, shopper, stands, told
from vending.models import PrintJob

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    assert [str(v) for v in invariants.violations()] == []


def test_a_case_is_paid_with_credits_and_printed() -> None:
    alice = shopper()
    intent = pay_all(order(alice, "CREDITS"), alice)
    assert (intent.gateway, intent.status, intent.settles_order) == ("credits", "succeeded", True)
    assert (intent.captured_minor, intent.currency) == (1500, "CREDITS")
    assert told(alice) == (500, 0)
    spent = Posting.objects.get(kind="spend")
    assert (spent.reference, spent.amount) == (intent.out_trade_no, 1500)
    job = PrintJob.objects.get(order_no=intent.order.order_no)
    assert (job.amount_minor, job.currency) == (1999, "GBP")  # the manufacturer knows only money


def test_paying_again_pays_once() -> None:
    alice = shopper(4000)
    bought = order(alice, "CREDITS")
    pay_all(bought, alice)
    with pytest.raises(Exception, match="paid already"):
        pay_all(bought, alice)
    assert told(alice) == (2500, 0)
    assert Posting.objects.filter(kind="spend").count() == 1


def test_an_order_in_money_is_replaced_by_the_same_in_credits() -> None:
    alice = shopper()
    bought = order(alice)
    open_attempt = attempt(bought)
    fails(open_attempt)
    intent = pay_all(bought, alice)
    assert intent.order_id != bought.pk
    assert stands(bought)[0] == "cancelled"
    line = intent.order.lines.get()
    assert (intent.order.status, intent.order.total, line.design_id) == (
        "paid", spending.CREDITS, bought.lines.get().design_id,
    )  # fmt: skip


def test_too_few_credits_change_nothing() -> None:
    alice = shopper(1499)
    bought = order(alice)
    with pytest.raises(ledger.NotEnoughCredits):
        pay_all(bought, alice)
    in_credits = order(alice, "CREDITS")
    with pytest.raises(credit_payments.CreditsNotTaken):
        pay_all(in_credits, alice)
    assert (stands(bought)[0], stands(in_credits)[0]) == ("pending", "pending")
    assert (told(alice), Hold.objects.count(), PrintJob.objects.count()) == ((1499, 0), 0, 0)
    ledger.grant(user_id=alice.pk, amount=1, reference="one more")
    assert pay_all(in_credits, alice).status == "succeeded"


def test_the_print_fails_and_the_credits_come_back() -> None:
    alice = shopper()
    intent = pay_all(order(alice, "CREDITS"), alice)
    first = refunds.request_refund(
        intent=intent, amount_minor=400, origin="staff", actor="finance", reason="late", source="admin"
    )
    for _again in range(2):
        refund_steps.send(first.pk)
    assert (told(alice), stands(intent.order)[0]) == ((900, 0), "paid")
    rest = refunds.request_refund(
        intent=intent, origin="staff", actor="finance", reason="not printed", source="admin"
    )
    refund_steps.send(rest.pk)
    intent.refresh_from_db()
    assert (intent.status, intent.refunded_minor, stands(intent.order)[0]) == ("refunded", 1500, "refunded")
    assert told(alice) == (2000, 0)
    assert list(Refund.objects.order_by("pk").values_list("kind", "status", "provider_ref")) == [
        ("provider", "succeeded", first.out_refund_no), ("provider", "succeeded", rest.out_refund_no),
    ]  # fmt: skip


def test_a_part_is_held_and_spent_with_the_money() -> None:
    alice = shopper()
    bought = order(alice)
    part = credit_payments.use(bought, user=alice, amount=750, source="page")
    assert (part.covers_minor, stands(bought), told(alice)) == (1000, ("pending", 999), (1250, 750))
    intent = attempt(bought)
    assert intent.amount_minor == 999
    assert money_comes(intent) == "settled"
    assert (stands(bought)[0], told(alice)) == ("paid", (1250, 0))
    assert money_comes(intent) == "unchanged"
    assert Posting.objects.get(kind="spend").amount == 750


@pytest.mark.parametrize(("credits", "covers"), [(1, 2), (2, 3), (3, 4), (750, 1000), (1499, 1998)])
def test_the_rate_is_the_cases_own_rounded_for_the_shopper(credits: int, covers: int) -> None:
    alice = shopper()
    bought = order(alice)
    rate = credit_parts.rate_of(bought)
    assert rate is not None
    assert (rate.covers(credits), rate.covers(1500), rate.covers(9999)) == (covers, 1999, 1999)
    assert rate.covers(rate.most(30)) <= 1969 < rate.covers(rate.most(30) + 1)
    assert (rate.worth(1999), rate.worth(1), rate.worth(0)) == (1500, 1, 0)


@pytest.mark.parametrize("amount", [0, -5, 1500, 9999])
def test_a_part_out_of_range_holds_nothing(amount: int) -> None:
    alice = shopper(20000)
    bought = order(alice)
    with pytest.raises(credit_parts.PartOutOfRange):
        credit_payments.use(bought, user=alice, amount=amount, source="page")
    assert (stands(bought), told(alice), CreditPart.objects.count()) == (("pending", 1999), (20000, 0), 0)


def test_another_number_of_credits_replaces_the_first_and_the_buyer_takes_them_off() -> None:
    alice, bob = shopper(), shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=100, source="page")
    credit_payments.use(bought, user=alice, amount=300, source="page")
    assert (stands(bought), told(alice)) == (("pending", 1599), (1700, 300))
    assert credit_payments.take_off(bought, user=bob, source="page") is False
    assert credit_payments.take_off(bought, user=alice, source="page") is True
    assert credit_payments.take_off(bought, user=alice, source="page") is False
    assert (stands(bought), told(alice)) == (("pending", 1999), (2000, 0))


def test_a_cancelled_order_lets_its_credits_go() -> None:
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=300, source="page")
    assert goods_orders.cancel_unpaid(order=bought, source="admin", reason="not wanted") is True
    assert told(alice) == (2000, 0)


def test_nobody_pays_and_the_hold_ends() -> None:
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=300, source="page")
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert holds.release_due() == 1
        assert (stands(bought), told(alice)) == (("pending", 1999), (2000, 0))


def test_starting_to_pay_keeps_the_credits() -> None:
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=300, source="page")
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        intent = attempt(bought)
    assert intent.expires_at is not None
    assert Hold.objects.get().expires_at > intent.expires_at


def released_meanwhile(amount: int = 750) -> tuple[PaymentIntent, object]:
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=amount, source="page")
    intent = attempt(bought)
    held = Hold.objects.get()
    holds.release(held, source="sweeper", reason="its time was over")
    return intent, alice


def test_late_money_after_the_release_takes_the_credits_again() -> None:
    intent, alice = released_meanwhile()
    assert money_comes(intent) == "settled"
    assert (stands(intent.order)[0], told(alice)) == ("paid", (1250, 0))  # type: ignore[arg-type]
    assert list(CreditPart.objects.values_list("number", "credits")) == [(1, 750), (2, 750)]


def test_late_money_whose_credits_are_spent_goes_back() -> None:
    intent, alice = released_meanwhile()
    ledger.spend(user_id=alice.pk, amount=1500, reference="elsewhere")  # type: ignore[attr-defined]
    assert money_comes(intent) == "surplus"
    assert (stands(intent.order)[0], told(alice)) == ("pending", (500, 0))  # type: ignore[arg-type]
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.origin, refund.status) == (999, "system", "created")
    assert not PrintJob.objects.exists()


def test_all_of_the_price_paid_late_lets_the_credits_go() -> None:
    """The first attempt was for everything; it failed, credits were used, and then its money came all the same."""
    alice = shopper()
    bought = order(alice)
    first = attempt(bought)
    fails(first)
    credit_payments.use(bought, user=alice, amount=750, source="page")
    assert money_comes(first) == "settled"
    assert (stands(bought)[0], told(alice)) == ("paid", (2000, 0))
    assert not Posting.objects.filter(kind="spend").exists()


def test_a_second_payment_is_surplus_and_the_credits_are_spent_once() -> None:
    alice = shopper()
    bought = order(alice)
    first = attempt(bought)
    fails(first)
    credit_payments.use(bought, user=alice, amount=750, source="page")
    assert money_comes(attempt(bought)) == "settled"
    assert money_comes(first) == "surplus"
    assert (told(alice), Posting.objects.filter(kind="spend").count()) == ((1250, 0), 1)


def paid_in_part() -> tuple[PaymentIntent, object]:
    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=750, source="page")
    intent = attempt(bought)
    money_comes(intent)
    intent.refresh_from_db()
    return intent, alice


def refunded(intent: PaymentIntent, amount: int | None, status: str = "succeeded") -> Refund:
    refund = refunds.request_refund(
        intent=intent, amount_minor=amount, origin="staff", actor="finance", reason="late", source="admin"
    )
    end(refund, status)
    return refund


def end(refund: Refund, status: str) -> None:
    refund_steps.apply_result(refund, base.RefundResult(status=base.RefundStatus(status)), source="poll")


def test_the_money_goes_back_first_and_the_credits_with_the_last_of_it() -> None:
    intent, alice = paid_in_part()
    refunded(intent, 500)
    assert told(alice) == (1250, 0)  # type: ignore[arg-type]
    refunded(intent, None)
    assert (stands(intent.order)[0], told(alice)) == ("refunded", (2000, 0))  # type: ignore[arg-type]


def test_a_refund_that_fails_after_all_spends_the_credits_again() -> None:
    intent, alice = paid_in_part()
    refund = refunded(intent, None)
    end(refund, "failed")
    assert (stands(intent.order)[0], told(alice)) == ("paid", (1250, 0))  # type: ignore[arg-type]
    refunded(intent, None)
    assert (stands(intent.order)[0], told(alice)) == ("refunded", (2000, 0))  # type: ignore[arg-type]


def test_held_and_then_the_process_died_is_found_by_asking() -> None:
    """The hold stands, nothing here knows: the sweeper asks and the order is settled."""
    alice = shopper()
    bought = order(alice, "CREDITS")
    choice = credit_payments.online_payments.Choice(
        gateway="credits", method="credits", payer_ref=str(alice.pk)
    )
    gateway = credit_payments.registry.get("credits")
    intent = credit_payments.online_payments._record(
        bought, choice, gateway, attempt=1, source="page", actor=""
    )
    credit_payments.intents.lease(intent)
    gateway.create_payment(credit_payments.online_payments.requests.payment_request(intent, bought))
    assert told(alice) == (500, 1500)
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert sync.check_due(intent.pk) is True
    assert (stands(bought)[0], told(alice)) == ("paid", (500, 0))


def test_a_released_hold_is_no_payment() -> None:
    """The answer came so late that the hold was released: nothing is settled, nothing is spent."""
    alice = shopper()
    bought = order(alice, "CREDITS")
    intent = attempt(bought, gateway="credits")
    held = holds.reserve(
        user_id=alice.pk, amount=1500, reference=intent.out_trade_no, subject=bought.order_no, source="payment",
        expires_at=timezone.now(),
    )  # fmt: skip
    assert holds.release_due() == 1
    assert money_comes(intent) == "moved"
    intent.refresh_from_db()
    held.refresh_from_db()
    assert (intent.status, held.status, stands(bought)[0], told(alice)) == (
        "canceled", "released", "pending", (2000, 0),
    )  # fmt: skip


def test_switched_off_it_is_offered_to_nobody() -> None:
    alice = shopper()
    bought = order(alice)
    assert credit_payments.offer(bought, alice) is not None
    switches.switch(key="credits", off=True, actor="finance", reason="a pause")
    assert credit_payments.offer(bought, alice) is None
    with pytest.raises(switches.GatewayOff):
        credit_payments.use(bought, user=alice, amount=10, source="page")
    with pytest.raises(switches.GatewayOff):
        pay_all(bought, alice)


def test_what_has_no_price_in_credits_is_not_offered() -> None:
    from tests import factories

    alice = shopper()
    plain = order(alice, design=factories.frozen_design(factories.sellable_shell()))
    assert credit_payments.offer(plain, alice) is None
    with pytest.raises(credit_parts.NotForCredits):
        credit_payments.use(plain, user=alice, amount=10, source="page")


def test_takings_are_money_and_a_hold_is_found_after_a_join() -> None:
    from credits.services import joining, till
    from payments.services import day_figures

    intent, alice = paid_in_part()
    intent.refresh_from_db()
    assert [(row["currency"], row["minor"]) for row in day_figures.takings()] == [
        ("GBP", intent.captured_minor)
    ]
    assert intent.captured_minor < intent.order.total_minor
    bought = order(alice, "CREDITS")  # type: ignore[arg-type]
    what = {
        "amount": 1000,
        "reference": "R-held",
        "subject": bought.order_no,
        "until": timezone.now() + timedelta(hours=1),
    }
    assert till.hold(payer=str(alice.pk), **what) == "held"  # type: ignore[attr-defined]
    other = shopper(0)
    joining.join(user_id=alice.pk, to_user_id=other.pk, actor="x")  # type: ignore[attr-defined]
    assert till.hold(payer=str(alice.pk), **what) == "held"  # type: ignore[attr-defined]
    assert till.hold(payer=str(alice.pk), **{**what, "amount": 1001}) == "taken"  # type: ignore[attr-defined]
    assert told(other) == (250, 1000)
    assert intent.settles_order
