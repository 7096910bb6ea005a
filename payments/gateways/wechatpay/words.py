"""WeChat Pay's words to ours: payment and refund states, error codes. An unknown state is processing, logged once.

Source: "trade_state" and "status" of https://pay.weixin.qq.com/doc/v3/merchant/4012791879 and /4012791906.
"""

from __future__ import annotations

import logging

from payments.gateways.base import (
    ErrorCode,
    Flag,
    GatewayDeclined,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    PaymentStatus,
    RefundStatus,
)
from pimpshop.core import redaction

log = logging.getLogger(__name__)

STATUS: dict[str, PaymentStatus] = {
    "SUCCESS": PaymentStatus.SUCCEEDED,
    "REFUND": PaymentStatus.SUCCEEDED,  # it was paid, and a refund was accepted since; the refunds tell how much
    "NOTPAY": PaymentStatus.REQUIRES_ACTION,  # also after a failed try: no failure before it is closed
    "CLOSED": PaymentStatus.CANCELED,
    "REVOKED": PaymentStatus.CANCELED,  # this and the rest: only payments by the shopper's bar code
    "USERPAYING": PaymentStatus.PROCESSING,
    "ACCEPT": PaymentStatus.PROCESSING,
    "PAYERROR": PaymentStatus.FAILED,
}

REFUND_STATUS: dict[str, RefundStatus] = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "PROCESSING": RefundStatus.PENDING,
    "ABNORMAL": RefundStatus.PENDING,  # the bank refused it: staff send it elsewhere at the merchant site
    "CLOSED": RefundStatus.FAILED,
}

#: Codes without underscores (older pages spell them so) -> our error and code. What is absent here leaves the outcome to
#: a query: the order may be paid, closed or not there at all.
ERRORS: dict[str, tuple[type[GatewayError], ErrorCode]] = {
    "PARAMERROR": (GatewayMisuse, ErrorCode.INVALID_REQUEST),
    "SIGNERROR": (GatewayMisuse, ErrorCode.CREDENTIALS),
    "NOAUTH": (GatewayMisuse, ErrorCode.CREDENTIALS),
    "APPIDMCHIDNOTMATCH": (GatewayMisuse, ErrorCode.CREDENTIALS),
    "MCHNOTEXISTS": (GatewayMisuse, ErrorCode.CREDENTIALS),
    "FREQUENCYLIMITED": (GatewayUnavailable, ErrorCode.RATE_LIMITED),
    "RATELIMITEXCEEDED": (GatewayUnavailable, ErrorCode.RATE_LIMITED),
    "SYSTEMERROR": (GatewayUnavailable, ErrorCode.UNAVAILABLE),
}

#: A refused create or close of which a query told that nothing was paid.
REFUSED: dict[str, tuple[type[GatewayError], ErrorCode]] = {
    "OUTTRADENOUSED": (GatewayDeclined, ErrorCode.DUPLICATE_REFERENCE),
    "ORDERCLOSED": (GatewayDeclined, ErrorCode.PAYMENT_CLOSED),
    "RULELIMIT": (GatewayDeclined, ErrorCode.PAYMENT_FAILED),
    "TRADEERROR": (GatewayDeclined, ErrorCode.PAYMENT_FAILED),
    "USERACCOUNTABNORMAL": (GatewayDeclined, ErrorCode.PAYMENT_FAILED),
    "INVALIDREQUEST": (GatewayMisuse, ErrorCode.INVALID_REQUEST),
}

#: A refused refund. NOT_ENOUGH is the merchant's empty balance: the same number is to be sent again once there is money,
#: so its outcome stays unknown.
REFUND_REFUSED: dict[str, tuple[type[GatewayError], ErrorCode]] = {
    "NOTENOUGH": (GatewayUnavailable, ErrorCode.INSUFFICIENT_FUNDS),
    "INVALIDREQUEST": (GatewayDeclined, ErrorCode.REFUND_AMOUNT_INVALID),
    "RESOURCENOTEXISTS": (GatewayMisuse, ErrorCode.NOT_FOUND),
    "USERACCOUNTABNORMAL": (GatewayDeclined, ErrorCode.PAYMENT_FAILED),
    "TRADEERROR": (GatewayDeclined, ErrorCode.PAYMENT_FAILED),
    "RULELIMIT": (GatewayDeclined, ErrorCode.PAYMENT_FAILED),
}
_told: set[str] = set()


def plain(code: str) -> str:
    """A code as these tables spell it: older pages write ORDERCLOSED, newer ones ORDER_CLOSED."""
    return code.replace("_", "").upper()


def payment_status(word: str) -> tuple[PaymentStatus, tuple[str, ...]]:
    """Our status and flags for a trade_state."""
    status = STATUS.get(word)
    if status is None:
        _tell("payment", word)
        return PaymentStatus.PROCESSING, (Flag.UNKNOWN_STATUS,)
    return status, ()


def refund_status(word: str) -> tuple[RefundStatus, tuple[str, ...]]:
    """Our status and flags for a refund's status."""
    status = REFUND_STATUS.get(word)
    if status is None:
        _tell("refund", word)
        return RefundStatus.PENDING, (Flag.UNKNOWN_STATUS,)
    return status, (Flag.ABNORMAL,) if word == "ABNORMAL" else ()


def _tell(what: str, word: str) -> None:
    if word not in _told and len(_told) < 1000:
        _told.add(word)
        log.warning("unknown %s status of WeChat Pay: %s", what, redaction.scrub_text(word, max_bytes=40))
