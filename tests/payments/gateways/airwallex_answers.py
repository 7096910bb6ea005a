"""Airwallex in a test: its gateway with test credentials, its answers as recorded shapes, its signed posts."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from payments.gateways import airwallex, base
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW
from vending.manufacturer import MemoryTokenStore

BASE = "https://api-demo.example"
PA = f"{BASE}/api/v1/pa"
LOGIN = f"{BASE}/api/v1/authentication/login"
API_KEY, TOKEN = "awx-api-key-for-tests-1", "awx-token-for-tests-1"
SECRET, OLD_SECRET = "awx-webhook-secret-new", "awx-webhook-secret-old"
ACCOUNT = "acct_test"
PAN, CVC, HOLDER = "4012000300001003", "737", "Zoe Tester"
INTENT, CONSENT, METHOD, CUSTOMER = "int_hkdmtest1", "cst_hkdmtest1", "mtd_hkdmtest1", "cus_hkdmtest1"
NUMBER, PAYMENT = "PYEN250830540573", "pay_123e4567-e89b-12d3-a456-426614174000"
CARD = base.Card(number=PAN, exp_month=7, exp_year=2031, cvc=CVC, name=HOLDER)
REQUEST = base.PaymentRequest(
    intent_id=PAYMENT, out_trade_no=NUMBER, order_no="P20250830075329AB12CD34", amount=Money(1999, "GBP"),
    method="card", description="iPhone 15 Pro case", idempotency_key="P20250830075329AB12CD34:1:create",
    return_url="https://shop.example/orders/1/",
)  # fmt: skip
REF = base.PaymentRef(
    intent_id=PAYMENT, out_trade_no=NUMBER, order_no="P20250830075329AB12CD34", amount=Money(1999, "GBP"),
    provider_ref=INTENT, method="card", idempotency_key="P20250830075329AB12CD34:1:create",
)  # fmt: skip
CONFIRM = dataclasses.replace(REQUEST, provider_ref=INTENT, instrument=CARD)
REFUND = base.RefundRequest(
    refund_id="ref_1", out_refund_no="R1", out_trade_no=NUMBER, amount=Money(500, "GBP"), total=Money(1999, "GBP"),
    idempotency_key="R1:refund", provider_ref=INTENT,
)  # fmt: skip
CONFIRM_URL = f"{PA}/payment_intents/{INTENT}/confirm"
LIST = f"{PA}/payment_intents"


def make(recorder: Any = None, **changes: Any) -> airwallex.AirwallexGateway:
    values: dict[str, Any] = {
        "base_url": BASE,
        "client_id": "client-1",
        "api_key": API_KEY,
        "webhook_secrets": (SECRET, OLD_SECRET),
        "token_store": MemoryTokenStore(),
        "account_id": ACCOUNT,
        "raw_cards": True,
        "recorder": recorder,
    }
    return airwallex.AirwallexGateway(airwallex.Config(**(values | changes)))


def add_login(wire: Any, token: str = TOKEN) -> None:
    wire.add("POST", LOGIN, status=201, json={"token": token, "expires_at": "2025-08-30T08:23:29+0000"})


def intent(status: str = "REQUIRES_PAYMENT_METHOD", **changes: Any) -> dict[str, Any]:
    """A payment intent; `amount` is written as the exact literal by `text`."""
    told = {
        "id": INTENT,
        "request_id": "P20250830075329AB12CD34:1:create",
        "amount": 19.99,
        "currency": "GBP",
        "merchant_order_id": NUMBER,
        "status": status,
        "captured_amount": 19.99 if status == "SUCCEEDED" else 0,
        "client_secret": "awx-client-secret-1",
        "created_at": "2025-08-30T07:53:29+0000",
        "metadata": {"payment_id": PAYMENT},
    }
    return told | changes


def attempt(status: str, **changes: Any) -> dict[str, Any]:
    card = {"brand": "visa", "last4": "1003", "expiry_month": "07", "expiry_year": "2031", "name": HOLDER}
    told = {
        "id": "att_1",
        "status": status,
        "payment_method": {"type": "card", "card": card},
        "refunded_amount": 0,
    }
    return told | changes


def refund(status: str = "RECEIVED", **changes: Any) -> dict[str, Any]:
    told = {
        "id": "rfd_1",
        "request_id": "R1:refund",
        "payment_intent_id": INTENT,
        "amount": 5.00,
        "currency": "GBP",
        "status": status,
        "metadata": {"out_refund_no": "R1", "out_trade_no": NUMBER},
        "created_at": "2025-08-30T09:00:00+0000",
    }
    return told | changes


def error(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": f"it is {code}", "trace_id": "t-1", "details": {}} | more


def post(name: str, thing: dict[str, Any], *, secret: str = SECRET, at: Any = NOW, **changes: Any) -> Any:
    """A signed post about an object. `headers` and `body` in changes replace what was signed."""
    body = json.dumps({
        "id": changes.pop("event_id", "evt_1"), "name": name, "account_id": changes.pop("account_id", ACCOUNT),
        "created_at": "2025-08-30T07:53:29+0000", "version": "2025-06-30", "data": {"object": thing},
    }).encode()  # fmt: skip
    stamp = str(round(at.timestamp() * 1000))
    headers = {"x-timestamp": stamp, "x-signature": airwallex.sign(stamp, body, secret)}
    return base.WebhookRequest(**({"body": body, "headers": headers, "received_at": NOW} | changes))
