"""The shop window: the start page and the list of phones. Doors: read, then a template."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import selectors
from vending.services import machines

#: What prices are shown in while there is no machine that says so.
CURRENCY = "GBP"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`; with `?qr=true&…` the landing of a machine's code (seed 1's qr_url points here)."""
    if request.GET.get("qr", "").lower() == "true":
        from vending import views as machine_pages  # (its page, at our address)

        return machine_pages.landing(request)
    return render(request, "catalog/home.html", _window())


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """`/studio/`: which phones and colours there are, at home. The designing itself starts at a machine."""
    return render(request, "catalog/choose.html", _window())


def _window() -> dict[str, Any]:
    found = machines.in_use()
    currency = found[0].currency if found else CURRENCY
    offers = selectors.offers(currency)
    brands = [
        {
            "name": str(brand),
            "models": [str(model) for model in selectors.models_of(offers, brand.pk)],
            "phones": [
                {
                    "name": str(model),
                    "price": next(offer.price for offer in offers if offer.shell.model_id == model.pk),
                    "colours": [
                        {"name": str(offer.shell.colour), "hex": offer.shell.colour.hex}
                        for offer in offers
                        if offer.shell.model_id == model.pk
                    ],
                }
                for model in selectors.models_of(offers, brand.pk)
            ],
        }
        for brand in selectors.brands_of(offers)
    ]
    return {
        "price_from": min((offer.price for offer in offers), default=None),
        "brands": brands,
        "machines": [
            {"name": m.name, "location": m.location, "url": reverse("screen", args=[m.machine_id])}
            for m in found
        ],
    }
