"""/account/orders/: everything somebody has ordered while logged in, or as a guest with the address that is theirs now."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from orders import selectors
from orders.models import Order

PAGE = 20
#: Status -> what a shopper reads, and how it is meant: to do, under way, done, over.
WORDS: dict[str, tuple[Any, str]] = {
    "pending": (_("Not paid yet"), "todo"),
    "paid": (_("Paid, on its way"), "now"),
    "completed": (_("Done"), "done"),
    "cancelled": (_("Cancelled"), "over"),
    "refunded": (_("Paid back"), "over"),
}


def before(request: HttpRequest) -> int | None:
    """The id in ?before=; None for anything else, which is the first page."""
    asked = request.GET.get("before", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def card(order: Order) -> dict[str, Any]:
    """What a list shows of an order."""
    words, tone = WORDS[order.status]
    return {
        "order_no": order.order_no,
        "text": ", ".join(line["text"] for line in selectors.line_texts(order)) or order.order_no,
        "total": order.total,
        "at": order.created_at,
        "words": words,
        "tone": tone,
        "url": selectors.status_path(order),
        "pay_url": selectors.pay_path(order) if selectors.waits_for_money(order) else "",
        "receipt_url": selectors.receipt_path(order) if order.paid_at else "",
    }


@never_cache
@require_safe
@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """GET /account/orders/?before=<id>."""
    rows = selectors.of_user(cast(User, request.user), before_id=before(request), limit=PAGE + 1)
    context = {
        "tab": "account-orders",
        "orders": [card(order) for order in rows[:PAGE]],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "newer": before(request) is not None,
    }
    return render(request, "payments/account/orders.html", context)
