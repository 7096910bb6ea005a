"""The control API for tests: faults, knobs, books, calls, reset, and a hand at the machine. JSON in, JSON out.

Errors are 400 or 409 with {"error": text} and change nothing.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults, jobs, knobs, registry
from sandbox.providers.manufacturer import books as manufacturer_books
from sandbox.providers.manufacturer import codes, machine

View = Callable[..., JsonResponse]


def _json_call(method: str) -> Callable[[View], View]:
    def wrap(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest, **path: str) -> JsonResponse:
            if request.method != method:
                return JsonResponse({"error": f"{method} only"}, status=405)
            try:
                sent: Any = json.loads(request.body or b"{}") if method == "POST" else {}
                if not isinstance(sent, dict):
                    raise ValueError("a JSON object is expected")
                return view(request, sent, **path)
            except machine.MachineError as error:
                return JsonResponse({"error": str(error)}, status=409)
            except (ValueError, KeyError, TypeError) as error:
                return JsonResponse({"error": str(error)}, status=400)

        return checked

    return wrap


@_json_call("POST")
def set_fault(request: HttpRequest, sent: dict[str, Any]) -> JsonResponse:
    """{name, on=true, count?, seconds?, target?, provider="manufacturer"} -> the provider's switchboard."""
    provider = sent.get("provider", codes.NAME)
    faults.switch(
        provider,
        sent["name"],
        on=bool(sent.get("on", True)),
        count=sent.get("count"),
        seconds=sent.get("seconds"),
        target=sent.get("target") or "",
    )
    return JsonResponse({"faults": faults.board(provider)})


@_json_call("POST")
def set_knobs(request: HttpRequest, sent: dict[str, Any]) -> JsonResponse:
    """{knob: value, …} -> all knobs. All of them are turned, or none."""
    with database.transaction():
        for name, value in sent.items():
            knobs.turn(name, value)
    return JsonResponse({"knobs": knobs.everything()})


@_json_call("GET")
def books(request: HttpRequest, sent: dict[str, Any]) -> JsonResponse:
    """The books of ?provider= (default: the manufacturer)."""
    wanted = request.GET.get("provider", codes.NAME)
    found = next((provider for provider in registry.PROVIDERS if provider.name == wanted), None)
    if found is None:
        raise ValueError(f"no provider named {wanted!r}")
    return JsonResponse(found.books())


@_json_call("GET")
def call_log(request: HttpRequest, sent: dict[str, Any]) -> JsonResponse:
    """The newest 500 calls first, by ?name= and ?direction= where given."""
    name, direction = request.GET.get("name", ""), request.GET.get("direction", "")
    return JsonResponse({"calls": calls.newest(name=name, direction=direction, limit=500)})


@_json_call("POST")
def reset(request: HttpRequest, sent: dict[str, Any]) -> JsonResponse:
    """Forget everything, knobs too."""
    registry.reset()
    return JsonResponse({"ok": True})


@_json_call("POST")
def hurry(request: HttpRequest, sent: dict[str, Any]) -> JsonResponse:
    """Everything that is planned (posts, refunds, prints) happens now."""
    jobs.hurry()
    return JsonResponse({"ok": True})


@_json_call("POST")
def add_machine(request: HttpRequest, sent: dict[str, Any], device_id: str) -> JsonResponse:
    """{name?} Put up a machine with full stock; {stock: {shell id: n}} sets stock."""
    with database.transaction():
        manufacturer_books.add_device(device_id, name=str(sent.get("name", "")))
        for shell_id, count in sent.get("stock", {}).items():
            database.execute(
                "UPDATE stock SET stock = ? WHERE device_id = ? AND mobile_shell_id = ?",
                int(count),
                device_id,
                shell_id,
            )
    return JsonResponse({"device": manufacturer_books.device(device_id)})


@_json_call("POST")
def pay(request: HttpRequest, sent: dict[str, Any], device_id: str) -> JsonResponse:
    """{third_id?, method: card | cash | declined | abnormal} -> the payment, final at once; 409 when there is none."""
    paid = machine.pay(device_id, sent.get("method", "card"), str(sent.get("third_id") or ""))
    return JsonResponse({"payment": paid})


@_json_call("POST")
def start_session(request: HttpRequest, sent: dict[str, Any], device_id: str) -> JsonResponse:
    """The machine asks the shop for a session now -> the machine's row with session_id and qr_url."""
    machine.start_session(device_id)
    return JsonResponse({"device": manufacturer_books.device(device_id)})
