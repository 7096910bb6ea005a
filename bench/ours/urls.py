"""What a worker does, behind addresses: work on a stored event; or take in a signed one and work on it; a bare bell."""

from __future__ import annotations

import json
import threading
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from payments import webhooks
from payments.services import inbox

_just_stored = threading.local()
_store = inbox._store


def _remembering(*args: Any) -> tuple[int | None, str]:
    stored = _store(*args)
    _just_stored.row = stored
    return stored


inbox._store = _remembering


@csrf_exempt
def confirm(request: HttpRequest) -> HttpResponse:
    moved = inbox.process(json.loads(request.body)["event"])
    return HttpResponse(b"done" if moved else b"nothing", status=200 if moved else 500)


@csrf_exempt
def online(request: HttpRequest) -> HttpResponse:
    """A signed post of Stripe: the shop's own door, then the work on what it stored where any is left to do."""
    answer = webhooks.stripe(request)
    pk, became = _just_stored.row
    if became != "settled" and not (became == "due" and inbox.process(pk)):
        return HttpResponse(b"nothing", status=500)
    return answer


@csrf_exempt
def hop(request: HttpRequest) -> HttpResponse:
    """The bare hop: enqueue a task that does nothing but tell."""
    from bench.ours.worker import arrived

    arrived.apply_async(args=[json.loads(request.body)["name"]], retry=False, ignore_result=True)
    return HttpResponse(b"done")


urlpatterns = [path("confirm", confirm), path("online", online), path("hop", hop)]
