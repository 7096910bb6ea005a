"""The shop and its manufacturer, see tests.support.shop; buying online, see tests.support.online. Every test here is marked `race`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.online import online_shop
from tests.support.sandbox import sandbox_client, sandbox_server
from tests.support.shop import manufacturer, shop

__all__ = ["manufacturer", "online_shop", "sandbox_client", "sandbox_server", "shop"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.race)
