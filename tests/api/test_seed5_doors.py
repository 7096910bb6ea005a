"""Seed 5 at its edges: what is refused leaves nothing behind, and whatever rises out of a door has the seed's shape."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.services import api_keys
from orders.models import Order
from payments.models import PaymentIntent, WebhookEvent
from payments.services import switches
from tests import factories
from tests.support import seed1, seed5
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.stripe_books import DOWN, StripeBooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(db: None) -> Caller:
    made = seed5.server()
    made.post(f"{PAYMENTS}/methods", {})  # so that the key's last use is noted
    return made


@pytest.mark.parametrize("gateway_id", ["paypal", "pay_pal", "Stripe-1", "x", "credits", "a" * 300])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_webhook_of_nobody_we_know(method: str, gateway_id: str) -> None:
    answer = Client().generic(
        method, f"/api/v2/webhooks/{gateway_id}", b"{}", content_type="application/json",
        headers={"Accept": "text/html"},
    )  # fmt: skip
    assert answer["Content-Type"] == "application/json"
    assert_error(answer, 404, "GATEWAY_NOT_FOUND")
    assert not WebhookEvent.objects.exists()


def test_a_webhook_that_is_read_or_too_long(settings: Any) -> None:
    asked = Client().get("/api/v2/webhooks/stripe")
    assert_error(asked, 405, "METHOD_NOT_ALLOWED")
    assert asked["Allow"] == "POST"
    long = Client().post("/api/v2/webhooks/stripe", b"x" * 300_000, content_type="application/json")
    assert_error(long, 413, "TOO_LARGE")


@pytest.mark.parametrize("told", [
    {"via": "checkout"}, {"saves": "1"}, {"out_trade_no": "P1", "order_no": "P1"}, {"a[b]": "c"},
])  # fmt: skip
def test_no_name_in_the_metadata_changes_what_is_read(
    server: Caller, stripe_books: StripeBooks, told: dict[str, str]
) -> None:
    """`via: checkout` made a paid card "pay at the page", and a declined one wait for ever."""
    paid = server.pay(metadata=told).json()
    assert (paid["type"], paid.get("payment_status")) == ("success", "succeeded")
    intent = PaymentIntent.objects.get()
    assert intent.provider_ref == paid["transaction_id"] != ""
    sent = stripe_books.sent("create")[0]
    assert (sent["metadata[out_trade_no]"], "metadata[via]" in sent) == (intent.out_trade_no, False)
    assert "metadata[a[b]]" not in sent
    assert intent.metadata["client"] == told
    declined = server.pay("4000000000000002", metadata=told)
    assert (declined.status_code, declined.json()["error_code"]) == (402, "card_declined")


def test_an_order_that_cannot_be_paid_as_asked_is_not_made(server: Caller, stripe_books: StripeBooks) -> None:
    """It would have no buyer for ever, and the better request (with customer_id) would be refused."""
    order_id, alice = str(uuid.uuid4()), factories.user()
    before = seed1.rows()
    assert_error(server.pay(order_id=order_id, save_payment_method=True), 400, "INVALID_REQUEST")
    assert (seed1.rows(), stripe_books.calls) == (before, [])
    better = server.pay(order_id=order_id, save_payment_method=True, customer_id=str(alice.public_id))
    assert better.json()["payment_status"] == "succeeded"
    assert Order.objects.get().user == alice


def test_what_is_being_withdrawn_is_no_success(server: Caller, stripe_books: StripeBooks) -> None:
    payment_id = server.pay("4000002500003155").json()["payment_id"]
    one = f"{PAYMENTS}/{payment_id}"
    stripe_books.fail("cancel", DOWN, DOWN)
    assert_error(server.post(f"{one}/cancel"), 503, "PAYMENT_UNCERTAIN")
    unsure = server.post(f"{one}/complete")
    assert_error(unsure, 503, "PAYMENT_UNCERTAIN")
    assert unsure["Retry-After"] == "3"
    assert PaymentIntent.objects.get().status == "expiring"


def test_a_repeat_is_told_only_to_a_key_that_may_ask(stripe_books: StripeBooks) -> None:
    """Keys of one owner share their idempotency keys, not their scopes."""
    alice = factories.user()
    whole = seed5.server(user=alice)
    narrow = Caller(
        api_keys.create(kind="restricted", name="reader", user=alice, scopes=["payments:read"])[0]
    )
    first = whole.post(PAYMENTS, seed5.create(), Idempotency_Key="k-1")
    assert first.json()["payment_status"] == "succeeded"
    refused = narrow.post(PAYMENTS, seed5.create(), Idempotency_Key="k-1")
    assert_error(refused, 403, "FORBIDDEN")
    assert "Idempotent-Replayed" not in refused
    # And the other way round: the refusal of the one is not the answer of the other.
    assert_error(narrow.post(PAYMENTS, seed5.create(), Idempotency_Key="k-2"), 403, "FORBIDDEN")
    assert whole.post(PAYMENTS, seed5.create(), Idempotency_Key="k-2").json()["payment_status"] == "succeeded"


def test_who_may_not_hold_money_does_not_use_up_the_key(stripe_books: StripeBooks) -> None:
    alice = factories.user()
    made = seed5.server(user=alice).pay(payment_method=None, capture=False).json()
    path = f"{PAYMENTS}/{made['payment_id']}/cancel"
    key = {"Idempotency_Key": "k-3"}
    assert_error(seed5.shopper(alice).post(path, {}, **key), 403, "FORBIDDEN")
    assert seed5.server(user=alice).post(path, {}, **key).json()["status"] == "canceled"


def test_what_cannot_be_held_is_not_taken_instead(server: Caller, stripe_books: StripeBooks) -> None:
    """A bank transfer is debited at once: whoever wants to hold it first must not find it taken."""
    account = {
        "account_number": "000123456789",
        "routing_number": "110000000",
        "account_holder_name": "John Doe",
    }
    means = {"payment_method": {"type": "bank_transfer", "bank_transfer": account}}
    before = seed1.rows()
    for hold in ({"capture": False}, {"capture_method": "manual"}):
        assert_error(server.pay(**means, **hold), 400, "INVALID_REQUEST")
    assert (seed1.rows(), stripe_books.calls) == (before, [])
    assert server.pay(**means).json()["payment_status"] == "processing"


def test_a_gateway_that_was_switched_off_for_a_while_does_not_use_up_the_key(
    server: Caller, stripe_books: StripeBooks
) -> None:
    switches.switch(key="stripe", off=True, actor="staff", reason="trouble")
    key = {"Idempotency_Key": "k-4"}
    off = server.post(PAYMENTS, seed5.create(), **key)
    assert_error(off, 404, "GATEWAY_NOT_FOUND")
    assert off["Retry-After"] == "30"
    switches.switch(key="stripe", off=False, actor="staff", reason="over")
    assert server.post(PAYMENTS, seed5.create(), **key).json()["payment_status"] == "succeeded"
