"""A shop for races and faults: one machine that sells one case, and the ways up to each state of a payment.

Nothing is drawn here: designs are frozen with bytes of their own, so that a test has an order in milliseconds. The
manufacturer is either on the wire by `responses` (threads) or a real server on a port (killed processes).
Guarantee: `shop` checks every invariant when its test ends.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
import time_machine

from tests.support.manufacturer import Manufacturer

if TYPE_CHECKING:
    from catalog.models import Shell
    from orders.models import Order
    from payments.models import PaymentIntent
    from vending.models import Machine, PrintJob, VendingSession

PRINT = b"the very picture that the customer approved"


class SteadyManufacturer(Manufacturer):
    """The books under a lock, for many threads. `delay` seconds pass before and after each piece of work; `slow` names
    calls whose work begins only after so many seconds."""

    def __init__(self, mock: Any) -> None:
        super().__init__(mock)
        self.delay = 0.0
        self.slow: dict[str, float] = {}
        self._lock = threading.RLock()

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        time.sleep(self.delay + self.slow.get(str(request.url).split("/en/", 1)[1], 0.0))
        try:
            with self._lock:
                return super()._answer(request)
        finally:
            time.sleep(self.delay)

    def pays(self, third_id: str) -> None:
        """The customer taps the card."""
        with self._lock:
            self.payments[third_id] = 3

    def asked(self) -> int:
        """How often getPayStatus was called."""
        return len(self.bodies("order/getPayStatus"))


@dataclass
class Paying:
    """A session whose payment the machine is asking for."""

    session: VendingSession
    order: Order
    intent: PaymentIntent

    @property
    def third_id(self) -> str:
        return self.intent.out_trade_no

    def refresh(self) -> None:
        for row in (self.session, self.order, self.intent):
            row.refresh_from_db()

    def job(self) -> PrintJob:
        from vending.models import PrintJob

        return PrintJob.objects.get(order_no=self.order.order_no)


@dataclass
class Shop:
    """iPhone 15 Pro in one colour for 19.99 GBP at a machine that has plenty of it."""

    machine: Machine
    shell: Shell
    manufacturer: SteadyManufacturer

    def session(self, **more: Any) -> VendingSession:
        """A session that the screen shows, over and above the five that a machine may have."""
        from pimpshop.core.states import remark
        from tests import factories

        made = factories.session(self.machine, **more)
        remark(made, source="test", reason="created")
        return made

    def ordered(self, *, content: str = "one", session: VendingSession | None = None) -> Paying:
        """A session with its order, nothing asked of the machine yet (`intent` is None)."""
        from orders.services import checkout
        from tests import factories

        session = session or self.session()
        design = factories.frozen_design(
            self.shell, print_bytes=PRINT, print_sha256=hashlib.sha256(PRINT).hexdigest()
        )
        order = checkout.order_case(
            session=session, design=design, summary={"content": content}, summary_hash=content, language="en",
            source="api",
        )  # fmt: skip
        return Paying(session, order, None)  # type: ignore[arg-type]

    def paying(self, **more: Any) -> Paying:
        """payData was sent and accepted."""
        from payments.services import machine_payments

        one = self.ordered(**more)
        one.intent = machine_payments.start_machine_payment(one.session, source="api").intent
        one.refresh()
        return one

    def taken(self, **more: Any) -> Paying:
        """The machine has the money; nobody here knows."""
        one = self.paying(**more)
        self.manufacturer.pays(one.third_id)
        return one

    def paid(self, **more: Any) -> Paying:
        """Settled; orderData is due."""
        from payments.services import sync

        one = self.taken(**more)
        assert sync.check_now(intent=one.intent, source="poll").applied == "settled"
        one.refresh()
        return one


def make_shop(manufacturer: SteadyManufacturer) -> Shop:
    from django.utils import timezone

    from tests import factories

    shell = factories.sellable_shell(manufacturer_id="MS102503270003")
    machine = factories.machine(machine_id="CXYLOGD8OQUK", stock_synced_at=timezone.now())
    factories.stock(machine, shell, count=50)
    return Shop(machine, shell, manufacturer)


def assert_invariants() -> None:
    """What `manage.py check_invariants` would print: nothing."""
    from pimpshop.core import invariants

    found = [str(violation) for violation in invariants.violations()]
    assert not found, found


@pytest.fixture
def manufacturer() -> Iterator[SteadyManufacturer]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield SteadyManufacturer(mock)


@pytest.fixture
def shop(transactional_db: None, manufacturer: SteadyManufacturer, settings: Any) -> Iterator[Shop]:
    settings.MANUFACTURER_ORDER_DELAY_SECONDS = 0
    yield make_shop(manufacturer)
    assert_invariants()


# --- Time --------------------------------------------------------------------------------------------------------------


def sweep() -> dict[str, int]:
    """Walk all rounds until nothing is due; no round may raise."""
    from pimpshop.core import sweeper

    moved = sweeper.walk_until_quiet()
    assert -1 not in moved.values(), moved
    return moved


@contextmanager
def later(*, since: datetime | None = None, **delta: float) -> Iterator[datetime]:
    """The block runs that much later (timedelta's words) than now, or than `since`, when how long the test has taken must
    not count; the clock goes on ticking."""
    then = (since or datetime.now().astimezone()) + timedelta(**delta)
    with time_machine.travel(then, tick=True):
        yield then


def walk_through(seconds: float, *, step: float) -> None:
    """Let time pass: a walk of all rounds every `step` seconds for `seconds`."""
    passed = 0.0
    while passed < seconds:
        passed += step
        with later(seconds=passed):
            sweep()


# --- The manufacturer on a port ----------------------------------------------------------------------------------------


class _Handler(http.server.BaseHTTPRequestHandler):
    books: SteadyManufacturer
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, headers, text = self.books._answer(SimpleNamespace(url=self.path, body=body))  # type: ignore[arg-type]
        except requests.RequestException:
            self.close_connection = True  # no answer: the connection just ends
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # the caller was killed meanwhile
            self.wfile.write(text.encode())

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def on_a_port() -> Iterator[tuple[SteadyManufacturer, str]]:
    """The manufacturer as a real server on this machine: (its books, the base URL for MANUFACTURER_API_BASE)."""
    books = SteadyManufacturer(SimpleNamespace(add_callback=lambda *args, **more: None))
    handler = type("Handler", (_Handler,), {"books": books})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield books, f"http://127.0.0.1:{server.server_port}/mobileShell/en"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def envelope(code: int, msg: str) -> dict[str, Any]:
    """An error of the manufacturer for `Manufacturer.fail`."""
    return {"code": code, "msg": msg}


def as_json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)
