"""Stripe: cards, tokens, saved cards and bank transfers in two steps; captures, voids, declines, 3-D Secure, secrets."""

from __future__ import annotations

import json
import logging

import pytest
import responses
from django.db import transaction

from payments.gateways import base, stripe
from payments.gateways.stripe import errors, money
from pimpshop.core import http
from pimpshop.core.money import Money
from tests.payments.gateways.contract import GatewayContract
from tests.payments.gateways.test_stripe import form
from tests.support import stripe as sample
from tests.support.stripe import API, INTENT, NUMBER, gateway

STATUS = base.PaymentStatus
INTENTS = f"{API}/v1/payment_intents"
ONE = f"{INTENTS}/{INTENT}"
PAN, CVC, NAME = "4242" * 4, "7391", "Zacharias Holder"
CARD = base.Card(number=PAN, exp_month=12, exp_year=2034, cvc=CVC, name=NAME)
TOKEN = base.Token(value="pm_card_visa")
GBP = Money.parse("19.99", "GBP")


def request(**changes):
    values = {"method": "card", "provider_ref": INTENT, "instrument": CARD, "client_ip": "203.0.113.5"}
    return GatewayContract.request(_asked, **(values | changes))


class _Asked(GatewayContract):
    METHOD = "card"


_asked = _Asked()
REF = base.PaymentRef(
    intent_id="pay_1", out_trade_no=NUMBER, amount=GBP, provider_ref=INTENT, method="card", idempotency_key="K",
    order_no="P1",
)  # fmt: skip


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


def asked(wire) -> list[str]:
    return [f"{c.request.method} {c.request.url.split('/v1/')[1].split('?')[0]}" for c in wire.calls]


@pytest.mark.parametrize("method", ["card", "token", "saved_card"])
def test_create_makes_a_payment_without_the_instrument(wire, method):
    wire.add("POST", INTENTS, json=sample.intent("requires_payment_method"))
    result = gateway().create_payment(request(method=method, provider_ref="", metadata={"note": "x"}))
    sent = form(wire.calls[0].request)
    assert sent == {
        "amount": "1999", "currency": "gbp", "payment_method_types[0]": "card",
        "description": "iPhone 15 Pro case", "metadata[note]": "x", "metadata[out_trade_no]": NUMBER,
        "metadata[order_no]": "P20250830075329AB12CD34",
    }  # fmt: skip
    assert wire.calls[0].request.headers["Idempotency-Key"] == "P20250830075329AB12CD34:1:create"
    assert (result.status, result.provider_ref, result.error) == (STATUS.CREATED, INTENT, None)
    assert method in gateway().two_step_methods


def test_confirm_pays_with_a_card_that_nobody_sees(wire, caplog):
    caplog.set_level(logging.DEBUG)
    records = []
    wire.add("POST", f"{API}/v1/payment_methods", json={"id": "pm_1TESTvisa", "object": "payment_method"})
    wire.add("POST", f"{ONE}/confirm", json=sample.intent())
    asked_for = request(return_url="https://shop.example/back")
    result = gateway(records.append).confirm_payment(asked_for)
    made, paid = (call.request for call in wire.calls)
    assert form(made)["card[number]"] == PAN
    assert form(paid) == {
        "return_url": "https://shop.example/back",
        "expand[0]": "latest_charge",
        "payment_method": "pm_1TESTvisa",
    }
    keys = [call.request.headers["Idempotency-Key"] for call in wire.calls]
    assert keys == [f"{asked_for.idempotency_key}:method", f"{asked_for.idempotency_key}:confirm"]
    assert (result.status, result.amount, result.captured) == (STATUS.SUCCEEDED, GBP, GBP)
    seen = repr([result, records, caplog.text, asked_for, gateway()])
    hidden = (PAN, CVC, NAME, sample.KEY, sample.CLIENT_SECRET, sample.SECRET)
    assert [secret for secret in hidden if secret in seen] == []
    assert [record.name for record in records] == [
        "POST payment_methods",
        "POST payment_intents/{id}/confirm",
    ]


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [
        (CARD, "not taken here"),
        (base.Token(value="tok_visa"), "no payment method"),
        (base.Token(value="pm_x/../y"), "no payment method"),
    ],
)
def test_what_may_not_be_used_is_never_sent(instrument, reason):
    with pytest.raises(base.GatewayDeclined, match=reason) as caught:
        gateway(raw_cards=False).confirm_payment(request(instrument=instrument))
    assert (caught.value.code, caught.value.not_sent) == ("invalid_payment_method", True)


