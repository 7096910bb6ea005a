"""Airwallex's objects as frozen data of ours: payment intents, refunds, consents, disputes, what the shopper must do.

Reading alone: no call. Guarantees: an unknown word is processing, said once; an amount that cannot be read exactly is no
amount; `raw` holds ids and words, never a card, a secret or a person.
Source: "Payment Acceptance", intents, 3DS, states; API version 2025-06-30.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from payments.gateways import base
from payments.gateways.airwallex import wire, words
from pimpshop.core import redaction
from pimpshop.core.money import Money

#: Our own marks in an object's metadata.
PAYMENT_ID, OUT_TRADE_NO, OUT_REFUND_NO = "payment_id", "out_trade_no", "out_refund_no"


def mark(thing: Mapping[str, Any], name: str) -> str:
    """One of our marks in an object's metadata."""
    return wire.text(wire.row(thing.get("metadata")).get(name))


def payment(
    intent: Mapping[str, Any], *, account: str, live: bool, after_confirm: bool = False
) -> base.PaymentResult:
    """What a payment intent says. REQUIRES_PAYMENT_METHOD is a new intent, or a declined one: then its last attempt (or
    that it was just confirmed) tells. Raises GatewayUnavailable for what is no intent."""
    ref, word = wire.text(intent.get("id"), 100), wire.text(intent.get("status"), 60)
    if not ref or not word:
        raise base.GatewayUnavailable("no payment intent", code=base.ErrorCode.BAD_ANSWER)
    attempt = wire.row(intent.get("latest_payment_attempt"))
    status, flags = _status(word, attempt, after_confirm)
    action = next_action(intent) if status == base.PaymentStatus.REQUIRES_ACTION else None
    currency = intent.get("currency")
    return base.PaymentResult(
        status=status,
        provider_ref=ref,
        transaction_ref=ref,
        amount=wire.from_wire(intent.get("amount"), currency),
        captured=_some(intent.get("captured_amount"), currency),
        refunded=_some(attempt.get("refunded_amount"), currency),
        next_action=action,
        error=_failure(attempt) if status == base.PaymentStatus.FAILED else None,
        raw=_raw(intent, attempt),
        out_trade_no=wire.text(intent.get("merchant_order_id"), 128),
        account=account,
        live=live,
        provider_status=word,
        flags=flags,
        method_details=details(wire.row(attempt.get("payment_method"))),
        saved_ref=wire.text(intent.get("payment_consent_id"), 100) if _done(status) else "",
        customer_ref=wire.text(intent.get("customer_id"), 100),
    )


def _status(
    word: str, attempt: Mapping[str, Any], after_confirm: bool
) -> tuple[base.PaymentStatus, tuple[str, ...]]:
    status = words.STATUS.get(word)
    if status is None:
        words.say_once("payment", word)
        return base.PaymentStatus.PROCESSING, (base.Flag.UNKNOWN_STATUS,)
    if word != words.NEEDS_METHOD:
        return status, ()
    ended = wire.text(attempt.get("status")) in words.ATTEMPT_ENDED or bool(attempt.get("failure_code"))
    if after_confirm or ended:
        return base.PaymentStatus.FAILED, ()
    return (base.PaymentStatus.PROCESSING if attempt else status), ()


def _done(status: base.PaymentStatus) -> bool:
    return status in (base.PaymentStatus.SUCCEEDED, base.PaymentStatus.AUTHORIZED)


def _some(value: Any, currency: Any) -> Money | None:
    """An amount above zero; None for nothing, and for what is not told."""
    found = wire.from_wire(value, currency)
    return found if found and found.amount_minor > 0 else None


def _failure(attempt: Mapping[str, Any]) -> base.ErrorDetail:
    told = wire.row(attempt.get("failure_details")) or attempt
    return words.failure(
        wire.text(attempt.get("failure_code"), 60),
        wire.text(attempt.get("provider_original_response_code"), 20),
        redaction.scrub_text(wire.text(told.get("message")), max_bytes=200),
    )


def _raw(intent: Mapping[str, Any], attempt: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "status", "merchant_order_id", "amount", "currency", "captured_amount", "created_at")
    told: dict[str, Any] = {name: intent[name] for name in names if intent.get(name) is not None}
    if attempt:
        kept = ("id", "status", "failure_code", "provider_original_response_code")
        told["latest_payment_attempt"] = {name: attempt[name] for name in kept if attempt.get(name)}
    scrubbed: dict[str, Any] = redaction.scrub(told, max_bytes=2000)
    return scrubbed


def next_action(thing: Mapping[str, Any]) -> base.Redirect | None:
    """Where the shopper is sent for 3DS: GET, or a form that is posted with `data`. None when it names no address."""
    told = wire.row(thing.get("next_action"))
    url = wire.text(told.get("url"), 4096)
    if not url.startswith(("https://", "http://")):
        return None
    if wire.text(told.get("method")).upper() != "POST":
        return base.Redirect(url=url)
    fields = {
        str(name): str(value) for name, value in wire.row(told.get("data")).items() if value is not None
    }
    return base.Redirect(url=url, method="POST", fields=fields)


