"""The door of Airwallex's API: log-in, token, version, request_id, lists, errors, and the faults of the transport.

What a call does stands in `intents`, `vault` and `refunds`. Every call is recorded without card, key or token.
"""

import contextlib
import re
import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults
from sandbox.providers.airwallex import books, codes, intents, refunds, vault
from sandbox.providers.airwallex.refusal import Declined, Refusal
from sandbox.providers.manufacturer import wire

Body = dict[str, Any]
Answer = tuple[int, Body]
LARGEST_BODY = 256 * 1024
TOKEN_SECONDS = 30 * 60

CREATE: dict[str, Callable[[Body, str], books.Object]] = {
    "payment_intents": intents.create,
    "refunds": refunds.create,
    "customers": vault.create_customer,
    "payment_methods": vault.create_method,
    "payment_consents": vault.create_consent,
}
MOVE: dict[str, Callable[[books.Object, Body, str], books.Object]] = {
    "payment_intents/confirm": intents.confirm,
    "payment_intents/capture": intents.capture,
    "payment_intents/cancel": intents.cancel,
    "payment_methods/disable": vault.disable_method,
    "payment_consents/verify": vault.verify_consent,
    "payment_consents/disable": vault.disable_consent,
}
FILTERS = ("merchant_order_id", "status", "payment_intent_id", "customer_id", "merchant_customer_id")
_SECRET = re.compile(r'("(?:number|cvc|client_secret|name|email)"\s*:\s*")[^"]*"')


@csrf_exempt
def call(request: HttpRequest, path: str) -> HttpResponse:
    """One call of the API, below /api/v1/."""
    started = time.monotonic()
    name = _name(request.method or "", path)
    late = faults.strike(codes.NAME, "slow", name)
    if late:
        time.sleep(late.seconds)
    if faults.strike(codes.NAME, "dropped", name):
        return _finish(request, name, started, None, "fault: dropped before anything was done")
    refused = _refused_by_fault(request, name)
    if refused:
        return _finish(request, name, started, refused, "fault")
    try:
        answer = _do(request, name, path)
    except Refusal as refusal:
        return _finish(request, name, started, _error(refusal))
    if faults.strike(codes.NAME, "answer_lost_after_accepting", name):
        return _finish(request, name, started, None, "fault: done, then the answer was lost")
    if faults.strike(codes.NAME, "error_after_accepting", name):
        lost = _error(Refusal("internal_error", "something went wrong", 500))
        return _finish(request, name, started, lost, "fault: done, then 500")
    return _finish(request, name, started, answer)


def _refused_by_fault(request: HttpRequest, name: str) -> Answer | None:
    if faults.strike(codes.NAME, "down", name):
        return _error(Refusal("service_unavailable", "come back later", 503))
    if faults.strike(codes.NAME, "rate_limited", name):
        return _error(Refusal("too_many_requests", "slow down", 429))
    if faults.strike(codes.NAME, "token_expired", name):
        database.execute("DELETE FROM awx_tokens WHERE token = ?", _token(request))
    return None


def _name(method: str, path: str) -> str:
    """The call's name: payment_intents/create, payment_intents/get, payment_intents/list, payment_intents/confirm."""
    parts = path.removeprefix("pa/").split("/")
    if path == codes.LOGIN or len(parts) > 3:
        return path[:100]
    if method == "GET":
        return f"{parts[0]}/{'get' if len(parts) > 1 else 'list'}"[:100]
    return f"{parts[0]}/{parts[-1]}"[:100]


def _do(request: HttpRequest, name: str, path: str) -> Answer:
    if path == codes.LOGIN:
        return 201, _login(request)
    _check_token(request)
    kind, *rest = path.removeprefix("pa/").split("/")
    if not path.startswith("pa/") or kind not in books.PREFIXES or len(rest) > 2:
        raise Refusal("not_found", "no such call", 404)
    if request.method == "GET" and len(rest) < 2:
        return 200, books.get(kind, rest[0]) if rest else _list(request, kind)
    if request.method != "POST":
        raise Refusal("not_found", "no such call", 404)
    body = _read(request)
    host = request.build_absolute_uri("/").rstrip("/")
    if (rest == ["create"] and kind in CREATE) or (len(rest) == 2 and name in MOVE):
        books.use(str(body.get("request_id", "")))  # also by a call that is refused: that is the harder case
    with database.transaction(keeps=(Declined,)):
        if rest == ["create"] and kind in CREATE:
            return 201, CREATE[kind](body, host)
        if len(rest) == 2 and name in MOVE:
            return 200, MOVE[name](books.get(kind, rest[0]), body, host)
    raise Refusal("not_found", "no such call", 404)


