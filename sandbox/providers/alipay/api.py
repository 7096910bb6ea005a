"""gateway.do: one address for every call. Checks the caller, does the call, signs the very bytes of the answer.

page.pay and wap.pay are opened by a browser and lead to the cashier page; everything else answers JSON. Faults strike
before or after the work, as their titles say.
"""

import contextlib
import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults
from sandbox.pages.render import page
from sandbox.providers.alipay import bills, books, codes, signing, trading
from sandbox.providers.alipay.codes import Refusal

CALLS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "alipay.trade.query": trading.query,
    "alipay.trade.close": trading.close,
    "alipay.trade.cancel": trading.cancel,
    "alipay.trade.refund": trading.refund,
    "alipay.trade.fastpay.refund.query": trading.refund_query,
}
BILL = "alipay.data.dataservice.bill.downloadurl.query"
CLOCK_SECONDS = 86_400


@csrf_exempt
def gateway(request: HttpRequest) -> HttpResponse:
    """Any call, GET or POST; parameters from the address and the body together."""
    started = time.monotonic()
    params = {name: str(value) for sent in (request.GET, request.POST) for name, value in sent.items()}
    method = params.get("method", "")
    if method in codes.OPENED:
        return _open(request, params, method, started)
    late = faults.strike(codes.NAME, "slow", method) if method in codes.CALLS else None
    if late:
        time.sleep(late.seconds)
    if method in codes.CALLS and faults.strike(codes.NAME, "dropped", method):
        return _finish(request, method, started, "", "fault: dropped before anything was done", drop=True)
    if method in codes.CALLS and faults.strike(codes.NAME, "down", method):
        return _finish(request, method, started, "", "fault: down", http=503)
    verdict = "good" if signing.from_app(params) else "bad"
    signed = True
    try:
        check(params, known=method in codes.CALLS)
        told = {"code": "10000", "msg": "Success"} | _do(request, method, params)
        told |= _fault_after(method)
    except Refusal as refusal:
        signed = refusal.signed
        names = {
            "40001": "Missing Required Arguments",
            "40002": "Invalid Arguments",
            "40004": "Business Failed",
        }
        told = {"code": refusal.code, "msg": names.get(refusal.code, "Error")}
        told |= {"sub_code": refusal.sub_code, "sub_msg": refusal.sub_msg}
    text = _envelope(method, told, signed=signed)
    if told["code"] == "10000" and faults.strike(codes.NAME, "answer_lost_after_accepting", method):
        return _finish(
            request, method, started, text, "fault: done, then the answer was lost", verdict, drop=True
        )
    if told["code"] == "10000" and faults.strike(codes.NAME, "error_after_accepting", method):
        return _finish(request, method, started, "", "fault: done, then 500", verdict, http=500)
    return _finish(request, method, started, text, "", verdict)


def check(params: dict[str, str], *, known: bool) -> None:
    """Who calls, what, how: Alipay's front door. Raises Refusal."""
    if params.get("app_id") != settings.ALIPAY_APP_ID:
        raise Refusal("40002", "isv.invalid-app-id", "无效的AppID参数", signed=False)
    if not params.get("sign"):
        raise Refusal("40001", "isv.missing-signature", "缺少签名参数")
    if params.get("sign_type") != "RSA2":
        raise Refusal("40002", "isv.invalid-signature-type", "无效的签名类型")
    if not signing.from_app(params):
        raise Refusal("40002", "isv.invalid-signature", "验签出错")
    if not known:
        raise Refusal("40002", "isv.invalid-method", "不存在的方法名")
    if params.get("charset", "").lower() != "utf-8" or params.get("version") != "1.0":
        raise Refusal("40002", "isv.invalid-parameter", "参数无效")
    try:
        off = abs(books.seconds(params.get("timestamp", "")) - time.time())
    except ValueError:
        off = CLOCK_SECONDS + 1.0
    if off > CLOCK_SECONDS:
        raise Refusal("40002", "isv.invalid-timestamp", "非法的时间戳参数")


def content(params: dict[str, str]) -> dict[str, Any]:
    """biz_content. Raises Refusal."""
    try:
        found = json.loads(params.get("biz_content", ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal("40002", "isv.invalid-parameter", "biz_content 无效")
    return found


def _do(request: HttpRequest, method: str, params: dict[str, str]) -> dict[str, Any]:
    biz = content(params)
    if method == "alipay.trade.precreate":
        return trading.precreate(biz, params.get("notify_url", ""))
    if method == BILL:
        return bills.link(biz, f"{request.scheme}://{request.get_host()}")
    return CALLS[method](biz)


def _fault_after(method: str) -> dict[str, Any]:
    if not faults.strike(codes.NAME, "system_error", method):
        return {}
    return {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.SYSTEM_ERROR", "sub_msg": "系统繁忙"}


def opened(params: dict[str, str]) -> database.Row:
    """The trade of page.pay, wap.pay or app.pay, as the buyer's browser or app brings it. Raises Refusal."""
    method = params.get("method", "")
    check(params, known=method in codes.OPENED)
    return trading.begin(
        codes.OPENED[method], content(params), notify_url=params.get("notify_url", ""),
        return_url=params.get("return_url", ""),
    )  # fmt: skip


def read_order_string(text: str) -> dict[str, str]:
    """The parameters of an app's order string or of a page's address."""
    return dict(
        parse_qsl(text.partition("?")[2] if text.startswith("http") else text, keep_blank_values=True)
    )


def _open(request: HttpRequest, params: dict[str, str], method: str, started: float) -> HttpResponse:
    verdict = "good" if signing.from_app(params) else "bad"
    try:
        found = opened(params)
    except Refusal as refusal:
        _record(request, method, started, 400, refusal.sub_code, verdict, "")
        response = page(request, "alipay/problem.html", {"refusal": refusal})
        response.status_code = 400
        return response
    url = reverse("alipay-cashier", args=[found["token"]])
    _record(request, method, started, 302, url, verdict, "")
    return HttpResponseRedirect(url)


def _envelope(method: str, told: dict[str, Any], *, signed: bool) -> str:
    """The answer with its signature over the raw bytes of the response object, slashes escaped as Alipay does."""
    name = f"{method.replace('.', '_')}_response" if method in codes.CALLS else "error_response"
    part = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    if not signed or faults.strike(codes.NAME, "unsigned_answer", method):
        return f'{{"{name}":{part}}}'
    over = part + " " if faults.strike(codes.NAME, "wrong_answer_signature", method) else part
    return f'{{"{name}":{part},"sign":"{signing.sign(over)}"}}'


def _record(
    request: HttpRequest,
    method: str,
    started: float,
    status: int | None,
    answer: str,
    verdict: str,
    note: str,
) -> None:
    calls.record(
        provider=codes.NAME, direction="in", name=method or "gateway.do", method=request.method or "",
        url=request.get_full_path(), headers=dict(request.headers), request="&".join(f"{k}={v}" for k, v in request.POST.items()),
        status=status, answer=answer, verdict=verdict, note=note, started=started,
    )  # fmt: skip


def _finish(
    request: HttpRequest, method: str, started: float, text: str, note: str, verdict: str = "", *,
    http: int = 200, drop: bool = False,
) -> HttpResponse:  # fmt: skip
    _record(request, method, started, None if drop else http, text, verdict, note)
    if drop:
        connection = request.META.get("gunicorn.socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # the caller was faster
                connection.shutdown(socket.SHUT_RDWR)
        return HttpResponse(status=500)
    return HttpResponse(text, status=http, content_type="text/html;charset=utf-8")
