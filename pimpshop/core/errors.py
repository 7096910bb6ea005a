"""One error type, five envelopes.

A service raises a `ShopError` subclass that says what happened in words for people; a door lets it rise; the
handler here writes it in the shape of the seed whose path was asked (CONTRACT.md, "Errors keep each seed's own
shape"). Nothing here decides; unexpected exceptions become a 500 that says what was not lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response

from pimpshop.core import seed_words

log = structlog.get_logger(__name__)


class ShopError(Exception):
    """Something a caller can act on. `code` is for machines, `message` for people (what happened, what was not
    lost, what to do), `status` the HTTP status, `details` extra fields, `retry_after` seconds."""

    code = "invalid_request"
    status = 400
    message: Any = _("That did not work. Nothing was charged.")

    def __init__(
        self,
        message: Any = None,
        *,
        code: str | None = None,
        status: int | None = None,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = self.message if message is None else message
        self.code = code or self.code
        self.status = status or self.status
        self.details = details or {}
        self.retry_after = retry_after
        super().__init__(str(self.message))


class NotFound(ShopError):
    code, status, message = "not_found", 404, _("Not found.")


class Conflict(ShopError):
    code, status, message = (
        "conflict",
        409,
        _("That does not fit what happened before. Nothing was changed."),
    )


class Gone(ShopError):
    code, status, message = "gone", 410, _("This has expired. Nothing was charged.")


class TooManyRequests(ShopError):
    code, status, message = (
        "rate_limited",
        429,
        _("Too many requests. Please wait a moment."),
    )


class Unavailable(ShopError):
    code, status, message = (
        "unavailable",
        503,
        _("This is not available right now. Nothing was charged."),
    )


class InternalError(ShopError):
    """A surprise: nobody knows what happened, so it promises only what always holds."""

    code, status, message = (
        "internal_error",
        500,
        _("Something went wrong on our side. Your payment and your design are safe. Please try again."),
    )


Envelope = Callable[[int, str, str, dict[str, Any]], dict[str, Any]]


def detail_with_status(status_: int, code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """Seed 1: {"detail", "status_code"}, plus the machine's word and the fields."""
    body: dict[str, Any] = {"detail": message, "status_code": status_, "code": code}
    return {**body, "fields": details} if details else body


def detail_only(status_: int, code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """Seed 4: {"detail"}."""
    return {"detail": message}


def wechat_style(status_: int, code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """Seed 2: {"error", "code", "details"}."""
    return {"error": message, "code": code.upper(), "details": details}


def stripe_style(status_: int, code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """Seed 3: {"error": {"code", "message", "type"}}."""
    kind = {429: "rate_limit_error"}.get(status_, "api_error" if status_ >= 500 else "invalid_request_error")
    return {"error": {"code": code, "message": message, "type": kind}}


def unified_style(status_: int, code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """Seed 5: {"error": {"code", "message", …}} with upper-case codes."""
    return {"error": {"code": code.upper(), "message": message, **details}}


#: First match wins. Paths are written as they begin.
ENVELOPES: list[tuple[tuple[str, ...], Envelope]] = [
    (
        (
            "/api/vending/",
            "/api/chinese/",
            "/create-checkout-session",
            "/process-payment-success",
        ),
        detail_with_status,
    ),
    (("/api/v1/payments/wechat", "/api/v2/payments/wechat"), wechat_style),
    (
        ("/api/create-checkout-session", "/api/check-payment-status", "/api/stripe"),
        stripe_style,
    ),
    (("/api/orders", "/api/products"), detail_only),
    (("/api/v1/", "/api/v2/", "/v2/"), unified_style),
]


def envelope_for(path: str) -> Envelope:
    """The envelope of the seed that owns `path`; seed 1's for everything else."""
    for prefixes, envelope in ENVELOPES:
        if path.startswith(prefixes):
            return envelope
    return detail_with_status


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: every exception of an API view becomes the envelope of its path."""
    request: HttpRequest = context["request"]
    error = as_shop_error(exc)
    if error is None:
        log.error("api_error", path=request.path, exc_info=exc)
        error = InternalError()
    return error_response(request.path, error)


def error_response(path: str, error: ShopError) -> Response:
    """`error` in the shape of `path`, with Retry-After where it says when to come back."""
    status, code = seed_words.spelled(path, error.status, error.code, error.details)
    body = envelope_for(path)(status, code, str(error.message), error.details)
    response = Response(body, status=status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


_API_CODES: dict[int, str] = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def as_shop_error(exc: Exception) -> ShopError | None:
    """Django's and DRF's exceptions as a ShopError; None for a surprise."""
    if isinstance(exc, ShopError):
        return exc
    if isinstance(exc, RequestDataTooBig):
        return ShopError(_("That is too large."), code="too_large", status=413)
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, (SuspiciousOperation, BadRequest, UnreadablePostError)):
        return ShopError(_("That request cannot be read. Nothing was changed."))
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, exceptions.ValidationError):
        return ShopError(
            _first_message(exc.detail),
            code="invalid_request",
            details=_plain(exc.detail),
        )
    if isinstance(exc, exceptions.APIException):
        wait = getattr(exc, "wait", None)
        return ShopError(
            str(exc.detail),
            code=_API_CODES.get(exc.status_code, "error"),
            status=exc.status_code,
            retry_after=None if wait is None else max(1, math.ceil(wait)),
        )
    return None


def _first_message(detail: Any, field: str = "") -> str:
    """The first complaint of a validation error as one sentence that names its field."""
    if isinstance(detail, dict) and detail:
        name, inner = next(iter(detail.items()))
        return _first_message(inner, "" if name == "non_field_errors" else str(name))
    if isinstance(detail, list) and detail:
        return _first_message(detail[0], field)
    return f"{field}: {detail}" if field else str(detail)


def _plain(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        return {
            str(k): [str(m) for m in v] if isinstance(v, list) else _plain(v) or str(v)
            for k, v in detail.items()
        }
    return {}
