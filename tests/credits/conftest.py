"""After every test of the ledger all its invariants hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pimpshop.core import invariants


@pytest.fixture(autouse=True)
def _the_books_balance(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        assert [str(v) for v in invariants.violations() if v.check.startswith(("3", "4"))] == []


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test here has one, set up before and torn down after the check above."""
