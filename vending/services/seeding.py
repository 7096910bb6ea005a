"""Demo data of vending: two machines and what they hold.

Guarantees: idempotent; what is missing is made, what stands is never overwritten. The catalogue is seeded first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.models import Shell
from catalog.services import seeding as catalogue
from vending.models import Machine, StockLevel

#: (machine id, name, location, how people find it); both sell in GBP.
MACHINES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "CXYLOGD8OQUK",
        "Shopping Mall A",
        "Shopping Mall A",
        {
            "floor": "Ground floor",
            "landmark": "Between the escalators and the bakery, under the big clock",
            "opening_hours": "Every day 10:00–22:00",
            "latitude": Decimal("51.507300"),
            "longitude": Decimal("-0.221400"),
        },
    ),
    ("VM_TEST_MANUFACTURER", "Manufacturer test room", "Test room", {}),
)


def seed() -> list[Machine]:
    """The demo machines, made and stocked where they are missing."""
    now = timezone.now()
    pieces = catalogue.demo_stock()
    with transaction.atomic():
        machines = [
            Machine.objects.get_or_create(
                machine_id=machine_id,
                defaults={
                    "name": name,
                    "location": location,
                    "currency": "GBP",
                    "stock_synced_at": now,
                    **finding,
                },
            )[0]
            for machine_id, name, location, finding in MACHINES
        ]
        shells = [
            (shell, pieces[shell.model.manufacturer_id, shell.manufacturer_id])
            for shell in Shell.objects.select_related("model").filter(
                model__manufacturer_id__in={m for m, _ in pieces}
            )
            if (shell.model.manufacturer_id, shell.manufacturer_id) in pieces
        ]
        StockLevel.objects.bulk_create(
            [
                StockLevel(machine=machine, shell=shell, count=count, seen_at=now)
                for machine in machines
                for shell, count in shells
            ],
            ignore_conflicts=True,
        )
    return machines
