"""Online attempts that meet each other: two confirmations, two attempts, a success in between, a gateway that went away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
import time_machine
from django.test import Client
from django.utils import timezone

from orders import selectors as orders
from orders.models import Order
from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import closing, intents, links, online_payments, settlement, sync
from pimpshop.core.models import StaffItem
from tests import factories
from tests.support import threads
from tests.support.shop import assert_invariants
from tests.support.stripe_books import StripeBooks

pytestmark = pytest.mark.django_db
VISA = base.Token(value="pm_card_visa")
THREE_DS = base.Token(value="pm_card_threeDSecure2Required")
NOT_WAITING = (400, {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"})


@pytest.fixture
def stripe_books() -> Iterator[StripeBooks]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield StripeBooks(mock)


@pytest.fixture
def order(stripe_books: StripeBooks) -> Order:
    return factories.order(kind=Order.Kind.MERCHANT)


def start(order: Order, instrument: base.Instrument | None = None, **more: Any) -> PaymentIntent:
    choice = online_payments.Choice(
        **{"gateway": "stripe", "method": "token", "return_url": "https://shop.example/done", **more}
    )
    return online_payments.start_payment(order, choice, instrument=instrument, source="api")


def ask(intent: PaymentIntent, after: float) -> sync.Checked:
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=after), tick=True):
        checked = sync.check_now(intent=intent, source="poll")
    intent.refresh_from_db()
    return checked


def succeed(intent: PaymentIntent) -> settlement.Applied:
    """The provider's word about an attempt that nobody here asked about."""
    paid = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, amount=intent.amount)
    return settlement.apply_result(PaymentIntent.objects.get(pk=intent.pk), paid, source="webhook")


# --- two confirmations ------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_second_click_does_not_take_the_first_ones_lease(order: Order, stripe_books: StripeBooks) -> None:
    """Two pays at once: the second once took the lease away, confirmed as well, and failed what the first had paid."""
    intent = start(order)
    said_no = stripe_books.held["confirm"] = threading.Event()

    def click(number: int) -> str:
        if number == 0:
            row = PaymentIntent.objects.get(pk=intent.pk)
            return online_payments.confirm_payment(row, VISA, source="api").status
        while not PaymentIntent.objects.filter(pk=intent.pk, confirm_count=1).exists():
            time.sleep(0.01)
        try:
            with pytest.raises(intents.PaymentUncertain):
                start(order, VISA)
        finally:
            said_no.set()
        return "uncertain"

    assert threads.together(2, click) == ["succeeded", "uncertain"]
    intent.refresh_from_db()
    assert (intent.status, intent.confirm_count, stripe_books.count("confirm")) == ("succeeded", 1, 1)


def test_a_confirmation_of_what_is_paid_already_asks_instead_of_failing(order, stripe_books) -> None:
    """The shopper passed the bank's check, the page confirms once more: a paid person is never shown a failure."""
    intent = start(order, THREE_DS)
    assert intent.status == "requires_action"
    stripe_books.passes(intent.provider_ref)
    stripe_books.fail("confirm", NOT_WAITING)
    again = online_payments.confirm_payment(intent, VISA, source="api")
    assert (again.status, again.settles_order, again.error_code) == ("succeeded", True, "")


def test_a_confirmation_that_is_refused_without_an_answer_to_the_question_is_unknown(
    order, stripe_books
) -> None:
    intent = start(order, THREE_DS)
    stripe_books.passes(intent.provider_ref)
    stripe_books.fail("confirm", NOT_WAITING)
    stripe_books.fail("read", "down")
    again = online_payments.confirm_payment(intent, VISA, source="api")
    assert (again.status, again.next_query_at is not None) == ("processing", True)
    ask(intent, 5)
    assert intent.status == "succeeded"


def test_a_try_that_left_no_trace_is_asked_about_before_the_next(order, stripe_books) -> None:
    """The process was killed after it had confirmed: the money came, and nobody here knows."""
    intent = start(order, VISA)
    assert intent.status == "succeeded"
    other = factories.order(kind=Order.Kind.MERCHANT, lines=0)
    killed = start(other)
    stripe_books.intents[killed.provider_ref]["payment_method"] = "pm_card_visa"
    stripe_books.passes(killed.provider_ref)
    PaymentIntent.objects.filter(pk=killed.pk).update(confirm_count=1)
    before = stripe_books.count("confirm")
    again = start(other, VISA)
    assert (again.pk, again.status, stripe_books.count("confirm")) == (killed.pk, "succeeded", before)


def test_an_attempt_that_was_not_made_yet_cannot_be_confirmed(order, stripe_books) -> None:
    intent = factories.intent(order, gateway="stripe", method="token", account="")
    with pytest.raises(intents.PaymentUncertain):
        online_payments.confirm_payment(intent, VISA, source="api")
    intent.refresh_from_db()
    assert (intent.status, intent.confirm_count, stripe_books.calls) == ("created", 0, [])


