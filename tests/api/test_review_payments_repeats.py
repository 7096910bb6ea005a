"""Seed 5: the same request again after its first answer was never given (a killed process): nothing is paid or given back twice."""

from __future__ import annotations

import uuid

import pytest

from orders.models import Order
from payments.models import PaymentIntent, Refund
from pimpshop.core.models import IdempotencyRecord
from tests.support import seed5
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.shop import assert_invariants
from tests.support.stripe_books import LOST, StripeBooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(db: None) -> Caller:
    return seed5.server()


def killed() -> None:
    """The answer was never stored, and the lease of the key has lapsed."""
    IdempotencyRecord.objects.all().delete()


def test_a_payment_is_charged_once_however_often_it_is_asked_for(
    server: Caller, stripe_books: StripeBooks
) -> None:
    first = server.post(PAYMENTS, seed5.create(), Idempotency_Key="k1").json()
    killed()
    answer = server.post(PAYMENTS, seed5.create(), Idempotency_Key="k1")
    again = answer.json()
    assert (answer.status_code, again["type"], again["payment_id"]) == (200, "success", first["payment_id"])
    assert (stripe_books.count("confirm"), Order.objects.count(), PaymentIntent.objects.count()) == (1, 1, 1)
    opened = Caller(seed5.page().bearer).get(
        f"{PAYMENTS}/{again['payment_id']}", X_Payment_Client_Secret=again["client_secret"]
    )
    assert opened.status_code == 200


def test_a_repeat_that_names_its_order_finds_its_own_payment(
    server: Caller, stripe_books: StripeBooks
) -> None:
    """And another request for that order, or the same without a key, is told that it is paid."""
    body = seed5.create(order_id=str(uuid.uuid4()))
    first = server.post(PAYMENTS, body, Idempotency_Key="k1").json()
    killed()
    again = server.post(PAYMENTS, body, Idempotency_Key="k1")
    assert (again.status_code, again.json()["payment_id"]) == (200, first["payment_id"])
    for key in ({"Idempotency_Key": "k2"}, {}):
        assert_error(server.post(PAYMENTS, body, **key), 409, "ALREADY_PAID")
    assert_error(seed5.server().post(PAYMENTS, body, Idempotency_Key="k1"), 409, "ALREADY_PAID")
    assert (stripe_books.count("confirm"), PaymentIntent.objects.count()) == (1, 1)


def test_a_lost_confirmation_is_not_repeated_under_another_order(
    server: Caller, stripe_books: StripeBooks
) -> None:
    stripe_books.fail("confirm", LOST)
    server.post(PAYMENTS, seed5.create(), Idempotency_Key="k1")
    killed()
    answer = server.post(PAYMENTS, seed5.create(), Idempotency_Key="k1")
    assert (answer.status_code, answer.json()["error"]["code"].upper()) == (409, "ALREADY_PAID")
    paid = [one for one in stripe_books.intents.values() if one["status"] == "succeeded"]
    assert (len(paid), Order.objects.count()) == (1, 1)
    assert PaymentIntent.objects.get().status == "succeeded"


@pytest.mark.parametrize("other", ["key", "body", "caller"])
def test_another_request_is_another_payment(server: Caller, stripe_books: StripeBooks, other: str) -> None:
    server.post(PAYMENTS, seed5.create(), Idempotency_Key="k1")
    killed()
    caller = seed5.server() if other == "caller" else server
    body = seed5.create(amount="5.00") if other == "body" else seed5.create()
    answer = caller.post(PAYMENTS, body, Idempotency_Key="k2" if other == "key" else "k1")
    assert (answer.status_code, Order.objects.count(), stripe_books.count("confirm")) == (200, 2, 2)


def test_a_part_is_given_back_once(server: Caller, stripe_books: StripeBooks) -> None:
    paid = f"{PAYMENTS}/{server.pay().json()['payment_id']}"
    first = server.post(f"{paid}/refund", {"amount": "10.00"}, Idempotency_Key="r1").json()
    killed()
    again = server.post(f"{paid}/refund", {"amount": "10.00"}, Idempotency_Key="r1").json()
    assert (again["refund_id"], Refund.objects.count(), len(stripe_books.refunds)) == (
        first["refund_id"],
        1,
        1,
    )
    server.post(f"{paid}/refund", {"amount": "10.00"}, Idempotency_Key="r2")
    assert (Refund.objects.count(), len(stripe_books.refunds)) == (2, 2)
    assert_invariants()
