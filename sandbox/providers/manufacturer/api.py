"""The door of the manufacturer's API: envelope, headers, signature, token, and the faults of the transport.

Every answer is HTTP 200 with {"msg", "code", "data"}; business errors too. What a call does stands in `stockroom`,
`ordering` and, for log-in and uploads, here. Every call is recorded with the verdict on its signature.
"""

import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults, knobs
from sandbox.providers.manufacturer import codes, ordering, signing, stockroom, wire
from sandbox.providers.manufacturer.refusal import Refusal, bad

LARGEST_BODY = 1024 * 1024
LARGEST_FILE = 25 * 1024 * 1024
UPLOAD_TYPE = "23"

Answer = tuple[int, str, Any]  # code, msg, data


def login(body: dict[str, Any]) -> dict[str, str]:
    """user/login {account, password} -> {id, account, token}; earlier tokens stay valid unless a fault says otherwise."""
    account = stockroom.text(body, "account")
    password = stockroom.text(body, "password")
    right = constant_time_compare(account, settings.MANUFACTURER_ACCOUNT)
    if not (right and constant_time_compare(password, settings.MANUFACTURER_PASSWORD)):
        raise Refusal("The merchant account does not exist")
    token = secrets.token_urlsafe(48)
    with database.transaction():
        if faults.strike(codes.NAME, "single_token"):
            database.execute("DELETE FROM tokens")
        database.execute(
            "INSERT INTO tokens VALUES (?, ?)", token, time.time() + knobs.seconds("token_minutes") * 60
        )
    return {"id": "USER020250118000001", "account": account, "token": token}


OBJECT_CALLS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "user/login": login,
    "brand/list": stockroom.brand_list,
    "stock/list": stockroom.stock_list,
    "shop/list": stockroom.shop_list,
    "goods/list": stockroom.goods_list,
    "order/payData": ordering.pay_data,
    "order/payStatus": ordering.pay_status,
    "order/orderData": ordering.order_data,
    "order/printList": ordering.print_list,
}
ARRAY_CALLS: dict[str, Callable[[list[Any]], Any]] = {
    "order/getPayStatus": ordering.get_pay_status,
    "order/getOrderStatus": ordering.get_order_status,
}


@csrf_exempt
def call(request: HttpRequest, name: str) -> HttpResponse:
    """One call of the API."""
    started = time.monotonic()
    late = faults.strike(codes.NAME, "slow", name)
    if late:
        time.sleep(late.seconds)
    if faults.strike(codes.NAME, "dropped", name):
        return _finish(request, name, started, None, "", "fault: dropped before anything was done", drop=True)
    if faults.strike(codes.NAME, "down", name):
        return _finish(
            request, name, started, (503, "Service Unavailable", None), "", "fault: down", http=503
        )
    verdict = ""
    try:
        body = _read(request, name)
        verdict = _verdict(request, body)
        _check_headers(request, verdict)
        if name != "user/login":
            _check_token(request, name)
        answer: Answer = (200, "操作成功", _do(request, name, body))
    except Refusal as refusal:
        return _finish(request, name, started, (refusal.code, refusal.message, None), verdict)
    if faults.strike(codes.NAME, "answer_lost_after_accepting", name):
        return _finish(
            request, name, started, answer, verdict, "fault: done, then the answer was lost", drop=True
        )
    if faults.strike(codes.NAME, "error_after_accepting", name):
        return _finish(
            request, name, started, (500, "system error", None), verdict, "fault: done, then 500", http=500
        )
    return _finish(request, name, started, answer, verdict)


def _read(request: HttpRequest, name: str) -> Any:
    """The body, parsed; for an upload the one field that is signed. Raises Refusal."""
    if name not in codes.CALLS:
        raise Refusal("Not Found", 404)
    if request.method != "POST":
        raise Refusal("Method Not Allowed", 405)
    if name == "file/upload":
        if request.content_type != "multipart/form-data":
            raise Refusal("Unsupported Media Type", 415)
        return {"type": request.POST.get("type", "")}
    if request.content_type != "application/json":
        raise Refusal("Unsupported Media Type", 415)
    if len(request.body) > LARGEST_BODY:
        raise bad("the body is too large")
    try:
        body = wire.loads(request.body)
    except (ValueError, RecursionError):
        raise bad("the body is no JSON") from None
    if not isinstance(body, list if name in ARRAY_CALLS else dict):
        raise bad("the body has another shape")
    if isinstance(body, dict) and None in body.values():
        raise bad("null")
    return body


def _verdict(request: HttpRequest, body: Any) -> str:
    given = request.headers.get("sign", "")
    if not given:
        return "unsigned"
    return "good" if signing.matches(body, settings.MANUFACTURER_SIGN_KEY, given) else "bad"


def _check_headers(request: HttpRequest, verdict: str) -> None:
    if request.META.get("HTTP_REQ_SOURCE") != "en":
        raise bad("req_source")
    if verdict != "good":
        raise Refusal("Signature verification failed", 403)


def _check_token(request: HttpRequest, name: str) -> None:
    token = request.headers.get("Authorization", "")
    if faults.strike(codes.NAME, "token_expired", name):
        database.execute("DELETE FROM tokens WHERE token = ?", token)
    found = database.row("SELECT expires FROM tokens WHERE token = ?", token)
    if found is None or found["expires"] < time.time():
        raise Refusal("The token is invalid or has expired", 401)


def _do(request: HttpRequest, name: str, body: Any) -> Any:
    if name == "file/upload":
        return _upload(request)
    return ARRAY_CALLS[name](body) if name in ARRAY_CALLS else OBJECT_CALLS[name](body)


def _upload(request: HttpRequest) -> str:
    """file/upload, multipart {file, type=23} -> the file's URL."""
    sent = request.FILES.get("file")
    if request.POST.get("type") != UPLOAD_TYPE or sent is None:
        raise bad("file and type=23 are expected")
    if (sent.size or 0) > LARGEST_FILE:
        raise bad("the file is too large")
    folder = settings.DATA / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(16) + ".png"
    (folder / name).write_bytes(sent.read())
    return request.build_absolute_uri(f"/manufacturer/files/{name}")


def _finish(
    request: HttpRequest,
    name: str,
    started: float,
    answer: Answer | None,
    verdict: str,
    note: str = "",
    *,
    http: int = 200,
    drop: bool = False,
) -> HttpResponse:
    """Write the envelope, record the call, and drop the connection instead where a fault wants it."""
    text = ""
    if answer is not None:
        code, message, data = answer
        envelope = {"msg": message, "code": code} | ({} if data is None else {"data": data})
        text = wire.dumps(envelope)
    multipart = name == "file/upload"
    calls.record(
        provider=codes.NAME, direction="in", name=name, method=request.method or "", url=request.get_full_path(),
        headers=dict(request.headers), request="(multipart)" if multipart else request.body.decode("utf-8", "replace"),
        status=None if drop else http, answer=text, verdict=verdict, note=note, started=started,
    )  # fmt: skip
    if drop:
        _drop(request)
        return HttpResponse(status=500)
    response = HttpResponse(text, status=http, content_type="application/json;charset=UTF-8")
    response["tlogTraceId"] = str(secrets.randbits(62))
    return response


def _drop(request: HttpRequest) -> None:
    """Cut the connection under the server's feet; without gunicorn the caller gets an empty 500 instead."""
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the caller was faster
