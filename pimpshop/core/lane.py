"""The providers' lane: their posts go straight to their door, past everything that is made for browsers.

Here: the short cut and what it keeps (request id in answer and logs, errors as pages.error). Not here: which doors
(settings.PROVIDER_DOORS, exact paths that the URL map has too). What is left out needs a browser, a cookie, a language
or a person: sessions, CSRF (the doors are exempt), CSP, CORS, log-in, messages, and two log lines per request; they
cost four times as much as storing the event (bench/RESULTS.md, B1). The row that is stored is the record of a post.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from pimpshop.core import errors, views

Door = Callable[[HttpRequest], HttpResponse]


class ProviderLaneMiddleware:
    """Stands right behind RequestIdMiddleware. Only a POST to the exact path of a door takes the lane."""

    def __init__(self, get_response: Door) -> None:
        self.get_response = get_response
        self.doors: dict[str, Door] = {
            path: import_string(door) for path, door in settings.PROVIDER_DOORS.items()
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        door = self.doors.get(request.path_info) if request.method == "POST" else None
        if door is None:
            return self.get_response(request)
        with structlog.contextvars.bound_contextvars(request_id=request.META.get("HTTP_X_REQUEST_ID", "")):
            try:
                response = door(request)
            except errors.ShopError as error:
                response = views.page_error(request, error)
        response._has_been_logged = response.status_code < 500  # type: ignore[attr-defined]  # doors log a sample
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response
