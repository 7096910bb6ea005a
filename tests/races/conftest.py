"""The shop and its manufacturer, see tests.support.shop; buying online, see tests.support.online. Every test here is marked `race`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.online import online_shop
from tests.support.sandbox import sandbox_client, sandbox_server
from tests.support.shop import manufacturer, shop

__all__ = ["manufacturer", "online_shop", "sandbox_client", "sandbox_server", "shop"]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for another's answer gives up after a few seconds, which many threads on a busy machine may need. How long
    that is, is not what races are about."""
    from payments.services import intents
    from pimpshop.core import tokens

    monkeypatch.setattr(intents, "WAIT_FOR_OTHER", 60.0)
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 60.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.race)
