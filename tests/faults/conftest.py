"""The shop and its manufacturer, see tests.support.shop; buying online, see tests.support.online. Every test here is marked `fault`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.online import Online, mailbox, online_shop, point_at
from tests.support.sandbox import Sandbox, sandbox_client, sandbox_server
from tests.support.shop import assert_invariants, manufacturer, shop

__all__ = ["manufacturer", "online_shop", "sandbox_client", "sandbox_server", "shop"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.fault)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that posts to receivers waits for them as long as a busy machine may take; what goes on behind its back would
    go on in the next test."""
    from payments.services import posting

    monkeypatch.setattr(posting, "WAIT_SECONDS", 60.0)


@pytest.fixture
def online(db: None, settings: Any, sandbox_client: Sandbox) -> Iterator[Online]:
    """The four gateways against the sandbox's process, within one transaction; every invariant is checked at the end."""
    with mailbox() as box:
        yield point_at(settings, sandbox_client, box)
    assert_invariants()
