"""The door of WeChat's open API: app, secret or access token, errcodes with HTTP 200, and the faults of the transport.

What a call does stands in `doing`. Every call is recorded without secret, code, token and session_key.
"""

import contextlib
import json
import re
import socket
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults
from sandbox.providers.wechat import codes, doing
from sandbox.providers.wechat.doing import Refusal

LARGEST_BODY = 2 * 1024 * 1024
_HIDDEN_PARAMETER = {"secret", "js_code", "access_token"}
_HIDDEN_FIELD = re.compile(r'("(?:secret|session_key|access_token)"\s*:\s*")[^"]*"')


@csrf_exempt
def call(request: HttpRequest, name: str) -> HttpResponse:
    """One call of the API."""
    started = time.monotonic()
    late = faults.strike(codes.NAME, "slow", name)
    if late:
        time.sleep(late.seconds)
    if faults.strike(codes.NAME, "dropped", name):
        return _dropped(request, name, started, "fault: dropped before anything was done")
    if faults.strike(codes.NAME, "down", name):
        return _finish(request, name, started, 503, "", "fault: down")
    if faults.strike(codes.NAME, "garbage", name):
        return _finish(request, name, started, 200, "<html>502 Bad Gateway</html>", "fault: no JSON")
    try:
        _refused_by_fault(name)
        with database.transaction():
            told = _do(request, name)
    except Refusal as refusal:
        told = {"errcode": refusal.errcode, "errmsg": f"{codes.WORDS[refusal.errcode]} rid: sandbox"}
    if faults.strike(codes.NAME, "answer_lost_after_accepting", name):
        return _dropped(request, name, started, "fault: done, then the answer was lost")
    return _finish(request, name, started, 200, json.dumps(told, ensure_ascii=False))


def _refused_by_fault(name: str) -> None:
    """Raises Refusal where a fault says so."""
    by_fault = {"busy": -1, "rate_limited": 45011, "wrong_secret": 40125, "code_used": 40163, "blocked": 40226,
                "token_ended": 40001, "payment_unknown": 10060001,
                "not_subscribed": 43101}  # fmt: skip
    for fault, errcode in by_fault.items():
        if name in next(kind.targets for kind in codes.FAULTS if kind.name == fault) and faults.strike(
            codes.NAME, fault, name
        ):
            raise Refusal(errcode)


def _do(request: HttpRequest, name: str) -> dict[str, Any]:
    query = {key: str(value) for key, value in request.GET.items()}
    if name == codes.LOGIN:
        if request.method != "GET":
            raise Refusal(43001)
        return doing.log_in(query)
    if request.method != "POST":
        raise Refusal(43002)
    if name == codes.TOKEN:
        return doing.give_token(_body(request))
    doing.check_token(query.get("access_token", ""))
    if name == codes.SHIP:
        return doing.ship(_body(request))
    if name == codes.MESSAGE:
        return doing.send_message(_body(request))
    if name == codes.TEXT:
        return doing.check_text(_body(request))
    media = request.FILES.get("media")
    return doing.check_picture(b"" if media is None else media.read())


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body) if len(request.body) <= LARGEST_BODY else None
    except ValueError as error:
        raise Refusal(47001) from error
    if not isinstance(found, dict):
        raise Refusal(47001)
    return found


def _finish(
    request: HttpRequest, name: str, started: float, status: int | None, text: str, note: str = ""
) -> HttpResponse:
    query = [
        (key, "…" if key in _HIDDEN_PARAMETER else value) for key, value in parse_qsl(request.GET.urlencode())
    ]
    sent = f"<{request.headers.get('Content-Length', '?')} bytes>" if request.FILES else (
        request.body.decode("utf-8", "replace")
    )  # fmt: skip
    calls.record(
        provider=codes.NAME, direction="in", name=name, method=request.method or "",
        url=request.path + (f"?{urlencode(query)}" if query else ""), headers=dict(request.headers),
        request=_HIDDEN_FIELD.sub(r'\1…"', sent), status=status, answer=_HIDDEN_FIELD.sub(r'\1…"', text), note=note,
        started=started,
    )  # fmt: skip
    return HttpResponse(text, status=status or 500, content_type="text/plain")


def _dropped(request: HttpRequest, name: str, started: float, note: str) -> HttpResponse:
    """Cut the connection under the server's feet; without gunicorn the caller gets an empty 500 instead."""
    answer = _finish(request, name, started, None, "", note)
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):  # the caller was faster
            connection.shutdown(socket.SHUT_RDWR)
    return answer
