"""The door of WeChat Pay's API: the request's signature, the answer's, and the faults of the transport.

2xx answers are signed, refusals and bill files are not; the router's own 404 has no body. What a call does stands in
`trading`, `refunding` and `bills`. Every call is recorded with the verdict on its signature.
"""

import contextlib
import json
import secrets
import socket
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults
from sandbox.providers.wechatpay import bills, codes, refunding, signing, trading
from sandbox.providers.wechatpay.refusal import Refusal, bad

LARGEST_BODY = 64 * 1024
File = bytes
Result = dict[str, Any] | File | None


@csrf_exempt
def call(request: HttpRequest, name: str, number: str = "") -> HttpResponse:
    """One call of the API."""
    started = time.monotonic()
    early = _before(request, name, started)
    if early is not None:
        return early
    verdict = ""
    try:
        _check_shape(request, name)
        signing.check_request(
            request.headers.get("Authorization", ""), request.method or "", _wire_path(request), request.body
        )
        verdict = "good"
        with database.transaction(keeps=(refunding.NotEnough,)):
            result = _do(request, name, number)
    except Refusal as refusal:
        verdict = "bad" if refusal.code == "SIGN_ERROR" else verdict
        return _refused(request, name, started, refusal, verdict)
    if faults.strike(codes.NAME, "answer_lost_after_accepting", name):
        return _dropped(request, name, started, "fault: done, then the answer was lost", verdict)
    if faults.strike(codes.NAME, "error_after_accepting", name):
        refusal = Refusal(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用")
        return _refused(request, name, started, refusal, verdict, "fault: done, then 500")
    return _answer(request, name, started, result, verdict)


def _before(request: HttpRequest, name: str, started: float) -> HttpResponse | None:
    """The faults that strike before anything is done."""
    late = faults.strike(codes.NAME, "slow", name)
    if late:
        time.sleep(late.seconds)
    if faults.strike(codes.NAME, "dropped", name):
        return _dropped(request, name, started, "fault: dropped before anything was done")
    if faults.strike(codes.NAME, "down", name):
        return _refused(
            request, name, started, Refusal(503, "SERVICE_UNAVAILABLE", "服务不可用"), "", "fault: down"
        )
    if faults.strike(codes.NAME, "rate_limited", name):
        return _refused(
            request, name, started, Refusal(429, "FREQUENCY_LIMITED", "频率超限"), "", "fault: 429"
        )
    return None


def _wire_path(request: HttpRequest) -> str:
    """The path with its query exactly as it came, percent signs and all (gunicorn keeps it)."""
    return str(request.META.get("RAW_URI") or request.get_full_path())


def _check_shape(request: HttpRequest, name: str) -> None:
    wanted = "POST" if name in codes.WRITES else "GET"
    if request.method != wanted:
        raise Refusal(405, "", "")
    if not request.headers.get("User-Agent"):
        raise Refusal(400, "INVALID_REQUEST", "Http头缺少User-Agent")
    if "application/json" not in request.headers.get("Accept", "application/json") and "*/*" not in (
        request.headers.get("Accept", "")
    ):
        raise Refusal(400, "INVALID_REQUEST", "Http头Accept应为application/json")
    if wanted == "POST" and request.content_type != "application/json":
        raise Refusal(400, "INVALID_REQUEST", "Http头Content-Type应为application/json")
    if len(request.body) > LARGEST_BODY:
        raise bad("the body is too large")


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        raise bad("the body is no JSON") from None
    if not isinstance(found, dict):
        raise bad("the body is no object")
    return found


def _do(request: HttpRequest, name: str, number: str) -> Result:
    origin = f"{request.scheme}://{request.get_host()}"
    query = {key: str(value) for key, value in request.GET.items()}
    if name in ("query", "query_by_id") and query.get("mchid") != settings.WECHAT_MCH_ID:
        raise bad("mchid")
    if name in codes.ORDER_CALLS:
        return trading.place(name, _body(request), origin)
    if name == "query":
        return trading.look(number)
    if name == "query_by_id":
        return trading.look_by_id(number)
    if name == "close":
        trading.close(number, _body(request))
        return None
    if name == "refund":
        return refunding.ask(_body(request))
    if name == "query_refund":
        return refunding.look(number)
    if name == "tradebill":
        return bills.ask(query, origin)
    if name == "billdownload":
        return bills.fetch(query.get("token", ""))
    return signing.certificates()


def _answer(request: HttpRequest, name: str, started: float, result: Result, verdict: str) -> HttpResponse:
    """A 2xx: signed, but for files."""
    if isinstance(result, File):
        _record(request, name, started, 200, f"{len(result)} bytes", verdict)
        return HttpResponse(result, content_type="application/octet-stream")
    text = "" if result is None else json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    body = text.encode()
    status = 204 if result is None else 200
    trouble = next(
        (kind for kind in ("bad_signature", "signtest") if faults.strike(codes.NAME, kind, name)), ""
    ) or ("stale" if faults.strike(codes.NAME, "stale_answer", name) else "")
    _record(request, name, started, status, text, verdict, f"fault: {trouble}" if trouble else "")
    response = HttpResponse(body, status=status, content_type="application/json; charset=utf-8")
    serial = signing.own_serial(request.headers.get("Wechatpay-Serial", ""))
    for header, value in signing.headers(body, serial=serial, trouble=trouble).items():
        response[header] = value
    response["Request-ID"] = f"08{secrets.token_hex(16).upper()}"
    return response


def _refused(
    request: HttpRequest, name: str, started: float, refusal: Refusal, verdict: str, note: str = ""
) -> HttpResponse:
    told = {"code": refusal.code, "message": refusal.message}
    text = json.dumps(told, ensure_ascii=False) if refusal.code else ""
    _record(request, name, started, refusal.status, text, verdict, note)
    return HttpResponse(text, status=refusal.status, content_type="application/json; charset=utf-8")


def _dropped(request: HttpRequest, name: str, started: float, note: str, verdict: str = "") -> HttpResponse:
    """Cut the connection under the server's feet; without gunicorn the caller gets an empty 500 instead."""
    _record(request, name, started, None, "", verdict, note)
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):  # the caller was faster
            connection.shutdown(socket.SHUT_RDWR)
    return HttpResponse(status=500)


def _record(
    request: HttpRequest,
    name: str,
    started: float,
    status: int | None,
    answer: str,
    verdict: str,
    note: str = "",
) -> None:
    calls.record(
        provider=codes.NAME, direction="in", name=name, method=request.method or "", url=request.get_full_path(),
        headers=dict(request.headers), request=request.body.decode("utf-8", "replace"), status=status, answer=answer,
        verdict=verdict, note=note, started=started,
    )  # fmt: skip


@csrf_exempt
def unknown(request: HttpRequest, path: str) -> HttpResponse:
    """The router's own 404: no body, no signature."""
    return HttpResponse(status=404)
