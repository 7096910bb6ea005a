"""Alipay's part of the control API, for tests: be the buyer or the merchant's console. JSON in, JSON out.

Errors are 400 or 409 with {"error": text} and change nothing.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox import database
from sandbox.providers.alipay import api, books, trading
from sandbox.providers.alipay.codes import Refusal

View = Callable[..., bool]


def _about_a_trade(view: View) -> Callable[..., JsonResponse]:
    """Run one action and answer the trade; False is 409."""

    @csrf_exempt
    @wraps(view)
    def checked(request: HttpRequest, out_trade_no: str = "") -> JsonResponse:
        if request.method != "POST":
            return JsonResponse({"error": "POST only"}, status=405)
        try:
            sent: Any = json.loads(request.body or b"{}")
            if not isinstance(sent, dict):
                raise ValueError("a JSON object is expected")
            if out_trade_no and books.trade(out_trade_no) is None:
                return JsonResponse({"error": "no such trade"}, status=409)
            done = view(sent, out_trade_no)
        except Refusal as refusal:
            return JsonResponse({"error": refusal.sub_code}, status=409)
        except (ValueError, KeyError, TypeError) as error:
            return JsonResponse({"error": str(error)}, status=400)
        if not done:
            return JsonResponse({"error": "the trade does not stand so"}, status=409)
        return JsonResponse({"trade": books.trade(out_trade_no or sent["out_trade_no"])})

    return checked


@_about_a_trade
def open_order(sent: dict[str, Any], out_trade_no: str) -> bool:
    """{order: the address of page.pay or wap.pay, or app.pay's order string} -> the trade, opened by the buyer."""
    sent["out_trade_no"] = api.opened(api.read_order_string(str(sent["order"])))["out_trade_no"]
    return True


@_about_a_trade
def pay(sent: dict[str, Any], out_trade_no: str) -> bool:
    """The buyer scans, if need be, and confirms."""
    return trading.pay(out_trade_no)


@_about_a_trade
def finish(sent: dict[str, Any], out_trade_no: str) -> bool:
    """The time for refunds is over: TRADE_FINISHED."""
    return trading.finish(out_trade_no)


@_about_a_trade
def refund(sent: dict[str, Any], out_trade_no: str) -> bool:
    """{amount, request_no?} A refund made by hand in the merchant's console; the shop hears of it by the notice."""
    fen = books.fen(sent["amount"])
    if fen is None:
        raise ValueError("amount in yuan")
    with database.transaction():
        found = books.trade(out_trade_no)
        if found is None:
            return False
        trading.give_back(found, fen, str(sent.get("request_no") or f"console{found['refunded']}"), "console")
    return True
