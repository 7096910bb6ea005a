"""Seed 5: bad input at every address that writes. It is named, never echoed, and nothing happens."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from payments.models import PaymentIntent
from tests import factories
from tests.support import refusals, seed1, seed5
from tests.support.seed5 import CARD, PAYMENTS, Caller, assert_error, card
from tests.support.stripe_books import StripeBooks

pytestmark = pytest.mark.django_db
NONE = str(uuid.UUID(int=7))
SECRET_WORD = "Zx9-very-secret-4242"


@pytest.fixture
def server(db: None) -> Caller:
    made = seed5.server()
    made.post(f"{PAYMENTS}/methods", {})  # so that the key's last use is noted
    return made


def with_card(**changes: Any) -> dict[str, Any]:
    given = {name: value for name, value in (CARD | changes).items() if value is not None}
    return {"payment_method": {"type": "card", "card": given}}


BAD_CREATE: dict[str, tuple[dict[str, Any], int, str]] = {
    "no gateway": ({"gateway_id": None}, 400, "INVALID_REQUEST"),
    "a gateway that is a number": ({"gateway_id": 7}, 400, "INVALID_REQUEST"),
    "an unknown gateway": ({"gateway_id": "paypal"}, 404, "GATEWAY_NOT_FOUND"),
    "the machine": ({"gateway_id": "machine"}, 400, "INVALID_PAYMENT_METHOD"),
    "a long gateway": ({"gateway_id": "s" * 10_000}, 400, "INVALID_REQUEST"),
    "no amount": ({"amount": None}, 400, "INVALID_AMOUNT"),
    "a word": ({"amount": "lots"}, 400, "INVALID_AMOUNT"),
    "too many decimals": ({"amount": "1.005"}, 400, "INVALID_AMOUNT"),
    "nothing": ({"amount": "0"}, 400, "INVALID_AMOUNT"),
    "less than nothing": ({"amount": "-99.99"}, 400, "INVALID_AMOUNT"),
    "below Stripe's least": ({"amount": "0.49"}, 400, "INVALID_AMOUNT"),
    "above Stripe's most": ({"amount": "1000000"}, 400, "INVALID_AMOUNT"),
    "an amount in a list": ({"amount": ["99.99"]}, 400, "INVALID_AMOUNT"),
    "no currency": ({"currency": None}, 400, "INVALID_CURRENCY"),
    "a currency that is none": ({"currency": "ABC"}, 400, "INVALID_CURRENCY"),
    "a currency that the gateway has not": ({"gateway_id": "wechatpay", "currency": "USD"}, 400, "INVALID_CURRENCY"),
    "another type's gateway": ({"gateway_id": "alipay", "currency": "CNY"}, 400, "INVALID_PAYMENT_METHOD"),
    "a text for a method": ({"payment_method": SECRET_WORD}, 400, "INVALID_PAYMENT_METHOD"),
    "a method without a type": ({"payment_method": {"card": CARD}}, 400, "INVALID_PAYMENT_METHOD"),
    "an unknown type": ({"payment_method": {"type": SECRET_WORD}}, 400, "INVALID_PAYMENT_METHOD"),
    "a card type without a card": ({"payment_method": {"type": "card"}}, 400, "INVALID_PAYMENT_METHOD"),
    "a saved card of Stripe's": ({"payment_method": {"type": "saved_card", "token": "card_1234567890"}}, 400,
                                 "INVALID_PAYMENT_METHOD"),
    "nobody's saved card": ({"payment_method": {"type": "saved_card", "token": f"pm_{NONE}"}}, 404,
                            "PAYMENT_METHOD_NOT_FOUND"),
    "no number": (with_card(number=None), 400, "INVALID_PAYMENT_METHOD"),
    "a number that fails Luhn": (with_card(number="4242424242424241"), 400, "INVALID_PAYMENT_METHOD"),
    "a number of zeros": (with_card(number="0000000000000000"), 400, "INVALID_PAYMENT_METHOD"),
    "a short number": (with_card(number="4242"), 400, "INVALID_PAYMENT_METHOD"),
    "a long number": (with_card(number="42" * 200), 400, "INVALID_PAYMENT_METHOD"),
    "letters": (with_card(number=SECRET_WORD), 400, "INVALID_PAYMENT_METHOD"),
    "Arabic digits": (with_card(number="٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"), 400, "INVALID_PAYMENT_METHOD"),
    "month 13": (with_card(exp_month=13), 400, "INVALID_PAYMENT_METHOD"),
    "month 0": (with_card(exp_month="0"), 400, "INVALID_PAYMENT_METHOD"),
    "an expired card": (with_card(exp_year=2025), 400, "INVALID_PAYMENT_METHOD"),
    "a year with two digits": (with_card(exp_year=35), 400, "INVALID_PAYMENT_METHOD"),
    "a year far away": (with_card(exp_year=2999), 400, "INVALID_PAYMENT_METHOD"),
    "a short CVC": (with_card(cvc="12"), 400, "INVALID_PAYMENT_METHOD"),
    "a long CVC": (with_card(cvc="12345"), 400, "INVALID_PAYMENT_METHOD"),
    "no CVC": (with_card(cvc=None), 400, "INVALID_PAYMENT_METHOD"),
    "true for a CVC": (with_card(cvc=True), 400, "INVALID_PAYMENT_METHOD"),
    "a long name": (with_card(name="x" * 101), 400, "INVALID_PAYMENT_METHOD"),
    "a bank without an account": ({"payment_method": {"type": "bank_transfer", "bank_transfer": {}}}, 400,
                                  "INVALID_PAYMENT_METHOD"),
    "an order that is no id": ({"order_id": "1001"}, 400, "INVALID_REQUEST"),
    "an order that is a number": ({"order_id": 1001}, 400, "INVALID_REQUEST"),
    "an unknown customer": ({"customer_id": NONE}, 404, "CUSTOMER_NOT_FOUND"),
    "a customer that is no id": ({"customer_id": "me"}, 400, "INVALID_REQUEST"),
    "an address that is none": ({"customer_email": "nobody"}, 400, "INVALID_REQUEST"),
    "a long description": ({"description": "x" * 501}, 400, "INVALID_REQUEST"),
    "a list for metadata": ({"metadata": []}, 400, "INVALID_REQUEST"),
    "deep metadata": ({"metadata": {"a": {"b": 1}}}, 400, "INVALID_REQUEST"),
    "much metadata": ({"metadata": {str(n): "x" for n in range(21)}}, 400, "INVALID_REQUEST"),
    "a foreign return address": ({"return_url": "https://evil.example/"}, 400, "REDIRECT_NOT_ALLOWED"),
    "a script for an address": ({"return_url": "javascript:alert(1)"}, 400, "REDIRECT_NOT_ALLOWED"),
    "text for a flag": ({"save_payment_method": "yes"}, 400, "INVALID_REQUEST"),
    "saved for nobody": ({"save_payment_method": True}, 400, "INVALID_REQUEST"),
    "a capture that contradicts": ({"capture": True, "capture_method": "manual"}, 400, "INVALID_REQUEST"),
    "a key that is a number": ({"idempotency_key": 7}, 400, "INVALID_REQUEST"),
    "a long key": ({"idempotency_key": "k" * 256}, 400, "INVALID_REQUEST"),
}  # fmt: skip


@pytest.mark.parametrize("why", BAD_CREATE)
def test_a_create_that_is_none(server: Caller, stripe_books: StripeBooks, why: str) -> None:
    changes, status, code = BAD_CREATE[why]
    before = seed1.rows()
    answer = server.pay(**changes)
    assert_error(answer, status, code)
    if why not in ("saved for nobody",):
        assert seed1.rows() == before
    assert not PaymentIntent.objects.exists()
    assert stripe_books.calls == []
    text = answer.content.decode()
    assert SECRET_WORD not in text
    assert "4242" not in text
    assert seed5.CVC not in text


@pytest.mark.parametrize("good", [
    {"number": "4242424242424242"}, {"number": 4242424242424242}, {"exp_month": "12"}, {"exp_month": "01"},
    {"exp_year": "2035"}, {"cvc": "1234"}, {"cvc": 123}, {"name": None}, {"name": "李雷"},
])  # fmt: skip
def test_a_card_may_be_written_in_many_ways(server: Caller, stripe_books: StripeBooks, good: Any) -> None:
    assert server.pay(**with_card(**good)).json()["type"] == "success"


@pytest.mark.parametrize(
    "path", ["", "/methods", "/@/confirm", "/@/complete", "/@/refund", "/@/capture", "/@/cancel"]
)
def test_bodies_that_are_none(server: Caller, stripe_books: StripeBooks, path: str) -> None:
    payment_id = server.pay(payment_method=None).json()["payment_id"]
    asked, before = len(stripe_books.calls), seed1.rows()
    complete_takes = ("empty", "an empty object")  # nothing is needed there
    for why, (raw, kind, status) in refusals.BROKEN.items():
        if why in complete_takes or (path.endswith("methods") and why == "huge"):
            continue
        headers = {"Authorization": f"Bearer {server.bearer}", "Accept-Language": "en"}
        answer = Client().generic(
            "POST", PAYMENTS + path.replace("@", payment_id), raw, content_type=kind, headers=headers
        )
        assert answer.status_code == status, (why, answer.content[:200])
        assert answer.json()["error"]["code"].isupper(), why
    assert (seed1.rows(), len(stripe_books.calls)) == (before, asked)


@pytest.mark.parametrize("payment_id", [
    f"pay_{NONE}", "pay_", "pay_1", NONE, "1", "..", "pay_%00", "%F0%9F%92%B3", "pay_" + "a" * 3000,
    f"PAY_{NONE}", f"ref_{NONE}",
])  # fmt: skip
def test_payments_that_do_not_exist(server: Caller, stripe_books: StripeBooks, payment_id: str) -> None:
    before = seed1.rows()
    one = f"{PAYMENTS}/{payment_id}"
    assert_error(server.get(one), 404, "PAYMENT_NOT_FOUND")
    for verb in ("confirm", "complete", "refund", "capture", "cancel"):
        assert_error(server.post(f"{one}/{verb}", {"payment_method": card()}), 404, "PAYMENT_NOT_FOUND")
    assert (seed1.rows(), stripe_books.calls) == (before, [])


@pytest.mark.parametrize("body", [
    {}, {"payment_method": None}, {"payment_method": {}}, {"payment_method": {"type": "bank_transfer"}},
    {"payment_method": {"type": "alipay"}}, {"payment_method": {"type": "token", "token": ""}},
    {"payment_method": card(), "return_url": "https://evil.example/"},
])  # fmt: skip
def test_confirms_that_are_none(server: Caller, stripe_books: StripeBooks, body: Any) -> None:
    payment_id = server.pay(payment_method=None).json()["payment_id"]
    before = seed1.rows()
    answer = server.post(f"{PAYMENTS}/{payment_id}/confirm", body)
    assert answer.status_code == 400, answer.content
    assert (seed1.rows(), stripe_books.count("confirm")) == (before, 0)


@pytest.mark.parametrize("body", [
    {"action_type": "dance"}, {"action_type": 1}, {"action_data": []}, {"action_data": {"payment_intent": 7}},
    {"action_data": {"payment_intent": "pi_another"}}, {"action_data": {"payment_intent": "x" * 201}},
])  # fmt: skip
def test_completions_that_are_none(server: Caller, stripe_books: StripeBooks, body: Any) -> None:
    payment_id = server.pay("4000002500003155").json()["payment_id"]
    before = seed1.rows()
    assert_error(server.post(f"{PAYMENTS}/{payment_id}/complete", body), 400, "INVALID_REQUEST")
    assert (seed1.rows(), stripe_books.count("read")) == (before, 0)


def test_an_order_is_paid_at_its_own_price_alone(server: Caller, stripe_books: StripeBooks) -> None:
    order = factories.order(kind="merchant", total_minor=1999, currency="USD")
    one = {"order_id": str(order.public_id)}
    assert_error(server.pay(**one, amount="19.98"), 400, "INVALID_AMOUNT")
    assert_error(server.pay(**one, amount="19.99", currency="EUR"), 400, "INVALID_CURRENCY")
    alice = factories.user()
    assert_error(
        server.pay(**one, amount="19.99", customer_id=str(alice.public_id)), 404, "CUSTOMER_NOT_FOUND"
    )
    assert (PaymentIntent.objects.count(), stripe_books.calls) == (0, [])
    assert server.pay(**one, amount="19.99").status_code == 200
