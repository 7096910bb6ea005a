"""Where somebody pays on the phone or at home: the ways to pay of an order, and our own card form. The link is the key.

Doors: translate, one call, then a template or the way on. What is typed for a card is read here once and kept nowhere.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.models import User
from orders import selectors as orders
from orders.models import Order
from orders.services import credit_parts
from payments.forms import CardForm
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import closing, credit_payments, intents, page_payments, progress_words, sync, ways
from pimpshop.core import errors, throttles

#: Starts of a payment per order: enough for any number of mistakes, too few to try stolen cards.
STARTS = throttles.Limit("pay-page", 20, 600)
#: The same by the caller's address.
STARTS_BY_ADDRESS = throttles.Limit("pay-page-address", 60, 600)
#: The order's status page tells better than any message here where things stand.
SAID_THERE = (intents.PaymentUncertain, intents.AlreadyPaid, intents.SessionMoved, closing.CannotClose)


class SeeOther(HttpResponseRedirect):
    """303: whatever the method was, the next page is asked for with GET."""

    status_code = 303


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, order_no: str) -> HttpResponse:
    """/orders/<order_no>/pay/?k=…: the ways to pay; a button starts one and leads on."""
    order = order_of(request, order_no)
    if not page_payments.may_begin(order):
        return SeeOther(orders.status_path(order))
    if request.method != "POST":
        return page(request, order)
    limit(request, order)
    try:
        way = ways.find(request.POST.get("way", ""), credit_parts.due(order), _shopper(request))
        if way.asks_card:
            return SeeOther(card_path(order))
        return start(request, order, way)
    except errors.ShopError as problem:
        return page(request, order, problem)


def start(request: HttpRequest, order: Order, way: ways.Way, card: base.Card | None = None) -> HttpResponse:
    """Start to pay and lead on: to the provider's page, else to the order's. Raises what starting refuses."""
    address = throttles.client_address(request)
    try:
        intent = page_payments.start(order, way, _shopper(request), client_ip=address, card=card)
    except SAID_THERE:
        return SeeOther(orders.status_path(order))
    return _lead_on(request, order, intent)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@sensitive_variables("form")
def card(request: HttpRequest, order_no: str) -> HttpResponse:
    """/orders/<order_no>/pay/card/?k=…: number, expiry and security code, where they may pass through our server."""
    order = order_of(request, order_no)
    if not page_payments.may_begin(order):
        return SeeOther(orders.status_path(order))
    way = next(
        (way for way in ways.offered(credit_parts.due(order), _shopper(request)) if way.asks_card), None
    )
    if way is None:
        return SeeOther(orders.pay_path(order))
    form = CardForm(request.POST or None)
    if request.method != "POST":
        return _card_page(request, order, way, form)
    limit(request, order)
    if not form.is_valid():
        return _card_page(request, order, way, form, status=400)
    try:
        return start(request, order, way, card=form.card())
    except page_payments.Declined as problem:
        reason = progress_words.reason(problem.code)
        return _card_page(request, order, way, CardForm(), status=402, declined=True, reason=reason)
    except errors.ShopError as problem:
        return _card_page(request, order, way, CardForm(), status=problem.status, reason=problem.message)


def order_of(request: HttpRequest, order_no: str) -> Order:
    """The order, for whoever has its link. Its state at the provider is as fresh as a status page's."""
    if not orders.may_see(order_no, request.GET.get("k", "")):
        raise Http404
    order = orders.get(order_no)
    sync.refresh_if_stale(order, source="page")
    order.refresh_from_db()
    return order


def limit(request: HttpRequest, order: Order) -> None:
    """Count a start of a payment. Raises throttles' refusal."""
    throttles.enforce(STARTS, order.order_no)
    throttles.enforce(STARTS_BY_ADDRESS, throttles.client_address(request))


def _shopper(request: HttpRequest) -> ways.Shopper:
    user_id = request.user.pk if request.user.is_authenticated else None
    return ways.Shopper.of(request.headers.get("User-Agent", ""), user_id=user_id)


def _lead_on(request: HttpRequest, order: Order, intent: PaymentIntent) -> HttpResponse:
    action = page_payments.waits_for(intent)
    if not isinstance(action, base.Redirect):
        return SeeOther(orders.status_path(order))
    if action.method == "GET" and _may_lead_to(action.url):
        return SeeOther(action.url)
    context = {"order": _facts(order), "action": action, "urls": {"status": orders.status_path(order)}}
    return render(request, "payments/leave.html", context)


def _may_lead_to(url: str) -> bool:
    """Does our Content-Security-Policy let a posted form be redirected there? (A wildcard stands for one host's names.)"""
    parts = urlsplit(url)
    for allowed in (urlsplit(one) for one in settings.PAYMENT_PAGE_ORIGINS):
        wild = allowed.netloc.startswith("*.") and parts.netloc.endswith(allowed.netloc[1:])
        if parts.scheme == allowed.scheme and (wild or parts.netloc == allowed.netloc):
            return True
    return False


def card_path(order: Order) -> str:
    """The signed link of the card form."""
    return _path(order, "order-pay-card")


def _path(order: Order, name: str) -> str:
    return f"{reverse(name, args=[order.order_no])}?{orders.pay_path(order).partition('?')[2]}"


def _facts(order: Order) -> dict[str, Any]:
    return {
        "order_no": order.order_no,
        "lines": orders.line_texts(order),
        "total": order.total,
        "part": credit_parts.told(order),
        "due": credit_parts.due(order),
    }


def page(request: HttpRequest, order: Order, problem: errors.ShopError | None = None) -> HttpResponse:
    """The ways to pay, with what went wrong."""
    shopper, due = _shopper(request), credit_parts.due(order)
    user = request.user if isinstance(request.user, User) else None
    offered = ways.offered(due, shopper)
    first = ways.first_of_kind(offered)
    context = {
        "order": _facts(order),
        "preview_url": orders.preview_url(order),
        "ways": first,
        "others": [way for way in offered if way not in first],
        "open_elsewhere": ways.shut_in_wechat(due, shopper),
        "spend": credit_payments.offer(order, user) if user else None,
        "problem": problem.message if problem else "",
        "urls": {
            "pay": orders.pay_path(order),
            "credits": _path(order, "order-pay-credits"),
            "card": card_path(order),
            "status": orders.status_path(order),
        },
    }
    return render(request, "payments/pay.html", context, status=problem.status if problem else 200)


def _card_page(
    request: HttpRequest, order: Order, way: ways.Way, form: CardForm, *, status: int = 200,
    declined: bool = False, reason: Any = "",
) -> HttpResponse:  # fmt: skip
    context = {
        "order": _facts(order),
        "form": form,
        "way": way,
        "declined": declined,
        "reason": reason,
        "urls": {"card": card_path(order), "back": orders.pay_path(order)},
    }
    return render(request, "payments/card.html", context, status=status)
