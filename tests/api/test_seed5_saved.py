"""Seed 5, payment methods that customers keep: saved, listed, chosen, paid with, removed; and whose they are."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from payments.models import PaymentIntent, ProviderCustomer, SavedPaymentMethod
from tests import factories
from tests.support import seed5
from tests.support.seed5 import Caller, assert_error, card
from tests.support.stripe_books import DOWN, StripeBooks

pytestmark = pytest.mark.django_db
METHODS = "/api/v2/payment-methods"
SHOWN = {
    "method_type": "card", "last_four": "4242", "card_brand": "visa", "exp_month": "12", "exp_year": "2035",
    "cardholder_name": "John Doe",
}  # fmt: skip


@pytest.fixture
def alice(db: None) -> Any:
    return factories.user()


@pytest.fixture
def shopper(alice: Any) -> Caller:
    return seed5.shopper(alice)


def save(caller: Caller, number: str = "4242424242424242", **more: Any) -> Any:
    return caller.post(METHODS, {"gateway_id": "stripe", "payment_method_data": card(number), **more})


def listed(caller: Caller, user: Any) -> list[dict[str, Any]]:
    answer = caller.get(f"/api/v2/customers/{user.public_id}/payment-methods")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()
    return found


def test_the_seeds_saving_listing_and_removing(
    alice: Any, shopper: Caller, stripe_books: StripeBooks
) -> None:
    answer = save(shopper, set_as_default=True)
    row = SavedPaymentMethod.objects.get()
    assert (answer.status_code, answer.json()) == (200, {
        "token": f"pm_{row.public_id}", "payment_method": SHOWN, "expires_at": None,
    })  # fmt: skip
    assert listed(shopper, alice) == [{"token": row.token, **SHOWN, "is_default": True}]
    shopper.language = None
    gone = shopper.send("DELETE", f"{METHODS}/{row.token}")
    told = gone.json()
    assert (gone.status_code, told.pop("message") in ("支付方式已删除", "Payment method deleted")) == (
        200,
        True,
    )
    assert told == {"success": True, "token": row.token}
    assert (stripe_books.count("detach"), listed(shopper, alice)) == (1, [])
    assert_error(shopper.send("DELETE", f"{METHODS}/{row.token}"), 404, "PAYMENT_METHOD_NOT_FOUND")


def test_a_saved_card_pays_its_owners_orders(alice: Any, shopper: Caller, stripe_books: StripeBooks) -> None:
    token = save(shopper).json()["token"]
    order = factories.order(kind="merchant", user=alice, total_minor=9999, currency="USD")
    saved = {"payment_method": {"type": "saved_card", "token": token}}
    told = shopper.pay(order_id=str(order.public_id), **saved).json()
    assert (told["type"], told["payment_method"]["token"]) == ("success", token)
    assert stripe_books.sent("create")[0]["customer"] == ProviderCustomer.objects.get().customer_ref
    paid = seed5.server().pay(**saved).json()
    assert paid["type"] == "success"
    assert PaymentIntent.objects.get(public_id=paid["payment_id"][4:]).order.user == alice


def test_nobody_else_pays_with_it(alice: Any, shopper: Caller, stripe_books: StripeBooks) -> None:
    token, bob = save(shopper).json()["token"], factories.user()
    saved = {"payment_method": {"type": "saved_card", "token": token}}
    order = factories.order(kind="merchant", user=bob, total_minor=9999, currency="USD")
    guests = factories.order(kind="merchant", total_minor=9999, currency="USD")
    mine = factories.order(kind="merchant", user=alice, total_minor=9999, currency="USD")
    tries = [
        seed5.shopper(bob).pay(order_id=str(order.public_id), **saved),
        seed5.server(user=bob).pay(**saved),
        seed5.server().pay(order_id=str(order.public_id), **saved),
        seed5.server().pay(order_id=str(guests.public_id), **saved),
        seed5.page().pay(order_id=str(mine.public_id), **saved),
        seed5.page().pay(order_id=str(guests.public_id), **saved),
    ]
    for answer in tries:
        assert_error(answer, 404, "PAYMENT_METHOD_NOT_FOUND")
    assert (stripe_books.count("create"), PaymentIntent.objects.count()) == (0, 0)


def test_nobody_else_sees_or_removes_it(alice: Any, shopper: Caller, stripe_books: StripeBooks) -> None:
    token, bob = save(shopper).json()["token"], factories.user()
    for caller in (seed5.shopper(bob), seed5.server(user=bob)):
        path = f"/api/v2/customers/{alice.public_id}/payment-methods"
        assert_error(caller.get(path), 404, "CUSTOMER_NOT_FOUND")
        assert_error(caller.send("DELETE", f"{METHODS}/{token}"), 404, "PAYMENT_METHOD_NOT_FOUND")
        assert_error(caller.post(f"{METHODS}/{token}/default"), 404, "PAYMENT_METHOD_NOT_FOUND")
        assert_error(save(caller, customer_id=str(alice.public_id)), 404, "CUSTOMER_NOT_FOUND")
    assert_error(seed5.page().send("DELETE", f"{METHODS}/{token}"), 403, "FORBIDDEN")
    assert_error(Caller().get(f"/api/v2/customers/{alice.public_id}/payment-methods"), 401, "UNAUTHORIZED")
    assert (len(listed(seed5.server(), alice)), stripe_books.count("detach")) == (1, 0)


def test_a_server_says_whose_card_it_is(alice: Any, stripe_books: StripeBooks) -> None:
    server = seed5.server()
    assert_error(save(server), 400, "INVALID_REQUEST")
    assert_error(save(server, customer_id=str(uuid.uuid4())), 404, "CUSTOMER_NOT_FOUND")
    assert stripe_books.calls == []
    assert save(server, customer_id=str(alice.public_id)).status_code == 200
    assert SavedPaymentMethod.objects.get().user == alice


def test_one_default(alice: Any, shopper: Caller, stripe_books: StripeBooks) -> None:
    first, second = (save(shopper, set_as_default=True).json()["token"] for _ in range(2))
    assert [(m["token"], m["is_default"]) for m in listed(shopper, alice)] == [(second, True), (first, False)]
    chosen = shopper.post(f"{METHODS}/{first}/default")
    assert chosen.json() == {"token": first, **SHOWN, "is_default": True}
    assert [m["is_default"] for m in listed(shopper, alice)] == [True, False]


def test_a_card_that_the_bank_checks_first(alice: Any, shopper: Caller, stripe_books: StripeBooks) -> None:
    told = save(shopper, "4000002500003155", set_as_default=True).json()
    setup = next(iter(stripe_books.setups))
    assert (told["type"], told["action_type"]) == ("requires_action", "three_d_secure")
    assert told["action_data"]["redirect_url"] == f"https://hooks.stripe.example/{setup}"
    assert listed(shopper, alice) == []
    stripe_books.setups[setup] |= {"status": "succeeded", "next_action": None}
    assert [(m["token"], m["is_default"]) for m in listed(shopper, alice)] == [(told["token"], True)]


@pytest.mark.parametrize("use", ["pay", "default", "remove"])
def test_a_card_that_the_bank_has_checked_is_used_without_listing_it_first(
    alice: Any, shopper: Caller, stripe_books: StripeBooks, use: str
) -> None:
    token = save(shopper, "4000002500003155").json()["token"]
    setup = next(iter(stripe_books.setups))
    paid_with = {
        "customer_id": str(alice.public_id),
        "payment_method": {"type": "saved_card", "token": token},
    }

    def used() -> Any:
        if use == "pay":
            return seed5.server().pay(**paid_with)
        path = f"{METHODS}/{token}"
        return shopper.send("DELETE", path) if use == "remove" else shopper.post(f"{path}/default")

    assert_error(used(), 404, "PAYMENT_METHOD_NOT_FOUND")
    assert PaymentIntent.objects.count() == 0
    assert_error(
        seed5.shopper(factories.user()).post(f"{METHODS}/{token}/default"), 404, "PAYMENT_METHOD_NOT_FOUND"
    )
    assert stripe_books.count("read_setup") == 1  # a stranger's question asks nobody
    stripe_books.setups[setup] |= {"status": "succeeded", "next_action": None}
    assert used().status_code == 200


def test_the_same_method_again_may_become_the_default(
    alice: Any, shopper: Caller, stripe_books: StripeBooks
) -> None:
    for default in (False, True):
        answer = shopper.post(METHODS, {
            "gateway_id": "stripe", "set_as_default": default,
            "payment_method_data": {"type": "token", "token": "pm_card_visa"},
        })  # fmt: skip
        assert answer.status_code == 200
    assert [method["is_default"] for method in listed(shopper, alice)] == [True]


@pytest.mark.parametrize(("number", "code"), [
    ("4000000000000002", "CARD_DECLINED"), ("4000000000000127", "INCORRECT_CVC"),
])  # fmt: skip
def test_a_card_that_is_declined_is_not_kept(
    shopper: Caller, stripe_books: StripeBooks, number: str, code: str
) -> None:
    assert_error(save(shopper, number), 402, code)
    assert not SavedPaymentMethod.objects.exists()


def test_a_provider_that_is_away(shopper: Caller, stripe_books: StripeBooks) -> None:
    stripe_books.fail("save", DOWN)
    assert_error(save(shopper), 502, "GATEWAY_ERROR")
    assert not SavedPaymentMethod.objects.exists()
    token = save(shopper).json()["token"]
    stripe_books.fail("detach", DOWN)
    assert_error(shopper.send("DELETE", f"{METHODS}/{token}"), 502, "GATEWAY_ERROR")
    assert SavedPaymentMethod.objects.filter(removed_at=None).count() == 1


@pytest.mark.parametrize("body", [
    {}, {"gateway_id": "stripe"}, {"payment_method_data": card()}, {"gateway_id": "alipay", "payment_method_data": card()},
    {"gateway_id": "stripe", "payment_method_data": {"type": "alipay"}},
    {"gateway_id": "stripe", "payment_method_data": card("4242424242424241")},
    {"gateway_id": "stripe", "payment_method_data": card(), "set_as_default": "yes"},
])  # fmt: skip
def test_savings_that_are_none(shopper: Caller, stripe_books: StripeBooks, body: Any) -> None:
    answer = shopper.post(METHODS, body)
    assert (answer.status_code, answer.json()["error"]["code"][:7]) == (400, "INVALID"), answer.content
    assert (SavedPaymentMethod.objects.count(), stripe_books.calls) == (0, [])


def test_saved_while_paying(alice: Any, shopper: Caller, stripe_books: StripeBooks) -> None:
    order = factories.order(kind="merchant", user=alice, total_minor=9999, currency="USD")
    told = shopper.pay(order_id=str(order.public_id), save_payment_method=True).json()
    assert told["type"] == "success"
    assert stripe_books.sent("create")[0]["setup_future_usage"] == "off_session"
    assert [m["token"] for m in listed(shopper, alice)] == [told["payment_method"]["token"]]


@pytest.mark.parametrize("path", ["/api/v1/payment-methods", "/api/v2/payment-methods/"])
def test_both_versions_and_both_slash_forms(shopper: Caller, stripe_books: StripeBooks, path: str) -> None:
    answer = shopper.post(path, {"gateway_id": "stripe", "payment_method_data": card()})
    assert answer.status_code == 200
