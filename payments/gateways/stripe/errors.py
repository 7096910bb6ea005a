"""Stripe's errors as ours (providers/stripe.md, 3.5).

The trap: the SDK calls every HTTP 402 a CardError. Only `type: card_error` is about the card; anything else of 402 is
our own account's fault (card numbers not allowed, for instance) and must never read "your card was declined".
Guarantees: messages are scrubbed; the error that comes out holds no body of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import stripe

from payments.gateways.base import (
    ErrorCode,
    GatewayDeclined,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
)
from pimpshop.core import redaction

#: code or decline_code of a card_error -> ours; what is not here is CARD_DECLINED.
CARD = {
    "insufficient_funds": ErrorCode.INSUFFICIENT_FUNDS,
    "expired_card": ErrorCode.EXPIRED_CARD,
    "incorrect_cvc": ErrorCode.INCORRECT_CVC,
    "invalid_cvc": ErrorCode.INCORRECT_CVC,
    "processing_error": ErrorCode.PROCESSING_ERROR,
    "incorrect_number": ErrorCode.INVALID_PAYMENT_METHOD,
    "invalid_number": ErrorCode.INVALID_PAYMENT_METHOD,
    "invalid_expiry_month": ErrorCode.INVALID_PAYMENT_METHOD,
    "invalid_expiry_year": ErrorCode.INVALID_PAYMENT_METHOD,
    "payment_intent_authentication_failure": ErrorCode.AUTHENTICATION_FAILED,
    "setup_intent_authentication_failure": ErrorCode.AUTHENTICATION_FAILED,
    "authentication_required": ErrorCode.AUTHENTICATION_FAILED,
}
#: code of a request that was refused for what the shopper or the order wants -> ours.
REFUSED = {
    "amount_too_small": ErrorCode.AMOUNT_TOO_SMALL,
    "amount_too_large": ErrorCode.AMOUNT_TOO_LARGE,
    "invalid_charge_amount": ErrorCode.AMOUNT_INVALID,
    "invalid_charge_amount_no_decimal_compatible": ErrorCode.AMOUNT_INVALID,
    "charge_already_captured": ErrorCode.ALREADY_CAPTURED,
    "charge_already_refunded": ErrorCode.ALREADY_REFUNDED,
    "charge_disputed": ErrorCode.METHOD_UNAVAILABLE,
    "payment_method_not_available": ErrorCode.METHOD_UNAVAILABLE,
    "routing_number_invalid": ErrorCode.INVALID_PAYMENT_METHOD,
    "account_number_invalid": ErrorCode.INVALID_PAYMENT_METHOD,
    "bank_account_unusable": ErrorCode.INVALID_PAYMENT_METHOD,
    "payment_method_unactivated": ErrorCode.METHOD_UNAVAILABLE,
    **{
        code: ErrorCode.INVALID_PAYMENT_METHOD for code in CARD if code.startswith(("invalid_", "incorrect_"))
    },
}


def card_code(error: dict[str, Any]) -> tuple[ErrorCode, str]:
    """(ours, Stripe's own) for a card_error or a `last_payment_error`: the reason of the decline, where there is one."""
    code, reason = str(error.get("code") or ""), str(error.get("decline_code") or "")
    ours = CARD.get(code) or CARD.get(reason)
    return ours or ErrorCode.CARD_DECLINED, reason or code


def told(exc: stripe.StripeError) -> dict[str, Any]:
    """The `error` object of the answer, {} when there is none."""
    body = exc.json_body
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


class CardRefused(GatewayDeclined):
    """A declined card whose attempt exists at Stripe: `intent` is its PaymentIntent as the error carried it. It stays
    inside this package."""

    intent: dict[str, Any]


def mapped(exc: stripe.StripeError, *, secrets: Iterable[str] = ()) -> GatewayError:
    """The error of the port for what the SDK raised."""
    error = told(exc)
    code = str(error.get("code") or exc.code or "")
    text = redaction.scrub_text(
        str(error.get("message") or exc.user_message or type(exc).__name__), secrets=secrets, max_bytes=300
    )
    kind, ours, not_sent = _judged(exc, error, code, text)
    provider = card_code(error)[1] if kind is CardRefused else code or str(error.get("type") or "")
    provider = redaction.scrub_text(provider, secrets=secrets, max_bytes=60)
    found = kind(text, code=ours, provider_code=provider, not_sent=not_sent, trace_id=exc.request_id or "")
    if isinstance(found, CardRefused):
        intent = error.get("payment_intent")
        found.intent = intent if isinstance(intent, dict) else {}
    return found


def _judged(
    exc: stripe.StripeError, error: dict[str, Any], code: str, text: str
) -> tuple[type[GatewayError], ErrorCode, bool]:
    """(class, our code, surely nothing was done)."""
    status = exc.http_status or 0
    if status == 409 or isinstance(exc, stripe.APIConnectionError) or status >= 500:
        return (
            GatewayUnavailable,
            ErrorCode.UNAVAILABLE,
            False,
        )  # 409: the same key is at work this very moment
    if isinstance(exc, stripe.RateLimitError):
        return GatewayUnavailable, ErrorCode.RATE_LIMITED, code != "lock_timeout"
    if isinstance(exc, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayMisuse, ErrorCode.CREDENTIALS, True
    if isinstance(exc, stripe.IdempotencyError):
        return GatewayMisuse, ErrorCode.DUPLICATE_REFERENCE, False
    if error.get("type") == "card_error":
        return CardRefused, card_code(error)[0], False
    if isinstance(exc, stripe.CardError):
        return GatewayMisuse, ErrorCode.CREDENTIALS, True
    if isinstance(exc, stripe.InvalidRequestError):
        return _invalid(error, code, text)
    return GatewayUnavailable, ErrorCode.BAD_ANSWER, False


def _invalid(error: dict[str, Any], code: str, text: str) -> tuple[type[GatewayError], ErrorCode, bool]:
    param = str(error.get("param") or "")
    if code in REFUSED:
        return GatewayDeclined, REFUSED[code], True
    if param.endswith("[price]") or (code == "resource_missing" and param == "price"):
        return GatewayDeclined, ErrorCode.PRICE_NOT_FOUND, True
    if code == "resource_missing" and param == "payment_method":
        return GatewayDeclined, ErrorCode.INVALID_PAYMENT_METHOD, True
    if code == "resource_missing":
        return GatewayMisuse, ErrorCode.NOT_FOUND, True
    if param.endswith("currency") or text.startswith("Invalid currency"):
        return GatewayDeclined, ErrorCode.CURRENCY_UNSUPPORTED, True
    if code == "payment_intent_unexpected_state":
        return GatewayDeclined, ErrorCode.PAYMENT_CLOSED, True
    if param == "amount" and "greater than" in text:
        return GatewayDeclined, ErrorCode.REFUND_AMOUNT_INVALID, True
    return GatewayMisuse, ErrorCode.INVALID_REQUEST, True
