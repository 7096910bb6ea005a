"""Seed 5: whose payment, whose order, whose key. What is foreign is 404, what is not allowed 403, unknown callers 401."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from accounts.services import api_keys
from payments.api import doors
from payments.models import PaymentIntent
from pimpshop.core import throttles
from tests import factories
from tests.support import seed5
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.stripe_books import StripeBooks

pytestmark = pytest.mark.django_db
VERBS = ("confirm", "complete", "cancel", "capture")
TOKEN = {"payment_method": {"type": "token", "token": "pm_card_visa"}}


def started_by(caller: Caller, **more: Any) -> tuple[str, str]:
    """(address, client secret) of a payment that waits for its confirmation."""
    told = caller.pay(payment_method=None, **more).json()
    return f"{PAYMENTS}/{told['payment_id']}", told["client_secret"]


def test_other_peoples_payments_do_not_exist(stripe_books: StripeBooks) -> None:
    alice, bob = factories.user(), factories.user()
    order = factories.order(kind="merchant", user=alice, total_minor=9999, currency="USD")
    one, _secret = started_by(seed5.shopper(alice), order_id=str(order.public_id))
    foreign = [seed5.shopper(bob), seed5.server(user=bob), seed5.page(), seed5.page(user=alice)]
    for caller in foreign:
        assert_error(caller.get(one), 404, "PAYMENT_NOT_FOUND")
        for verb in ("confirm", "complete"):
            assert_error(caller.post(f"{one}/{verb}", TOKEN), 404, "PAYMENT_NOT_FOUND")
    for caller in (seed5.shopper(alice), seed5.server(user=alice), seed5.server()):
        assert caller.get(one).json()["status"] == "created"
    assert_error(seed5.shopper(bob).post(f"{one}/cancel"), 404, "PAYMENT_NOT_FOUND")
    assert (stripe_books.count("confirm"), stripe_books.count("cancel")) == (0, 0)


def test_other_peoples_orders_do_not_exist(stripe_books: StripeBooks) -> None:
    alice, bob = factories.user(), factories.user()
    order = factories.order(kind="merchant", user=alice, total_minor=9999, currency="USD")
    for caller in (seed5.shopper(bob), seed5.server(user=bob), seed5.page(user=bob)):
        assert_error(caller.pay(order_id=str(order.public_id)), 404, "ORDER_NOT_FOUND")
    assert_error(
        seed5.shopper(alice).pay(order_id=str(order.public_id), customer_id=str(bob.public_id)),
        404,
        "CUSTOMER_NOT_FOUND",
    )
    assert (PaymentIntent.objects.count(), stripe_books.calls) == (0, [])


def test_only_servers_make_orders(stripe_books: StripeBooks) -> None:
    for caller in (seed5.shopper(factories.user()), seed5.page()):
        for order_id in (None, str(uuid.uuid4())):
            assert_error(caller.pay(order_id=order_id), 404, "ORDER_NOT_FOUND")
    alice = factories.user()
    assert seed5.server(user=alice).pay().status_code == 200
    assert PaymentIntent.objects.get().order.user == alice


def test_the_same_foreign_order_id_is_one_order(stripe_books: StripeBooks) -> None:
    server, order_id = seed5.server(), str(uuid.uuid4())
    assert server.pay("4000000000000002", order_id=order_id).status_code == 402
    assert_error(server.pay(order_id=order_id, amount="50.00"), 400, "INVALID_AMOUNT")
    assert server.pay(order_id=order_id).json()["type"] == "success"
    assert [intent.attempt for intent in PaymentIntent.objects.order_by("attempt")] == [1, 2]
    assert len({intent.order_id for intent in PaymentIntent.objects.all()}) == 1


def test_a_page_pays_an_order_and_sees_it_by_its_secret_alone(stripe_books: StripeBooks) -> None:
    order = factories.order(kind="merchant", total_minor=9999, currency="USD")
    page = seed5.page()
    told = page.pay("4000002500003155", order_id=str(order.public_id)).json()
    one = f"{PAYMENTS}/{told['payment_id']}"
    assert_error(page.get(one), 404, "PAYMENT_NOT_FOUND")
    for secret in ("", "shop_cs_wrong", told["client_secret"][:-1], told["client_secret"] + "x"):
        assert_error(page.get(one, X_Payment_Client_Secret=secret), 404, "PAYMENT_NOT_FOUND")
    opened = {"X_Payment_Client_Secret": told["client_secret"]}
    assert page.get(one, **opened).json()["status"] == "requires_action"
    assert page.post(f"{one}/complete", {}, **opened).json()["type"] == "requires_action"
    for verb in ("capture", "cancel", "refund"):
        assert_error(page.post(f"{one}/{verb}", {}, **opened), 403, "FORBIDDEN")
    assert_error(Caller().get(one, **opened), 401, "UNAUTHORIZED")
    other, _secret = started_by(seed5.server())
    assert_error(page.get(other, **opened), 404, "PAYMENT_NOT_FOUND")


def test_a_payment_that_is_found_again_has_a_new_secret(stripe_books: StripeBooks) -> None:
    order = factories.order(kind="merchant", total_minor=9999, currency="USD")
    page = seed5.page()
    one, first = started_by(page, order_id=str(order.public_id))
    again, second = started_by(page, order_id=str(order.public_id))
    assert (one == again, first == second) == (True, False)
    assert_error(page.get(one, X_Payment_Client_Secret=first), 404, "PAYMENT_NOT_FOUND")
    assert page.get(one, X_Payment_Client_Secret=second).status_code == 200
    assert stripe_books.count("create") == 1


def test_another_card_is_another_attempt_and_the_earlier_one_cannot_be_paid(
    stripe_books: StripeBooks,
) -> None:
    server, order_id = seed5.server(), str(uuid.uuid4())
    first = server.pay("4000002500003155", order_id=order_id).json()["payment_id"]
    told = server.pay(order_id=order_id).json()
    assert (told["type"], told["payment_id"] != first) == ("success", True)
    assert server.get(f"{PAYMENTS}/{first}").json()["status"] == "canceled"
    assert stripe_books.count("cancel") == 1


def test_unknown_callers(stripe_books: StripeBooks) -> None:
    one = f"{PAYMENTS}/pay_{uuid.uuid4()}"
    for caller in (Caller(), Caller("shop_sk_" + "x" * 43), Caller("rubbish")):
        answers = [
            caller.pay(),
            caller.get(one),
            *(caller.post(f"{one}/{verb}") for verb in (*VERBS, "refund")),
        ]
        for answer in answers:
            assert_error(answer, 401, "UNAUTHORIZED")
            assert answer["WWW-Authenticate"] == "Bearer"
    assert stripe_books.calls == []


def test_a_servers_key_in_a_page_is_refused(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    assert_error(server.post(PAYMENTS, seed5.create(), Origin="https://shop.example.com"), 403, "FORBIDDEN")
    assert stripe_books.calls == []


def test_a_restricted_key_does_what_its_scopes_say(stripe_books: StripeBooks) -> None:
    one, _secret = started_by(seed5.server())
    reads = Caller(api_keys.create(kind="restricted", name="reads", scopes=["payments:read"])[0])
    assert reads.get(one).status_code == 200
    for answer in (reads.pay(), *(reads.post(f"{one}/{verb}", TOKEN) for verb in (*VERBS, "refund"))):
        assert_error(answer, 403, "FORBIDDEN")


def test_rate_limits_per_person_key_and_address(stripe_books: StripeBooks, monkeypatch: Any) -> None:
    few = throttles.Limit("test-few", 2, 60)
    one = f"{PAYMENTS}/pay_{uuid.uuid4()}"
    for name in ("READ_PER_PERSON", "READ_PER_SERVER"):
        monkeypatch.setattr(doors, name, few)
    for caller in (seed5.shopper(factories.user()), seed5.server(), seed5.page()):
        statuses = [caller.get(one).status_code for _ in range(3)]
        assert statuses == [404, 404, 429]
        refused = caller.get(one)
        assert_error(refused, 429, "RATE_LIMITED")
        assert 1 <= int(refused["Retry-After"]) <= 60
    monkeypatch.setattr(doors, "PER_ADDRESS", throttles.Limit("test-address", 1, 60))
    assert [Caller("rubbish").get(one).status_code for _ in range(2)] == [401, 429]
