"""The shop window: the start page. Doors: read, then a template."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import selectors
from catalog.views import places
from vending.services import machines


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`; with `?qr=true&…` the landing of a machine's code (seed 1's qr_url points here)."""
    if request.GET.get("qr", "").lower() == "true":
        from vending import views as machine_pages  # (its page, at our address)

        return machine_pages.landing(request)
    return render(request, "catalog/home.html", _window())


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
        "price_from": min((offer.price for offer in offers), default=None),
        "brands": brands,
        "machines": [
            {"name": m.name, "location": m.location, "url": reverse("screen", args=[m.machine_id])}
            for m in found
        ],
    }
