"""The shop window: the start page. Doors: read, then a template."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from catalog import selectors
from catalog.models import CreditPack, Plan
from catalog.views import places
from pimpshop.core import cache
from pimpshop.core.money import Money
from vending.services import machines

#: A new price or machine is in the shop window after so many seconds.
WINDOW_SECONDS = 15
#: The demo cases of the start page (static/img/demo): name, height at 210 pixels' width, what it is.
GALLERY = [
    {"name": name, "height": height, "caption": caption}
    for name, height, caption in (
        ("dusk", 417, _("A view that you miss, with a line of text")),
        ("daisies", 415, _("A pattern from edge to edge")),
        ("polaroid", 415, _("An instant photo with a date")),
        ("bauhaus", 421, _("Shapes and colours")),
        ("aurora", 420, _("A night to remember, as a film strip")),
        ("botanical", 417, _("Something that grows")),
        ("citrus", 421, _("Something fresh")),
        ("sea", 423, _("The last evening by the sea")),
    )
]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`; with `?qr=true&…` the landing of a machine's code (seed 1's qr_url points here)."""
    if request.GET.get("qr", "").lower() == "true":
        from vending import views as machine_pages  # (its page, at our address)

        return machine_pages.landing(request)
    shown = cache.kept(f"shop-window:{get_language()}", WINDOW_SECONDS, _shop_window)
    return render(request, "catalog/home.html", {**shown, "gallery": GALLERY})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """`/help/`: what people ask, receipts, what we keep of them and for how long, and how to reach us."""
    context = {"kept_days": settings.PHOTOS_KEPT_DAYS, "address": parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}
    return render(request, "catalog/help.html", context)


def _shop_window() -> dict[str, Any]:
    """What the start page tells of machines, phones and prices, in the active language. Nothing is sold by it: what
    somebody chooses is read again."""
    context = {**_window(), "packs": _cheapest(CreditPack), "plans": _cheapest(Plan)}
    packs, case = context["packs"], context["price_from"]
    if (
        packs and case and packs.currency != case.currency
    ):  # one currency on the page, if cases have a price in it
        context["price_from"] = _case_from(selectors.offers(packs.currency)) or case
    return context


def _cheapest(kind: type[CreditPack] | type[Plan]) -> Money | None:
    """What the cheapest of a kind costs, in the currency that a reader of the page's language would look for first."""
    known = selectors.currencies_of(kind)
    wished = ("CNY", "USD") if (get_language() or "").startswith("zh") else (places.CURRENCY, "USD")
    currency = next((code for code in (*wished, *known) if code in known), "")
    found = selectors.packs(currency) if kind is CreditPack else selectors.plans(currency)
    return min((price for _product, price in found), default=None)


def _case_from(offers: list[selectors.Offer]) -> Money | None:
    return min((offer.price for offer in offers), default=None)


def _window() -> dict[str, Any]:
    found = machines.in_use()
    currency = found[0].currency if found else places.CURRENCY
    offers = selectors.offers(currency)
    brands = [
        {
            "name": str(brand),
            "models": [str(model) for model in selectors.models_of(offers, brand.pk)],
        }
        for brand in selectors.brands_of(offers)
    ]
    return {
        "price_from": _case_from(offers),
        "brands": brands,
        "machines": [
            {"name": m.name, "location": m.location, "url": reverse("screen", args=[m.machine_id])}
            for m in found
        ],
    }
