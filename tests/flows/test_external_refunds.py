"""Refunds made in the provider's own pages while ours are recorded, sent or unclear: never more than came, nobody twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from credits import selectors as credits
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import refund_notices, refund_steps, settlement
from pimpshop.core import invariants
from pimpshop.core.models import StaffItem
from pimpshop.core.money import Money
from tests import factories
from tests.support.bought import ask, bought, end, pay, stands, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    broken = list(invariants.violations())
    assert broken == []


@pytest.fixture
def paid() -> PaymentIntent:
    """39.90 CNY for 500 credits."""
    intent = bought(user=factories.user())
    pay(intent)
    return intent


def sum_told(intent: PaymentIntent, minor: int) -> None:
    for _ in range(2):
        refund_notices.note_total(intent, Money(minor, "CNY"), source="webhook")


def named(intent: PaymentIntent, ref: str, minor: int, status: str = "succeeded") -> str:
    notice = base.RefundNotice(status=base.RefundStatus(status), provider_ref=ref, amount=Money(minor, "CNY"))
    first = refund_notices.apply_notice(intent, notice, source="webhook")
    refund_notices.apply_notice(intent, notice, source="webhook")
    return first


def rows() -> list[tuple[str, str, int, str]]:
    return list(Refund.objects.order_by("pk").values_list("origin", "status", "amount_minor", "provider_ref"))


def balance(intent: PaymentIntent) -> int:
    return credits.balance(intent.order.user_id)


def open_items() -> list[str]:
    return list(StaffItem.objects.filter(resolved_at=None).order_by("kind").values_list("kind", flat=True))


def test_a_sum_that_is_told_while_ours_was_not_sent_is_all_made_elsewhere(paid: PaymentIntent) -> None:
    """Ours counted as part of the sum: then the refund's own event came on top, and more was reserved than went back."""
    ours = ask(paid, 1000)
    sum_told(paid, 2000)
    named(paid, "re_1", 2000)
    assert rows() == [("staff", "failed", 1000, ""), ("provider", "succeeded", 2000, "re_1")]
    assert stands(paid) == ("completed", "partially_refunded", 2000, 2000)
    assert balance(paid) == 500 - 250
    ours.refresh_from_db()
    assert (ours.error_code, ours.next_query_at) == ("refunded_elsewhere", None)
    assert refund_steps.due() == []
    assert open_items() == ["external_refund", "refund_failed"]
    item = StaffItem.objects.get(kind="refund_failed")
    assert item.title == f"The refund of 10.00 CNY for order {paid.order.order_no} was not sent"


def test_the_same_amount_made_elsewhere_is_not_sent_a_second_time(paid: PaymentIntent) -> None:
    ours = ask(paid)
    sum_told(paid, 3990)
    assert refund_steps.send(ours.pk) is False
    assert stands(paid) == ("refunded", "refunded", 3990, 3990)
    assert rows() == [("staff", "failed", 3990, ""), ("provider", "succeeded", 3990, "")]
    assert balance(paid) == 0


def test_one_that_is_named_fits_because_ours_steps_back(paid: PaymentIntent) -> None:
    ask(paid, 3000)
    named(paid, "re_1", 2000)
    assert rows() == [("staff", "failed", 3000, ""), ("provider", "succeeded", 2000, "re_1")]
    assert stands(paid) == ("completed", "partially_refunded", 2000, 2000)
    assert ask(paid).amount_minor == 1990


def test_one_of_ours_that_may_have_arrived_is_part_of_the_sum(paid: PaymentIntent) -> None:
    ours = ask(paid, 1000)
    Refund.objects.filter(pk=ours.pk).update(query_count=1)  # sent, and no answer yet
    sum_told(paid, 1000)
    assert rows() == [("staff", "created", 1000, "")]
    sum_told(paid, 3000)
    end(ours, "succeeded")
    assert rows() == [("staff", "succeeded", 1000, ""), ("provider", "succeeded", 2000, "")]
    named(paid, "re_1", 2000)
    assert stands(paid) == ("completed", "partially_refunded", 3000, 3000)
    assert balance(paid) == 500 - 375


def test_a_name_that_is_larger_than_what_the_sum_was_sure_of_adds_only_the_rest(paid: PaymentIntent) -> None:
    ours = ask(paid, 1000)
    Refund.objects.filter(pk=ours.pk).update(query_count=1)
    sum_told(paid, 2000)  # 1000 of it may be ours
    named(paid, "re_1", 2000)  # none of it was
    assert rows() == [
        ("staff", "created", 1000, ""), ("provider", "succeeded", 1000, ""), ("provider", "succeeded", 1000, "re_1"),
    ]  # fmt: skip
    assert stands(paid) == ("completed", "partially_refunded", 3000, 2000)
    end(ours, "failed")
    assert stands(paid) == ("completed", "partially_refunded", 2000, 2000)
    assert balance(paid) == 250
    assert open_items() == ["external_refund", "external_refund", "refund_failed"]


def test_one_sum_that_tells_of_two_is_not_counted_again_when_their_names_come(paid: PaymentIntent) -> None:
    sum_told(paid, 1500)
    named(paid, "re_1", 500)
    named(paid, "re_2", 1000)
    assert stands(paid) == ("completed", "partially_refunded", 1500, 1500)
    named(paid, "re_3", 100)
    sum_told(paid, 1600)
    assert rows() == [("provider", "succeeded", 1500, ""), ("provider", "succeeded", 100, "re_3")]
    assert stands(paid) == ("completed", "partially_refunded", 1600, 1600)


def test_more_than_came_is_put_before_staff_and_moves_nothing(paid: PaymentIntent) -> None:
    sum_told(paid, 3000)
    assert named(paid, "re_1", 3991) == "an external refund that does not fit: staff decide"
    assert stands(paid) == ("completed", "partially_refunded", 3000, 3000)
    assert "refund_mismatch" in open_items()


def test_a_surplus_that_staff_gave_back_there_is_not_given_back_twice(paid: PaymentIntent) -> None:
    other = factories.intent(
        paid.order, gateway="wechatpay", method="native", attempt=2, out_trade_no=f"{paid.out_trade_no}_2"
    )
    factories.created(other)
    result = told(other, "refunded", refunded=other.amount)
    assert settlement.apply_result(other, result, source="poll") == "surplus"
    assert rows() == [("system", "failed", 3990, ""), ("provider", "succeeded", 3990, "")]
    other.refresh_from_db()
    assert (other.status, other.refunded_minor, refund_steps.due()) == ("refunded", 3990, [])
    assert balance(paid) == 500
