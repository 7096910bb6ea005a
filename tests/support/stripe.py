"""Stripe's objects and signed posts for tests: small, exact, built anew for each test. No real key is written here."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from payments.gateways import base, stripe
from tests.payments.gateways.contract import NOW

API = "https://api.stripe.example"
KEY = "sk_test_" + "Kx9" * 9
SECRET, OLD_SECRET = "whsec_" + "Nw7" * 8, "whsec_" + "Od5" * 8
CLIENT_SECRET = "pi_3TESTpaid_secret_" + "Zq8" * 8
SESSION, INTENT, CHARGE = "cs_test_a1Ses5ion", "pi_3TESTpaid", "ch_3TESTpaid"
NUMBER = "PYEN250830540573"


def gateway(recorder: Any = None, **config: Any) -> stripe.StripeGateway:
    """The gateway in test mode against `API`; card numbers are allowed."""
    values: dict[str, Any] = {
        "secret_key": KEY, "webhook_secrets": (SECRET, OLD_SECRET), "api_base": API, "raw_cards": True,
        "recorder": recorder,
    }  # fmt: skip
    return stripe.StripeGateway(stripe.Config(**(values | config)))


def charge(**changes: Any) -> dict[str, Any]:
    """A charge of 19.99 GBP that was paid by a Visa."""
    card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034, "fingerprint": "Fp"}
    return {
        "id": CHARGE, "object": "charge", "amount": 1999, "amount_captured": 1999, "amount_refunded": 0,
        "currency": "gbp", "captured": True, "paid": True, "status": "succeeded", "livemode": False,
        "payment_intent": INTENT, "metadata": {"out_trade_no": NUMBER},
        "billing_details": {"name": "Alice Example", "email": "alice@example.com"},
        "payment_method_details": {"type": "card", "card": card},
        "receipt_url": "https://pay.stripe.example/receipts/1", "failure_code": None,
    } | changes  # fmt: skip


def intent(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    """A PaymentIntent of 19.99 GBP; a paid one has its charge expanded."""
    paid = status == "succeeded"
    return {
        "id": INTENT, "object": "payment_intent", "status": status, "amount": 1999, "currency": "gbp",
        "amount_received": 1999 if paid else 0, "client_secret": CLIENT_SECRET, "livemode": False,
        "metadata": {"out_trade_no": NUMBER}, "payment_method": "pm_1TESTvisa" if paid else None,
        "latest_charge": charge() if paid else None, "last_payment_error": None, "next_action": None,
        "customer": None, "setup_future_usage": None,
    } | changes  # fmt: skip


def declined(code: str = "card_declined", reason: str = "generic_decline") -> dict[str, Any]:
    """The PaymentIntent that a declined card leaves behind."""
    error = {"type": "card_error", "code": code, "decline_code": reason, "message": "Your card was declined."}
    return intent("requires_payment_method", last_payment_error=error)


def session(word: str = "open/unpaid", **changes: Any) -> dict[str, Any]:
    """A Checkout Session in the state `status/payment_status/PaymentIntent's status`."""
    status, payment_status, paid_by = (*word.split("/"), "", "")[:3]
    paid = intent(paid_by, metadata={"out_trade_no": NUMBER, "via": "checkout"}) if paid_by else None
    return {
        "id": SESSION, "object": "checkout.session", "status": status, "payment_status": payment_status,
        "amount_total": 1999, "currency": "gbp", "livemode": False, "payment_intent": paid,
        "client_reference_id": NUMBER, "metadata": {"out_trade_no": NUMBER}, "customer": None,
        "url": f"https://checkout.stripe.example/c/pay/{SESSION}" if status == "open" else None,
    } | changes  # fmt: skip


def refund(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    """Our refund of 5.00 GBP."""
    return {
        "id": "re_3TESTback", "object": "refund", "status": status, "amount": 500, "currency": "gbp",
        "payment_intent": INTENT, "charge": CHARGE, "failure_reason": None,
        "metadata": {"out_refund_no": "R1", "out_trade_no": NUMBER},
    } | changes  # fmt: skip


def error(status: int, **fields: Any) -> dict[str, Any]:
    """The parts of an answer that refuses, for `wire.add`."""
    body = {"type": "invalid_request_error", "message": "No."} | fields
    return {"status": status, "json": {"error": body}, "headers": {"Request-Id": "req_TEST1"}}


def event(kind: str, thing: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An event about `thing`."""
    return {
        "id": "evt_1TEST", "object": "event", "type": kind, "livemode": False, "created": int(NOW.timestamp()),
        "api_version": "2026-08-26.dahlia", "data": {"object": thing},
    } | changes  # fmt: skip


def signed(
    body: bytes, *, at: int | None = None, secret: str = SECRET, header: str = ""
) -> base.WebhookRequest:
    """The post with its signature; `at` is the second of signing."""
    at = int(NOW.timestamp()) if at is None else at
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return base.WebhookRequest(
        body=body, received_at=NOW, headers={"stripe-signature": header or f"t={at},v1={mac}"}
    )


def post(kind: str, thing: dict[str, Any], **changes: Any) -> base.WebhookRequest:
    """A good post of an event."""
    return signed(json.dumps(event(kind, thing, **changes)).encode())