def _login(request: HttpRequest) -> Body:
    given = (request.headers.get("x-client-id", ""), request.headers.get("x-api-key", ""))
    wanted = (settings.AIRWALLEX_CLIENT_ID, settings.AIRWALLEX_API_KEY)
    if request.method != "POST" or not all(map(constant_time_compare, given, wanted)):
        raise Refusal("credentials_invalid", "client id or API key is wrong", 401)
    token, ends = secrets.token_urlsafe(48), datetime.now(UTC) + timedelta(seconds=TOKEN_SECONDS)
    database.execute("INSERT INTO awx_tokens VALUES (?, ?)", token, ends.timestamp())
    return {"token": token, "expires_at": f"{ends:%Y-%m-%dT%H:%M:%S+0000}"}


def _token(request: HttpRequest) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _check_token(request: HttpRequest) -> None:
    found = database.row("SELECT expires FROM awx_tokens WHERE token = ?", _token(request))
    if found is None or found["expires"] < time.time():
        raise Refusal("unauthorized", "the token is invalid or has expired", 401)
    if request.headers.get("x-api-version") != codes.VERSION:
        raise Refusal(
            "validation_error", f"this simulator speaks version {codes.VERSION}", source="x-api-version"
        )


def _read(request: HttpRequest) -> Body:
    if request.content_type != "application/json" or len(request.body) > LARGEST_BODY:
        raise Refusal("validation_error", "JSON is expected")
    try:
        body = wire.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal("validation_error", "the body is no JSON") from None
    if not isinstance(body, dict):
        raise Refusal("validation_error", "an object is expected")
    return body


def _list(request: HttpRequest, kind: str) -> Body:
    """A page of a list, newest first."""
    found = books.every(kind)
    for name in FILTERS:
        if name in request.GET:
            found = [one for one in found if one.get(name) == request.GET[name]]
    start, end = request.GET.get("from_created_at", ""), request.GET.get("to_created_at", "")
    if start or end:
        found = [
            one
            for one in found
            if start[:19] <= one["created_at"][:19] and (not end or one["created_at"][:19] < end[:19])
        ]
    try:
        number, size = int(request.GET.get("page_num", 0)), int(request.GET.get("page_size", 10))
    except ValueError:
        raise Refusal("validation_error", "page_num and page_size are numbers", source="page_num") from None
    first = number * size
    return {"items": found[first : first + size], "has_more": len(found) > first + size}


def _error(refusal: Refusal) -> Answer:
    body: Body = {
        "code": refusal.code, "message": refusal.message, "source": refusal.source, "trace_id": secrets.token_hex(16),
        "details": {},
    }  # fmt: skip
    if refusal.issuer:
        body["provider_original_response_code"] = refusal.issuer
    return refusal.status, body


def _finish(
    request: HttpRequest, name: str, started: float, answer: Answer | None, note: str = ""
) -> HttpResponse:
    """Write the answer and the record; None cuts the connection instead."""
    text = wire.dumps(answer[1]) if answer else ""
    headers = {key: value for key, value in request.headers.items() if key.lower() != "x-api-key"}
    calls.record(
        provider=codes.NAME, direction="in", name=name, method=request.method or "", url=request.get_full_path(),
        headers=headers, request=_SECRET.sub(r'\1…"', request.body.decode("utf-8", "replace")),
        status=answer[0] if answer else None, answer=_SECRET.sub(r'\1…"', text), note=note, started=started,
    )  # fmt: skip
    if answer is None:
        connection = request.META.get("gunicorn.socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # the caller was faster
                connection.shutdown(socket.SHUT_RDWR)
        return HttpResponse(status=500)
    return HttpResponse(text, status=answer[0], content_type="application/json")
