"""The codes of seeds 2 and 3 for our errors: (our code) -> (HTTP status, their code). Pure tables.

Services raise ShopErrors in our words; `errors.error_response` asks here how the seed of a path spells them
(CORRECTIONS.md, seed 2: codes without underscores, v3's meaning).
"""

from __future__ import annotations

from typing import Any

#: Seed 2. A key may name the reason too: "payment_not_started:credentials".
WECHAT: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "PARAM_ERROR"),
    "price_mismatch": (400, "INVALID_REQUEST"),
    "not_sold": (400, "INVALID_REQUEST"),
    "order_not_payable_here": (400, "INVALID_REQUEST"),
    "refund_amount_invalid": (400, "INVALID_REQUEST"),
    "already_refunded": (400, "INVALID_REQUEST"),
    "not_paid": (400, "INVALID_REQUEST"),
    "refund_blocked": (409, "INVALID_REQUEST"),
    "print_under_way": (409, "INVALID_REQUEST"),
    "already_paid": (409, "ORDERPAID"),
    "session_moved": (409, "ORDERCLOSED"),
    "payment_closed": (409, "ORDERCLOSED"),
    "payment_not_started:credentials": (502, "SIGN_ERROR"),
    "payment_not_started": (502, "SYSTEMERROR"),
    "payment_uncertain": (502, "SYSTEMERROR"),
    "gateway_not_found": (502, "SYSTEMERROR"),
    "internal_error": (500, "SYSTEMERROR"),
    "too_large": (413, "INVALID_REQUEST"),
    "unsupported_media_type": (415, "INVALID_REQUEST"),
    "method_not_allowed": (405, "INVALID_REQUEST"),
    "busy": (503, "SYSTEMERROR"),
}
#: What has no line above, by its status.
WECHAT_BY_STATUS: dict[int, str] = {
    400: "INVALID_REQUEST",
    401: "NOAUTH",
    403: "NOAUTH",
    404: "ORDERNOTEXIST",
}

#: Seed 3.
STRIPE: dict[str, tuple[int, str]] = {
    "rate_limited": (429, "rate_limit_exceeded"),
    "price_unknown": (400, "invalid_price_id"),
    "price_not_found": (404, "price_not_found"),
    "currency_unsupported": (400, "currency_not_supported"),
    "not_sold": (400, "currency_not_supported"),
    "gateway_not_found": (500, "gateway_not_configured"),
    "payment_not_started:credentials": (500, "gateway_not_configured"),
}

_WECHAT_PATHS = ("/api/v1/payments/wechat", "/api/v2/payments/wechat")
_STRIPE_PATHS = ("/api/create-checkout-session", "/api/check-payment-status")


def spelled(path: str, status: int, code: str, details: dict[str, Any]) -> tuple[int, str]:
    """(HTTP status, code) of an error on `path`; our own where its seed has no words of its own."""
    known = code.lower()
    if path.startswith(_WECHAT_PATHS):
        found = WECHAT.get(f"{known}:{details.get('reason', '')}") or WECHAT.get(known)
        return found or (status, WECHAT_BY_STATUS.get(status, code))
    if path.startswith(_STRIPE_PATHS):
        found = STRIPE.get(f"{known}:{details.get('reason', '')}") or STRIPE.get(known)
        return found or (status, code)
    return status, code
