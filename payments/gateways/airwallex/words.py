"""Airwallex's words and ours: states, error codes, refusals of issuers. Tables, and the one rule for what is not in them.

Source: "Payment Acceptance", states, errors and webhook names; API version 2025-06-30.
"""

from __future__ import annotations

import logging
from typing import Any

from payments.gateways.base import (
    DisputeStatus,
    ErrorCode,
    ErrorDetail,
    GatewayDeclined,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    PaymentStatus,
    RefundStatus,
)
from pimpshop.core import redaction

log = logging.getLogger(__name__)

NEEDS_METHOD = "REQUIRES_PAYMENT_METHOD"

#: A payment intent. There is no FAILED: a decline goes back to REQUIRES_PAYMENT_METHOD (`objects.payment` tells them apart).
STATUS: dict[str, PaymentStatus] = {
    NEEDS_METHOD: PaymentStatus.CREATED,
    "REQUIRES_CUSTOMER_ACTION": PaymentStatus.REQUIRES_ACTION,
    "REQUIRES_CAPTURE": PaymentStatus.AUTHORIZED,
    "PENDING": PaymentStatus.PROCESSING,
    "PENDING_REVIEW": PaymentStatus.PROCESSING,
    "SUCCEEDED": PaymentStatus.SUCCEEDED,
    "CANCELLED": PaymentStatus.CANCELED,
}
#: Its attempts, which only ever are a reason to ask.
ATTEMPT: dict[str, PaymentStatus] = {
    "RECEIVED": PaymentStatus.PROCESSING,
    "AUTHENTICATION_REDIRECTED": PaymentStatus.REQUIRES_ACTION,
    "PENDING_AUTHORIZATION": PaymentStatus.PROCESSING,
    "AUTHORIZED": PaymentStatus.AUTHORIZED,
    "CAPTURE_REQUESTED": PaymentStatus.SUCCEEDED,
    "SETTLED": PaymentStatus.SUCCEEDED,
    "PAID": PaymentStatus.SUCCEEDED,
    "CANCELLED": PaymentStatus.CANCELED,
    "EXPIRED": PaymentStatus.EXPIRED,
    "FAILED": PaymentStatus.FAILED,
}
ATTEMPT_ENDED = {"CANCELLED", "EXPIRED", "FAILED"}
#: Refunds; the last two are older versions' words.
REFUND: dict[str, RefundStatus] = {
    "RECEIVED": RefundStatus.PENDING,
    "ACCEPTED": RefundStatus.PENDING,
    "SETTLED": RefundStatus.SUCCEEDED,
    "FAILED": RefundStatus.FAILED,
    "PROCESSING": RefundStatus.PENDING,
    "SUCCEEDED": RefundStatus.SUCCEEDED,
}
#: Payment consents: what a saved card is there.
CONSENT: dict[str, PaymentStatus] = {
    NEEDS_METHOD: PaymentStatus.CREATED,
    "REQUIRES_CUSTOMER_ACTION": PaymentStatus.REQUIRES_ACTION,
    "PENDING": PaymentStatus.PROCESSING,
    "VERIFIED": PaymentStatus.SUCCEEDED,
    "PAUSED": PaymentStatus.CANCELED,
    "DISABLED": PaymentStatus.CANCELED,
}
DISPUTE: dict[str, DisputeStatus] = {
    "REQUIRES_RESPONSE": DisputeStatus.OPENED,
    "CHALLENGED": DisputeStatus.UNDER_REVIEW,
    "PENDING_DECISION": DisputeStatus.UNDER_REVIEW,
    "PENDING_CLOSURE": DisputeStatus.UNDER_REVIEW,
    "WON": DisputeStatus.WON,
    "REVERSED": DisputeStatus.WON,
    "LOST": DisputeStatus.LOST,
    "ACCEPTED": DisputeStatus.LOST,
    "EXPIRED": DisputeStatus.LOST,
    "CLOSED": DisputeStatus.CLOSED,
}
#: Stages of a dispute in which nothing was taken yet.
INQUIRIES = {"RFI", "PRE_CHARGEBACK"}