def test_three_d_secure_is_a_redirect(wire):
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.example/3ds"}}
    wire.add("POST", f"{ONE}/confirm", json=sample.intent("requires_action", next_action=action))
    result = gateway().confirm_payment(request(instrument=TOKEN))
    assert result.status == STATUS.REQUIRES_ACTION
    assert result.next_action == base.Redirect(url="https://hooks.stripe.example/3ds")


def test_a_failed_authentication_is_told_by_the_query(wire):
    wire.add("GET", ONE, json=sample.declined("payment_intent_authentication_failure", ""))
    result = gateway().query_payment(REF)
    assert (result.status, result.error.code) == (STATUS.FAILED, "authentication_failed")


@pytest.mark.parametrize(
    ("code", "reason", "ours", "theirs", "retry"),
    [
        ("card_declined", "generic_decline", "card_declined", "generic_decline", True),
        ("card_declined", "insufficient_funds", "insufficient_funds", "insufficient_funds", True),
        ("card_declined", "fraudulent", "card_declined", "fraudulent", False),
        ("card_declined", "lost_card", "card_declined", "lost_card", False),
        ("card_declined", "stolen_card", "card_declined", "stolen_card", False),
        ("card_declined", "pickup_card", "card_declined", "pickup_card", False),
        ("expired_card", "", "expired_card", "expired_card", True),
        ("incorrect_cvc", "", "incorrect_cvc", "incorrect_cvc", True),
        ("invalid_cvc", "", "incorrect_cvc", "invalid_cvc", True),
        ("processing_error", "", "processing_error", "processing_error", True),
        ("incorrect_number", "", "invalid_payment_method", "incorrect_number", True),
        ("invalid_expiry_year", "", "invalid_payment_method", "invalid_expiry_year", True),
        ("authentication_required", "authentication_required", "authentication_failed", "authentication_required", True),
    ],
)  # fmt: skip
def test_a_declined_card_keeps_its_payment_and_its_reason(wire, code, reason, ours, theirs, retry):
    left = sample.declined(code, reason)
    body = {"type": "card_error", "code": code, "decline_code": reason, "payment_intent": left}
    wire.add("POST", f"{ONE}/confirm", **sample.error(402, **body))
    result = gateway().confirm_payment(request(instrument=TOKEN))
    assert (result.status, result.provider_ref) == (STATUS.FAILED, INTENT)
    assert (result.error.code, result.error.provider_code) == (ours, theirs)
    assert stripe.may_retry(result.error.provider_code) is retry


def test_a_card_that_is_no_card_is_declined_before_there_is_a_charge(wire):
    wire.add(
        "POST", f"{API}/v1/payment_methods", **sample.error(402, type="card_error", code="incorrect_number")
    )
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway().confirm_payment(request())
    assert (caught.value.code, caught.value.trace_id) == ("invalid_payment_method", "req_TEST1")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("requires_confirmation", STATUS.CREATED),
        ("requires_action", STATUS.REQUIRES_ACTION),
        ("processing", STATUS.PROCESSING),
        ("requires_capture", STATUS.AUTHORIZED),
        ("canceled", STATUS.CANCELED),
        ("succeeded", STATUS.SUCCEEDED),
        ("a_new_word", STATUS.PROCESSING),
    ],
)
def test_every_word_of_a_payment_is_mapped(wire, word, status):
    wire.add("GET", ONE, json=sample.intent(word))
    result = gateway().query_payment(REF)
    assert (result.status, result.provider_status) == (status, word)
    assert (base.Flag.UNKNOWN_STATUS in result.flags) is (word == "a_new_word")


