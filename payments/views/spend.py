"""Use credits for an order, from its page of ways to pay: all of it, a part, or none after all. The link is the key to the
order, the log-in to the credits. A door: translate, one call, then the way on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import User
from orders import selectors as orders
from orders.models import Order
from payments.services import credit_payments, page_payments
from payments.views import pay
from pimpshop.core import errors


def who(request: HttpRequest) -> User | None:
    """Whoever is logged in."""
    return request.user if isinstance(request.user, User) else None


def number(text: str) -> int:
    """What was typed as a number of credits; 0 for what is none."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


@never_cache
@require_POST
def spend(request: HttpRequest, order_no: str) -> HttpResponse:
    """/orders/<order_no>/pay/credits/?k=…: `do` is all, part (with `credits`) or off."""
    order = pay.order_of(request, order_no)
    user = who(request)
    if user is None or not page_payments.may_begin(order):
        return pay.SeeOther(orders.pay_path(order))
    pay.limit(request, order)
    try:
        return pay.SeeOther(_do(request.POST, order, user))
    except pay.SAID_THERE:
        return pay.SeeOther(orders.status_path(order))
    except errors.ShopError as problem:
        return pay.page(request, order, problem)


def _do(asked: Any, order: Order, user: User) -> str:
    """Answers where to go on."""
    what = asked.get("do", "")
    if what == "all":
        return orders.status_path(credit_payments.pay_all(order, user=user, source="page").order)
    if what == "off":
        credit_payments.take_off(order, user=user, source="page")
    else:
        credit_payments.use(order, user=user, amount=number(asked.get("credits", "")), source="page")
    return orders.pay_path(order)
