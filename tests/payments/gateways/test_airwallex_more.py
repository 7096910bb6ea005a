"""Airwallex: declines, 3DS, refunds, saved cards, signed events, statements, and that nothing secret is recorded."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, date, datetime

import pytest
import responses

from payments.gateways import base
from pimpshop.core.money import Money
from tests.payments.gateways import airwallex_answers as awx
from tests.payments.gateways.airwallex_answers import CONFIRM, CONFIRM_URL, LIST, REF, REFUND, REQUEST

REFUNDS, CONSENTS, CUSTOMERS = f"{awx.PA}/refunds", f"{awx.PA}/payment_consents", f"{awx.PA}/customers"
WHO = base.Customer(customer_id="0b0c8d5e-1c1f-4a56-9d3e-9f6a3a1d2b3c", email="zoe@example.com")
SAVE = base.SaveMethodRequest(
    customer=WHO, idempotency_key="save-1", instrument=awx.CARD, return_url="https://shop.example/cards/"
)
CONSENT = {"id": awx.CONSENT, "customer_id": awx.CUSTOMER, "request_id": "save-1:consent"}


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        awx.add_login(mock)
        yield mock


def bodies(wire, end: str) -> list[dict]:
    return [json.loads(c.request.body) for c in wire.calls if c.request.url.endswith(end)]


def paged(*items: dict) -> dict:
    return {"has_more": False, "items": list(items)}


# --- declines and 3DS -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("told", "kind", "code"),
    [
        (awx.error("issuer_declined"), base.GatewayDeclined, "card_declined"),
        (awx.error("issuer_declined", provider_original_response_code="51"), base.GatewayDeclined, "insufficient_funds"),
        (awx.error("issuer_declined", provider_original_response_code="54"), base.GatewayDeclined, "expired_card"),
        (awx.error("issuer_declined", provider_original_response_code="N7"), base.GatewayDeclined, "incorrect_cvc"),
        (awx.error("provider_declined"), base.GatewayDeclined, "card_declined"),
        (awx.error("risk_declined"), base.GatewayDeclined, "card_declined"),
        (awx.error("frequency_above_limit"), base.GatewayDeclined, "card_declined"),
        (awx.error("authentication_declined"), base.GatewayDeclined, "authentication_failed"),
        (awx.error("3ds_not_supported"), base.GatewayDeclined, "authentication_failed"),
        (awx.error("no_3ds_liability_shift"), base.GatewayDeclined, "authentication_failed"),
        (awx.error("card_brand_not_supported"), base.GatewayDeclined, "invalid_payment_method"),
        (awx.error("quote_expired"), base.GatewayDeclined, "processing_error"),
        (awx.error("validation_error", source="payment_method.card.number"), base.GatewayDeclined, "invalid_payment_method"),
        (awx.error("validation_error", source="payment_method.card.cvc"), base.GatewayDeclined, "incorrect_cvc"),
        (awx.error("validation_error", source="payment_method.card.expiry_year"), base.GatewayDeclined, "expired_card"),
        (awx.error("validation_error", source="return_url"), base.GatewayMisuse, "invalid_request"),
        (awx.error("resource_not_found"), base.GatewayMisuse, "not_found"),
    ],
)  # fmt: skip
def test_a_refused_card(wire, told, kind, code):
    wire.add("POST", CONFIRM_URL, status=400, json=told)
    with pytest.raises(base.GatewayError) as caught:
        awx.make().confirm_payment(CONFIRM)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert caught.value.provider_code.split(":")[0] == told["code"]
    assert caught.value.trace_id == "t-1"


def test_back_at_requires_payment_method_is_failed(wire):
    last = awx.attempt("FAILED", failure_code="issuer_declined", provider_original_response_code="51")
    declined = awx.intent(latest_payment_attempt=last)
    wire.add("POST", CONFIRM_URL, json=declined)
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=declined)
    gateway = awx.make()
    for result in (gateway.confirm_payment(CONFIRM), gateway.query_payment(REF)):
        assert (result.status, result.provider_status) == ("failed", "REQUIRES_PAYMENT_METHOD")
        assert result.error == base.ErrorDetail(code="insufficient_funds", provider_code="issuer_declined:51")


@pytest.mark.parametrize(
    ("attempt", "status"),
    [({}, "created"), (awx.attempt("RECEIVED"), "processing"), (awx.attempt("EXPIRED"), "failed")],
)
def test_a_query_tells_a_new_intent_from_a_declined_one(wire, attempt, status):
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=awx.intent(latest_payment_attempt=attempt))
    assert awx.make().query_payment(REF).status == status


@pytest.mark.parametrize(
    ("told", "action"),
    [
        ({"type": "redirect", "method": "GET", "url": "https://3ds.example/a"}, base.Redirect(url="https://3ds.example/a")),
        (
            {"type": "redirect", "method": "POST", "url": "https://3ds.example/a", "data": {"JWT": "x.y", "n": 1}},
            base.Redirect(url="https://3ds.example/a", method="POST", fields={"JWT": "x.y", "n": "1"}),
        ),
        ({"type": "redirect", "url": "javascript:alert(1)"}, None),
        (None, None),
    ],
)  # fmt: skip
def test_3ds_sends_the_shopper_away(wire, told, action):
    wire.add("POST", CONFIRM_URL, json=awx.intent("REQUIRES_CUSTOMER_ACTION", next_action=told))
    result = awx.make().confirm_payment(CONFIRM)
    assert (result.status, result.next_action) == ("requires_action", action)


def test_a_confirm_that_may_have_arrived_looks_first(wire):
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=awx.intent("SUCCEEDED"))
    assert awx.make().confirm_payment(dataclasses.replace(CONFIRM, resend=True)).status == "succeeded"
    assert bodies(wire, "/confirm") == []


@pytest.mark.parametrize("code", ["duplicate_request", "invalid_status_for_operation"])
def test_a_confirm_that_arrived_is_looked_up(wire, code):
    wire.add("POST", CONFIRM_URL, status=400, json=awx.error(code))
    wire.add("GET", f"{LIST}/{awx.INTENT}", json=awx.intent("SUCCEEDED"))
    assert awx.make().confirm_payment(CONFIRM).status == "succeeded"
    assert len(bodies(wire, "/confirm")) == 1


def test_card_numbers_only_where_they_may_pass(wire):
    gateway = awx.make(raw_cards=False)
    with pytest.raises(base.GatewayMisuse) as caught:
        gateway.confirm_payment(CONFIRM)
    assert (caught.value.code, caught.value.not_sent, len(wire.calls)) == ("method_unavailable", True, 0)
    offered = [m.key for m in gateway.methods("GBP", REQUEST.amount)]
    assert offered == ["token", "saved_card"]
    card = awx.make().methods("GBP", REQUEST.amount)[0]
    assert [f.name for f in card.required_fields] == ["number", "exp_month", "exp_year", "cvc"]
    assert (card.supports_3ds, "GBP" in card.currencies, "CREDITS" in card.currencies) == (True, True, False)


# --- refunds ----------------------------------------------------------------------------------------------------------
def test_a_refund_on_the_wire(wire):
    wire.add("POST", f"{REFUNDS}/create", status=201, json=awx.refund())
    result = awx.make().create_refund(REFUND)
    assert wire.calls[-1].request.body == (
        b'{"request_id":"R1:refund","payment_intent_id":"int_hkdmtest1","amount":5.00,'
        b'"reason":"requested_by_customer","metadata":{"out_refund_no":"R1","out_trade_no":"PYEN250830540573"}}'
    )
    assert (result.status, result.provider_ref, result.amount) == ("pending", "rfd_1", Money(500, "GBP"))


@pytest.mark.parametrize(
    ("word", "status"),
    [("RECEIVED", "pending"), ("ACCEPTED", "pending"), ("PROCESSING", "pending"), ("SETTLED", "succeeded"),
     ("SUCCEEDED", "succeeded"), ("FAILED", "failed"), ("TOMORROWS_WORD", "pending")],
)  # fmt: skip
def test_every_state_of_a_refund(wire, word, status):
    wire.add("GET", f"{REFUNDS}/rfd_1", json=awx.refund(word))
    result = awx.make().query_refund(dataclasses.replace(REFUND, refund_ref="rfd_1"))
    assert (result.status, result.provider_status) == (status, word)
    assert (base.Flag.UNKNOWN_STATUS in result.flags) == (word == "TOMORROWS_WORD")


@pytest.mark.parametrize("resend", [True, False])
def test_a_repeated_refund_is_found_and_not_doubled(wire, resend):
    wire.add("POST", f"{REFUNDS}/create", status=400, json=awx.error("duplicate_request"))
    other = awx.refund(id="rfd_0", metadata={"out_refund_no": "R0"})
    wire.add("GET", REFUNDS, json=paged(other, awx.refund("ACCEPTED")))
    assert awx.make().create_refund(dataclasses.replace(REFUND, resend=resend)).provider_ref == "rfd_1"
    assert len(bodies(wire, "/create")) == (0 if resend else 1)


def test_a_refund_of_too_much(wire):
    wire.add("POST", f"{REFUNDS}/create", status=400, json=awx.error("amount_above_limit"))
    with pytest.raises(base.GatewayDeclined) as caught:
        awx.make().create_refund(REFUND)
    assert caught.value.code == "refund_amount_invalid"


def test_a_refund_that_is_not_there(wire):
    wire.add("GET", REFUNDS, json=paged())
    wire.add("GET", f"{REFUNDS}/rfd_9", status=404, json=awx.error("resource_not_found"))
    wire.add("GET", f"{REFUNDS}/rfd_1", json=awx.refund("SETTLED", metadata={"out_refund_no": "R7"}))
    gateway = awx.make()
    for request in (REFUND, dataclasses.replace(REFUND, refund_ref="rfd_9")):
        result = gateway.query_refund(request)
        assert (result.status, result.flags) == ("created", ("not_found",))
    with pytest.raises(base.GatewayUnavailable):
        gateway.query_refund(dataclasses.replace(REFUND, refund_ref="rfd_1"))


def test_a_refund_without_the_intents_id_is_never_sent(wire):
    for run in (awx.make().create_refund, awx.make().query_refund):
        with pytest.raises(base.GatewayMisuse) as caught:
            run(dataclasses.replace(REFUND, provider_ref=""))
        assert caught.value.not_sent
    assert len(wire.calls) == 0


# --- saved cards ------------------------------------------------------------------------------------------------------
def test_a_card_is_saved_as_a_verified_consent(wire):
    wire.add("POST", f"{CUSTOMERS}/create", status=201, json={"id": awx.CUSTOMER})
    wire.add("POST", f"{CONSENTS}/create", status=201, json=CONSENT | {"status": "REQUIRES_PAYMENT_METHOD"})
    method = awx.attempt("")["payment_method"]
    wire.add(
        "POST",
        f"{CONSENTS}/{awx.CONSENT}/verify",
        json=CONSENT | {"status": "VERIFIED", "payment_method": method},
    )
    result = awx.make().save_method(SAVE)
    assert (result.status, result.method_ref, result.customer_ref) == ("succeeded", awx.CONSENT, awx.CUSTOMER)
    assert result.details.last_four == "1003"
    customer, consent = bodies(wire, "/create")
    assert customer["merchant_customer_id"] == WHO.customer_id
    assert consent == {
        "request_id": "save-1:consent",
        "customer_id": awx.CUSTOMER,
        "next_triggered_by": "customer",
    }
    assert bodies(wire, "/verify")[0]["request_id"] == "save-1:verify"


def test_a_card_that_wants_3ds_first_is_saved_after_it(wire):
    known = dataclasses.replace(SAVE, customer=dataclasses.replace(WHO, provider_ref=awx.CUSTOMER))
    wire.add("POST", f"{CONSENTS}/create", status=201, json=CONSENT | {"status": "REQUIRES_PAYMENT_METHOD"})
    action = {"type": "redirect", "method": "GET", "url": "https://3ds.example/c"}
    waiting = CONSENT | {"status": "REQUIRES_CUSTOMER_ACTION", "next_action": action}
    wire.add("POST", f"{CONSENTS}/{awx.CONSENT}/verify", json=waiting)
    wire.add("GET", f"{CONSENTS}/{awx.CONSENT}", json=CONSENT | {"status": "VERIFIED"})
    gateway = awx.make()
    first = gateway.save_method(known)
    assert (first.status, first.method_ref, first.setup_ref) == ("requires_action", "", awx.CONSENT)
    assert first.next_action == base.Redirect(url="https://3ds.example/c")
    assert gateway.query_saved_method(first.setup_ref).method_ref == awx.CONSENT


def test_a_repeat_of_saving_goes_on_where_it_was_lost(wire):
    used = awx.error("duplicate_request")
    wire.add("POST", f"{CUSTOMERS}/create", status=400, json=awx.error("resource_already_exists"))
    wire.add("GET", CUSTOMERS, json=paged({"id": awx.CUSTOMER, "merchant_customer_id": WHO.customer_id}))
    wire.add("POST", f"{CONSENTS}/create", status=400, json=used)
    wire.add(
        "GET",
        CONSENTS,
        json=paged({"id": "cst_0", "request_id": "x"}, CONSENT | {"status": "REQUIRES_PAYMENT_METHOD"}),
    )
    wire.add("POST", f"{CONSENTS}/{awx.CONSENT}/verify", status=400, json=used)
    wire.add("GET", f"{CONSENTS}/{awx.CONSENT}", json=CONSENT | {"status": "VERIFIED"})
    assert awx.make().save_method(SAVE).method_ref == awx.CONSENT


def test_a_card_that_is_refused_is_not_saved(wire):
    known = dataclasses.replace(SAVE, customer=dataclasses.replace(WHO, provider_ref=awx.CUSTOMER))
    new = CONSENT | {"status": "REQUIRES_PAYMENT_METHOD"}
    wire.add("POST", f"{CONSENTS}/create", status=201, json=new)
    wire.add("POST", f"{CONSENTS}/{awx.CONSENT}/verify", json=new | {"failure_code": "issuer_declined"})
    result = awx.make().save_method(known)
    assert (result.status, result.method_ref, result.error.code) == ("failed", "", "card_declined")


def test_deleting_is_idempotent(wire):
    url, method = f"{CONSENTS}/{awx.CONSENT}", base.SavedMethod(method_ref=awx.CONSENT)
    wire.add("POST", f"{url}/disable", json=CONSENT | {"status": "DISABLED"})
    wire.add("POST", f"{url}/disable", status=400, json=awx.error("duplicate_request"))
    wire.add("GET", url, json=CONSENT | {"status": "DISABLED"})
    wire.add("POST", f"{url}/disable", status=404, json=awx.error("resource_not_found"))
    gateway = awx.make()
    for _ in range(3):
        gateway.delete_method(method)
    assert {b["request_id"] for b in bodies(wire, "/disable")} == {f"{awx.CONSENT}:disable"}


def test_paying_and_saving_at_once(wire):
    wire.add("POST", f"{CUSTOMERS}/create", status=201, json={"id": awx.CUSTOMER})
    wire.add("POST", f"{LIST}/create", status=201, json=awx.intent(customer_id=awx.CUSTOMER))
    done = awx.intent("SUCCEEDED", customer_id=awx.CUSTOMER, payment_consent_id=awx.CONSENT)
    wire.add("POST", CONFIRM_URL, json=done)
    gateway = awx.make()
    gateway.create_payment(dataclasses.replace(REQUEST, save_method=True, customer=WHO))
    sent = bodies(wire, "payment_intents/create")[0]
    assert (sent["customer_id"], sent["payment_consent"]) == (awx.CUSTOMER, {"next_triggered_by": "customer"})
    paid = gateway.confirm_payment(CONFIRM)
    assert (paid.saved_ref, paid.customer_ref) == (awx.CONSENT, awx.CUSTOMER)


# --- statements and records -------------------------------------------------------------------------------------------
def test_the_statement_of_a_utc_day(wire):
    late = awx.intent("SUCCEEDED", id="int_2", created_at="2025-08-31T01:30:00+0200", merchant_order_id="P_2")
    open_, other_day = awx.intent("PENDING"), awx.intent("SUCCEEDED", created_at="2025-08-31T00:00:00+0000")
    wire.add("GET", LIST, json=paged(awx.intent("SUCCEEDED"), late, open_, other_day))
    wire.add("GET", REFUNDS, json=paged(awx.refund("SETTLED"), awx.refund("FAILED")))
    lines = awx.make().statement(date(2025, 8, 30))
    assert [(n.kind, n.out_trade_no, n.out_refund_no, str(n.amount)) for n in lines] == [
        ("payment", awx.NUMBER, "", "19.99 GBP"),
        ("payment", "P_2", "", "19.99 GBP"),
        ("refund", awx.NUMBER, "R1", "5.00 GBP"),
    ]
    assert lines[1].at == datetime(2025, 8, 30, 23, 30, tzinfo=UTC)


def test_no_card_and_no_secret_is_recorded(wire, caplog):
    records: list = []
    echo = awx.intent("SUCCEEDED", note=f"{awx.PAN} {awx.HOLDER} {awx.API_KEY}")
    wire.add("POST", CONFIRM_URL, json=echo)
    wire.add("POST", CONFIRM_URL, status=400, json=awx.error("issuer_declined", message=f"no {awx.PAN}"))
    gateway = awx.make(records.append)
    seen: list = [gateway.confirm_payment(CONFIRM).raw, repr(CONFIRM), gateway, vars(gateway)]
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.confirm_payment(CONFIRM)
    token = dataclasses.replace(CONFIRM, instrument=base.Token(value="tok-secret-9"))
    plain = awx.intent("SUCCEEDED", latest_payment_attempt=awx.attempt("SETTLED"))
    wire.replace("POST", CONFIRM_URL, json=plain)
    gateway.confirm_payment(token)
    seen += [caught.value, caught.value.to_detail(), records, caplog.text, repr(token)]
    text = repr(seen)
    hidden = (
        awx.PAN,
        f"'{awx.CVC}'",
        awx.HOLDER,
        awx.API_KEY,
        awx.TOKEN,
        awx.SECRET,
        "awx-client-secret-1",
        "tok-secret-9",
    )
    assert len(records) >= 4
    assert [secret for secret in hidden if secret in text] == []
    assert not re.search(
        r"\b2031\b", text.replace(awx.NUMBER, "")
    )  # an address in a repr may have these digits
    assert {r.name for r in records} == {"authentication/login", "payment_intents/{id}/confirm"}