def test_after_an_unknown_outcome_confirm_reads_before_it_pays(wire):
    wire.add("GET", ONE, json=sample.intent("processing"))
    assert gateway().confirm_payment(request(instrument=TOKEN, resend=True)).status == STATUS.PROCESSING
    assert asked(wire) == [f"GET payment_intents/{INTENT}"]


def test_an_attempt_without_its_id_is_found_by_our_number(wire):
    page = {"object": "list", "data": [sample.intent("processing")], "has_more": False}
    wire.add("GET", INTENTS, json=page)
    ref = base.PaymentRef(intent_id="pay_1", out_trade_no=NUMBER, amount=GBP, method="card")
    assert gateway().query_payment(ref).provider_ref == INTENT
    other = base.PaymentRef(intent_id="pay_2", out_trade_no="PYEN1", amount=GBP, method="card")
    assert gateway().query_payment(other).flags == (base.Flag.NOT_FOUND,)


def test_a_saved_card_is_paid_as_its_customer(wire):
    wire.add("POST", INTENTS, json=sample.intent("requires_payment_method", customer="cus_TEST1"))
    kept = base.SavedMethod(method_ref="pm_1KEPT", customer_ref="cus_TEST1")
    gateway().create_payment(request(method="saved_card", provider_ref="", instrument=kept))
    assert form(wire.calls[0].request)["customer"] == "cus_TEST1"
    wire.add("POST", f"{ONE}/confirm", json=sample.intent(customer="cus_TEST1"))
    gateway().confirm_payment(request(method="saved_card", instrument=kept))
    sent = form(wire.calls[1].request)
    assert sent["payment_method"] == "pm_1KEPT"
    assert "off_session" not in sent


def test_keeping_the_method_makes_a_customer_and_answers_both(wire):
    wire.add("POST", f"{API}/v1/customers", json={"id": "cus_TEST1", "object": "customer"})
    wire.add("POST", INTENTS, json=sample.intent("requires_payment_method", customer="cus_TEST1"))
    customer = base.Customer(customer_id="u1", email="alice@example.com")
    made = gateway().create_payment(request(provider_ref="", save_method=True, customer=customer))
    assert form(wire.calls[1].request)["setup_future_usage"] == "off_session"
    assert made.customer_ref == "cus_TEST1"
    kept = sample.intent(customer="cus_TEST1", setup_future_usage="off_session")
    wire.add("POST", f"{ONE}/confirm", json=kept)
    paid = gateway().confirm_payment(request(instrument=TOKEN))
    assert (paid.saved_ref, paid.customer_ref) == ("pm_1TESTvisa", "cus_TEST1")


def test_a_bank_transfer_is_in_dollars_and_takes_days(wire):
    bank = base.BankAccount(
        account_number="000123456789", routing_number="110000000", account_holder_name=NAME
    )
    usd = Money.parse("19.99", "USD")
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway().create_payment(request(method="bank_transfer", provider_ref=""))
    assert (caught.value.code, caught.value.not_sent) == ("currency_unsupported", True)
    wire.add("POST", INTENTS, json=sample.intent("requires_payment_method", currency="usd"))
    gateway().create_payment(request(method="bank_transfer", provider_ref="", amount=usd))
    assert form(wire.calls[0].request)["payment_method_types[0]"] == "us_bank_account"
    records = []
    wire.add("POST", f"{API}/v1/payment_methods", json={"id": "pm_1BANK", "object": "payment_method"})
    wire.add("POST", f"{ONE}/confirm", json=sample.intent("processing", currency="usd"))
    result = gateway(records.append).confirm_payment(
        request(method="bank_transfer", instrument=bank, amount=usd)
    )
    assert result.status == STATUS.PROCESSING
    sent = form(wire.calls[2].request)
    assert sent["mandate_data[customer_acceptance][online][ip_address]"] == "203.0.113.5"
    assert [x for x in ("000123456789", "110000000", NAME) if x in repr(records)] == []


