"""The gateway `wechatpay` keeps the contract of gateways."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import responses

from payments.gateways import base, wechatpay
from tests.payments.gateways import contract
from tests.payments.gateways.contract import GatewayContract
from tests.support import wechat

NATIVE = f"{wechat.BASE}/v3/pay/transactions/native"
NUMBER = "PYEN250830540573"
QUERY = f"{wechat.BASE}/v3/pay/transactions/out-trade-no/{NUMBER}"
REFUNDS = f"{wechat.BASE}/v3/refund/domestic/refunds"
URLS = {
    "create": ("POST", NATIVE),
    "query": ("GET", QUERY),
    "close": ("POST", f"{QUERY}/close"),
    "refund": ("POST", REFUNDS),
    "query_refund": ("GET", f"{REFUNDS}/R1"),
}
#: case -> (HTTP status, their code)
REFUSED = {
    "param_error": (400, "PARAM_ERROR"),
    "sign_error": (401, "SIGN_ERROR"),
    "no_auth": (403, "NO_AUTH"),
    "old_no_auth": (403, "NOAUTH"),
    "not_match": (400, "APPID_MCHID_NOT_MATCH"),
    "used": (403, "OUT_TRADE_NO_USED"),
    "closed": (400, "ORDER_CLOSED"),
    "old_closed": (400, "ORDERCLOSED"),
    "rule_limit": (403, "RULE_LIMIT"),
    "invalid": (400, "INVALID_REQUEST"),
    "new_code": (403, "BRAND_NEW_CODE"),
    "rate": (429, "FREQUENCY_LIMITED"),
    "no_such_path": (404, ""),
}


def signed(wire: responses.RequestsMock, verb: str, told: Any, status: int = 200) -> None:
    method, url = URLS[verb]
    body = json.dumps(told).encode() if told is not None else b""
    headers = wechat.signed_headers(body, contract.NOW)
    wire.add(method, url, body=body, status=status, headers=headers, content_type="application/json")


def refused(wire: responses.RequestsMock, verb: str, status: int, code: str) -> None:
    method, url = URLS[verb]
    told = {"code": code, "message": "说明", "detail": {"field": "#/properties/amount"}} if code else None
    wire.add(method, url, body=json.dumps(told) if told else "", status=status)


class TestContract(GatewayContract):
    KEY = "wechatpay"
    CURRENCY = "CNY"
    METHOD = "native"
    PROVIDER_REF = ""  # the transaction_id, which nobody has before the payment
    ACTION = base.QrCode
    STATUSES = {
        "SUCCESS": base.PaymentStatus.SUCCEEDED,
        "REFUND": base.PaymentStatus.SUCCEEDED,
        "NOTPAY": base.PaymentStatus.REQUIRES_ACTION,
        "CLOSED": base.PaymentStatus.CANCELED,
        "REVOKED": base.PaymentStatus.CANCELED,
        "USERPAYING": base.PaymentStatus.PROCESSING,
        "ACCEPT": base.PaymentStatus.PROCESSING,
        "PAYERROR": base.PaymentStatus.FAILED,
    }
    REFUSALS = {
        "param_error": (base.GatewayMisuse, "invalid_request"),
        "sign_error": (base.GatewayMisuse, "credentials"),
        "no_auth": (base.GatewayMisuse, "credentials"),
        "old_no_auth": (base.GatewayMisuse, "credentials"),
        "not_match": (base.GatewayMisuse, "credentials"),
        "used": (base.GatewayDeclined, "duplicate_reference"),
        "closed": (base.GatewayDeclined, "payment_closed"),
        "old_closed": (base.GatewayDeclined, "payment_closed"),
        "rule_limit": (base.GatewayDeclined, "payment_failed"),
        "invalid": (base.GatewayMisuse, "invalid_request"),
        "new_code": (base.GatewayMisuse, "invalid_request"),
        "rate": (base.GatewayUnavailable, "rate_limited"),
        "no_such_path": (base.GatewayMisuse, "invalid_request"),
    }
    AMOUNTS = ("0.01", "0.29", "1.10", "9.90", "19.99", "20.00", "100.00", "98765.43")
    SECRETS = (wechat.V3_KEY, *wechat.private_pem("merchant").splitlines()[1:-1])
    ACKNOWLEDGEMENT = b'{"code":"SUCCESS","message":"Success"}'

    def make(self, recorder: Any = None) -> base.Gateway:
        return wechatpay.WeChatPayGateway(wechat.config(contract.NOW, recorder=recorder))

    def stub(self, wire: responses.RequestsMock, verb: str, case: str) -> None:
        if case == "ok":
            signed(wire, verb, {"code_url": "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"})
        elif case in REFUSED:
            refused(wire, verb, *REFUSED[case])
            refused(wire, "query", 404, "ORDER_NOT_EXIST")
        elif case == "unknown_id":
            refused(wire, verb, 404, "ORDER_NOT_EXIST")
        elif case == "foreign":
            signed(wire, verb, wechat.transaction("PYEN250830000001", 1999))
        else:
            signed(wire, verb, wechat.transaction(NUMBER, 1999, case.removeprefix("status:")))

    def break_wire(self, wire: responses.RequestsMock, verb: str, **answer: Any) -> None:
        method, url = URLS[verb]
        wire.add(method, url, **answer)

    def calls(self, wire: responses.RequestsMock, verb: str) -> list[Any]:
        return [call.request for call in wire.calls if call.request.url.startswith(URLS[verb][1])]

    def wire_amount(self, sent: Any) -> Decimal:
        amount = json.loads(sent.body)["amount"]
        assert (type(amount["total"]), amount["currency"]) == (int, "CNY")
        return Decimal(amount["total"]) / 100

    def wire_key(self, sent: Any) -> str:
        return json.loads(sent.body)["out_trade_no"]

    def post(self, case: str) -> base.WebhookRequest:
        plain = wechat.transaction(NUMBER, 1999)
        if case == "foreign":
            plain["mchid"] = "1900000110"
        body = wechat.notification(plain)
        stamp = contract.NOW if case != "stale" else contract.NOW.replace(minute=48)  # 300 s before
        headers = wechat.signed_headers(body, stamp)
        if case == "tampered":
            body = body.replace(b"TRANSACTION", b"TRANSACTI0N")
        return base.WebhookRequest(body=body, received_at=contract.NOW, headers=headers)
