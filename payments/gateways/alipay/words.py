"""Alipay's words in ours: methods, trade statuses, business codes. Not here: when they are looked at. Pure tables.

Source: opendocs.alipay.com, "common error codes" and the error tables of the trade calls.
"""

from __future__ import annotations

from payments.gateways.base import (
    ClientParams,
    ErrorCode,
    GatewayDeclined,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    MethodInfo,
    PaymentStatus,
    QrCode,
    Redirect,
)
from pimpshop.core.money import Money

CURRENCY = "CNY"
LEAST, MOST = Money(1, CURRENCY), Money(10_000_000_000, CURRENCY)

_LIMITS = {"method_type": "alipay", "currencies": (CURRENCY,), "min_amount": LEAST, "max_amount": MOST}
METHODS: tuple[MethodInfo, ...] = (
    MethodInfo(key="page", label="Alipay", action_kind=Redirect.kind, requires_redirect=True, **_LIMITS),  # type: ignore[arg-type]
    MethodInfo(key="wap", label="Alipay on this phone", action_kind=Redirect.kind, requires_redirect=True, **_LIMITS),  # type: ignore[arg-type]
    MethodInfo(key="app", label="Alipay in the app", action_kind=ClientParams.kind, **_LIMITS),  # type: ignore[arg-type]
    MethodInfo(key="precreate", label="Alipay QR code", action_kind=QrCode.kind, **_LIMITS),  # type: ignore[arg-type]
)  # fmt: skip

#: method -> (call, product_code)
PRODUCTS = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    "app": ("alipay.trade.app.pay", "QUICK_MSECURITY_PAY"),
    "precreate": ("alipay.trade.precreate", "FACE_TO_FACE_PAYMENT"),
}

#: TRADE_CLOSED is two things: never paid, or paid back in full. `gateway` and `notices` tell them apart.
STATUS: dict[str, PaymentStatus] = {
    "WAIT_BUYER_PAY": PaymentStatus.REQUIRES_ACTION,
    "TRADE_SUCCESS": PaymentStatus.SUCCEEDED,
    "TRADE_FINISHED": PaymentStatus.SUCCEEDED,
    "TRADE_CLOSED": PaymentStatus.CANCELED,
}

OK = "10000"
NOT_EXIST = "ACQ.TRADE_NOT_EXIST"
NO_BILL = "isp.bill_not_exist"
#: A close is refused with one of these when the trade is not waiting any more: ask how it stands.
NOT_WAITING = {
    "ACQ.TRADE_STATUS_ERROR",
    "ACQ.REASON_TRADE_STATUS_INVALID",
    "ACQ.REASON_ILLEGAL_STATUS",
    "ACQ.TRADE_HAS_SUCCESS",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_HAS_CLOSE",
}

Verdict = tuple[type[GatewayError], ErrorCode]
_UNKNOWN: Verdict = (GatewayUnavailable, ErrorCode.UNAVAILABLE)
_OURS: Verdict = (GatewayMisuse, ErrorCode.INVALID_REQUEST)
_ACCESS: Verdict = (GatewayMisuse, ErrorCode.CREDENTIALS)
_BUYER: Verdict = (GatewayDeclined, ErrorCode.PAYMENT_FAILED)
_POOR: Verdict = (GatewayDeclined, ErrorCode.INSUFFICIENT_FUNDS)
_AMOUNT: Verdict = (GatewayDeclined, ErrorCode.REFUND_AMOUNT_INVALID)
_CLOSED: Verdict = (GatewayDeclined, ErrorCode.PAYMENT_CLOSED)

#: By sub_code. What is in neither table is unknown: asked about again, never failed.
ERRORS: dict[str, Verdict] = {
    "ACQ.SYSTEM_ERROR": _UNKNOWN,
    "isp.unknow-error": _UNKNOWN,
    "aop.unknow-error": _UNKNOWN,
    NOT_EXIST: (GatewayMisuse, ErrorCode.NOT_FOUND),
    "ACQ.INVALID_PARAMETER": _OURS,
    "ACQ.EXIST_FORBIDDEN_WORD": _OURS,
    "ACQ.CONTEXT_INCONSISTENT": (GatewayMisuse, ErrorCode.DUPLICATE_REFERENCE),
    "ACQ.DISCORDANT_REPEAT_REQUEST": (GatewayMisuse, ErrorCode.DUPLICATE_REFERENCE),
    "ACQ.ACCESS_FORBIDDEN": _ACCESS,
    "ACQ.PARTNER_ERROR": _ACCESS,
    "ACQ.SELLER_BEEN_BLOCKED": _ACCESS,
    "ACQ.ERROR_SELLER_CERTIFY_LEVEL_LIMIT": _ACCESS,
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": (GatewayMisuse, ErrorCode.INSUFFICIENT_FUNDS),
    "ACQ.TRADE_HAS_SUCCESS": (GatewayDeclined, ErrorCode.ALREADY_PAID),
    "ACQ.TRADE_HAS_FINISHED": _CLOSED,
    "ACQ.TRADE_HAS_CLOSE": _CLOSED,
    "ACQ.TRADE_STATUS_ERROR": _CLOSED,
    "ACQ.REASON_TRADE_STATUS_INVALID": _CLOSED,
    "ACQ.REASON_ILLEGAL_STATUS": _CLOSED,
    "ACQ.TRADE_NOT_ALLOW_REFUND": (GatewayDeclined, ErrorCode.NOT_SUPPORTED),
    "ACQ.REASON_TRADE_BEEN_FREEZEN": (GatewayDeclined, ErrorCode.PROCESSING_ERROR),
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": _AMOUNT,
    "ACQ.REFUND_FEE_ERROR": _AMOUNT,
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": _AMOUNT,
    "ACQ.TOTAL_FEE_EXCEED": (GatewayDeclined, ErrorCode.AMOUNT_TOO_LARGE),
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": _POOR,
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": _POOR,
    "ACQ.BUYER_ENABLE_STATUS_FORBID": _BUYER,
    "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": _BUYER,
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": _BUYER,
    "ACQ.BUYER_SELLER_EQUAL": _BUYER,
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": _BUYER,
    "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT": _BUYER,
    "ACQ.PAYMENT_FAIL": _BUYER,
    "ACQ.TRADE_BUYER_NOT_MATCH": _BUYER,
    "isv.invalid-app-id": _ACCESS,
    "isv.invalid-signature": _ACCESS,
    "isv.missing-signature": _ACCESS,
    "isv.missing-app-id": _ACCESS,
    "isv.invalid-app-cert-sn": _ACCESS,
    "isv.invalid-alipay-root-cert-sn": _ACCESS,
}

#: By code, for a sub_code that stands in no table.
CODES: dict[str, Verdict] = {
    "20000": _UNKNOWN,
    "20001": _ACCESS,
    "40001": _OURS,
    "40002": _OURS,
    "40005": (GatewayUnavailable, ErrorCode.RATE_LIMITED),
    "40006": _ACCESS,
}


def verdict(code: str, sub_code: str) -> Verdict:
    """What a refusal means. `aop.ACQ.…` and `ACQ.…` are one code."""
    known = ERRORS.get(sub_code.removeprefix("aop.") if sub_code.startswith("aop.ACQ.") else sub_code)
    return known or CODES.get(code, (GatewayUnavailable, ErrorCode.PROCESSING_ERROR))
