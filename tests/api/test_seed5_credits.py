"""Seed 5 and credits: the gateway `credits` for a user's token, with the balance as the maximum, and paying with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orders.models import Order
from payments.models import PaymentIntent
from pimpshop.core import invariants
from tests.support import seed5, spending
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.spending import order, shopper, stands, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    assert [str(v) for v in invariants.violations()] == []


def methods(caller: Caller, currency: str = "CREDITS", amount: str = "1500") -> dict[str, Any]:
    answer = caller.post(f"{PAYMENTS}/methods", {"currency": currency, "amount": amount})
    assert answer.status_code == 200, answer.content
    return {entry["gateway_id"]: entry for entry in answer.json()}


def pay(caller: Caller, of: Order, **more: Any) -> Any:
    body = {"gateway_id": "credits", "amount": "1500", "currency": "CREDITS", "order_id": str(of.public_id)}
    return caller.post(PAYMENTS, {**body, "payment_method": {"type": "credits"}, **more})


def test_a_users_token_is_offered_their_balance() -> None:
    entry = methods(seed5.shopper(shopper(2000)))
    assert set(entry) == {"credits"}
    assert entry["credits"]["gateway_name"] == "Credits"
    assert entry["credits"]["payment_methods"] == [
        {
            "method_type": "credits", "enabled": True, "display_name": "Credits", "requires_redirect": False,
            "supports_3ds": False, "supports_tokenization": False, "supports_recurring": False, "required_fields": [],
            "supported_currencies": ["CREDITS"], "min_amount": "1", "max_amount": "2000",
        }
    ]  # fmt: skip


def test_nobody_else_is_and_money_is_not_credits() -> None:
    assert methods(seed5.shopper(shopper(1499))) == {}
    assert methods(seed5.server()) == {}
    assert "credits" not in methods(seed5.shopper(shopper()), "USD", "9.99")


@pytest.mark.parametrize("means", [{"type": "credits"}, None])
def test_a_payment_pays_and_tells(means: Any) -> None:
    alice = shopper()
    bought = order(alice, "CREDITS")
    more = {} if means is None else {"payment_method": means}
    answer = pay(seed5.shopper(alice), bought, **more)
    body = answer.json()
    assert answer.status_code == 200, body
    intent = PaymentIntent.objects.get()
    assert (body["type"], body["payment_status"], body["payment_id"]) == (
        "success", "succeeded", intent.payment_id,
    )  # fmt: skip
    assert body["payment_method"]["method_type"] == "credits"
    assert (stands(bought)[0], told(alice)) == ("paid", (500, 0))
    read = seed5.shopper(alice).get(f"{PAYMENTS}/{intent.payment_id}").json()
    assert (read["status"], read["amount"], read["currency"]) == ("succeeded", "1500", "CREDITS")


def test_the_same_key_pays_once_and_another_is_told_that_it_is_paid() -> None:
    alice = shopper(5000)
    bought, caller = order(alice, "CREDITS"), seed5.shopper(alice)
    body = {
        "gateway_id": "credits",
        "amount": "1500",
        "currency": "CREDITS",
        "order_id": str(bought.public_id),
    }
    answers = [caller.post(PAYMENTS, body, Idempotency_Key="once") for _again in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["payment_id"] == answers[1].json()["payment_id"]
    assert_error(pay(caller, bought), 409, "ALREADY_PAID")
    assert told(alice) == (3500, 0)


def test_too_few_credits_are_said_to_be_that() -> None:
    alice = shopper(100)
    bought = order(alice, "CREDITS")
    answer = pay(seed5.shopper(alice), bought)
    assert answer.status_code == 402
    assert (answer.json()["error_code"], answer.json()["error_message"]) == (
        "insufficient_funds", "There are not enough credits. Nothing was spent.",
    )  # fmt: skip
    assert (stands(bought)[0], told(alice)) == ("pending", (100, 0))


def test_only_their_owner_pays_with_credits() -> None:
    alice, bob = shopper(), shopper()
    bought = order(alice, "CREDITS")
    assert_error(pay(seed5.shopper(bob), bought), 404, "ORDER_NOT_FOUND")
    assert_error(pay(seed5.server(), bought), 403, "FORBIDDEN")
    assert (stands(bought)[0], told(alice), told(bob)) == ("pending", (2000, 0), (2000, 0))
    assert PaymentIntent.objects.count() == 0


def test_an_order_in_money_is_not_paid_with_credits_here() -> None:
    alice = shopper()
    bought = order(alice)
    assert_error(pay(seed5.shopper(alice), bought), 400, "INVALID_CURRENCY")
    assert_error(pay(seed5.shopper(alice), bought, currency="GBP", amount="19.99"), 400, "INVALID_CURRENCY")
    assert told(alice) == (2000, 0)


def test_what_is_due_beside_a_part_is_the_amount() -> None:
    from payments.services import credit_payments

    alice = shopper()
    bought = order(alice)
    credit_payments.use(bought, user=alice, amount=750, source="page")
    body = seed5.create(
        gateway_id="stripe", order_id=str(bought.public_id), currency="GBP", customer_email=None
    )
    caller = seed5.shopper(alice)
    assert_error(caller.post(PAYMENTS, {**body, "amount": "19.99"}), 400, "INVALID_AMOUNT")
    assert spending.stands(bought) == ("pending", 999)


def test_refund_through_the_api_gives_credits_back() -> None:
    alice = shopper()
    intent = spending.pay_all(order(alice, "CREDITS"), alice)
    caller = seed5.server()
    path = f"{PAYMENTS}/{intent.payment_id}/refund"
    assert caller.post(path, {"amount": "400"}, Idempotency_Key="r1").json()["status"] == "succeeded"
    assert told(alice) == (900, 0)
    assert_error(caller.post(path, {"amount": "1101"}), 400, "REFUND_AMOUNT_INVALID")
    assert caller.post(path, {}).json()["status"] == "succeeded"
    assert (told(alice), stands(intent.order)[0]) == ((2000, 0), "refunded")
