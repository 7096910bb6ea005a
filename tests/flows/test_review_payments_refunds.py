"""Refunds that must be sent once and end truly: refused questions, sends that never arrived, and money that a bank took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
import time_machine

from credits.models import CreditAccount
from orders.models import Order
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import disputes, refund_steps, refunds
from pimpshop.core.models import StaffItem
from pimpshop.core.money import Money
from tests import factories
from tests.support import seed5
from tests.support.seed5 import PAYMENTS
from tests.support.shop import assert_invariants
from tests.support.stripe_books import DOWN, StripeBooks

pytestmark = pytest.mark.django_db
UNAUTHORIZED = (401, {"type": "invalid_request_error", "message": "Invalid API Key provided"})
REFUNDED_ALREADY = (400, {"type": "invalid_request_error", "code": "charge_already_refunded"})


@pytest.fixture
def stripe_books() -> Iterator[StripeBooks]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield StripeBooks(mock)


@pytest.fixture
def paid(stripe_books: StripeBooks) -> PaymentIntent:
    """99.99 USD by card."""
    told = seed5.server().post(PAYMENTS, seed5.create()).json()
    return PaymentIntent.objects.get(public_id=told["payment_id"].removeprefix("pay_"))


def ask_back(intent: PaymentIntent, amount: int | None = None) -> Refund:
    return refunds.request_refund(
        intent=intent, amount_minor=amount, origin=Refund.Origin.STAFF, actor="finance", reason="duplicate",
        source="admin",
    )  # fmt: skip


def send(refund: Refund, *, after: float = 0) -> Refund:
    """The sweeper's turn, so many seconds later."""
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=after), tick=True):
        assert refund_steps.send(refund.pk)
    refund.refresh_from_db()
    return refund


def open_items() -> list[tuple[str, str]]:
    return list(StaffItem.objects.filter(resolved_at=None).order_by("id").values_list("kind", "subject"))


def dispute(intent: PaymentIntent, status: str, amount: Money) -> None:
    notice = base.DisputeNotice(provider_ref="dp_1", status=base.DisputeStatus(status), amount=amount)
    disputes.apply_notice(intent, notice, source="webhook")


# --- asked about, and the question is refused -------------------------------------------------------------------------
def test_a_refused_question_does_not_fail_a_refund_that_is_under_way(paid, stripe_books) -> None:
    """The key was changed at Stripe: that says nothing about the money. Failed, staff would pay it back a second time."""
    stripe_books.refund_status = "pending"
    refund = send(ask_back(paid))
    assert refund.status == "pending"
    stripe_books.fail("read_refund", UNAUTHORIZED)
    assert send(refund, after=60).status == "pending"
    paid.refresh_from_db()
    assert (paid.refund_reserved_minor, refund.next_query_at is not None) == (9999, True)
    assert open_items() == [("refund_uncertain", refund.out_refund_no)]
    with pytest.raises(refunds.AlreadyRefunded):
        ask_back(paid)
    next(iter(stripe_books.refunds.values()))["status"] = "succeeded"
    assert send(refund, after=300).status == "succeeded"
    assert (len(stripe_books.refunds), Refund.objects.count()) == (1, 1)


def test_a_repeat_that_is_refused_as_done_is_asked_about_not_failed(paid, stripe_books) -> None:
    stripe_books.fail("refund", DOWN, REFUNDED_ALREADY)
    refund = send(ask_back(paid))
    assert send(refund, after=60).status == "created"
    paid.refresh_from_db()
    assert (paid.refund_reserved_minor, open_items()) == (9999, [("refund_uncertain", refund.out_refund_no)])
    assert send(refund, after=300).status == "succeeded"


def test_a_first_send_that_is_refused_fails(paid, stripe_books) -> None:
    stripe_books.fail("refund", UNAUTHORIZED)
    refund = send(ask_back(paid))
    paid.refresh_from_db()
    assert (refund.status, paid.refund_reserved_minor) == ("failed", 0)
    assert open_items() == [("refund_failed", refund.out_refund_no)]


def test_a_refund_that_the_provider_forgot_is_sent_again(paid, stripe_books) -> None:
    """It answered "pending" and knows nothing of it later: without another send nobody would ever get that money."""
    stripe_books.refund_status = "pending"
    refund = send(ask_back(paid))
    missing = (
        404,
        {"type": "invalid_request_error", "code": "resource_missing", "message": "No such refund"},
    )
    stripe_books.fail("read_refund", missing)
    stripe_books.refunds.clear()
    stripe_books.keys.clear()
    stripe_books.refund_status = "succeeded"
    assert send(refund, after=60).status == "succeeded"
    assert [form["metadata[out_refund_no]"] for form in stripe_books.sent("refund")] == [
        refund.out_refund_no
    ] * 2
    assert len(stripe_books.refunds) == 1


# --- what a bank took -------------------------------------------------------------------------------------------------
def test_what_a_bank_took_is_not_paid_back_again(paid, stripe_books) -> None:
    dispute(paid, "lost", Money(9999, "USD"))
    with pytest.raises(refunds.AlreadyRefunded):
        ask_back(paid)
    assert (Refund.objects.count(), stripe_books.count("refund")) == (0, 0)


def test_beside_a_part_that_a_bank_took_only_the_rest_is_paid_back(paid) -> None:
    dispute(paid, "lost", Money(4000, "USD"))
    with pytest.raises(refunds.RefundTooLarge):
        ask_back(paid, 6000)
    assert ask_back(paid).amount_minor == 5999


def test_a_dispute_that_was_won_leaves_the_money_to_be_paid_back(paid) -> None:
    dispute(paid, "opened", Money(9999, "USD"))
    with pytest.raises(refunds.RefundBlocked):
        ask_back(paid)
    dispute(paid, "won", Money(9999, "USD"))
    assert ask_back(paid).amount_minor == 9999


def test_a_dispute_in_another_currency_takes_all_of_the_credits() -> None:
    """900 yen are not nine pounds: a share of two currencies is no share."""
    buyer = factories.user()
    order = factories.order(kind=Order.Kind.CREDITS, user=buyer, status="completed", lines=0)
    factories.posting(buyer, 500, payment_reference=order.order_no)
    paid: Any = factories.intent(
        order, gateway="stripe", status="succeeded", captured_minor=1999, settles_order=True
    )
    dispute(paid, "opened", Money(900, "JPY"))
    assert CreditAccount.objects.get(user=buyer, kind="user").balance == 0
    dispute(paid, "won", Money(900, "JPY"))
    assert CreditAccount.objects.get(user=buyer, kind="user").balance == 500


def test_the_books_are_right_after_all_that(paid, stripe_books) -> None:
    stripe_books.refund_status = "pending"
    refund = send(ask_back(paid, 1000))
    stripe_books.fail("read_refund", UNAUTHORIZED)
    send(refund, after=60)
    assert_invariants()
