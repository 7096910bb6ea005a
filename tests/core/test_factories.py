"""Each factory makes a row that the database accepts, twice."""

from __future__ import annotations

import pytest

from tests import factories

MAKERS = [
    "user", "staff", "brand", "model", "colour", "shell", "template", "product", "price", "sellable_shell", "photo",
    "design", "frozen_design", "machine", "session", "print_job", "order", "intent", "refund", "webhook_event",
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", MAKERS)
def test_a_factory_makes_two_different_rows(name: str) -> None:
    maker = getattr(factories, name)
    first, second = maker(), maker()
    for row in (first, second):
        row.refresh_from_db()
        row.validate_constraints()
    assert first.pk != second.pk


@pytest.mark.django_db
def test_stock_links_a_machine_and_a_shell() -> None:
    level = factories.stock(factories.machine(), factories.shell(), 3)
    level.refresh_from_db()
    assert level.count == 3
