"""Packs and plans with prices, for tests: rows only, as tests.factories makes them."""

from __future__ import annotations

from typing import Any

from catalog.models import CreditPack, Plan
from tests import factories


def pack(*, prices: dict[str, int] | None = None, **more: Any) -> CreditPack:
    """100 credits for 9.90 CNY and 2.00 USD unless told otherwise."""
    n = factories.number()
    made = CreditPack.objects.create(
        **{
            "sku": f"pack-{n}",
            "name": f"Pack {n}",
            "number": 1000 + n,
            "credits": 100,
            "stripe_price_id": f"price_pack{n}",
            **more,
        }
    )
    for code, amount in (prices or {"CNY": 990, "USD": 200}).items():
        factories.price(made, currency=code, amount_minor=amount)
    return made


def plan(*, prices: dict[str, int] | None = None, **more: Any) -> Plan:
    """2,000 points for 30 days, 5.00 USD and 36.00 CNY unless told otherwise."""
    n = factories.number()
    made = Plan.objects.create(
        **{
            "sku": f"plan-{n}",
            "name": f"Plan {n}",
            "points": 2000,
            "term_days": 30,
            "stripe_price_id": f"price_plan{n}",
            **more,
        }
    )
    for code, amount in (prices or {"CNY": 3600, "USD": 500}).items():
        factories.price(made, currency=code, amount_minor=amount)
    return made
