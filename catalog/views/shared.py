"""`/d/<token>/`: a design that somebody shows to others, and its two pictures. Doors: read, then a template or a file.

Guarantees: nobody who looks gets an id, nothing of the person is told; out of search engines; gone with the next look
after it is taken back (a copy may live for five minutes).
"""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.services import cards, sharing
from catalog.views import home_page
from pimpshop.core import errors, storage, throttles

LOOKS_PER_ADDRESS = throttles.Limit("shared-look", 600, 60)


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponseBase:
    """What it looks like, and a button to make one's own; Open Graph tags for messengers."""
    throttles.enforce(LOOKS_PER_ADDRESS, throttles.client_address(request))
    shared = sharing.shown(token)
    context = {
        "name": home_page.named(shared.shell),
        "phone": str(shared.shell.model),
        "case": reverse("shared-case", args=[token]),
        "card": storage.public_url(reverse("shared-card", args=[token])),
        "address": storage.public_url(reverse("shared", args=[token])),
        "card_width": cards.SIZE[0],
        "card_height": cards.SIZE[1],
        "version": shared.layout_hash[:12],
    }
    return _out_of_search(render(request, "catalog/shared.html", context))


@require_safe
def case(request: HttpRequest, token: str) -> HttpResponseBase:
    """The case, as PNG."""
    return _file(sharing.shown(token).case)


@require_safe
def card(request: HttpRequest, token: str) -> HttpResponseBase:
    """1200 x 630 pixels for a message, as PNG."""
    return _file(sharing.shown(token).card)


def _file(field: object) -> HttpResponseBase:
    try:
        file = default_storage.open(str(getattr(field, "name", "")))
    except OSError as error:
        raise errors.NotFound from error
    response = FileResponse(file, content_type="image/png")
    response["Cache-Control"] = "public, max-age=300"
    return _out_of_search(response)


def _out_of_search(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Robots-Tag"] = "noindex"
    return response
