"""Webhooks: is the post Stripe's and fresh, and what does it say (providers/stripe.md, 3.2 and 3.3).

`Stripe-Signature: t=…,v1=hex[,v1=hex]`, HMAC-SHA256 of "t.body". Any v1 under any of our secrets counts, other schemes
do not; a clock more than 300 s away in either direction does not; the mode and the account must be ours. Unknown events
are events with nothing in them: whoever answers an error to them loses the endpoint after some days.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from payments.gateways.base import (
    DisputeNotice,
    ErrorCode,
    GatewayUnavailable,
    PaymentResult,
    PaymentStatus,
    WebhookEvent,
    WebhookRejected,
    WebhookRequest,
)
from payments.gateways.stripe import money, reading, refunds, words
from payments.gateways.stripe.config import Config
from pimpshop.core.money import Money

MAX_POST = 512 * 1024
WINDOW_SECONDS = 300
#: Statuses that our inbox applies as an event tells them; for the others it asks.
LASTING = (PaymentStatus.SUCCEEDED, PaymentStatus.AUTHORIZED)
#: Events about a charge tell receipt and card; the money itself is the PaymentIntent's to tell.
CHARGE = frozenset(
    {"charge.succeeded", "charge.failed", "charge.pending", "charge.updated", "charge.captured"}
)


def read(post: WebhookRequest, config: Config) -> WebhookEvent:
    """The event of a post. Raises WebhookRejected."""
    if len(post.body) > MAX_POST:
        raise WebhookRejected("too long", http_status=413)
    _check_signature(post, config)
    event = _parse(post.body)
    if event.get("livemode") is not config.live:
        raise WebhookRejected("test and live mixed", code=ErrorCode.FOREIGN)
    account = reading.text(event, "account")
    if account and account != config.account:
        raise WebhookRejected("another account", code=ErrorCode.FOREIGN)
    return _event(event, config)


def _check_signature(post: WebhookRequest, config: Config) -> None:
    pairs = [part.split("=", 1) for part in post.header("Stripe-Signature").split(",") if "=" in part]
    stamp = next((value for name, value in pairs if name == "t"), "")
    given = [value for name, value in pairs if name == "v1" and re.fullmatch("[0-9a-f]{64}", value)]
    if not re.fullmatch(r"\d{1,12}", stamp, re.ASCII) or not given:
        raise WebhookRejected("no signature", code=ErrorCode.BAD_SIGNATURE)
    signed = stamp.encode() + b"." + post.body
    secrets = [secret for secret in config.webhook_secrets if secret]
    right = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    # No short cut: every pair is compared.
    if not any([hmac.compare_digest(ours, theirs) for ours in right for theirs in given]):  # noqa: C419
        raise WebhookRejected("the signature does not fit", code=ErrorCode.BAD_SIGNATURE)
    if abs(int(post.received_at.timestamp()) - int(stamp)) > WINDOW_SECONDS:
        raise WebhookRejected("too old or from the future", code=ErrorCode.STALE)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise WebhookRejected("no JSON") from None
    if not isinstance(event, dict) or event.get("object") != "event":
        raise WebhookRejected("no event")
    if not reading.text(event, "id").startswith("evt_") or not reading.text(event, "type"):
        raise WebhookRejected("an event without id or type")
    if not reading.part(reading.part(event, "data"), "object"):
        raise WebhookRejected("an event about nothing")
    return event


def _event(event: Mapping[str, Any], config: Config) -> WebhookEvent:
    kind, thing = reading.text(event, "type"), event["data"]["object"]
    told = WebhookEvent(
        gateway="stripe",
        account=config.account,
        event_id=reading.text(event, "id"),
        kind=kind,
        live=config.live,
        confirmed=True,
        payload=_payload(kind, thing),
    )
    try:
        if kind.startswith("charge.dispute."):
            dispute = _dispute(kind, thing)
            return replace(
                told, dispute=dispute, provider_ref=dispute.payment_ref, out_trade_no=dispute.out_trade_no,
                provider_status=dispute.provider_status,
            )  # fmt: skip
        if kind.startswith("refund.") or kind == "charge.refund.updated":
            notice = refunds.notice(thing)
            return replace(
                told, refund=notice, provider_ref=notice.payment_ref, out_trade_no=notice.out_trade_no,
                provider_status=notice.provider_status,
            )  # fmt: skip
        payment = _payment(kind, thing, config)
    except GatewayUnavailable as exc:
        # Signed, but its amount cannot be read: not a payment of ours, for we sell in currencies that we know.
        return replace(told, payload={**told.payload, "unreadable": exc.message})
    return told if payment is None else _with_payment(told, payment)


def _with_payment(told: WebhookEvent, payment: PaymentResult) -> WebhookEvent:
    return replace(
        told,
        payment=payment,
        out_trade_no=payment.out_trade_no,
        provider_ref=payment.provider_ref or payment.transaction_ref,
        status=payment.status,
        provider_status=payment.provider_status,
        amount_told=_major(payment.amount),
    )


def _major(amount: Money | None) -> Decimal | None:
    return None if amount is None else amount.to_decimal()


def _payment(kind: str, thing: dict[str, Any], config: Config) -> PaymentResult | None:
    """What the event says of a payment; None when it says nothing that we know how to read."""
    if kind.startswith("checkout.session.") and thing.get("object") == "checkout.session":
        result = reading.session_result(thing, config)
        if kind == "checkout.session.async_payment_failed":
            failed = words.session_word("complete", "unpaid", "requires_payment_method")
            return replace(result, status=PaymentStatus.FAILED, provider_status=failed)
        return _unless_it_saves(result, thing)
    if kind.startswith("payment_intent.") and thing.get("object") == "payment_intent":
        return _unless_it_saves(reading.intent_result(thing, config), thing)
    if thing.get("object") == "charge" and (kind in CHARGE or kind == "charge.refunded"):
        return _charge(kind, thing, config)
    return None


def _unless_it_saves(result: PaymentResult, thing: Mapping[str, Any]) -> PaymentResult:
    """A success that also keeps the card is asked about: an event carries neither the method nor what may be shown of it."""
    if "saves" in reading.part(thing, "metadata") and result.status in LASTING:
        return replace(result, status=PaymentStatus.PROCESSING)
    return result


def _charge(kind: str, charge: dict[str, Any], config: Config) -> PaymentResult:
    """A charge with receipt, card and refunds. Not a success by itself: it may be only authorized."""
    refunded = kind == "charge.refunded" and charge.get("captured") is True
    currency = charge.get("currency")
    intent = reading.ref(charge, "payment_intent")
    return PaymentResult(
        status=PaymentStatus.SUCCEEDED if refunded else PaymentStatus.PROCESSING,
        provider_ref="" if reading.via_checkout(charge) else intent,
        transaction_ref=intent,
        amount=money.from_wire(charge.get("amount"), currency),
        captured=money.from_wire(charge.get("amount_captured"), currency) if refunded else None,
        refunded=money.from_wire(charge.get("amount_refunded"), currency),
        out_trade_no=reading.number(charge),
        account=config.account,
        live=config.live,
        provider_status=reading.text(charge, "status"),
        method_details=reading.method_details(charge),
        receipt_url=reading.text(charge, "receipt_url"),
    )


def _dispute(kind: str, dispute: dict[str, Any]) -> DisputeNotice:
    word = reading.text(dispute, "status")
    amount = money.from_wire(dispute.get("amount"), dispute.get("currency"))
    if amount is None:
        raise GatewayUnavailable("a dispute without an amount", code=ErrorCode.BAD_ANSWER)
    due = reading.part(dispute, "evidence_details").get("due_by")
    return DisputeNotice(
        provider_ref=reading.text(dispute, "id"),
        status=words.dispute_status(word),
        amount=amount,
        out_trade_no=reading.number(dispute),
        payment_ref=reading.ref(dispute, "payment_intent"),
        reason=reading.text(dispute, "reason"),
        deadline=datetime.fromtimestamp(due, UTC) if isinstance(due, int) and due else None,
        # An inquiry (warning_…) has taken nothing yet.
        money_moved=kind == "charge.dispute.funds_withdrawn" or not word.startswith("warning_"),
        provider_status=word,
    )


def _payload(kind: str, thing: Mapping[str, Any]) -> dict[str, Any]:
    """What the inbox keeps beside the facts: ids and words, never an address, a secret or a name."""
    kept = (
        "object",
        "id",
        "status",
        "payment_status",
        "amount",
        "amount_total",
        "currency",
        "payment_intent",
    )
    return {"type": kind, **{n: thing[n] for n in kept if isinstance(thing.get(n), (str, int))}}
