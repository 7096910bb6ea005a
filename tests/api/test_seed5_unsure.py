"""Seed 5 when answers are lost, providers are down, and many ask at once: one payment, one charge, told as it is."""

from __future__ import annotations

from typing import Any

import pytest

from payments.models import PaymentIntent
from payments.services import sync
from pimpshop.core.models import IdempotencyRecord
from tests.support import seed5, threads
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.shop import assert_invariants, later
from tests.support.stripe_books import DOWN, LOST, StripeBooks


@pytest.fixture
def server(db: None) -> Caller:
    return seed5.server()


def ask_what_is_due() -> None:
    """The sweeper's round about payments."""
    for pk in sync.due():
        sync.check_due(pk)


def charged(stripe_books: StripeBooks) -> int:
    return sum(intent["status"] == "succeeded" for intent in stripe_books.intents.values())


@pytest.mark.django_db(transaction=True)
def test_eight_creates_with_one_key_are_one_payment(server: Caller, stripe_books: StripeBooks) -> None:
    stripe_books.delay = 0.05
    answers = threads.together(8, lambda n: server.pay(idempotency_key="unique-key-123"))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {a.json()["error"]["code"] for a in answers if a.status_code == 409} <= {"IDEMPOTENCY_KEY_REUSED"}
    assert all("Retry-After" in a.headers for a in answers if a.status_code == 409)
    again = server.pay(idempotency_key="unique-key-123")
    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert {a.content for a in answers if a.status_code == 200} == {again.content}
    assert (PaymentIntent.objects.count(), stripe_books.count("create"), charged(stripe_books)) == (1, 1, 1)
    assert_error(server.pay(idempotency_key="unique-key-123", amount="50.00"), 409, "IDEMPOTENCY_KEY_REUSED")
    assert_invariants()


@pytest.mark.django_db(transaction=True)
def test_eight_creates_of_one_order_without_a_key_charge_once(
    server: Caller, stripe_books: StripeBooks
) -> None:
    order_id = "550e8400-e29b-41d4-a716-446655440100"
    answers = threads.together(8, lambda n: server.pay(order_id=order_id))
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    with later(seconds=200):
        ask_what_is_due()
    assert charged(stripe_books) == 1
    assert PaymentIntent.objects.filter(settles_order=True).count() == 1
    assert_invariants()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["query", "sweep", "complete"])
def test_a_lost_answer_is_processing_and_settles_once(
    server: Caller, stripe_books: StripeBooks, how: str
) -> None:
    stripe_books.fail("confirm", LOST)
    told = server.pay()
    assert (told.status_code, told.json()["type"], told.json()["payment_status"]) == (
        200,
        "success",
        "processing",
    )
    one = f"{PAYMENTS}/{told.json()['payment_id']}"
    with later(seconds=10):
        if how == "sweep":
            ask_what_is_due()
        elif how == "complete":
            assert server.post(f"{one}/complete", {}).json()["payment_status"] == "succeeded"
        else:
            assert {answer.status_code for answer in threads.together(6, lambda n: server.get(one))} == {200}
    assert server.get(one).json()["status"] == "succeeded"
    assert (stripe_books.count("confirm"), charged(stripe_books)) == (1, 1)
    assert PaymentIntent.objects.get().events.filter(to_status="succeeded").count() == 1
    assert_invariants()


@pytest.mark.django_db
def test_a_provider_that_is_down_charges_nothing_and_frees_the_key(
    server: Caller, stripe_books: StripeBooks
) -> None:
    stripe_books.fail("create", DOWN)
    answer = server.pay(idempotency_key="k1")
    assert answer.status_code in (502, 503), answer.content
    assert answer.json()["error"]["code"] in ("GATEWAY_ERROR", "PAYMENT_UNCERTAIN")
    assert not IdempotencyRecord.objects.exists()
    assert (charged(stripe_books), PaymentIntent.objects.filter(status="succeeded").count()) == (0, 0)
    assert server.pay(idempotency_key="k1").json()["payment_status"] == "succeeded"


@pytest.mark.django_db
@pytest.mark.parametrize("error", [
    (401, {"type": "invalid_request_error", "message": "Invalid API Key provided"}),
    (402, {"type": "invalid_request_error", "message": "Sending credit card numbers directly is unsafe."}),
])  # fmt: skip
def test_our_own_fault_is_never_told_as_the_cards(
    server: Caller, stripe_books: StripeBooks, error: Any
) -> None:
    stripe_books.fail("method", error)
    told = assert_error(server.pay(), 502, "GATEWAY_ERROR")
    assert "key" not in told["message"].lower()
    assert charged(stripe_books) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "code"), [
    ({"code": "amount_too_small"}, "INVALID_AMOUNT"), ({"code": "amount_too_large"}, "INVALID_AMOUNT"),
    ({"param": "currency", "message": "Invalid currency: usd"}, "INVALID_CURRENCY"),
])  # fmt: skip
def test_what_stripe_does_not_take(server: Caller, stripe_books: StripeBooks, error: Any, code: str) -> None:
    stripe_books.fail("create", (400, {"type": "invalid_request_error", "message": "No.", **error}))
    answer = server.pay()
    assert_error(answer, 400, code)
    assert answer.json()["type"] == "failed"


@pytest.mark.django_db
def test_a_decline_is_kept_under_its_key_and_another_card_needs_another(
    server: Caller, stripe_books: StripeBooks
) -> None:
    first = server.pay("4000000000000002", idempotency_key="k1")
    again = server.pay("4000000000000002", idempotency_key="k1")
    assert (again.status_code, again.json()) == (402, first.json())
    assert_error(server.pay("4242424242424242", idempotency_key="k1"), 409, "IDEMPOTENCY_KEY_REUSED")
    assert stripe_books.count("confirm") == 1
    answer = server.post(PAYMENTS, seed5.create(idempotency_key="k1"), Idempotency_Key="k2")
    assert_error(answer, 400, "INVALID_REQUEST")
