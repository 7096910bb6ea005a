"""Health, and the pages for errors. `/healthz`: the process is up. `/readyz`: 503 only without the database."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView
from redis.exceptions import RedisError

from pimpshop.core import errors, heartbeat, look
from pimpshop.core import metrics as figures


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Each part as ok | degraded | down, with ages in seconds; 503 only when the database is down."""
    parts: dict[str, Any] = {"database": {"status": "down"}}
    with contextlib.suppress(DatabaseError):
        if _database_accepts():
            ages = heartbeat.ages()
            parts["database"] = {"status": "ok"}
            for name, age in ages.items():
                state = "degraded" if heartbeat.is_degraded(name, age) else "ok"
                parts[name] = {"status": state, "age_seconds": None if age is None else round(age, 1)}
    try:
        cache.set("readyz", "1", timeout=10)
        parts["cache"] = {"status": "ok"}
    except (RedisError, OSError):
        parts["cache"] = {"status": "degraded"}
    down = parts["database"]["status"] == "down"
    degraded = any(part["status"] != "ok" for part in parts.values())
    status = "down" if down else "degraded" if degraded else "ok"
    return JsonResponse({"status": status, "parts": parts}, status=503 if down else 200)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus. Without METRICS_TOKEN there is nothing; without it in the header, 401."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not figures.allows(request.headers.get("Authorization", ""), settings.METRICS_TOKEN):
        return HttpResponse(
            "A token is needed.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return HttpResponse(figures.render(), content_type=figures.CONTENT_TYPE)


def _database_accepts() -> bool:
    """Whether the database takes a connection at all. The pool would wait ten seconds for a dead one to come back."""
    params = connection.get_connection_params()
    known = {name: params[name] for name in ("dbname", "user", "password", "host", "port") if name in params}
    try:
        psycopg.connect(**known, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


_API_MESSAGES = {
    403: _("You may not do this. Nothing was changed."),
    404: errors.NotFound.message,
    500: errors.InternalError.message,
}


#: When somebody who finds the shop closed should look again.
MAINTENANCE_SECONDS = 300
_API = ("/api/", "/v2/", "/create-checkout-session", "/process-payment-success")


def _error_page(request: HttpRequest, status: int, code: str, **context: object) -> HttpResponse:
    """An error in the shape of the path: JSON for the API, a page for people."""
    if request.path.startswith(_API):
        error = errors.ShopError(_API_MESSAGES.get(status), code=code, status=status)
        body = errors.envelope_for(request.path)(error.status, error.code, str(error.message), {})
        return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    return render(request, f"{status}.html", context, status=status)


def _plain_page(template: str, status: int) -> HttpResponse:
    """A page of the shop's that asks nothing of anybody: no session, no database, no context processor, no tag."""
    return HttpResponse(render_to_string(template), status=status)


def api_error(request: HttpRequest, error: errors.ShopError) -> HttpResponse:
    """A ShopError in the shape of the path, for doors that are no API views (webhooks)."""
    answer = errors.error_response(request.path, error)
    shown = JsonResponse(answer.data, status=answer.status_code, json_dumps_params={"ensure_ascii": False})
    for name, value in answer.items():
        shown.setdefault(name, value)
    return shown


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, 400, "invalid_request")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, 403, "forbidden")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, 404, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(_API):
        return _error_page(request, 500, "internal_error")
    return _plain_page("500.html", 500)


def closed_for_maintenance(request: HttpRequest) -> HttpResponse:
    """What pimpshop.core.maintenance answers: for people a page that needs nothing, for programs the shape of the path."""
    error = errors.Unavailable(
        _("We are working on the shop and are back in a few minutes. Nothing was charged."),
        retry_after=MAINTENANCE_SECONDS,
    )
    if request.path.startswith(_API):
        return api_error(request, error)
    response = _plain_page("503.html", error.status)
    response["Retry-After"] = str(error.retry_after)
    response["Cache-Control"] = "no-store"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came from a stale page: nothing was done, reload and try again."""
    return _error_page(request, 403, "forbidden", csrf=True)


class ApiDocs(SpectacularSwaggerSplitView):
    """/api/docs/: the OpenAPI description as a page, under the same CSP as every other."""

    permission_classes: list[Any] = []
    template_name = "core/api_docs.html"


@require_safe
def sandbox(request: HttpRequest) -> HttpResponse:
    """/sandbox/ leads to the simulators, which run on an origin of their own; without SANDBOX there is nothing."""
    if not settings.SANDBOX:
        raise Http404
    return HttpResponseRedirect(f"{settings.SANDBOX_URL}/sandbox/")


def page_error(request: HttpRequest, error: errors.ShopError) -> HttpResponse:
    """A ShopError that a view did not expect: for people a page that says what happened, what was not lost and what to do;
    for programs JSON in the shape of the path."""
    if request.path.startswith(_API):
        return api_error(request, error)
    template = "429.html" if error.status == 429 else "problem.html"
    context = {"message": error.message, "status": error.status, "retry_after": error.retry_after}
    response = render(request, template, context, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


@cache_control(public=True, max_age=24 * 3600)
@require_safe
def manifest(request: HttpRequest, language: str) -> HttpResponse:
    """/app.<language>.webmanifest: what a phone shows when somebody puts the shop on its start screen."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        icons = [
            {
                "src": static(f"img/app/{name}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for name, size, purpose in look.APP_ICONS
        ]
        body = {
            "id": "/", "name": translation.gettext("pimpshop: your photo on your phone case"), "short_name": "pimpshop",
            "description": translation.gettext("Put your favourite picture on a case and watch it being printed."),
            "lang": language, "start_url": "/", "scope": "/", "display": "standalone",
            "background_color": look.LIGHT["base-200"], "theme_color": look.LIGHT["base-200"], "icons": icons,
        }  # fmt: skip
    return JsonResponse(
        body, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False}
    )


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """/design/: every colour, size and component that the pages are made of. Open to all, in no search engine."""
    response = render(request, "core/design.html", look.shown())
    response["X-Robots-Tag"] = "noindex"
    return response
