"""Small middlewares: the request id, the language in the address, what nobody keeps, and the CSP of the admin.

Not here: security headers (Django, django-csp) and logging of requests (django-structlog).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.translation import get_supported_language_variant
from redis.exceptions import RedisError

from pimpshop.core import errors, views

log = structlog.get_logger(__name__)

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
_ALIASES = {"zh": "zh-hans", "zh-cn": "zh-hans", "cn": "zh-hans", "zh_hans": "zh-hans"}
Handler = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Each answer carries X-Request-ID: the caller's when it is harmless, else a new one. Logs carry the same."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")  # request.headers would remember what we replace
        request_id = given if _SAFE_ID.match(given) else uuid.uuid4().hex
        request.META["HTTP_X_REQUEST_ID"] = request_id  # django-structlog binds this one
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class LanguageFromQueryMiddleware:
    """`?lang=zh` (a QR parameter of the machines) chooses the page's language and is remembered in the cookie."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = supported_language(request.GET.get("lang", ""))
        if language:
            request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = language
        response = self.get_response(request)
        if language:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                language,
                max_age=365 * 24 * 3600,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return response


class SeedLanguageMiddleware:
    """Seeds 3, 4 and 5 answer in Chinese where the client does not say which language it wants, or any (before LocaleMiddleware;
    seeds 1 and 2 are English, as LANGUAGE_CODE is)."""

    CHINESE = (
        "/api/create-checkout-session", "/api/check-payment-status", "/api/orders", "/api/products", "/api/v1/",
        "/api/v2/", "/v2/",
    )  # fmt: skip
    ENGLISH = ("/api/v1/payments/wechat", "/api/v2/payments/wechat")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ours = request.path.startswith(self.CHINESE) and not request.path.startswith(self.ENGLISH)
        if ours and request.META.get("HTTP_ACCEPT_LANGUAGE", "").strip() in (
            "",
            "*",
        ):  # Node's fetch sends the star
            request.META["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
        return self.get_response(request)


class CompressedPagesMiddleware(GZipMiddleware):
    """Pages (HTML only) go over the line compressed: a third of their bytes, which a slow phone feels.

    Why this is safe beside secrets on the page (BREACH: an attacker who makes somebody load pages with guesses in the
    address compares their lengths): Django masks the CSRF token anew in each answer, cookies are SameSite=Lax and reach no
    page that another site loads inside itself, and each answer has a random number of extra bytes. Answers of the API,
    which may hold keys, are left as they are; static files are compressed beforehand (whitenoise)."""

    max_random_bytes = 100

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class UnkeptMiddleware:
    """No cache on the way, and no browser, keeps an answer of the API (it tells somebody's payment, and another one a
    second later) or a page about logging in (secrets, recovery codes)."""

    API = ("/accounts/", "/api/", "/v2/", "/create-checkout-session", "/process-payment-success")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(self.API):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def supported_language(text: str) -> str:
    """One of LANGUAGES for `text` ("zh", "zh-CN", "en-GB"), or "" when there is none."""
    wanted = _ALIASES.get(text.lower(), text.lower())
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", wanted):
        return ""
    try:
        return get_supported_language_variant(wanted)
    except LookupError:
        return ""


class AdminCSPMiddleware:
    """The admin's look (unfold) evaluates expressions and sets styles; only its own pages are allowed to."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            update = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}
            response._csp_update = update  # type: ignore[attr-defined]
        return response


class ShopErrorMiddleware:
    """A ShopError that rises out of a page becomes a page in words for people, out of a webhook's door JSON (API views have
    their own handler). So does a shared cache that is away, where a page cannot do without (logging in, whose limits
    must hold)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RedisError):
            log.warning("page_without_cache", path=request.path, error=type(exception).__name__)
            exception = errors.Unavailable(retry_after=10)
        return views.page_error(request, exception) if isinstance(exception, errors.ShopError) else None