# --- two attempts -----------------------------------------------------------------------------------------------------
def late_success(order: Order) -> tuple[PaymentIntent, PaymentIntent]:
    """A first attempt that was closed and paid all the same, and a second one that waits."""
    first = start(order)
    closing.close(first, to="canceled", source="api")
    second = start(order)
    assert (first.status, second.status, second.attempt) == ("canceled", "created", 2)
    assert succeed(first) == "settled"
    return first, second


def test_what_is_paid_by_another_attempt_is_not_charged_again(order, stripe_books) -> None:
    _first, second = late_success(order)
    with pytest.raises(intents.AlreadyPaid):
        online_payments.confirm_payment(second, VISA, source="api")
    second.refresh_from_db()
    assert (second.status, second.confirm_count, stripe_books.count("confirm")) == ("created", 0, 0)


def test_an_attempt_that_waits_is_withdrawn_once_another_paid(order, stripe_books) -> None:
    """A page or a code that stays open invites a second charge."""
    _first, second = late_success(order)
    ask(second, 4)
    assert (second.status, stripe_books.intents[second.provider_ref]["status"]) == ("canceled", "canceled")
    assert (Order.objects.get().status, Refund.objects.count()) == ("completed", 0)
    assert_invariants()


def test_nothing_is_made_at_the_provider_for_an_order_that_was_paid_meanwhile(order, stripe_books) -> None:
    attempt = factories.intent(order, gateway="stripe", method="token", account="")
    succeed(factories.intent(order, attempt=2, gateway="stripe", method="token"))
    assert intents.lease(attempt)
    intents.create(attempt, order, source="api")
    attempt.refresh_from_db()
    assert (attempt.status, stripe_books.calls) == ("canceled", [])


def test_no_attempt_begins_after_a_success_that_came_in_between(order, stripe_books) -> None:
    """`start_payment` looked, then the first attempt settled: the second one's row is not written."""
    first = start(order)
    closing.close(first, to="canceled", source="api")
    online_payments.must_be_unpaid(order)
    succeed(first)
    choice = online_payments.Choice(gateway="stripe", method="token")
    with pytest.raises(intents.AlreadyPaid):
        online_payments._record(order, choice, registry.get("stripe"), attempt=2, source="api", actor="")
    assert (PaymentIntent.objects.count(), stripe_books.count("create")) == (1, 1)


def test_a_success_without_an_amount_moves_nothing(order) -> None:
    intent = start(order)
    paid = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, provider_ref=intent.provider_ref)
    assert settlement.apply_result(intent, paid, source="webhook") == "refused"
    assert (Order.objects.get().status, StaffItem.objects.get().kind) == ("pending", "payment_mismatch")


# --- a gateway whose settings were taken away -------------------------------------------------------------------------
def test_a_gateway_that_went_away_leaves_its_attempts_readable(order, settings) -> None:
    """The status page answered 404 to people who may have paid."""
    start(order)
    settings.STRIPE_SECRET_KEY = ""
    page = Client().get(orders.status_path(order))
    assert page.status_code == 200
    assert PaymentIntent.objects.get().status == "created"


def test_a_gateway_that_went_away_does_not_hold_the_order_for_ever(order, settings, stripe_books) -> None:
    intent = start(order)
    key, settings.STRIPE_SECRET_KEY = settings.STRIPE_SECRET_KEY, ""
    closing.close(intent, to="canceled", source="api")
    assert (intent.status, ask(intent, 60).applied) == ("created", None)
    over = (intent.expires_at - timezone.now()).total_seconds() + 60
    ask(intent, over)
    assert (intent.status, intent.next_query_at is not None) == ("expired", True)
    settings.STRIPE_SECRET_KEY = key
    stripe_books.intents[intent.provider_ref]["payment_method"] = "pm_card_visa"
    stripe_books.passes(intent.provider_ref)
    ask(intent, over + 60)
    assert (intent.status, intent.settles_order) == ("succeeded", True)


# --- coming back ------------------------------------------------------------------------------------------------------
def test_a_provider_may_post_the_shopper_back(order) -> None:
    intent = start(order)
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        links.return_url(intent).split("testserver", 1)[-1].split(":8000", 1)[-1], {"a": "b"}
    )
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"https://shop.example/done?payment_id={intent.payment_id}",
    )


# --- one provider is down ---------------------------------------------------------------------------------------------
def test_a_silent_provider_does_not_keep_the_others_waiting(order, stripe_books, monkeypatch) -> None:
    """Each question to it may take a time-out; a lost success at another provider is to be settled within two minutes."""
    monkeypatch.setattr(sync, "_silent", {})
    now = timezone.now()
    due = [
        factories.intent(
            factories.order(kind=Order.Kind.MERCHANT), gateway="stripe", method="token", provider_ref=f"pi_test_{n}",
            status="processing", next_query_at=now - timedelta(minutes=9 - n), expires_at=now + timedelta(hours=1),
        ).pk
        for n in (1, 2)
    ]  # fmt: skip
    other = factories.intent(order, gateway="alipay", status="processing", next_query_at=now).pk
    assert sync.due() == [*due, other]
    stripe_books.fail("read", "down")
    assert sync.check_due(due[0])
    assert sync.due() == [other, due[1]]
