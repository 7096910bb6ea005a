"""Airwallex: the contract, and create, confirm, capture, cancel, query on the wire."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest
import requests
import responses

from payments.gateways import airwallex, base
from pimpshop.core.money import Money
from tests.payments.gateways import airwallex_answers as awx
from tests.payments.gateways.airwallex_answers import CONFIRM, CONFIRM_URL, LIST, REF, REQUEST
from tests.payments.gateways.contract import NOW, GatewayContract
from vending.manufacturer import MemoryTokenStore

PATHS = {
    "create": ("POST", "payment_intents/create"),
    "query": ("GET", f"payment_intents/{awx.INTENT}"),
    "capture": ("POST", f"payment_intents/{awx.INTENT}/capture"),
    "close": ("POST", f"payment_intents/{awx.INTENT}/cancel"),
    "refund": ("POST", "refunds/create"),
}
REFUSALS = {
    "validation_error": (base.GatewayMisuse, "invalid_request"),
    "currency_not_supported": (base.GatewayDeclined, "currency_unsupported"),
    "amount_above_limit": (base.GatewayDeclined, "amount_too_large"),
    "amount_below_limit": (base.GatewayDeclined, "amount_too_small"),
    "payment_method_not_allowed": (base.GatewayDeclined, "method_unavailable"),
    "configuration_error": (base.GatewayMisuse, "method_unavailable"),
    "suspended_from_online_payments": (base.GatewayMisuse, "method_unavailable"),
    "operation_not_supported": (base.GatewayMisuse, "not_supported"),
    "provider_unavailable": (base.GatewayUnavailable, "unavailable"),
    "a_word_of_tomorrow": (base.GatewayUnavailable, "bad_answer"),
    "unauthorized": (base.GatewayMisuse, "credentials"),
    "too_many_requests": (base.GatewayUnavailable, "rate_limited"),
}
HTTP = {"unauthorized": 401, "too_many_requests": 429}


class TestContract(GatewayContract):
    KEY = "airwallex"
    METHOD = "card"
    PROVIDER_REF = awx.INTENT
    ACTION = type(None)
    STATUSES = {
        "REQUIRES_PAYMENT_METHOD": base.PaymentStatus.CREATED,
        "REQUIRES_CUSTOMER_ACTION": base.PaymentStatus.REQUIRES_ACTION,
        "REQUIRES_CAPTURE": base.PaymentStatus.AUTHORIZED,
        "PENDING": base.PaymentStatus.PROCESSING,
        "PENDING_REVIEW": base.PaymentStatus.PROCESSING,
        "SUCCEEDED": base.PaymentStatus.SUCCEEDED,
        "CANCELLED": base.PaymentStatus.CANCELED,
    }
    REFUSALS = REFUSALS
    SECRETS = (awx.API_KEY, awx.TOKEN, awx.SECRET, awx.OLD_SECRET)
    ACKNOWLEDGEMENT = '{"success": true, "gateway": "airwallex", "message": "Webhook 已处理"}'.encode()

    def make(self, recorder=None):
        return awx.make(recorder)

    def stub(self, wire, verb, case):
        answer, status = awx.intent(), 201 if verb == "create" else 200
        if case in REFUSALS:
            answer, status = awx.error(case), HTTP.get(case, 400)
        elif case.startswith("status:"):
            answer = awx.intent(case.removeprefix("status:"))
        elif case == "unknown_id":
            answer, status = awx.error("resource_not_found"), 404
        elif case == "foreign":
            answer = awx.intent("SUCCEEDED", merchant_order_id="PYEN250830999999")
        self.break_wire(wire, verb, json=answer, status=status)

    def break_wire(self, wire, verb, **answer):
        method, path = PATHS[verb]
        awx.add_login(wire)
        wire.add(method, f"{awx.PA}/{path}", **answer)

    def calls(self, wire, verb):
        return [call.request for call in wire.calls if call.request.url.endswith(PATHS[verb][1])]

    def wire_amount(self, sent):
        return json.loads(sent.body, parse_float=Decimal, parse_int=Decimal)["amount"]

    def wire_key(self, sent):
        return json.loads(sent.body)["request_id"]

    def post(self, case):
        thing = awx.intent("SUCCEEDED")
        if case == "stale":
            return awx.post("payment_intent.succeeded", thing, at=NOW.replace(hour=NOW.hour - 1))
        if case == "foreign":
            return awx.post("payment_intent.succeeded", thing, account_id="acct_of_somebody_else")
        made = awx.post("payment_intent.succeeded", thing)
        if case == "tampered":
            return dataclasses.replace(made, body=made.body.replace(b"19.99", b"1.99"))
        return made

    def test_create_answers_what_the_shopper_does_next(self, gateway, wire):
        """A card is made in two steps: the first has no instrument and asks for nothing."""
        self.stub(wire, "create", "ok")
        result = gateway.create_payment(self.request())
        assert self.METHOD in gateway.two_step_methods
        assert (result.status, result.outcome) == (
            base.PaymentStatus.CREATED,
            base.Outcome.NOT_ATTEMPTED,
        )
        assert (result.provider_ref, result.next_action) == (self.PROVIDER_REF, None)

    def test_values_are_frozen(self, gateway, wire):
        self.stub(wire, "create", "ok")
        for value in (gateway.create_payment(self.request()), self.request(), self.ref()):
            with pytest.raises(dataclasses.FrozenInstanceError):
                value.status = "succeeded"


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        awx.add_login(mock)
        yield mock


def sent(wire, end: str) -> list[requests.PreparedRequest]:
    return [c.request for c in wire.calls if c.request.url.split("?")[0].endswith(end)]


def test_create_on_the_wire(wire):
    wire.add("POST", f"{LIST}/create", status=201, json=awx.intent())
    result = awx.make().create_payment(REQUEST)
    (call,) = sent(wire, "/create")
    assert call.body == (
        b'{"request_id":"P20250830075329AB12CD34:1:create","currency":"GBP","merchant_order_id":"PYEN250830540573",'
        b'"metadata":{"payment_id":"pay_123e4567-e89b-12d3-a456-426614174000"},'
        b'"return_url":"https://shop.example/orders/1/","descriptor":"iPhone 15 Pro case","amount":19.99}'
    )
    assert call.headers["Authorization"] == f"Bearer {awx.TOKEN}"
    assert call.headers["x-api-version"] == airwallex.API_VERSION == "2025-06-30"
    login = wire.calls[0].request
    assert (login.headers["x-client-id"], login.headers["x-api-key"], login.body or b"") == (
        "client-1",
        awx.API_KEY,
        b"",
    )
    assert (result.out_trade_no, result.account, result.live) == (awx.NUMBER, awx.ACCOUNT, False)
    assert result.amount == Money(1999, "GBP")


@pytest.mark.parametrize(
    ("amount", "currency", "literal"),
    [("500", "JPY", b":500}"), ("1.234", "KWD", b":1.234}"), ("20.00", "TWD", b":20}"), ("0.29", "EUR", b":0.29}")],
)  # fmt: skip
def test_amounts_have_airwallex_decimals(wire, amount, currency, literal):
    wire.add(
        "POST",
        f"{LIST}/create",
        status=201,
        body=json.dumps(awx.intent(currency=currency)).replace("19.99", amount),
    )
    money = Money.parse(amount, currency)
    result = awx.make().create_payment(dataclasses.replace(REQUEST, amount=money))
    assert sent(wire, "/create")[0].body.endswith(literal)
    assert result.amount == money


def test_an_amount_that_airwallex_cannot_write_is_not_sent_nor_offered(wire):
    odd = Money.parse("19.50", "TWD")
    with pytest.raises(base.GatewayMisuse) as caught:
        awx.make().create_payment(dataclasses.replace(REQUEST, amount=odd))
    assert (caught.value.code, caught.value.not_sent, len(wire.calls)) == ("amount_invalid", True, 0)
    assert list(awx.make().methods("TWD", odd)) == []


def test_a_resend_finds_its_intent_and_makes_no_second(wire):
    wire.add("GET", LIST, json={"has_more": False, "items": [awx.intent()]})
    result = awx.make().create_payment(dataclasses.replace(REQUEST, resend=True))
    assert (result.status, result.provider_ref) == ("created", awx.INTENT)
    assert [c.request.method for c in wire.calls[1:]] == ["GET"]
    assert "merchant_order_id=PYEN250830540573" in wire.calls[1].request.url


def test_a_used_request_id_is_looked_up(wire):
    wire.add("POST", f"{LIST}/create", status=400, json=awx.error("duplicate_request"))
    foreign = awx.intent("SUCCEEDED", id="int_other", metadata={"payment_id": "pay_of_another_database"})
    wire.add("GET", LIST, json={"has_more": True, "items": [foreign]})
    wire.add("GET", LIST, json={"has_more": False, "items": [awx.intent()]})
    assert awx.make().create_payment(REQUEST).provider_ref == awx.INTENT
    assert len(sent(wire, "/create")) == 1


def test_a_used_request_id_without_an_intent_is_unknown(wire):
    wire.add("POST", f"{LIST}/create", status=400, json=awx.error("duplicate_request"))
    wire.add("GET", LIST, json={"has_more": False, "items": []})
    with pytest.raises(base.GatewayUnavailable) as caught:
        awx.make().create_payment(REQUEST)
    assert (caught.value.outcome, caught.value.provider_code) == ("unknown", "duplicate_request")


def test_a_refused_token_is_renewed_once(wire):
    wire.add("POST", f"{LIST}/create", status=401, json=awx.error("unauthorized"))
    wire.add("POST", f"{LIST}/create", status=201, json=awx.intent())
    awx.add_login(wire, "second-token")
    store = MemoryTokenStore("old-token")
    awx.make(token_store=store).create_payment(REQUEST)
    assert [c.headers["Authorization"] for c in sent(wire, "/create")] == [
        "Bearer old-token",
        f"Bearer {awx.TOKEN}",
    ]
    assert store.get() == awx.TOKEN


def test_a_log_in_that_fails_sent_nothing():
    with responses.RequestsMock() as wire:
        wire.add("POST", awx.LOGIN, body=requests.exceptions.ReadTimeout("read"))
        with pytest.raises(base.GatewayUnavailable) as caught:
            awx.make().create_payment(REQUEST)
        assert (caught.value.not_sent, len(wire.calls)) == (True, 1)


def test_a_key_that_is_too_long_becomes_one_uuid(wire):
    wire.add("POST", f"{LIST}/create", status=201, json=awx.intent())
    long = dataclasses.replace(REQUEST, idempotency_key="k" * 65)
    awx.make().create_payment(long)
    awx.make().create_payment(long)
    first, second = (json.loads(c.body)["request_id"] for c in sent(wire, "/create"))
    assert (first, len(first)) == (second, 36)


def test_confirm_on_the_wire(wire):
    wire.add(
        "POST", CONFIRM_URL, json=awx.intent("SUCCEEDED", latest_payment_attempt=awx.attempt("AUTHORIZED"))
    )
    result = awx.make().confirm_payment(CONFIRM)
    (call,) = sent(wire, "/confirm")
    assert json.loads(call.body) == {
        "request_id": "P20250830075329AB12CD34:1:create:confirm",
        "payment_method": {"type": "card", "card": {
            "number": awx.PAN, "expiry_month": "07", "expiry_year": "2031", "cvc": awx.CVC, "name": awx.HOLDER}},
        "payment_method_options": {"card": {"auto_capture": True}},
        "return_url": "https://shop.example/orders/1/",
    }  # fmt: skip
    assert (result.status, result.captured) == ("succeeded", Money(1999, "GBP"))
    assert result.method_details == base.MethodDetails(
        method_type="card", last_four="1003", card_brand="visa", exp_month="07", exp_year="2031", cardholder_name=awx.HOLDER
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instrument", "told"),
    [
        (base.Token(value=awx.METHOD), {"payment_method": {"id": awx.METHOD}}),
        (base.Token(value=awx.CONSENT), {"payment_consent_id": awx.CONSENT}),
        (
            base.SavedMethod(method_ref=awx.CONSENT, customer_ref=awx.CUSTOMER),
            {"payment_consent_id": awx.CONSENT, "customer_id": awx.CUSTOMER},
        ),
    ],
)
def test_tokens_and_saved_cards(wire, instrument, told):
    wire.add("POST", CONFIRM_URL, json=awx.intent("SUCCEEDED"))
    awx.make(raw_cards=False).confirm_payment(dataclasses.replace(CONFIRM, instrument=instrument))
    body = json.loads(sent(wire, "/confirm")[0].body)
    names = ("payment_method", "payment_consent_id", "customer_id")
    assert {name: body[name] for name in names if name in body} == told


def test_authorize_capture_and_cancel(wire):
    wire.add("POST", CONFIRM_URL, json=awx.intent("REQUIRES_CAPTURE"))
    wire.add("POST", f"{LIST}/{awx.INTENT}/capture", json=awx.intent("SUCCEEDED", captured_amount=10))
    wire.add("POST", f"{LIST}/{awx.INTENT}/cancel", json=awx.intent("CANCELLED"))
    gateway = awx.make()
    assert gateway.confirm_payment(dataclasses.replace(CONFIRM, capture=False)).status == "authorized"
    assert json.loads(sent(wire, "/confirm")[0].body)["payment_method_options"] == {
        "card": {"auto_capture": False}
    }
    captured = gateway.capture_payment(REF, Money(1000, "GBP"))
    assert (captured.status, captured.captured) == ("succeeded", Money(1000, "GBP"))
    assert sent(wire, "/capture")[0].body == (
        b'{"request_id":"P20250830075329AB12CD34:1:create:capture:1000","amount":10.00}'
    )
    assert gateway.close_payment(REF).status == "canceled"


@pytest.mark.parametrize(("verb", "was", "word", "status"), [
    ("capture", "REQUIRES_CAPTURE", "SUCCEEDED", "succeeded"), ("cancel", "REQUIRES_PAYMENT_METHOD", "CANCELLED", "canceled"),
])  # fmt: skip
def test_an_id_that_was_used_up_without_effect_is_followed_by_the_next(wire, verb, was, word, status):
    """Else what a failed try left held could never be taken, and what it left open never be withdrawn."""
    path = f"{LIST}/{awx.INTENT}/{verb}"
    wire.add("POST", path, json=awx.error("duplicate_request"), status=400)
    wire.add("POST", path, json=awx.intent(word, captured_amount=19.99))
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=awx.intent(was))
    gateway = awx.make()
    done = {
        "capture": lambda: gateway.capture_payment(REF, REF.amount),
        "cancel": lambda: gateway.close_payment(REF),
    }
    assert done[verb]().status == status
    ids = [json.loads(call.body)["request_id"] for call in sent(wire, f"/{verb}")]
    assert [one.rpartition("create:")[2] for one in ids] == (
        ["capture:1999", "capture:1999:2"] if verb == "capture" else ["cancel", "cancel:2"]
    )


def test_ids_that_are_all_used_up_leave_it_as_it_stands(wire):
    wire.add("POST", f"{LIST}/{awx.INTENT}/capture", json=awx.error("duplicate_request"), status=400)
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=awx.intent("REQUIRES_CAPTURE"))
    assert awx.make().capture_payment(REF, REF.amount).status == "authorized"
    assert len(sent(wire, "/capture")) == 5


@pytest.mark.parametrize("code", ["invalid_status_for_operation", "duplicate_request"])
@pytest.mark.parametrize("verb", ["capture", "cancel"])
def test_a_move_that_was_made_already_tells_the_truth(wire, verb, code):
    wire.add("POST", f"{LIST}/{awx.INTENT}/{verb}", status=400, json=awx.error(code))
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=awx.intent("SUCCEEDED"))
    gateway = awx.make()
    run = {
        "capture": lambda: gateway.capture_payment(REF, REF.amount),
        "cancel": lambda: gateway.close_payment(REF),
    }
    assert run[verb]().status == "succeeded"


def test_what_was_never_made_is_found_by_number_or_not_at_all(wire):
    lost = dataclasses.replace(REF, provider_ref="")
    wire.add("GET", LIST, json={"has_more": False, "items": []})
    gateway = awx.make()
    for result in (gateway.query_payment(lost), gateway.close_payment(lost)):
        assert (result.status, result.flags) == ("created", ("not_found",))
    assert sent(wire, "/cancel") == []


@pytest.mark.parametrize("ref", ["", "int_1/../../customers", "int 1", "x" * 101])
def test_an_id_that_is_none_is_never_put_into_a_path(wire, ref):
    with pytest.raises(base.GatewayMisuse) as caught:
        awx.make().confirm_payment(dataclasses.replace(CONFIRM, provider_ref=ref))
    assert (caught.value.not_sent, len(wire.calls)) == (True, 0)