def test_capture_takes_what_was_held_once(wire):
    wire.add("POST", f"{ONE}/capture", json=sample.intent(amount_received=500))
    taken = gateway().capture_payment(REF, Money.parse("5.00", "GBP"))
    assert (taken.status, taken.captured) == (STATUS.SUCCEEDED, Money(500, "GBP"))
    sent = wire.calls[0].request
    assert (form(sent)["amount_to_capture"], sent.headers["Idempotency-Key"]) == ("500", "K:capture:500")
    refused = sample.error(400, code="payment_intent_unexpected_state")
    wire.replace("POST", f"{ONE}/capture", **refused)
    wire.add("GET", ONE, json=sample.intent())
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway().capture_payment(REF, GBP)
    assert caught.value.code == "already_captured"


def test_a_cancel_without_a_random_key_and_a_paid_one_says_so(wire):
    wire.add("POST", f"{ONE}/cancel", json=sample.intent("canceled"))
    assert gateway().close_payment(REF).status == STATUS.CANCELED
    assert "Idempotency-Key" not in wire.calls[0].request.headers
    wire.replace("POST", f"{ONE}/cancel", **sample.error(400, code="payment_intent_unexpected_state"))
    wire.add("GET", ONE, json=sample.intent())
    assert gateway().close_payment(REF).status == STATUS.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_no_call_leaves_inside_a_transaction(wire):
    with pytest.raises(http.OpenTransaction), transaction.atomic():
        gateway().query_payment(REF)
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        ("19.99", "USD", 1999), ("0.29", "GBP", 29), ("500", "JPY", 500), ("1.230", "KWD", 1230),
        ("9.90", "CNY", 990), ("999999.99", "USD", 99_999_999),
    ],
)  # fmt: skip
def test_money_is_exact_both_ways(amount, currency, sent):
    value = Money.parse(amount, currency)
    assert money.to_wire(value) == sent
    assert money.from_wire(sent, currency.lower()) == value


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("1.234", "KWD", "amount_invalid"),
        ("1000000.00", "USD", "amount_too_large"),
        ("5", "CREDITS", "currency_unsupported"),
        ("-1.00", "USD", "amount_invalid"),
    ],
)
def test_what_cannot_be_charged_is_never_sent(amount, currency, code):
    with pytest.raises(base.GatewayMisuse) as caught:
        gateway().create_payment(request(amount=Money.parse(amount, currency)))
    assert (caught.value.code, caught.value.not_sent) == (code, True)


@pytest.mark.parametrize(
    ("minor", "currency"), [("1999", "gbp"), (1999, "xxx"), (True, "gbp"), (19.99, "gbp")]
)
def test_an_amount_that_cannot_be_read_is_no_amount(minor, currency):
    with pytest.raises(base.GatewayUnavailable):
        money.from_wire(minor, currency)


def test_the_methods_are_as_seed_5_shows_them():
    found = {method.key: method for method in gateway().methods("USD", Money.parse("99.99", "USD"))}
    assert list(found) == ["checkout", "card", "token", "saved_card", "bank_transfer"]
    card = found["card"]
    assert [field.name for field in card.required_fields] == ["number", "exp_month", "exp_year", "cvc"]
    assert (str(card.min_amount), str(card.max_amount)) == ("0.50 USD", "999999.99 USD")
    assert card.currencies[:3] == ("USD", "EUR", "GBP")
    assert (card.requires_redirect, card.supports_3ds, card.supports_tokenization, card.supports_recurring) == (
        False, True, True, True,
    )  # fmt: skip
    assert gateway().methods("USD", Money.parse("0.49", "USD")) == ()
    shut = gateway(raw_cards=False).methods("GBP", GBP)
    assert [method.key for method in shut] == ["checkout", "token", "saved_card"]


def test_the_sdks_402_is_no_card_error_by_itself():
    from stripe import CardError

    body = {"error": {"type": "invalid_request_error", "message": "generally unsafe"}}
    found = errors.mapped(CardError("x", None, None, json.dumps(body), 402, body))
    assert (type(found), found.code) == (base.GatewayMisuse, "credentials")
