"""Demo data of the catalogue: phones, shells, colours, templates, cases, plans, packs and their prices.

Lives here: putting the rows of catalog/fixtures/*.json there. Not here: machines and stock (vending), people (accounts).
Guarantees: idempotent; what is missing is made, what stands is never overwritten (staff may have changed it).
"""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from catalog.models import (
    CaseProduct,
    Colour,
    CreditPack,
    DesignTemplate,
    PhoneBrand,
    PhoneModel,
    Plan,
    Price,
    Product,
    Shell,
)
from catalog.services import template_specs
from pimpshop.core.money import Money

_FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


@functools.cache
def _fixture(name: str) -> Any:
    return json.loads((_FIXTURES / f"{name}.json").read_text("utf-8"))


def seed() -> None:
    """Make whatever demo data of the catalogue is missing."""
    with transaction.atomic():
        _templates()
        _phones()
        _cases()
        _packs_and_plans()


def demo_stock() -> dict[tuple[str, str], int]:
    """Pieces that a demo machine holds at first, by the manufacturer's model id and shell id."""
    return {
        (model["id"], shell["id"]): shell["stock"]
        for model in _fixture("demo_catalogue")["models"]
        for shell in model["shells"]
    }


def _templates() -> None:
    for template in _fixture("templates"):
        template_specs.parse_spec(template["spec"])  # a faulty fixture must not become a row
    DesignTemplate.objects.bulk_create(
        [
            DesignTemplate(
                slug=t["slug"], name=t["name_en"], name_zh=t["name_zh"], spec=t["spec"], sort_order=10 * n
            )
            for n, t in enumerate(_fixture("templates"), 1)
        ],
        ignore_conflicts=True,
    )


def _phones() -> None:
    data = _fixture("demo_catalogue")
    Colour.objects.bulk_create([Colour(**colour) for colour in data["colours"]], ignore_conflicts=True)
    PhoneBrand.objects.bulk_create(
        [
            PhoneBrand(
                manufacturer_id=b["id"],
                slug=b["slug"],
                name=b["name"],
                name_zh=b["name_zh"],
                sort_order=10 * n,
            )
            for n, b in enumerate(data["brands"], 1)
        ],
        ignore_conflicts=True,
    )
    brands = {brand["slug"]: brand["id"] for brand in data["brands"]}
    brand_rows = PhoneBrand.objects.in_bulk(list(brands.values()), field_name="manufacturer_id")
    PhoneModel.objects.bulk_create(
        [
            PhoneModel(
                manufacturer_id=m["id"],
                brand=brand_rows[brands[m["brand"]]],
                name=m["name"],
                sort_order=10 * n,
            )
            for n, m in enumerate(data["models"], 1)
        ],
        ignore_conflicts=True,
    )
    colours = Colour.objects.in_bulk(field_name="slug")
    Shell.objects.bulk_create(
        [
            Shell(
                model=_models()[model["id"]],
                manufacturer_id=shell["id"],
                colour=colours[shell["colour"]],
                sku=shell["sku"],
                width_mm=Decimal(model["width"]),
                height_mm=Decimal(model["height"]),
                corner_radius_mm=Decimal(model["radius"]),
                cutouts=model["cutouts"],
            )
            for model in data["models"]
            for shell in model["shells"]
        ],
        ignore_conflicts=True,
    )


def _models() -> dict[str, PhoneModel]:
    wanted = [model["id"] for model in _fixture("demo_catalogue")["models"]]
    return PhoneModel.objects.in_bulk(wanted, field_name="manufacturer_id")


def _cases() -> None:
    have = {case.phone_model_id: case for case in CaseProduct.objects.all()}
    products = []
    for number, model in enumerate(_models().values(), 1):
        products.append(have.get(model.pk) or CaseProduct.objects.create(
            sku=f"case-{model.manufacturer_id.lower()}", name=f"{model.name} case", name_zh=f"{model.name} 手机壳",
            phone_model=model, sort_order=10 * number,
        ))  # fmt: skip
    _prices([(product, _fixture("demo_catalogue")["case_prices"]) for product in products])


def _packs_and_plans() -> None:
    data = _fixture("demo_products")
    packs = _products(CreditPack, data["packs"], 1000)
    plans = _products(Plan, data["plans"], 2000)
    _prices([*packs, *plans])


def _products(
    kind: type[Product], entries: list[dict[str, Any]], order: int
) -> list[tuple[Product, dict[str, str]]]:
    have = {product.sku: product for product in kind.objects.all()}
    return [
        (
            have.get(entry["sku"])
            or kind.objects.create(
                **{key: value for key, value in entry.items() if key != "prices"},
                sort_order=order + 10 * number,
            ),
            entry["prices"],
        )
        for number, entry in enumerate(entries, 1)
    ]


def _prices(wanted: list[tuple[Product, dict[str, str]]]) -> None:
    known = set(Price.objects.values_list("product_id", "currency"))
    Price.objects.bulk_create(
        Price(
            product_id=product.pk,
            currency=currency,
            amount_minor=Money.parse(text, currency).amount_minor,
            actor="seed",
        )
        for product, prices in wanted
        for currency, text in prices.items()
        if (product.pk, currency) not in known
    )
