"""Airwallex's signed posts: is it theirs and fresh, and what does it say.

Guarantees: the signature is checked over the raw bytes under every secret before anything is parsed; a post older or
newer than five minutes, or of another account, is refused. What names no payment (customers, consents) gives no event.
Source: "Payment Acceptance", webhooks. The tolerance is our choice, no number is published.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from payments.gateways import base
from payments.gateways.airwallex import objects, wire, words
from pimpshop.core import redaction

MAX_POST = 256 * 1024
TOLERANCE = timedelta(minutes=5)


def sign(timestamp: str, body: bytes, secret: str) -> str:
    """HMAC-SHA256 in hex over the timestamp's text and the raw body."""
    return hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).hexdigest()


def read(
    post: base.WebhookRequest, *, key: str, account: str, live: bool, secrets: tuple[str, ...]
) -> tuple[base.WebhookEvent, ...]:
    """The events of a post: one, or none. Raises WebhookRejected."""
    if len(post.body) > MAX_POST:
        raise base.WebhookRejected("too long", http_status=413)
    _check_signature(post, secrets)
    try:
        told = wire.loads(post.body)
    except ValueError as exc:
        raise base.WebhookRejected("no JSON") from exc
    told = wire.row(told)
    name, thing = wire.text(told.get("name"), 60), wire.row(wire.row(told.get("data")).get("object"))
    event_id = wire.text(told.get("id"), 100)
    if not (name and event_id and thing):
        raise base.WebhookRejected("no event")
    if account and told.get("account_id") != account:
        raise base.WebhookRejected("another account", code=base.ErrorCode.FOREIGN, http_status=403)
    facts = _facts(name, thing, account, live)
    if facts is None:
        return ()
    return (base.WebhookEvent(
        gateway=key, account=account, event_id=event_id, kind=name, live=live, confirmed=True,
        payload=_payload(event_id, name, thing), **facts,
    ),)  # fmt: skip


def _check_signature(post: base.WebhookRequest, secrets: tuple[str, ...]) -> None:
    timestamp, given = post.header("x-timestamp"), post.header("x-signature").strip().lower()
    right = [
        hmac.compare_digest(sign(timestamp, post.body, secret).encode(), given.encode())
        for secret in secrets if secret
    ]  # fmt: skip
    if not any(right):
        raise base.WebhookRejected(
            "the signature does not fit", code=base.ErrorCode.BAD_SIGNATURE, http_status=401
        )
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 14):
        raise base.WebhookRejected("no time", code=base.ErrorCode.STALE)
    sent_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(timestamp))
    if abs(post.received_at - sent_at) > TOLERANCE:
        raise base.WebhookRejected("too old, or from the future", code=base.ErrorCode.STALE)


def _facts(name: str, thing: Mapping[str, Any], account: str, live: bool) -> dict[str, Any] | None:
    kind = name.partition(".")[0]
    if kind == "payment_intent":
        return _payment(thing, account, live)
    if kind == "payment_attempt":
        return _attempt(thing)
    if kind == "refund":
        return _refund(thing)
    if kind == "payment_dispute":
        return _dispute(thing)
    return None


def _payment(thing: Mapping[str, Any], account: str, live: bool) -> dict[str, Any]:
    """All its facts; none where its amount cannot be read: then we ask."""
    try:
        result = objects.payment(thing, account=account, live=live)
    except base.GatewayError as exc:
        raise base.WebhookRejected("no payment intent") from exc
    return {
        "out_trade_no": result.out_trade_no,
        "provider_ref": result.provider_ref,
        "status": result.status,
        "provider_status": result.provider_status,
        "amount_told": result.amount.to_decimal() if result.amount else None,
        "payment": result if result.amount else None,
    }


def _attempt(thing: Mapping[str, Any]) -> dict[str, Any]:
    """An attempt is no payment: it only makes us ask."""
    word = wire.text(thing.get("status"), 60)
    return {
        "out_trade_no": wire.text(thing.get("merchant_order_id"), 128),
        "provider_ref": wire.text(thing.get("payment_intent_id"), 100),
        "status": words.ATTEMPT.get(word, base.PaymentStatus.PROCESSING),
        "provider_status": word,
    }


def _refund(thing: Mapping[str, Any]) -> dict[str, Any]:
    try:
        result = objects.refund(thing)
    except base.GatewayError as exc:
        raise base.WebhookRejected("no refund") from exc
    number, intent = objects.mark(thing, objects.OUT_TRADE_NO), wire.text(thing.get("payment_intent_id"), 100)
    notice = base.RefundNotice(
        status=result.status, provider_ref=result.provider_ref, amount=result.amount, error=result.error,
        out_refund_no=objects.mark(thing, objects.OUT_REFUND_NO), out_trade_no=number, payment_ref=intent,
        provider_status=result.provider_status,
    )  # fmt: skip
    return {
        "out_trade_no": number,
        "provider_ref": intent,
        "provider_status": result.provider_status,
        "refund": notice,
    }


def _dispute(thing: Mapping[str, Any]) -> dict[str, Any]:
    notice = objects.dispute(thing)
    if notice is None:
        raise base.WebhookRejected("no dispute")
    return {
        "out_trade_no": notice.out_trade_no,
        "provider_ref": notice.payment_ref,
        "provider_status": notice.provider_status,
        "dispute": notice,
    }


def _payload(event_id: str, name: str, thing: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "status", "payment_intent_id", "merchant_order_id", "amount", "currency", "failure_code")
    kept = {part: str(thing[part]) for part in names if thing.get(part) is not None}
    scrubbed: dict[str, Any] = redaction.scrub({"event": event_id, "name": name, **kept}, max_bytes=2000)
    return scrubbed
