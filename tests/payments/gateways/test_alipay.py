"""Alipay: the contract, and what its four ways to pay, its queries, closes and refunds put on the wire."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from payments.gateways import base
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW, GatewayContract
from tests.support import alipay as support
from tests.support.alipay import APP, NUMBER, PRIVATE, TRADE, URL, answer, make, notice, refusal

CALLS = {
    "create": "alipay.trade.precreate",
    "query": "alipay.trade.query",
    "close": "alipay.trade.close",
    "refund": "alipay.trade.refund",
    "query_refund": "alipay.trade.fastpay.refund.query",
}
OK = {
    "create": {"out_trade_no": NUMBER, "qr_code": "https://qr.alipay.com/bax03431ljhokirwl38f00a7"},
    "query": {"out_trade_no": NUMBER, "trade_no": TRADE, "trade_status": "WAIT_BUYER_PAY", "total_amount": "19.99"},
    "close": {"out_trade_no": NUMBER, "trade_no": TRADE},
    "refund": {"out_trade_no": NUMBER, "trade_no": TRADE, "fund_change": "Y", "refund_fee": "5.00"},
    "query_refund": {
        "out_trade_no": NUMBER, "out_request_no": "R1", "refund_status": "REFUND_SUCCESS", "refund_amount": "5.00",
    },
}  # fmt: skip


class TestContract(GatewayContract):
    KEY = "alipay"
    CURRENCY = "CNY"
    METHOD = "precreate"
    PROVIDER_REF = ""  # there is no trade before somebody scans
    ACTION = base.QrCode
    STATUSES = {
        "WAIT_BUYER_PAY": base.PaymentStatus.REQUIRES_ACTION,
        "TRADE_SUCCESS": base.PaymentStatus.SUCCEEDED,
        "TRADE_FINISHED": base.PaymentStatus.SUCCEEDED,
        "TRADE_CLOSED": base.PaymentStatus.CANCELED,
    }
    REFUSALS = {
        "40004 ACQ.SYSTEM_ERROR": (base.GatewayUnavailable, "unavailable"),
        "40004 aop.ACQ.SYSTEM_ERROR": (base.GatewayUnavailable, "unavailable"),
        "40004 ACQ.BRAND_NEW": (base.GatewayUnavailable, "processing_error"),
        "20000 isp.unknow-error": (base.GatewayUnavailable, "unavailable"),
        "40005 isv.app-call-limited": (base.GatewayUnavailable, "rate_limited"),
        "40004 ACQ.TRADE_HAS_SUCCESS": (base.GatewayDeclined, "already_paid"),
        "40004 ACQ.TRADE_HAS_CLOSE": (base.GatewayDeclined, "payment_closed"),
        "40004 ACQ.TOTAL_FEE_EXCEED": (base.GatewayDeclined, "amount_too_large"),
        "40004 ACQ.BUYER_BALANCE_NOT_ENOUGH": (base.GatewayDeclined, "insufficient_funds"),
        "40004 ACQ.INVALID_PARAMETER": (base.GatewayMisuse, "invalid_request"),
        "40004 ACQ.CONTEXT_INCONSISTENT": (base.GatewayMisuse, "duplicate_reference"),
        "40002 isv.invalid-signature": (base.GatewayMisuse, "credentials"),
        "40002 isv.invalid-timestamp": (base.GatewayMisuse, "invalid_request"),
        "40006 isv.insufficient-isv-permissions": (base.GatewayMisuse, "credentials"),
        "20001 aop.invalid-app-auth-token": (base.GatewayMisuse, "credentials"),
    }
    SECRETS = (PRIVATE, "".join(PRIVATE.splitlines()[1:-1]))
    ACKNOWLEDGEMENT = b"success"

    def make(self, recorder=None):
        return make(recorder=recorder)

    def request(self, **changes):
        return super().request(**({"out_trade_no": NUMBER} | changes))

    def stub(self, wire, verb, case):
        method, fields = CALLS[verb], dict(OK[verb])
        if case in self.REFUSALS:
            body = refusal(method, *case.split(" "))
        elif case == "unknown_id":
            body = refusal(method, "40004", "ACQ.TRADE_NOT_EXIST")
        else:
            if case.startswith("status:"):
                fields["trade_status"] = case.removeprefix("status:")
            if case == "foreign":
                fields |= {"out_trade_no": "P20250830075329AB12CD99", "trade_status": "TRADE_SUCCESS"}
            body = answer(method, fields)
        self.break_wire(wire, verb, body=body)

    def break_wire(self, wire, verb, **told):
        matcher = responses.matchers.query_param_matcher({"method": CALLS[verb]}, strict_match=False)
        wire.add("POST", URL, match=[matcher], **told)

    def calls(self, wire, verb):
        return [call.request for call in wire.calls if support.sent_method(call.request) == CALLS[verb]]

    def wire_amount(self, sent):
        return Decimal(support.biz(sent)["total_amount"])

    def wire_key(self, sent):
        return support.biz(sent)["out_trade_no"]

    def post(self, case):
        changes = {"stale": {"notify_time": "2025-08-27 15:00:00"}, "foreign": {"app_id": "2021000000000099"}}
        body = notice(**changes.get(case, {}))
        if case == "tampered":
            body = body.replace(b"total_amount=19.99", b"total_amount=0.01")
        return base.WebhookRequest(body=body, received_at=NOW)


CONTRACT = TestContract()


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def stub(wire, verb, fields=None, **told):
    CONTRACT.break_wire(wire, verb, body=answer(CALLS[verb], OK[verb] | (fields or {}), **told))


def refuse(wire, verb, sub_code, code="40004"):
    CONTRACT.break_wire(wire, verb, body=refusal(CALLS[verb], code, sub_code))


# --- what goes out ---


@pytest.mark.parametrize(
    ("method", "call", "product"),
    [
        ("page", "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
        ("wap", "alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    ],
)
def test_page_and_wap_are_one_signed_address_and_no_call(wire, method, call, product):
    expires = datetime(2025, 8, 30, 8, 23, 29, tzinfo=UTC)
    request = CONTRACT.request(method=method, expires_at=expires, notify_url="https://shop.example/n")
    result = make().create_payment(request)
    assert isinstance(result.next_action, base.Redirect)
    assert (result.next_action.method, len(wire.calls)) == ("GET", 0)
    address = urlsplit(result.next_action.url)
    assert f"{address.scheme}://{address.netloc}{address.path}" == URL
    sent = dict(parse_qsl(address.query))
    assert support.signed_by_us(sent)
    assert {name: sent[name] for name in ("app_id", "method", "format", "charset", "sign_type", "version")} == {
        "app_id": APP, "method": call, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2", "version": "1.0",
    }  # fmt: skip
    assert (sent["return_url"], sent["notify_url"]) == (request.return_url, "https://shop.example/n")
    assert sent["timestamp"] == "2025-08-30 15:53:29"
    biz = json.loads(sent["biz_content"])
    assert biz.pop("quit_url", "") == (request.return_url if method == "wap" else "")
    assert biz == {
        "out_trade_no": NUMBER, "total_amount": "19.99", "subject": "iPhone 15 Pro case",
        "time_expire": "2025-08-30 16:23:29", "product_code": product,
    }  # fmt: skip


def test_app_is_the_order_string_for_the_sdk(wire):
    result = make().create_payment(CONTRACT.request(method="app"))
    assert isinstance(result.next_action, base.ClientParams)
    assert (result.next_action.sdk, len(wire.calls)) == ("alipay_app", 0)
    sent = dict(parse_qsl(result.next_action.params["order_string"]))
    assert support.signed_by_us(sent)
    assert sent["method"] == "alipay.trade.app.pay"
    assert json.loads(sent["biz_content"])["product_code"] == "QUICK_MSECURITY_PAY"
    assert "return_url" not in sent


def test_a_call_has_its_parameters_in_the_address_and_its_content_in_the_body(wire):
    stub(wire, "create")
    make().create_payment(CONTRACT.request(description="iPhone 15/壳 & more=1", return_url=""))
    sent = wire.calls[0].request
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded;charset=utf-8"
    assert list(parse_qs(sent.body)) == ["biz_content"]
    assert "biz_content" not in parse_qs(urlsplit(sent.url).query)
    assert support.signed_by_us(support.everything(sent))
    assert support.biz(sent)["subject"] == "iPhone 15 壳 more 1"


@pytest.mark.tz
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Shanghai"])
def test_the_time_is_beijings_whatever_the_zone(wire, zone, monkeypatch):
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        stub(wire, "create")
        make().create_payment(CONTRACT.request())
    finally:
        monkeypatch.setenv("TZ", before) if before is not None else monkeypatch.delenv("TZ")
        time.tzset()
    assert support.everything(wire.calls[0].request)["timestamp"] == "2025-08-30 15:53:29"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": "magic"}, "method_unavailable"),
        ({"capture": False}, "not_supported"),
        ({"amount": Money.parse("19.99", "GBP")}, "currency_unsupported"),
        ({"amount": Money.parse("100000000.01", "CNY")}, "amount_invalid"),
        ({"amount": Money(-1, "CNY")}, "amount_invalid"),
        ({"out_trade_no": "P-1"}, "invalid_request"),
        ({"out_trade_no": "P" * 65}, "invalid_request"),
        ({"out_trade_no": ""}, "invalid_request"),
    ],
)
def test_what_alipay_cannot_take_is_never_sent(wire, changes, code):
    with pytest.raises(base.GatewayMisuse) as caught:
        make().create_payment(CONTRACT.request(**changes))
    assert (caught.value.code, caught.value.not_sent, len(wire.calls)) == (code, True, 0)


def test_it_is_offered_for_yuan_within_the_limits():
    def offered(amount, currency="CNY"):
        return [m.key for m in make().methods(currency, Money.parse(amount, currency))]

    assert offered("0.01") == offered("100000000.00") == ["page", "wap", "app", "precreate"]
    assert offered("100000000.01") == offered("1.00", "GBP") == []
    assert list(make().methods("CNY", Money.parse("1.00", "USD"))) == []


# --- a lost answer ---


def test_a_resend_of_a_qr_code_looks_first_and_sends_what_is_not_there(wire):
    refuse(wire, "query", "ACQ.TRADE_NOT_EXIST")
    stub(wire, "create")
    result = make().create_payment(CONTRACT.request(resend=True))
    assert [support.sent_method(call.request) for call in wire.calls] == [CALLS["query"], CALLS["create"]]
    assert isinstance(result.next_action, base.QrCode)


def test_a_resend_of_what_was_paid_sends_nothing(wire):
    stub(wire, "query", {"trade_status": "TRADE_SUCCESS"})
    result = make().create_payment(CONTRACT.request(resend=True))
    assert (result.status, result.provider_ref) == (base.PaymentStatus.SUCCEEDED, TRADE)
    assert len(wire.calls) == 1


def test_a_qr_code_of_another_trade_does_not_count(wire):
    stub(wire, "create", {"out_trade_no": "P1"})
    with pytest.raises(base.GatewayUnavailable) as caught:
        make().create_payment(CONTRACT.request())
    assert caught.value.code == "bad_answer"


# --- query and close ---


def test_a_closed_trade_that_was_paid_was_refunded(wire):
    paid = {"trade_status": "TRADE_CLOSED", "send_pay_date": "2025-08-30 15:55:00"}
    stub(wire, "query", paid)
    result = make().query_payment(CONTRACT.ref())
    assert (result.status, result.refunded) == (base.PaymentStatus.REFUNDED, Money.parse("19.99", "CNY"))


def test_a_query_keeps_nothing_of_the_buyers(wire):
    stub(wire, "query", {"buyer_logon_id": "159****5620", "buyer_user_id": "2088101117955611"})
    result = make().query_payment(CONTRACT.ref())
    assert result.provider_ref == result.transaction_ref == TRADE
    assert "2088101117955611" not in repr(result)


@pytest.mark.parametrize("amount", ["19.999", "NaN", "1e3", "x"])
def test_an_amount_that_is_none_is_no_answer(wire, amount):
    stub(wire, "query", {"total_amount": amount})
    with pytest.raises(base.GatewayUnavailable) as caught:
        make().query_payment(CONTRACT.ref())
    assert caught.value.code == "bad_answer"


def test_a_close_closes(wire):
    stub(wire, "close")
    result = make().close_payment(CONTRACT.ref())
    assert (result.status, result.provider_status) == (base.PaymentStatus.CANCELED, "TRADE_CLOSED")
    assert support.biz(wire.calls[0].request) == {"out_trade_no": NUMBER}


@pytest.mark.parametrize(
    "sub_code", ["ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.TRADE_HAS_SUCCESS"]
)
def test_a_close_of_a_paid_trade_tells_that_it_is_paid(wire, sub_code):
    refuse(wire, "close", sub_code)
    stub(wire, "query", {"trade_status": "TRADE_SUCCESS"})
    result = make().close_payment(CONTRACT.ref())
    assert (result.status, result.amount) == (base.PaymentStatus.SUCCEEDED, Money.parse("19.99", "CNY"))
    assert [support.sent_method(c.request) for c in wire.calls] == [CALLS["close"], CALLS["query"]]


def test_a_close_of_what_nobody_opened_is_not_yet(wire):
    refuse(wire, "close", "ACQ.TRADE_NOT_EXIST")
    result = make().close_payment(CONTRACT.ref())
    assert (result.status, result.flags) == (base.PaymentStatus.CREATED, (base.Flag.NOT_FOUND,))


# --- refunds ---


def test_a_refund_has_our_number_and_the_exact_amount(wire):
    stub(wire, "refund")
    request = dataclasses.replace(CONTRACT.refund_request(), reason="requested_by_customer")
    result = make().create_refund(request)
    assert (result.status, result.amount) == (base.RefundStatus.SUCCEEDED, Money.parse("5.00", "CNY"))
    assert support.biz(wire.calls[0].request) == {
        "out_trade_no": NUMBER, "refund_amount": "5.00", "out_request_no": "R1",
        "refund_reason": "requested_by_customer",
    }  # fmt: skip


def test_a_repeat_that_moves_nothing_is_asked_about(wire):
    stub(wire, "refund", {"fund_change": "N"})
    stub(wire, "query_refund")
    assert make().create_refund(CONTRACT.refund_request()).status == base.RefundStatus.SUCCEEDED
    assert len(wire.calls) == 2


def test_a_refund_that_moved_nothing_yet_is_pending(wire):
    stub(wire, "refund", {"fund_change": "N"})
    CONTRACT.break_wire(wire, "query_refund", body=answer(CALLS["query_refund"], {}))
    assert make().create_refund(CONTRACT.refund_request()).status == base.RefundStatus.PENDING


def test_a_resend_of_a_refund_looks_first(wire):
    stub(wire, "query_refund")
    request = dataclasses.replace(CONTRACT.refund_request(), resend=True)
    assert make().create_refund(request).status == base.RefundStatus.SUCCEEDED
    assert [support.sent_method(c.request) for c in wire.calls] == [CALLS["query_refund"]]


def test_ten_thousand_without_a_refund_status_is_not_refunded(wire):
    CONTRACT.break_wire(wire, "query_refund", body=answer(CALLS["query_refund"], {}))
    result = make().query_refund(CONTRACT.refund_request())
    assert (result.status, result.flags) == (base.RefundStatus.CREATED, (base.Flag.NOT_FOUND,))


def test_a_new_word_for_a_refund_is_pending(wire):
    stub(wire, "query_refund", {"refund_status": "BRAND_NEW"})
    result = make().query_refund(CONTRACT.refund_request())
    assert (result.status, result.flags) == (base.RefundStatus.PENDING, (base.Flag.UNKNOWN_STATUS,))


@pytest.mark.parametrize(
    ("sub_code", "kind", "code"),
    [
        ("ACQ.SYSTEM_ERROR", base.GatewayUnavailable, "unavailable"),
        ("ACQ.SELLER_BALANCE_NOT_ENOUGH", base.GatewayMisuse, "insufficient_funds"),
        ("ACQ.DISCORDANT_REPEAT_REQUEST", base.GatewayMisuse, "duplicate_reference"),
        ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", base.GatewayDeclined, "refund_amount_invalid"),
        ("ACQ.REASON_TRADE_REFUND_FEE_ERR", base.GatewayDeclined, "refund_amount_invalid"),
        ("ACQ.TRADE_HAS_FINISHED", base.GatewayDeclined, "payment_closed"),
        ("ACQ.TRADE_NOT_ALLOW_REFUND", base.GatewayDeclined, "not_supported"),
    ],
)
def test_a_refused_refund_has_its_class_and_code(wire, sub_code, kind, code):
    refuse(wire, "refund", sub_code)
    with pytest.raises(base.GatewayError) as caught:
        make().create_refund(CONTRACT.refund_request())
    assert (type(caught.value), caught.value.code, caught.value.provider_code) == (kind, code, sub_code)


def test_no_amount_is_no_refund(wire):
    with pytest.raises(base.GatewayMisuse):
        make().create_refund(dataclasses.replace(CONTRACT.refund_request(), amount=Money(0, "CNY")))
    assert len(wire.calls) == 0