_DECLINED: dict[str, ErrorCode] = {
    "issuer_declined": ErrorCode.CARD_DECLINED,
    "provider_declined": ErrorCode.CARD_DECLINED,
    "risk_declined": ErrorCode.CARD_DECLINED,  # why is nobody's business but Airwallex's
    "frequency_above_limit": ErrorCode.CARD_DECLINED,
    "authentication_declined": ErrorCode.AUTHENTICATION_FAILED,
    "3ds_not_supported": ErrorCode.AUTHENTICATION_FAILED,
    "no_3ds_liability_shift": ErrorCode.AUTHENTICATION_FAILED,
    "card_brand_not_supported": ErrorCode.INVALID_PAYMENT_METHOD,
    "payment_method_not_allowed": ErrorCode.METHOD_UNAVAILABLE,
    "amount_above_limit": ErrorCode.AMOUNT_TOO_LARGE,
    "amount_below_limit": ErrorCode.AMOUNT_TOO_SMALL,
    "currency_not_supported": ErrorCode.CURRENCY_UNSUPPORTED,
    "quote_expired": ErrorCode.PROCESSING_ERROR,
}
_MISUSE: dict[str, ErrorCode] = {
    "validation_error": ErrorCode.INVALID_REQUEST,
    "invalid_status_for_operation": ErrorCode.INVALID_REQUEST,
    "resource_not_found": ErrorCode.NOT_FOUND,
    "not_found": ErrorCode.NOT_FOUND,
    "resource_already_exists": ErrorCode.DUPLICATE_REFERENCE,
    "configuration_error": ErrorCode.METHOD_UNAVAILABLE,
    "operation_not_supported": ErrorCode.NOT_SUPPORTED,
    "suspended_from_online_payments": ErrorCode.METHOD_UNAVAILABLE,
    "unauthorized": ErrorCode.CREDENTIALS,
}
#: The issuer's own answer (ISO 8583 field 39; N7: the network's), where it says more than "declined".
_ISSUER: dict[str, ErrorCode] = {
    "14": ErrorCode.INVALID_PAYMENT_METHOD,
    "33": ErrorCode.EXPIRED_CARD,
    "51": ErrorCode.INSUFFICIENT_FUNDS,
    "54": ErrorCode.EXPIRED_CARD,
    "82": ErrorCode.INCORRECT_CVC,
    "N7": ErrorCode.INCORRECT_CVC,
}
#: Where the shopper's own input is wrong, by the end of `source`.
_INPUT: dict[str, ErrorCode] = {
    "number": ErrorCode.INVALID_PAYMENT_METHOD,
    "cvc": ErrorCode.INCORRECT_CVC,
    "expiry_month": ErrorCode.EXPIRED_CARD,
    "expiry_year": ErrorCode.EXPIRED_CARD,
}
REPEATED = "duplicate_request"
#: Refusals that say no more than "look first": the request_id was used, the object exists, its state forbids it.
_LOOK = {REPEATED, "resource_already_exists", "invalid_status_for_operation"}
_told: set[str] = set()


def failure(code: str, issuer: str = "", message: str = "") -> ErrorDetail:
    """Why an attempt failed, by its `failure_code` and `provider_original_response_code`."""
    ours = _DECLINED.get(code, ErrorCode.PAYMENT_FAILED)
    if ours == ErrorCode.CARD_DECLINED:
        ours = _ISSUER.get(issuer, ours)
    return ErrorDetail(code=ours, message=message, provider_code=":".join(filter(None, (code, issuer))))


def refusal(
    status: int, code: str, *, source: str = "", issuer: str = "", message: str = "", trace_id: str = ""
) -> GatewayError:
    """The error for a 4xx answer. One that we do not know leaves the outcome open: we ask before anything else."""
    told: dict[str, Any] = {"provider_code": ":".join(filter(None, (code, issuer))), "trace_id": trace_id}
    if status == 429:  # refused at the door, nothing was done
        return GatewayUnavailable(message, code=ErrorCode.RATE_LIMITED, not_sent=True, **told)
    if status in (401, 403):
        return GatewayMisuse(message, code=ErrorCode.CREDENTIALS, not_sent=True, **told)
    if code == "validation_error" and source.startswith("payment_method"):
        field = source.rpartition(".")[2]
        return GatewayDeclined(message, code=_INPUT.get(field, ErrorCode.INVALID_PAYMENT_METHOD), **told)
    if code in _DECLINED:
        return GatewayDeclined(message, code=failure(code, issuer).code, **told)
    if code in _MISUSE:
        return GatewayMisuse(message, code=_MISUSE[code], not_sent=True, **told)
    if status == 404 and not code:
        return GatewayMisuse(message, code=ErrorCode.NOT_FOUND, not_sent=True, **told)
    ours = ErrorCode.UNAVAILABLE if code in ("provider_unavailable", REPEATED) else ErrorCode.BAD_ANSWER
    return GatewayUnavailable(message, code=ours, **told)


def asks_for_a_look(error: GatewayError) -> bool:
    """Was it refused because something of it stands already? Then the object is looked up, never sent under a fresh id."""
    return error.provider_code in _LOOK


def is_missing(error: GatewayError) -> bool:
    """Does Airwallex say that there is no such object?"""
    return error.code == ErrorCode.NOT_FOUND


def say_once(kind: str, word: str) -> None:
    """Log a word that no table here knows, once per process."""
    known = f"{kind} {word}"
    if known not in _told and len(_told) < 1000:
        _told.add(known)
        log.warning("unknown word of Airwallex for a %s: %s", kind, redaction.scrub_text(word, max_bytes=40))