def details(method: Mapping[str, Any]) -> base.MethodDetails | None:
    """What may be shown of a card that was used."""
    card = wire.row(method.get("card"))
    if not card:
        return None
    last_four = str(card.get("last4") or "")
    return base.MethodDetails(
        method_type="card",
        last_four=last_four if re.fullmatch(r"\d{4}", last_four, re.ASCII) else "",
        card_brand=wire.text(card.get("brand"), 30).lower(),
        exp_month=_digits(card.get("expiry_month"), 2),
        exp_year=_digits(card.get("expiry_year"), 4),
        cardholder_name=redaction.scrub_text(wire.text(card.get("name"), 100)),
    )


def _digits(value: Any, most: int) -> str:
    told = str(value) if isinstance(value, (str, int)) else ""
    return told if re.fullmatch(rf"\d{{1,{most}}}", told, re.ASCII) else ""


def refund(told: Mapping[str, Any]) -> base.RefundResult:
    """What a refund says. Raises GatewayUnavailable for what is no refund."""
    ref, word = wire.text(told.get("id"), 100), wire.text(told.get("status"), 60)
    if not ref or not word:
        raise base.GatewayUnavailable("no refund", code=base.ErrorCode.BAD_ANSWER)
    status = words.REFUND.get(word)
    flags: tuple[str, ...] = ()
    if status is None:
        words.say_once("refund", word)
        status, flags = base.RefundStatus.PENDING, (base.Flag.UNKNOWN_STATUS,)
    failed = status == base.RefundStatus.FAILED
    names = ("id", "status", "payment_intent_id", "amount", "currency", "failure_code", "created_at")
    return base.RefundResult(
        status=status,
        provider_ref=ref,
        amount=wire.from_wire(told.get("amount"), told.get("currency")),
        error=words.failure(wire.text(told.get("failure_code"), 60) or word) if failed else None,
        raw=redaction.scrub(
            {name: told[name] for name in names if told.get(name) is not None}, max_bytes=2000
        ),
        provider_status=word,
        flags=flags,
    )


def consent(told: Mapping[str, Any], *, after_verify: bool = False) -> base.SavedMethodResult:
    """What a payment consent says. Back at REQUIRES_PAYMENT_METHOD after its verification, the card was refused."""
    ref, word = wire.text(told.get("id"), 100), wire.text(told.get("status"), 60)
    if not ref or not word:
        raise base.GatewayUnavailable("no payment consent", code=base.ErrorCode.BAD_ANSWER)
    status = words.CONSENT.get(word)
    if status is None:
        words.say_once("consent", word)
        status = base.PaymentStatus.PROCESSING
    if word == words.NEEDS_METHOD and (after_verify or told.get("failure_code")):
        status = base.PaymentStatus.FAILED
    failed = status == base.PaymentStatus.FAILED
    waiting = status == base.PaymentStatus.REQUIRES_ACTION
    return base.SavedMethodResult(
        status=status,
        method_ref=ref if status == base.PaymentStatus.SUCCEEDED else "",
        customer_ref=wire.text(told.get("customer_id"), 100),
        setup_ref=ref,
        details=details(wire.row(told.get("payment_method"))),
        next_action=next_action(told) if waiting else None,
        error=words.failure(wire.text(told.get("failure_code"), 60)) if failed else None,
    )


def dispute(told: Mapping[str, Any]) -> base.DisputeNotice | None:
    """What a dispute says; None when it names no amount that we can read."""
    ref, word = wire.text(told.get("id"), 100), wire.text(told.get("status"), 60)
    amount = wire.from_wire(told.get("amount"), told.get("currency"))
    if not ref or amount is None:
        return None
    status = words.DISPUTE.get(word)
    if status is None:
        words.say_once("dispute", word)
        status = base.DisputeStatus.UNDER_REVIEW
    reason = told.get("reason")
    return base.DisputeNotice(
        provider_ref=ref,
        status=status,
        amount=amount,
        out_trade_no=wire.text(told.get("merchant_order_id"), 128),
        payment_ref=wire.text(told.get("payment_intent_id"), 100),
        reason=wire.text(wire.row(reason).get("code") or reason, 60),
        deadline=wire.moment(told.get("due_at")),
        money_moved=wire.text(told.get("stage")) not in words.INQUIRIES,
        provider_status=word,
    )


def line(thing: Mapping[str, Any], kind: str, amount: Money | None) -> base.StatementLine | None:
    """An intent or a refund as a line of its day; None where no money moved."""
    at = wire.moment(thing.get("created_at"))
    if amount is None or amount.amount_minor <= 0 or at is None:
        return None
    number = wire.text(thing.get("merchant_order_id"), 128) or mark(thing, OUT_TRADE_NO)
    return base.StatementLine(
        kind=kind, amount=amount, at=at, provider_ref=wire.text(thing.get("id"), 100), out_trade_no=number,
        out_refund_no=mark(thing, OUT_REFUND_NO), provider_status=wire.text(thing.get("status"), 60),
    )  # fmt: skip
