"""Stripe's hosted Checkout page: make a session, read it, end it.

Since 2022-08-01 the PaymentIntent exists only once the shopper confirms, and session metadata is not copied to it:
our number is written into both. Source: https://docs.stripe.com/api/checkout/sessions, providers/stripe.md 3.1.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from payments.gateways.base import (
    ErrorCode,
    GatewayMisuse,
    GatewayUnavailable,
    PaymentRequest,
)
from payments.gateways.stripe import attempts, money, reading
from payments.gateways.stripe.wire import Api

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=24)
EXPAND = ["payment_intent.latest_charge"]
_SESSION_ID = "session_id={CHECKOUT_SESSION_ID}"


def create(api: Api, request: PaymentRequest) -> dict[str, Any]:
    """A session for `request`; one that a `resend` finds is answered as it is. Raises GatewayError.

    A price of Stripe's whose amount is not ours is our mistake: the session is ended and nobody can pay it.
    """
    amount = money.to_wire(request.amount)
    if not request.return_url:
        raise GatewayMisuse("a Checkout page needs a return_url", not_sent=True)
    if request.resend:
        known = find(api, request.out_trade_no, subject=request.order_no)
        if known is not None:
            return known
    try:
        session = api.call(
            "post", "checkout/sessions", _params(request, amount), kind="checkout.session",
            key=request.idempotency_key, subject=request.order_no,
        )  # fmt: skip
    except GatewayMisuse as exc:
        # The first send arrived, with another expiry. A resend that did not find it (yet) asks again later.
        if exc.code == ErrorCode.DUPLICATE_REFERENCE and request.resend:
            raise GatewayUnavailable("sent before, not found yet", code=exc.code) from exc
        raise
    asked = (session.get("amount_total"), reading.text(session, "currency").upper())
    if asked != (amount, request.amount.currency):
        expire(api, reading.text(session, "id"), subject=request.order_no)
        raise GatewayMisuse("the price at Stripe is not our price", code=ErrorCode.AMOUNT_INVALID)
    return session


def _params(request: PaymentRequest, amount: int) -> dict[str, Any]:
    intent: dict[str, Any] = {
        "metadata": {**attempts.metadata(request), "via": reading.CHECKOUT},
        "description": request.description[:500],
    }
    if not request.capture:
        intent["capture_method"] = "manual"
    if request.save_method:
        intent["setup_future_usage"] = "off_session"
    params: dict[str, Any] = {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [_line(request, amount)],
        "success_url": success_url(request.return_url),
        "cancel_url": request.cancel_url or request.return_url,
        "client_reference_id": request.out_trade_no,
        "metadata": attempts.metadata(request),
        "payment_intent_data": intent,
        "locale": _locale(request.locale),
    }
    if request.expires_at is not None:
        params["expires_at"] = _expiry(request.expires_at)
    return params | _buyer(request)


def _line(request: PaymentRequest, amount: int) -> dict[str, Any]:
    if request.price_ref:
        return {"price": request.price_ref, "quantity": 1}
    product = {"name": request.description[:250] or request.order_no}
    data = {"currency": request.amount.currency.lower(), "unit_amount": amount, "product_data": product}
    return {"price_data": data, "quantity": 1}


def _buyer(request: PaymentRequest) -> dict[str, Any]:
    customer = request.customer
    if customer and customer.provider_ref:
        return {"customer": customer.provider_ref}
    known: dict[str, Any] = {"customer_email": customer.email} if customer and customer.email else {}
    return known | ({"customer_creation": "always"} if request.save_method else {})


def success_url(url: str) -> str:
    """`url` with Stripe's placeholder for the session's id, whose braces must stay as they are. It goes before a
    fragment and beside a query that is there."""
    if "{CHECKOUT_SESSION_ID}" in url:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&{_SESSION_ID}" if parts.query else _SESSION_ID
    head = url.split("#", 1)[0].split("?", 1)[0]
    return f"{head}?{query}" + (f"#{parts.fragment}" if parts.fragment else "")


def _expiry(wanted: datetime) -> int:
    """Stripe keeps a page open for 30 minutes to 24 hours; closing it earlier is a call of ours (`expire`)."""
    now = datetime.now(UTC)
    # One minute of room: their clock decides, and the call takes its time.
    earliest, latest = now + SHORTEST + timedelta(minutes=1), now + LONGEST - timedelta(minutes=1)
    return int(min(max(wanted, earliest), latest).timestamp())


def _locale(language: str) -> str:
    plain = language.lower().replace("_", "-")
    if plain.startswith("zh"):
        return "zh-HK" if plain in ("zh-hk", "zh-hant") else "zh"
    return (
        plain.split("-")[0] if plain.split("-")[0] in {"en", "de", "fr", "es", "it", "ja", "ko"} else "auto"
    )


def get(api: Api, session_id: str, *, subject: str) -> dict[str, Any]:
    """The session with its PaymentIntent and charge. Raises GatewayError."""
    return api.call(
        "get", f"checkout/sessions/{attempts.safe(session_id, 'cs_')}", {"expand": EXPAND},
        kind="checkout.session", subject=subject,
    )  # fmt: skip


def find(api: Api, out_trade_no: str, *, subject: str) -> dict[str, Any] | None:
    """The session with our number among the newest hundred: asked only right after an answer was lost."""
    page = api.call("get", "checkout/sessions", {"limit": 100}, kind="list", subject=subject)
    return attempts.ours(page, out_trade_no)


def expire(api: Api, session_id: str, *, subject: str) -> dict[str, Any]:
    """Close the page: afterwards nobody can pay there. A session that is not open any more tells its truth."""
    path = f"checkout/sessions/{attempts.safe(session_id, 'cs_')}/expire"
    try:
        return api.call("post", path, kind="checkout.session", subject=subject)
    except GatewayMisuse as exc:
        if exc.code == ErrorCode.CREDENTIALS:
            raise
        return get(api, session_id, subject=subject)
