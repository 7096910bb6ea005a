"""Credits and plans bought online: settled once, granted once, taken back in proportion, given again when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from credits import selectors as credits
from credits.models import PlanTerm, Posting
from orders.models import Order
from orders.services import granting
from payments.gateways import base
from payments.models import Dispute, PaymentIntent, Refund
from payments.services import disputes, refund_notices, refund_steps, refunds, settlement
from pimpshop.core import invariants
from pimpshop.core.models import StaffItem
from pimpshop.core.money import Money
from tests import factories
from tests.support.bought import ask, bought, dispute, end, pay, stands, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    broken = list(invariants.violations())
    assert broken == []


def test_a_pack_is_granted_once_however_often_the_success_is_told() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    assert [pay(intent) for _ in range(3)] == ["settled", "unchanged", "unchanged"]
    assert stands(intent) == ("completed", "succeeded", 0, 0)
    assert credits.balance(alice.pk) == 500
    posting = Posting.objects.get()
    assert (posting.kind, posting.reference) == ("purchase", f"{intent.order.order_no}/1")


def test_a_plan_gives_points_and_a_term_that_follows_the_one_before() -> None:
    alice = factories.user()
    for _ in range(2):
        pay(bought("plan", user=alice, credits=0, points=2000, plan_sku="starter", term_days=30))
    terms = list(PlanTerm.objects.order_by("pk"))
    assert credits.balance(alice.pk) == 4000
    assert terms[1].starts_at == terms[0].ends_at
    assert [t.ends_at - t.starts_at for t in terms] == [timedelta(days=30)] * 2  # type: ignore[operator]


def test_nobody_to_give_it_to_keeps_the_money_paid_and_tells_staff_until_somebody_is_there() -> None:
    intent = bought()
    assert pay(intent) == "settled"
    assert stands(intent)[:2] == ("paid", "succeeded")
    assert StaffItem.objects.get().kind == "grant_failed"
    Order.objects.filter(pk=intent.order_id).update(email="bob@example.com")
    assert [granting.grant_again(pk) for pk in granting.due()] == [True]
    assert stands(intent)[0] == "completed"
    assert StaffItem.objects.get().resolved_at is not None


def test_refunds_take_back_in_proportion_and_all_of_the_money_means_all_of_the_credits() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    first = ask(intent, 1330)
    assert (first.out_refund_no, credits.balance(alice.pk)) == (f"{intent.out_trade_no}_R1", 500 - 166)
    assert stands(intent) == ("completed", "succeeded", 1330, 0)
    assert end(first, "pending") is True
    assert end(first, "succeeded") is True
    assert end(first, "succeeded") is False
    assert stands(intent) == ("completed", "partially_refunded", 1330, 1330)
    rest = ask(intent)
    assert rest.amount_minor == 2660
    end(rest, "succeeded")
    assert stands(intent) == ("refunded", "refunded", 3990, 3990)
    assert credits.balance(alice.pk) == 0
    with pytest.raises(refunds.AlreadyRefunded):
        ask(intent, 1)
    assert Refund.objects.count() == 2


@pytest.mark.parametrize("after_success", [False, True])
def test_a_refund_that_fails_puts_order_and_credits_back_and_tells_staff(after_success: bool) -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    refund = ask(intent)
    if after_success:
        end(refund, "succeeded")
        assert stands(intent)[0] == "refunded"
    assert credits.balance(alice.pk) == 0
    end(refund, "failed")
    granting.grant_again(intent.order_id)
    assert stands(intent) == ("completed", "succeeded", 0, 0)
    assert credits.balance(alice.pk) == 500
    assert StaffItem.objects.get().kind == "refund_failed"


@pytest.mark.parametrize("minor", [0, -1, 3991])
def test_more_than_was_paid_is_refused_and_nothing_moves(minor: int) -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    with pytest.raises(refunds.RefundTooLarge):
        ask(intent, minor)
    assert stands(intent) == ("completed", "succeeded", 0, 0)
    assert (Refund.objects.count(), credits.balance(alice.pk)) == (0, 500)


def test_what_is_not_paid_cannot_be_paid_back() -> None:
    intent = bought()
    with pytest.raises(refunds.NotPaid):
        ask(intent)
    assert not Refund.objects.exists()


def test_a_second_paid_attempt_is_surplus_and_goes_back_by_itself() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    other = factories.intent(
        intent.order, gateway="wechatpay", method="native", attempt=2, out_trade_no=f"{intent.out_trade_no}_2"
    )
    factories.created(other)
    pay(intent)
    assert pay(other) == "surplus"
    refund = Refund.objects.get()
    assert (refund.intent, refund.kind, refund.origin, refund.amount_minor) == (
        other,
        "provider",
        "system",
        3990,
    )
    assert refund.next_query_at is not None
    assert refund_steps.due() == [refund.pk]
    assert credits.balance(alice.pk) == 500
    end(refund, "succeeded")
    assert stands(intent)[0] == "completed"
    assert credits.balance(alice.pk) == 500


def test_a_surplus_whose_refund_fails_is_with_staff() -> None:
    intent = bought(user=factories.user())
    other = factories.intent(
        intent.order, gateway="wechatpay", method="native", attempt=2, out_trade_no=f"{intent.out_trade_no}_2"
    )
    factories.created(other)
    pay(intent)
    pay(other)
    end(Refund.objects.get(), "failed")
    assert [(i.kind, i.subject) for i in StaffItem.objects.filter(resolved_at=None)] == [
        ("refund_failed", f"{other.out_trade_no}_R1")
    ]
    assert stands(other) == ("completed", "succeeded", 0, 0)


def test_a_late_success_after_the_attempt_had_ended_is_honoured() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    settlement.apply_result(intent, told(intent, "canceled"), source="poll")
    assert pay(intent) == "settled"
    assert stands(intent)[:2] == ("completed", "succeeded")


@pytest.mark.parametrize(
    "foreign",
    [
        {"amount": Money(3989, "CNY")},
        {"amount": Money(3990, "USD")},
        {"account": "another"},
        {"live": True},
        {"out_trade_no": "another"},
        {"captured": Money(3989, "CNY")},
    ],
)
def test_a_success_that_does_not_fit_moves_nothing_and_tells_staff(foreign: dict[str, Any]) -> None:
    intent = bought(user=factories.user())
    assert pay(intent, **foreign) == "refused"
    assert stands(intent) == ("pending", "created", 0, 0)
    assert StaffItem.objects.get().kind == "payment_mismatch"
    assert not Posting.objects.exists()


def test_an_external_refund_is_recorded_once_in_whatever_order_it_is_told() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    refund_notices.note_total(intent, Money(1995, "CNY"), source="webhook")
    refund_notices.note_total(intent, Money(1995, "CNY"), source="poll")
    named = base.RefundNotice(
        status=base.RefundStatus.SUCCEEDED, provider_ref="re_1", amount=Money(1995, "CNY")
    )
    for _ in range(2):
        refund_notices.apply_notice(intent, named, source="webhook")
    refund = Refund.objects.get()
    assert (refund.origin, refund.provider_ref, refund.status) == ("provider", "re_1", "succeeded")
    assert stands(intent) == ("completed", "partially_refunded", 1995, 1995)
    assert credits.balance(alice.pk) == 250
    assert StaffItem.objects.get().kind == "external_refund"


def test_an_external_refund_beyond_the_payment_moves_nothing() -> None:
    intent = bought(user=factories.user())
    pay(intent)
    too_much = base.RefundNotice(
        status=base.RefundStatus.SUCCEEDED, provider_ref="re_1", amount=Money(3991, "CNY")
    )
    refund_notices.apply_notice(intent, too_much, source="webhook")
    assert stands(intent) == ("completed", "succeeded", 0, 0)
    assert not Refund.objects.exists()
    assert StaffItem.objects.get().kind == "refund_mismatch"


@pytest.mark.parametrize(("verdict", "left", "items"), [("won", 500, []), ("lost", 0, ["dispute_lost"])])
def test_a_dispute_freezes_and_the_verdict_decides(verdict: str, left: int, items: list[str]) -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    for _ in range(2):
        disputes.apply_notice(intent, dispute(intent, "opened"), source="webhook")
    assert credits.balance(alice.pk) == 0
    assert StaffItem.objects.get().kind == "dispute_open"
    with pytest.raises(refunds.RefundBlocked):
        ask(intent)
    disputes.apply_notice(intent, dispute(intent, verdict), source="webhook")
    disputes.apply_notice(intent, dispute(intent, verdict), source="webhook")
    assert Dispute.objects.get().status == verdict
    assert credits.balance(alice.pk) == left
    assert [item.kind for item in StaffItem.objects.filter(resolved_at=None)] == items
    assert not Refund.objects.exists()


def test_an_inquiry_freezes_nothing_until_it_becomes_a_dispute() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    pay(intent)
    disputes.apply_notice(intent, dispute(intent, "opened", money_moved=False), source="webhook")
    assert credits.balance(alice.pk) == 500
    disputes.apply_notice(intent, dispute(intent, "opened"), source="webhook")
    assert credits.balance(alice.pk) == 0


def test_another_shops_order_may_be_captured_in_part_and_ours_may_not() -> None:
    order = factories.order(lines=0, kind="merchant", currency="CNY", total_minor=3990)
    factories.created(order)
    intent = factories.intent(order, gateway="stripe", method="card", manual_capture=True)
    factories.created(intent)
    part = told(intent, captured=Money(1000, "CNY"))
    assert settlement.apply_result(intent, part, source="api") == "settled"
    intent.refresh_from_db()
    order.refresh_from_db()
    assert (intent.captured_minor, order.total_minor, order.status) == (1000, 1000, "completed")
    ours = bought(user=factories.user())
    PaymentIntent.objects.filter(pk=ours.pk).update(manual_capture=True)
    ours.refresh_from_db()
    assert pay(ours, captured=Money(1000, "CNY")) == "refused"
