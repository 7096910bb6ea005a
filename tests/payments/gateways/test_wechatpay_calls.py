"""The gateway `wechatpay` on the wire: signatures (wechatpayv3 is the oracle), methods, probes, refunds, the bill."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import responses
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from wechatpayv3.utils import aes_decrypt, rsa_verify

from payments.gateways import base, crypto, wechatpay
from pimpshop.core.money import Money
from tests.support import wechat
from tests.support.wechat import BASE, START

NUMBER = "PYEN250830540573"
ORDERS = f"{BASE}/v3/pay/transactions"
REFUNDS = f"{BASE}/v3/refund/domestic/refunds"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def gateway() -> wechatpay.WeChatPayGateway:
    return wechatpay.WeChatPayGateway(wechat.config(START))


def answer(
    wire: responses.RequestsMock, method: str, url: str, told: Any, status: int = 200, **headers: Any
) -> None:
    body = b"" if told is None else json.dumps(told).encode()
    wire.add(method, url, body=body, status=status, headers=wechat.signed_headers(body, START) | headers)


def request(method: str = "native", **changes: Any) -> base.PaymentRequest:
    values: dict[str, Any] = {
        "intent_id": "pay_1", "out_trade_no": NUMBER, "order_no": NUMBER, "amount": Money(1999, "CNY"),
        "method": method, "description": "手机壳", "idempotency_key": "k", "payer_ref": OPENID,
        "client_ip": "203.0.113.7", "return_url": "https://shop.example/o/1/?a=b&c=d",
    }  # fmt: skip
    return base.PaymentRequest(**(values | changes))


def refund(**changes: Any) -> base.RefundRequest:
    values: dict[str, Any] = {
        "refund_id": "r", "out_refund_no": "R1", "out_trade_no": NUMBER, "amount": Money(500, "CNY"),
        "total": Money(1999, "CNY"), "idempotency_key": "k", "reason": "x" * 100,
    }  # fmt: skip
    return base.RefundRequest(**(values | changes))


def told_refund(status: str = "PROCESSING", **changes: Any) -> dict[str, Any]:
    amount = {"refund": 500, "total": 1999, "payer_refund": 400, "currency": "CNY"}
    return {"refund_id": "503", "out_refund_no": "R1", "status": status, "amount": amount} | changes


def test_the_bytes_and_the_path_that_go_out_are_what_is_signed(wire, gateway):
    number = "a|b*c-d_E0"
    url = f"{ORDERS}/out-trade-no/a%7Cb%2Ac-d_E0"
    answer(wire, "GET", url, wechat.transaction(number, 1999))
    answer(wire, "POST", f"{ORDERS}/native", {"code_url": "weixin://x"})
    gateway.query_payment(base.PaymentRef(intent_id="p", out_trade_no=number, amount=Money(1999, "CNY")))
    gateway.create_payment(request())
    for call in wire.calls:
        sent = call.request
        scheme, _, rest = sent.headers["Authorization"].partition(" ")
        given = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        assert (scheme, given["mchid"], given["serial_no"]) == (wechat.SCHEME, wechat.MCH_ID, wechat.SERIAL)
        assert given["timestamp"] == str(int(START.timestamp()))
        body = (sent.body or b"").decode()
        message = f"{sent.method}\n{sent.path_url}\n{given['timestamp']}\n{given['nonce_str']}\n{body}\n"
        signature = crypto.b64decode(given["signature"])
        key = wechat.key_pair("merchant").public_key()
        key.verify(signature, message.encode(), padding.PKCS1v15(), hashes.SHA256())
        # wechatpayv3 checks three lines; ours have five, so the first three go as its "timestamp".
        head, nonce = message.rsplit("\n", 3)[0], given["nonce_str"]
        assert rsa_verify(head.removesuffix(f"\n{nonce}"), nonce, body, given["signature"], key)
        assert sent.headers["Wechatpay-Serial"] == wechat.PUBLIC_KEY_ID
        assert (sent.headers["Accept"], bool(sent.headers["User-Agent"])) == ("application/json", True)
    assert "手机壳" in wire.calls[1].request.body.decode()


def test_what_we_seal_the_other_library_opens():
    sealed = crypto.seal(wechat.V3_KEY.encode(), b"n" * 12, "明文".encode(), b"transaction")
    assert aes_decrypt("n" * 12, sealed, "transaction", wechat.V3_KEY) == "明文"


def test_inside_wechat_the_client_gets_signed_params(wire, gateway):
    for method, app_id in (("jsapi", wechat.APP_ID), ("mini", wechat.MINI_APP_ID)):
        answer(wire, "POST", f"{ORDERS}/jsapi", {"prepay_id": "wx30prepay"})
        action = gateway.create_payment(request(method)).next_action
        assert isinstance(action, base.ClientParams)
        params = action.params
        assert action.sdk == "wechat_jsapi"
        assert set(params) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
        assert (params["appId"], params["signType"], params["package"]) == (
            app_id,
            "RSA",
            "prepay_id=wx30prepay",
        )
        assert all(type(value) is str for value in params.values())
        text = f"{app_id}\n{params['timeStamp']}\n{params['nonceStr']}\nprepay_id=wx30prepay\n"
        assert crypto.verify(wechat.key_pair("merchant").public_key(), text.encode(), params["paySign"])
        body = json.loads(wire.calls[-1].request.body)
        assert (body["appid"], body["payer"]) == (app_id, {"openid": OPENID})


def test_an_app_gets_params_over_the_bare_prepay_id(wire, gateway):
    answer(wire, "POST", f"{ORDERS}/app", {"prepay_id": "wx30prepay"})
    action = gateway.create_payment(request("app")).next_action
    assert isinstance(action, base.ClientParams)
    params = action.params
    assert (params["partnerid"], params["package"], params["prepayid"]) == (
        wechat.MCH_ID,
        "Sign=WXPay",
        "wx30prepay",
    )
    text = f"{wechat.MOBILE_APP_ID}\n{params['timestamp']}\n{params['noncestr']}\nwx30prepay\n"
    assert crypto.verify(wechat.key_pair("merchant").public_key(), text.encode(), params["sign"])


@pytest.mark.parametrize(
    ("platform", "kind"), [("ios", "iOS"), ("android", "Android"), ("desktop", "Wap"), ("", "Wap")]
)
def test_h5_is_a_redirect_that_comes_back(wire, gateway, platform, kind):
    answer(
        wire, "POST", f"{ORDERS}/h5", {"h5_url": "https://wx.tenpay.com/checkmweb?prepay_id=wx1&package=2"}
    )
    action = gateway.create_payment(request("h5", platform=platform)).next_action
    assert action == base.Redirect(
        url="https://wx.tenpay.com/checkmweb?prepay_id=wx1&package=2"
        "&redirect_url=https%3A%2F%2Fshop.example%2Fo%2F1%2F%3Fa%3Db%26c%3Dd",
        expires_at=START + timedelta(minutes=5),
    )
    scene = json.loads(wire.calls[0].request.body)["scene_info"]
    assert scene == {"payer_client_ip": "203.0.113.7", "h5_info": {"type": kind}}


def test_the_end_of_time_is_told_in_shanghais(wire, gateway):
    ends = datetime(2025, 8, 30, 8, 23, 29, 123, tzinfo=UTC)
    answer(wire, "POST", f"{ORDERS}/native", {"code_url": "weixin://x"})
    action = gateway.create_payment(request(expires_at=ends)).next_action
    assert json.loads(wire.calls[0].request.body)["time_expire"] == "2025-08-30T16:23:29+08:00"
    assert action == base.QrCode(content="weixin://x", expires_at=ends)
    action = gateway.create_payment(request(expires_at=START + timedelta(days=1))).next_action
    assert action == base.QrCode(content="weixin://x", expires_at=START + timedelta(hours=2))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": Money(1999, "GBP")}, "currency_unsupported"), ({"method": "card"}, "method_unavailable"),
        ({"out_trade_no": "12345"}, "invalid_request"), ({"out_trade_no": "1" * 33}, "invalid_request"),
        ({"out_trade_no": "PYEN 1234"}, "invalid_request"), ({"method": "jsapi", "payer_ref": ""}, "invalid_request"),
        ({"method": "h5", "client_ip": ""}, "invalid_request"), ({"notify_url": "https://x/?a=b"}, "invalid_request"),
    ],
)  # fmt: skip
def test_what_wechat_pay_would_refuse_is_never_sent(wire, gateway, changes, code):
    with pytest.raises(base.GatewayMisuse) as caught:
        gateway.create_payment(request(**changes))
    assert (caught.value.code, caught.value.not_sent, len(wire.calls)) == (code, True, 0)


def test_too_late_to_pay_is_never_sent(wire, gateway):
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.create_payment(request(expires_at=START + timedelta(seconds=59)))
    assert (caught.value.code, len(wire.calls)) == ("payment_closed", 0)


def test_methods_are_for_yuan_and_mini_needs_its_app_id(gateway):
    one = Money(1, "CNY")
    assert [method.key for method in gateway.methods("CNY", one)] == ["native", "jsapi", "mini", "h5", "app"]
    assert list(gateway.methods("GBP", Money(1, "GBP"))) == []
    plain = wechatpay.WeChatPayGateway(wechat.config(START, mini_app_id=""))
    assert "mini" not in [method.key for method in plain.methods("CNY", one)]


@pytest.mark.parametrize("trouble", ["probe", "stale", "stranger", "none"])
def test_a_badly_signed_answer_is_thrown_away_and_asked_for_once_more(wire, gateway, trouble):
    body = json.dumps({"code_url": "weixin://evil"}).encode()
    headers = wechat.signed_headers(body, START)
    if trouble == "probe":
        headers["Wechatpay-Signature"] = f"WECHATPAY/SIGNTEST/{headers['Wechatpay-Signature'][19:]}"
    elif trouble == "stale":
        headers = wechat.signed_headers(body, START - timedelta(seconds=300))
    elif trouble == "stranger":
        headers = wechat.signed_headers(body, START, name="stranger")
    else:
        headers = {}
    wire.add("POST", f"{ORDERS}/native", body=body, headers=headers)
    answer(wire, "POST", f"{ORDERS}/native", {"code_url": "weixin://good"})
    action = gateway.create_payment(request()).next_action
    assert isinstance(action, base.QrCode)
    assert action.content == "weixin://good"
    assert wire.calls[0].request.body == wire.calls[1].request.body
    wire.reset()
    wire.add("POST", f"{ORDERS}/native", body=body, headers=headers)
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(request())
    assert (caught.value.code, caught.value.not_sent, len(wire.calls)) == ("bad_signature", False, 2)


def test_a_refused_order_that_was_paid_is_paid(wire, gateway):
    wire.add("POST", f"{ORDERS}/native", status=400, json={"code": "ORDERPAID", "message": "已支付"})
    answer(wire, "GET", f"{ORDERS}/out-trade-no/{NUMBER}", wechat.transaction(NUMBER, 1999))
    result = gateway.create_payment(request())
    assert (result.status, result.amount) == (base.PaymentStatus.SUCCEEDED, Money(1999, "CNY"))


def test_a_resend_looks_first_and_sends_nothing_when_it_was_paid(wire, gateway):
    answer(wire, "GET", f"{ORDERS}/out-trade-no/{NUMBER}", wechat.transaction(NUMBER, 1999))
    assert gateway.create_payment(request(resend=True)).status == base.PaymentStatus.SUCCEEDED
    assert [call.request.method for call in wire.calls] == ["GET"]


def test_a_success_without_an_amount_says_nothing(wire, gateway):
    ref = base.PaymentRef(intent_id="p", out_trade_no=NUMBER, amount=Money(1999, "CNY"))
    for broken in ({"amount": None}, {"amount": {"total": 19.99}}, {"transaction_id": ""}, {"mchid": "1"}):
        answer(wire, "GET", f"{ORDERS}/out-trade-no/{NUMBER}", wechat.transaction(NUMBER, 1999, **broken))
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.query_payment(ref)
        assert caught.value.code == "bad_answer"
        wire.reset()


def test_an_order_that_cannot_be_closed_yet_stays_undecided(wire, gateway):
    ref = base.PaymentRef(intent_id="p", out_trade_no=NUMBER, amount=Money(1999, "CNY"))
    wire.add(
        "POST",
        f"{ORDERS}/out-trade-no/{NUMBER}/close",
        status=403,
        json={"code": "TRADE_ERROR", "message": ""},
    )
    answer(wire, "GET", f"{ORDERS}/out-trade-no/{NUMBER}", wechat.transaction(NUMBER, 1999, "NOTPAY"))
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.close_payment(ref)
    assert caught.value.provider_code == "TRADE_ERROR"
    wire.replace(
        "POST", f"{ORDERS}/out-trade-no/{NUMBER}/close", status=204, headers=wechat.signed_headers(b"", START)
    )
    assert gateway.close_payment(ref).status == base.PaymentStatus.CANCELED
    assert json.loads(wire.calls[-1].request.body) == {"mchid": wechat.MCH_ID}


# --- refunds ---


@pytest.mark.parametrize(
    ("word", "status", "flags"),
    [
        ("PROCESSING", base.RefundStatus.PENDING, ()), ("SUCCESS", base.RefundStatus.SUCCEEDED, ()),
        ("CLOSED", base.RefundStatus.FAILED, ()), ("ABNORMAL", base.RefundStatus.PENDING, (base.Flag.ABNORMAL,)),
        ("NEW_WORD", base.RefundStatus.PENDING, (base.Flag.UNKNOWN_STATUS,)),
    ],
)  # fmt: skip
def test_a_refund_is_asked_for_and_its_word_mapped(wire, gateway, word, status, flags):
    answer(wire, "POST", REFUNDS, told_refund(word))
    result = gateway.create_refund(refund())
    assert (result.status, result.flags, result.provider_ref) == (status, flags, "503")
    assert result.amount == Money(500, "CNY")
    assert json.loads(wire.calls[0].request.body) == {
        "out_trade_no": NUMBER, "out_refund_no": "R1", "reason": "x" * 80, "notify_url": wechat.NOTIFY_URL,
        "amount": {"refund": 500, "total": 1999, "currency": "CNY"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code", "kind", "ours"),
    [
        (403, "NOT_ENOUGH", base.GatewayUnavailable, "insufficient_funds"),
        (403, "NOTENOUGH", base.GatewayUnavailable, "insufficient_funds"),
        (429, "FREQUENCY_LIMITED", base.GatewayUnavailable, "rate_limited"),
        (500, "SYSTEM_ERROR", base.GatewayUnavailable, "unavailable"),
        (400, "INVALID_REQUEST", base.GatewayDeclined, "refund_amount_invalid"),
        (400, "PARAM_ERROR", base.GatewayMisuse, "invalid_request"),
        (404, "RESOURCE_NOT_EXISTS", base.GatewayMisuse, "not_found"),
        (401, "SIGN_ERROR", base.GatewayMisuse, "credentials"),
        (403, "USER_ACCOUNT_ABNORMAL", base.GatewayDeclined, "payment_failed"),
    ],
)
def test_a_refused_refund(wire, gateway, status, code, kind, ours):
    wire.add("POST", REFUNDS, status=status, json={"code": code, "message": "说明"})
    with pytest.raises(base.GatewayError) as caught:
        gateway.create_refund(refund())
    assert (type(caught.value), caught.value.code, caught.value.provider_code) == (kind, ours, code)
    if kind is base.GatewayUnavailable:
        assert not caught.value.not_sent


def test_a_resent_refund_looks_first(wire, gateway):
    answer(wire, "GET", f"{REFUNDS}/R1", told_refund("SUCCESS"))
    assert gateway.create_refund(refund(resend=True)).status == base.RefundStatus.SUCCEEDED
    wire.replace("GET", f"{REFUNDS}/R1", status=404, json={"code": "RESOURCE_NOT_EXISTS", "message": ""})
    answer(wire, "POST", REFUNDS, told_refund())
    assert gateway.create_refund(refund(resend=True)).status == base.RefundStatus.PENDING
    assert [call.request.method for call in wire.calls] == ["GET", "GET", "POST"]
    unknown = gateway.query_refund(refund())
    assert (unknown.status, unknown.flags) == (base.RefundStatus.CREATED, (base.Flag.NOT_FOUND,))


@pytest.mark.parametrize(
    "changes", [{"amount": Money(0, "CNY")}, {"amount": Money(2000, "CNY")}, {"total": Money(1999, "GBP")}, {"out_refund_no": "R 1"}]
)  # fmt: skip
def test_a_refund_that_cannot_be_is_never_sent(wire, gateway, changes):
    with pytest.raises(base.GatewayMisuse) as caught:
        gateway.create_refund(refund(**changes))
    assert (caught.value.not_sent, len(wire.calls)) == (True, 0)


# --- the bill ---

HEAD = "交易时间,商户号,微信订单号,商户订单号,交易状态,货币种类,微信退款单号,商户退款单号,退款状态,手续费,订单金额,申请退款金额"
BILL = f"""\ufeff{HEAD}
`2025-08-30 00:00:01,`1900000109,`4200001,`PYEN1,`SUCCESS,`CNY,`0,`0,`,`0.12000,`19.99,`0.00
`2025-08-30 23:59:59,`1900000109,`4200001,`PYEN1,`REFUND,`CNY,`5030001,`R1,`SUCCESS,`-0.03000,`0.00,`5.00
总交易单数,应结订单总金额
`2,`19.99
""".encode()
FILE = f"{BASE}/v3/billdownload/file?token=abc"


def announce(wire: responses.RequestsMock, file: bytes, **changes: str) -> None:
    digest = hashlib.sha1(file, usedforsecurity=False).hexdigest()
    told = {"hash_type": "SHA1", "hash_value": digest, "download_url": FILE} | changes
    answer(wire, "GET", f"{BASE}/v3/bill/tradebill?bill_date=2025-08-30&bill_type=ALL", told)


def test_the_bill_of_a_day(wire, gateway):
    announce(wire, BILL)
    wire.add("GET", FILE, body=BILL)
    paid, back = gateway.statement(date(2025, 8, 30))
    assert dataclasses.astuple(paid) == (
        "payment", (1999, "CNY"), datetime(2025, 8, 29, 16, 0, 1, tzinfo=UTC), "4200001", "PYEN1", "", (12, "CNY"), "SUCCESS",
    )  # fmt: skip
    assert dataclasses.astuple(back) == (
        "refund", (500, "CNY"), datetime(2025, 8, 30, 15, 59, 59, tzinfo=UTC), "5030001", "PYEN1", "R1", (-3, "CNY"), "SUCCESS",
    )  # fmt: skip
    assert wire.calls[1].request.headers["Authorization"].startswith(wechat.SCHEME)


@pytest.mark.parametrize(
    "file",
    [b"", b"\xff", BILL.replace(b"`2,", b"`3,"), BILL.replace(b"19.99,`0.00", b"19.999,`0.00"), BILL[:200]],
)
def test_a_bill_that_does_not_add_up_says_nothing(wire, gateway, file):
    announce(wire, file)
    wire.add("GET", FILE, body=file)
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.statement(date(2025, 8, 30))
    assert caught.value.code == "bad_answer"


def test_a_bill_of_another_hash_or_host_is_not_read(wire, gateway):
    announce(wire, BILL, hash_value="0" * 40)
    wire.add("GET", FILE, body=BILL)
    with pytest.raises(base.GatewayUnavailable):
        gateway.statement(date(2025, 8, 30))
    wire.reset()
    announce(wire, BILL, download_url="https://evil.example/file")
    with pytest.raises(base.GatewayUnavailable):
        gateway.statement(date(2025, 8, 30))
    assert len(wire.calls) == 1


def test_a_day_without_trade_and_a_bill_that_is_not_ready(wire, gateway):
    url = f"{BASE}/v3/bill/tradebill"
    wire.add("GET", url, status=400, json={"code": "NO_STATEMENT_EXIST", "message": ""})
    assert gateway.statement(date(2025, 8, 30)) == ()
    wire.replace("GET", url, status=400, json={"code": "STATEMENT_CREATING", "message": ""})
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.statement(date(2025, 8, 30))
    assert caught.value.provider_code == "STATEMENT_CREATING"
