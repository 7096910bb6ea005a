"""Alipay's pages: the cashier, its result with the way back to the shop, and the list of what waits to be scanned."""

import hashlib
import json
import time

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sandbox import database
from sandbox.pages.render import language, page, with_language
from sandbox.providers.alipay import bills, books, codes, notices, trading


def _trade(token: str) -> database.Row:
    found = books.by_token(token)
    if found is None:
        raise Http404
    return _shown(found)


def _shown(found: database.Row) -> database.Row:
    over = found["expires"] <= time.time()
    return found | {
        "amount": books.yuan(found["fen"]),
        "word": codes.WORDS[found["status"]],
        "open": found["status"] in (codes.PREPARED, codes.WAITING) and not over,
        "is_paid": found["status"] in (codes.SUCCESS, codes.FINISHED),
    }


@require_safe
def cashier(request: HttpRequest, token: str) -> HttpResponse:
    """What the buyer sees after scanning or opening: amount, merchant, confirm or not. Opening it is the scan."""
    trading.scan(_trade(token)["out_trade_no"])
    found = _trade(token)
    if not found["open"]:
        return HttpResponseRedirect(with_language(request, reverse("alipay-result", args=[token])))
    leave = found["quit_url"] or found["return_url"] or reverse("alipay-trades")
    return page(request, "alipay/cashier.html", {"trade": found, "leave": leave})


@require_POST
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer confirms. Too late: the result says so."""
    trading.pay(_trade(token)["out_trade_no"])
    return HttpResponseRedirect(with_language(request, reverse("alipay-result", args=[token])))


@require_safe
def result(request: HttpRequest, token: str) -> HttpResponse:
    """Paid or closed; a paid one leads back to the shop by itself. (A redirect here would be a redirected form, which the
    content policy of a strict page does not let through to another origin.)"""
    found = _trade(token)
    if found["open"]:
        return HttpResponseRedirect(with_language(request, reverse("alipay-cashier", args=[token])))
    back = notices.way_back(found) if found["is_paid"] else found["return_url"]
    return page(request, "alipay/result.html", {"trade": found, "back": back})


def _trades() -> list[database.Row]:
    found = database.rows("SELECT * FROM alipay_trades ORDER BY created DESC LIMIT 40")
    for trade in found:
        told = database.row(
            "SELECT count(*) AS n, coalesce(sum(acknowledged), 0) AS good FROM alipay_notices WHERE out_trade_no = ?",
            trade["out_trade_no"],
        )  # fmt: skip
        trade |= _shown(trade) | {"given_back": books.yuan(trade["refunded"]), "notices": told}
    return found


@require_safe
def trades(request: HttpRequest) -> HttpResponse:
    """Every trade, newest first; what waits has a link to its cashier page."""
    return page(request, "alipay/trades.html", {"trades": _trades()})


@require_safe
def trades_part(request: HttpRequest) -> HttpResponse:
    """The part of the list that changes: 204 when it is shown already."""
    found = _trades()
    state = [[t["out_trade_no"], t["status"], t["open"], t["refunded"], t["notices"]] for t in found]
    mark = hashlib.sha256(json.dumps([state, language(request)]).encode()).hexdigest()[:16]
    if request.GET.get("have") == mark:
        return HttpResponse(status=204)
    response = page(request, "alipay/_trades.html", {"trades": found})
    response["X-State"] = mark
    return response


@require_safe
def bill(request: HttpRequest, token: str) -> HttpResponse:
    """The zip behind a bill's link, for half a minute."""
    found = bills.content(token)
    if found is None:
        raise Http404
    return HttpResponse(found, content_type="application/zip")
