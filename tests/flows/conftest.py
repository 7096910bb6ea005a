"""What the flow tests share: a machine that sells one case, and the manufacturer on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import responses

from tests.support.manufacturer import Manufacturer
from tests.support.online import Online, mailbox, point_at
from tests.support.sandbox import sandbox_client, sandbox_server
from tests.support.seed1 import Phone

__all__ = ["sandbox_client", "sandbox_server"]

if TYPE_CHECKING:
    from catalog.models import Shell
    from vending.models import Machine


@dataclass
class Shop:
    """iPhone 15 Pro in one colour for 19.99 GBP at a machine that has five of it."""

    machine: Machine
    shell: Shell

    def phone(self, **more: str) -> Phone:
        """Somebody in front of the machine."""
        model_id, shell_id = self.shell.model.manufacturer_id, self.shell.manufacturer_id
        told = {"machine_id": self.machine.machine_id, "model_id": model_id, "shell_id": shell_id}
        return Phone(**{**told, **more})


@pytest.fixture
def shop(db: None, settings) -> Iterator[Shop]:
    from django.utils import timezone

    from pimpshop.core import invariants
    from tests import factories

    settings.MANUFACTURER_ORDER_DELAY_SECONDS = 0
    brand = factories.brand(name="iphone", name_zh="苹果", slug="iphone", manufacturer_id="BR20250111000002")
    model = factories.model(brand=brand, name="iPhone 15 Pro", manufacturer_id="MM020250224000010")
    colour = factories.colour(name="Natural Titanium", name_zh="原色钛", slug="natural-titanium")
    shell = factories.sellable_shell(model=model, colour=colour, manufacturer_id="MS102503270003")
    machine = factories.machine(
        machine_id="CXYLOGD8OQUK", name="Mall", location="Shopping Mall A", stock_synced_at=timezone.now()
    )
    factories.stock(machine, shell, count=5)
    yield Shop(machine, shell)
    assert [str(v) for v in invariants.violations()] == []


@pytest.fixture
def phone(shop: Shop) -> Phone:
    """The first person in front of the machine."""
    return shop.phone()


@pytest.fixture
def manufacturer() -> Iterator[Manufacturer]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Manufacturer(mock)


@pytest.fixture
def nothing_changes(manufacturer: Manufacturer) -> Iterator[Callable[[], None]]:
    """Call it when the stage is set: at the end every row is as it was then, and the manufacturer was not asked."""
    from tests.support import seed1

    before: list[object] = []

    def remember() -> None:
        before[:] = [seed1.rows(), list(manufacturer.calls)]

    yield remember
    assert before, "nothing was remembered"
    assert seed1.rows() == before[0]
    assert manufacturer.calls == before[1]


@pytest.fixture
def online(db: None, settings, sandbox_client) -> Iterator[Online]:
    """The four gateways against the sandbox's process; every invariant is checked at the end."""
    from pimpshop.core import invariants

    with mailbox() as box:
        yield point_at(settings, sandbox_client, box)
    assert [str(v) for v in invariants.violations()] == []
