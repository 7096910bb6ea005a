"""The payer's hand: a wallet that lists what waits to be paid, the page of one payment, and the page that h5 opens.

A real code is scanned by WeChat, which no test has; here whoever scans opens the wallet instead. English, and 简体中文 by
?lang=zh. And the control API's part for tests.
"""

import json
import time
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from sandbox import database
from sandbox.pages.render import language, page
from sandbox.providers.wechatpay import books, codes, trading

SHOWN = 60
WORDS = {
    "NOTPAY": "Waiting for payment",
    "SUCCESS": "Paid",
    "REFUND": "Paid back in part or in full",
    "CLOSED": "Closed",
}


def _shown(order: database.Row) -> database.Row:
    """An order with what the templates show of it."""
    life = codes.H5_LIFE if order["kind"] == "h5" else codes.CODE_LIFE
    ends = min(order["created"] + life, order["expires"] or order["created"] + life)
    waits = order["state"] == "NOTPAY"
    refunded = books.refunded(order["out_trade_no"])
    return order | {
        "yuan": Decimal(order["total"]).scaleb(-2),
        "word": "Too late to pay" if waits and ends < time.time() else WORDS[order["state"]],
        "open": waits and ends >= time.time(),
        "refunded_yuan": Decimal(refunded).scaleb(-2) if refunded else None,
        "url": reverse("wechatpay-scan", args=[order["prepay_id"]]),
    }


@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """Everything that was ordered, newest first; ?code= (what the QR code holds) goes straight to its payment."""
    code = request.GET.get("code", "").rpartition("pr=")[2].strip()
    if code:
        found = database.row("SELECT prepay_id FROM wechat_orders WHERE code = ?", code)
        if found is not None:
            return HttpResponseRedirect(_keep(request, reverse("wechatpay-scan", args=[found["prepay_id"]])))
    rows = database.rows("SELECT * FROM wechat_orders ORDER BY created DESC LIMIT ?", SHOWN)
    context = {"orders": [_shown(order) for order in rows], "unknown_code": bool(code)}
    return page(request, "wechatpay/wallet.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest, prepay_id: str) -> HttpResponse:
    """One payment: what it is for, how much, Confirm or Not now."""
    return _payment(request, prepay_id, "wechatpay-scan", reverse("wechatpay-wallet"))


@require_http_methods(["GET", "HEAD", "POST"])
def h5(request: HttpRequest, prepay_id: str) -> HttpResponse:
    """The same in the phone's browser; afterwards the browser goes back to redirect_url, paid or not."""
    back = request.GET.get("redirect_url", "")
    return _payment(
        request, prepay_id, "wechatpay-h5", back if back.startswith(("http://", "https://")) else ""
    )


def _payment(request: HttpRequest, prepay_id: str, name: str, back: str) -> HttpResponse:
    order = books.order_of(prepay_id)
    if order is None:
        raise Http404
    if request.method == "POST":
        return _pressed(request, order, name)
    answered = request.GET.get("answer", "")
    context = {
        "order": _shown(order),
        "problem": answered == "problem" and order["state"] == "NOTPAY",
        "left": answered == "later",
        "back": back,
        "goes_back": name == "wechatpay-h5" and bool(back) and answered in ("paid", "later"),
        "here": request.get_full_path(),
    }
    return page(request, "wechatpay/payment.html", context)


def _pressed(request: HttpRequest, order: database.Row, name: str) -> HttpResponse:
    """A button; pressed too late it does nothing, and the page shows how things stand. It leads back to this page, for a
    form may not be sent on to another origin."""
    answer = "later"
    if request.POST.get("button") == "confirm":
        answer = "paid"
        try:
            if not _shown(order)["open"]:
                raise trading.PayError("too late")
            trading.pay(order["out_trade_no"])
        except trading.PayError:
            answer = "problem"
    query = {"answer": answer}
    if request.GET.get("redirect_url"):
        query["redirect_url"] = request.GET["redirect_url"]
    if language(request) == "zh":
        query["lang"] = "zh"
    return HttpResponseRedirect(f"{reverse(name, args=[order['prepay_id']])}?{urlencode(query)}")


def _keep(request: HttpRequest, url: str) -> str:
    return f"{url}?lang=zh" if language(request) == "zh" else url


@csrf_exempt
@require_http_methods(["POST"])
def control_pay(request: HttpRequest) -> JsonResponse:
    """POST sandbox/api/wechatpay/pay {out_trade_no, payer?} -> the order, paid; 409 when it cannot be paid."""
    try:
        sent: Any = json.loads(request.body or b"{}")
        paid = trading.pay(str(sent["out_trade_no"]), payer=str(sent.get("payer") or ""))
    except trading.PayError as error:
        return JsonResponse({"error": str(error)}, status=409)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"order": paid})
