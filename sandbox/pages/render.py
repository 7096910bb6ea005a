"""How the sandbox's pages are answered: their language, their strict content policy, no caching."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def language(request: HttpRequest) -> str:
    """zh or en, by ?lang= alone."""
    return "zh" if request.GET.get("lang", "").lower().startswith("zh") else "en"


def with_language(request: HttpRequest, url: str) -> str:
    """The URL in the language of this request."""
    return f"{url}?lang=zh" if language(request) == "zh" else url


def page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render a template with the request's language; never cached."""
    response = render(request, template, {"lang": language(request)} | context)
    response["Cache-Control"] = "no-store"
    return response


def strict_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: nothing inline, nothing from elsewhere, on every answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        response["X-Content-Type-Options"] = "nosniff"
        response["Referrer-Policy"] = "same-origin"
        return response

    return middleware
