"""Seed 5, POST /api/v1/payments/methods: the seed's answer field by field, per currency and amount, in the seed's language."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext

from payments.services import switches
from tests.support import seed5
from tests.support.seed5 import PAYMENTS, Caller, assert_error

pytestmark = pytest.mark.django_db
METHODS = f"{PAYMENTS}/methods"
#: The seed's Chinese words, and ours in English.
WORDS = {
    "信用卡/借记卡": "Credit or debit card", "卡号": "Card number", "到期月份": "Expiry month", "到期年份": "Expiry year",
    "安全码": "Security code",
}  # fmt: skip


def asked(caller: Caller, currency: Any = "USD", amount: Any = "99.99") -> dict[str, Any]:
    answer = caller.post(METHODS, {"currency": currency, "amount": amount})
    assert answer.status_code == 200, answer.content
    return {entry["gateway_id"]: entry for entry in answer.json()}


def test_the_seeds_answer() -> None:
    entry = asked(seed5.server())["stripe"]
    card = entry["payment_methods"][0]
    currencies = card.pop("supported_currencies")
    assert {"USD", "EUR", "GBP"} <= set(currencies)
    assert (entry["gateway_id"], entry["gateway_name"]) == ("stripe", "Stripe")
    assert card == {
        "method_type": "card", "enabled": True, "display_name": "Credit or debit card", "requires_redirect": False,
        "supports_3ds": True, "supports_tokenization": True, "supports_recurring": True,
        "required_fields": [
            {"name": "number", "label": "Card number", "field_type": "card_number", "required": True,
             "pattern": r"^[\d\s]{13,19}$", "placeholder": "1234 5678 9012 3456"},
            {"name": "exp_month", "label": "Expiry month", "field_type": "expiry_date", "required": True,
             "pattern": "^(0[1-9]|1[0-2])$", "placeholder": "MM"},
            {"name": "exp_year", "label": "Expiry year", "field_type": "expiry_date", "required": True,
             "pattern": "^20[2-9][0-9]$", "placeholder": "YYYY"},
            {"name": "cvc", "label": "Security code", "field_type": "cvc", "required": True, "pattern": r"^\d{3,4}$",
             "placeholder": "123"},
        ],
        "min_amount": "0.50", "max_amount": "999999.99",
    }  # fmt: skip


def test_without_a_language_it_speaks_the_seeds() -> None:
    caller = seed5.server()
    caller.language = None
    answer = caller.post(METHODS, {"currency": "USD", "amount": "99.99"})
    assert answer["Content-Language"] == "zh-hans"
    card = {entry["gateway_id"]: entry for entry in answer.json()}["stripe"]["payment_methods"][0]
    told = [card["display_name"], *(one["label"] for one in card["required_fields"])]
    with translation.override("zh-hans"):
        assert told == [gettext(word) for word in WORDS.values()]
    assert all(
        text in (chinese, english) for text, (chinese, english) in zip(told, WORDS.items(), strict=True)
    )


def test_what_there_is_depends_on_currency_and_amount() -> None:
    caller = seed5.server()
    kinds = {
        key: [m["method_type"] for m in entry["payment_methods"]] for key, entry in asked(caller).items()
    }
    assert kinds == {"stripe": ["card", "bank_transfer"], "airwallex": ["card"]}
    chinese = asked(caller, "CNY", "19.99")
    assert [m["method_type"] for m in chinese["wechatpay"]["payment_methods"]] == ["wechat_pay"]
    alipay = chinese["alipay"]["payment_methods"][0]
    assert (alipay["method_type"], alipay["min_amount"], alipay["max_amount"]) == (
        "alipay",
        "0.01",
        "100000000.00",
    )
    assert {flow["flow"] for flow in alipay["flows"]} == {"page", "wap", "app", "precreate"}
    assert "stripe" not in asked(caller, "USD", "0.49")
    assert "stripe" not in asked(caller, "USD", "1000000.00")


def test_a_gateway_that_is_off_is_not_offered_and_not_used(stripe_books: Any) -> None:
    switches.switch(key="stripe", off=True, actor="staff", reason="trouble")
    caller = seed5.server()
    assert "stripe" not in asked(caller)
    assert_error(caller.pay(), 404, "GATEWAY_NOT_FOUND")
    assert stripe_books.calls == []


def test_without_card_numbers_a_token_is_asked_for(settings: Any, stripe_books: Any) -> None:
    settings.STRIPE_RAW_CARDS = False
    caller = seed5.server()
    assert [m["method_type"] for m in asked(caller, "GBP")["stripe"]["payment_methods"]] == ["token"]
    error = assert_error(caller.pay(), 400, "INVALID_PAYMENT_METHOD")
    assert "pm_" in error["message"]
    assert stripe_books.calls == []
    paid = caller.pay(payment_method={"type": "card", "token": "pm_card_visa"})
    assert (paid.status_code, paid.json()["type"]) == (200, "success")


@pytest.mark.parametrize(("body", "code"), [
    ({}, "INVALID_CURRENCY"), ({"currency": "USD"}, "INVALID_AMOUNT"), ({"amount": "1"}, "INVALID_CURRENCY"),
    ({"currency": "XXX", "amount": "1"}, "INVALID_CURRENCY"), ({"currency": "CREDIT", "amount": "1"}, "INVALID_CURRENCY"),
    ({"currency": 1, "amount": "1"}, "INVALID_CURRENCY"), ({"currency": None, "amount": "1"}, "INVALID_CURRENCY"),
    ({"currency": "USD", "amount": "1.001"}, "INVALID_AMOUNT"), ({"currency": "JPY", "amount": "1.5"}, "INVALID_AMOUNT"),
    ({"currency": "USD", "amount": "-1"}, "INVALID_AMOUNT"), ({"currency": "USD", "amount": "0"}, "INVALID_AMOUNT"),
    ({"currency": "USD", "amount": "9" * 300}, "INVALID_AMOUNT"), ({"currency": "USD", "amount": ["1"]}, "INVALID_AMOUNT"),
    ({"currency": "USD", "amount": True}, "INVALID_AMOUNT"), ({"currency": "USD", "amount": "1e3"}, "INVALID_AMOUNT"),
])  # fmt: skip
def test_what_is_no_amount(body: Any, code: str) -> None:
    assert_error(seed5.server().post(METHODS, body), 400, code)


def test_exact_numbers_are_amounts_too() -> None:
    assert "stripe" in asked(seed5.server(), "usd", 99.99)


def test_who_may_ask() -> None:
    assert_error(Caller().post(METHODS, {"currency": "USD", "amount": "1"}), 401, "UNAUTHORIZED")
    assert seed5.page().post(METHODS, {"currency": "USD", "amount": "1"}).status_code == 200
    assert_error(seed5.page().send("GET", METHODS), 405, "METHOD_NOT_ALLOWED")
