"""The manufacturer's pages: a machine's screen with its buttons, and its print bay. English, and 简体中文 by ?lang=zh."""

import hashlib
import json
from typing import Any

import segno
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from sandbox import database
from sandbox.pages.render import language, page, with_language
from sandbox.providers.manufacturer import books, catalogue, codes, machine


def _device(device_id: str) -> database.Row:
    found = books.device(device_id)
    if found is None:
        raise Http404
    return found


def _unless_same(request: HttpRequest, state: Any, template: str, context: dict[str, Any]) -> HttpResponse:
    """A live fragment: 204 when the page shows this state already, so that nothing flickers under a finger."""
    mark = hashlib.sha256(json.dumps([state, language(request)], default=str).encode()).hexdigest()[:16]
    if request.GET.get("have") == mark:
        return HttpResponse(status=204)
    response = page(request, template, context)
    response["X-State"] = mark
    return response


def _qr(device: database.Row) -> str:
    """The QR code as inline SVG; module colour and size are the style sheet's."""
    code = segno.make(device["qr_url"], error="m").svg_inline(
        omitsize=True, border=2, dark="#171226", light=None
    )
    return mark_safe(code)  # noqa: S308 - drawn by segno from the text, nothing of it is markup


def _screen_context(device: database.Row) -> dict[str, Any]:
    shown = machine.screen(device)
    claimed = device["session_progress"] not in (None, "", "started")
    if shown["kind"] == "idle" and device["session_id"]:
        shown["kind"] = "claimed" if claimed else "qr"
        shown["qr"] = _qr(device)
    return shown


@require_safe
def screen(request: HttpRequest, device_id: str) -> HttpResponse:
    """The machine's screen; works without a script by reloading itself."""
    device = _device(device_id)
    machine.watch(device_id)
    return page(request, "manufacturer/screen.html", _screen_context(device) | {"title": device["name"]})


@require_safe
def screen_part(request: HttpRequest, device_id: str) -> HttpResponse:
    """The part of the screen that changes."""
    device = _device(device_id)
    machine.watch(device_id)
    shown = _screen_context(device)
    waiting = shown["kind"] in ("idle", "qr", "claimed")  # else the session is not on the screen
    session = [device["qr_url"], device["session_problem"]] if waiting else []
    state = [shown["kind"], session, shown.get("payment"), shown.get("order")]
    state += [[(order["queue_no"], order["status"]) for order in shown["queue"]]]
    return _unless_same(request, state, "manufacturer/_screen.html", shown)


@require_POST
def press(request: HttpRequest, device_id: str) -> HttpResponse:
    """A button of the machine. Pressing it too late does nothing: the screen shows how things stand."""
    _device(device_id)
    button, third_id = request.POST.get("button", ""), request.POST.get("third_id", "")
    try:
        if button == "session":
            machine.start_session(device_id)
        elif button == "card":
            machine.present_card(device_id, third_id)
        elif button == "walk_away":
            machine.walk_away(device_id, third_id)
        else:
            machine.pay(device_id, button, third_id)
    except machine.MachineError:
        pass  # somebody was faster, or the payment is over
    url = reverse("manufacturer-screen", args=[device_id])
    return HttpResponseRedirect(with_language(request, url))


def _bay_context(device_id: str) -> dict[str, Any]:
    orders = database.rows(
        "SELECT * FROM orders WHERE device_id = ? ORDER BY number DESC LIMIT 40", device_id
    )
    for order in orders:
        order["shell"] = catalogue.shells()[order["mobile_shell_id"]]
        order["word"] = codes.ORDER_WORDS[order["status"]]
        order["picture"] = books.good_fetch(order["third_id"])
        order["fetches"] = database.rows(
            "SELECT * FROM fetches WHERE order_id = ? ORDER BY id", order["third_id"]
        )
        order["left"] = books.shell_stock(device_id, order["mobile_shell_id"])
        order["hashes"] = len({fetch["sha256"] for fetch in order["fetches"] if not fetch["problem"]})
    return {"orders": orders}


@require_safe
def bay(request: HttpRequest, device_id: str) -> HttpResponse:
    """The print bay: every order of the machine with the picture as it was fetched."""
    device = _device(device_id)
    return page(request, "manufacturer/bay.html", _bay_context(device_id) | {"device": device})


@require_safe
def bay_part(request: HttpRequest, device_id: str) -> HttpResponse:
    """The part of the bay that changes."""
    device = _device(device_id)
    shown = _bay_context(device_id)
    state = [(order["third_id"], order["status"], len(order["fetches"])) for order in shown["orders"]]
    return _unless_same(request, state, "manufacturer/_bay.html", shown | {"device": device})


@require_safe
def picture(request: HttpRequest, digest: str) -> FileResponse:
    """A fetched picture, by the hash of its bytes."""
    return _file("pictures", digest)


@require_safe
def uploaded(request: HttpRequest, name: str) -> FileResponse:
    """A file that came by file/upload."""
    return _file("uploads", name)


def _file(folder: str, name: str) -> FileResponse:
    path = settings.DATA / folder / name
    if not path.is_file():
        raise Http404
    with path.open("rb") as head:
        kind = "image/jpeg" if head.read(2) == b"\xff\xd8" else "image/png"
    return FileResponse(path.open("rb"), content_type=kind)
