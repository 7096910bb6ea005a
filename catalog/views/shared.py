"""`/d/<token>/`: a design that somebody shows to others, and its two pictures. Doors: read, then a template or a file.

Guarantees: nobody who looks gets an id, nothing of the person is told; out of search engines; gone with the next look
after it is taken back, or taken down by staff: 410 (a copy of a picture may live for five minutes).
"""

from __future__ import annotations

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.services import cards, sharing, takedowns
from catalog.views import home_page
from pimpshop.core import errors, storage, throttles

REPORTS_PER_ADDRESS = throttles.Limit("shared-report", 6, 3600)
LOOKS_PER_ADDRESS = throttles.Limit("shared-look", 600, 60)


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponseBase:
    """What it looks like, and a button to make one's own; Open Graph tags for messengers."""
    throttles.enforce(LOOKS_PER_ADDRESS, throttles.client_address(request))
    try:
        shared = sharing.shown(token)
    except sharing.TakenDown as gone:
        return _out_of_search(render(request, "catalog/taken_down.html", status=gone.status))
    context = {
        "name": home_page.named(shared.shell),
        "phone": str(shared.shell.model),
        "case": reverse("shared-case", args=[token]),
        "card": storage.public_url(reverse("shared-card", args=[token])),
        "address": storage.public_url(reverse("shared", args=[token])),
        "card_width": cards.SIZE[0],
        "card_height": cards.SIZE[1],
        "version": shared.layout_hash[:12],
        "report": reverse("shared-report", args=[token]),
    }
    return _out_of_search(render(request, "catalog/shared.html", context))


@require_POST
def report(request: HttpRequest, token: str) -> HttpResponseBase:
    """Somebody thinks that it should not be shown: one item for staff. The same answer whether they knew or not."""
    throttles.enforce(REPORTS_PER_ADDRESS, throttles.client_address(request))
    takedowns.report(token)
    messages.success(request, _("Thank you. We will look at this design."))
    return HttpResponseRedirect(reverse("shared", args=[token]))


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
