"""The shop's pages of credit packs and plans: look, choose a currency, order. Doors: one call, then a template.

A guest is asked for an address; the unpaid order of the same browser is found again, so that "back" makes no second one.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import CreditPack, Plan
from credits import selectors as ledger
from orders import selectors
from orders.forms import GuestForm
from orders.services import goods_orders
from pimpshop.core import throttles
from pimpshop.core.money import Money

#: Orders that one address may make.
ORDERS = throttles.Limit("order-goods", 30, 600)
#: What is shown first where the currency was not chosen, by language.
_PREFERRED = {"zh": ("CNY", "USD"), "en-gb": ("GBP", "USD"), "": ("USD", "GBP", "EUR")}
#: Where a browser's unpaid orders are remembered, by what was ordered.
_REMEMBERED = "ordered"


@never_cache
@require_safe
def credits(request: HttpRequest) -> HttpResponse:
    """/credits/: packs of credits."""
    currencies = catalogue.currencies_of(CreditPack)
    currency = _currency(request, currencies)
    cards = [_card(pack, price, "buy-pack") for pack, price in catalogue.packs(currency)]
    return _window(request, "credits", cards, currency, currencies)


@never_cache
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """/plans/: plans of credits for a term."""
    currencies = catalogue.currencies_of(Plan)
    currency = _currency(request, currencies)
    cards = [_card(plan, price, "buy-plan") for plan, price in catalogue.plans(currency)]
    return _window(request, "plans", cards, currency, currencies)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def buy_pack(request: HttpRequest, sku: str) -> HttpResponse:
    """/credits/<sku>/: what it is and for whom; the button orders."""
    return _buy(request, catalogue.by_sku(CreditPack, sku), "buy-pack", "credits")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def buy_plan(request: HttpRequest, sku: str) -> HttpResponse:
    """/plans/<sku>/: what it is and for whom; the button orders."""
    return _buy(request, catalogue.by_sku(Plan, sku), "buy-plan", "plans")


def _buy(request: HttpRequest, product: CreditPack | Plan, address: str, window: str) -> HttpResponse:
    currency = _currency(request, catalogue.product_currencies(product))
    asked = request.GET.get("currency", "").upper() or currency
    # To look at it, another currency will do; ordering in another one than was shown will not.
    price = catalogue.product_price(product, asked if request.method == "POST" else currency)
    user = request.user if isinstance(request.user, User) else None
    form = None if user else GuestForm(request.POST or None)
    if request.method == "POST" and (form is None or form.is_valid()):
        throttles.enforce(ORDERS, throttles.client_address(request))
        email = form.cleaned_data["email"] if form else ""
        return HttpResponseRedirect(selectors.pay_path_of(_order(request, product, price, user, email)))
    context = {
        "card": _card(product, price, address),
        "currency": currency,
        "form": form,
        "email": (user.email or "") if user else "",
        "urls": {"back": f"{reverse(window)}?currency={currency}"},
    }
    return render(request, "orders/buy.html", context, status=400 if form and form.errors else 200)


def _order(
    request: HttpRequest, product: CreditPack | Plan, price: Money, user: User | None, email: str
) -> str:
    """The number of the buyer's unpaid order of that product, or of a new one. A guest's is known by this browser alone:
    whoever types somebody's address must not be led to their order."""
    buyer = goods_orders.Buyer(user=user, email=email, language=get_language() or "en")
    name = f"{product.sku}|{price.currency}|{email}"
    remembered = request.session.get(_REMEMBERED, {}) if user is None else {}
    known = selectors.unpaid(remembered.get(name, ""))
    if known is not None and known.total == price:
        return known.order_no
    order = goods_orders.order_product(
        product=product, currency=price.currency, buyer=buyer, source="page", reuse=user is not None
    )
    if user is None:
        request.session[_REMEMBERED] = {**dict(list(remembered.items())[-9:]), name: order.order_no}
    return order.order_no


def _window(
    request: HttpRequest, kind: str, cards: list[dict[str, Any]], currency: str, currencies: list[str]
) -> HttpResponse:
    context = {
        "kind": kind,
        "cards": cards,
        "currency": currency,
        "currencies": currencies,
        "logged_in": request.user.is_authenticated,
        **_own(request),
        "urls": {"credits": reverse("credits"), "plans": reverse("plans")},
    }
    return render(request, "orders/goods.html", context)


def _own(request: HttpRequest) -> dict[str, Any]:
    """What somebody who is logged in has already."""
    if not isinstance(request.user, User):
        return {"standing": None, "plan": "", "plan_until": None}
    term = ledger.active_term(request.user.pk)
    return {
        "standing": ledger.standing(request.user.pk),
        "plan": catalogue.plan_name(term.plan_sku) if term else "",
        "plan_until": ledger.plan_until(request.user.pk) if term else None,
    }


def _card(product: CreditPack | Plan, price: Money, address: str) -> dict[str, Any]:
    """What a card shows of a product; `days` 0 for a pack."""
    return {
        "name": str(product),
        "credits": Money(product.points if isinstance(product, Plan) else product.credits, "CREDITS"),
        "days": product.term_days if isinstance(product, Plan) else 0,
        "price": price,
        "url": f"{reverse(address, args=[product.sku])}?currency={price.currency}",
    }


def _currency(request: HttpRequest, currencies: list[str]) -> str:
    """The currency to show, of those that have prices: the asked one, else the one that fits the reader's language."""
    asked = request.GET.get("currency", "").upper()
    if asked in currencies:
        return asked
    language = (get_language() or "")[:2]
    if language == "en" and request.headers.get("Accept-Language", "").lower().startswith("en-gb"):
        language = "en-gb"
    preferred = (*_PREFERRED.get(language, ()), *_PREFERRED[""], *currencies)
    return next((one for one in preferred if one in currencies), "USD")
