"""The whole shop as `make run` starts it, for a browser: in a copy of the tree, with a database and files of its own.

Here: starting and ending it, machines to stand in front of, and reading its rows. Not here: windows (`windows`).
The copy keeps the developer's `.data`, `.env` and `staticfiles` out of it and makes it a fresh clone. The database is
made on the server of tests/conftest.py and dropped at the end; the Redis is the test process's own, whose shop keys
(throttles, tokens) are emptied after each test.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import requests

from tests.support.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240
STOP_SECONDS = 20
#: What a clone does not have, and what no running shop reads.
LEFT_OUT = (".git", ".venv", ".data", ".env", ".*_cache", ".hypothesis", "node_modules", "staticfiles", "media",
            "test-results", "tests", "bench", "docs", "__pycache__", "*.pyc", "celerybeat-schedule*")  # fmt: skip
#: Quick enough for a test, slow enough for a page to show each step.
PACE = {
    "SANDBOX_PRINT_SECONDS": "2",
    "SANDBOX_STEP_SECONDS": "0.4",
    "SANDBOX_CARD_SECONDS": "0.4",
    "SANDBOX_SESSION_POLL_SECONDS": "0.5",
    "SANDBOX_POLL_SECONDS": "1",
    "SANDBOX_REPEAT_SECONDS": "1",
    "SANDBOX_PICTURE_GAP_SECONDS": "0.2",
    "MANUFACTURER_ORDER_DELAY_SECONDS": "0",
}


def free_ports() -> int:
    """A port that is free and whose next one is free too, below those that the system gives to whoever asks for any: it is
    a while until the shop listens there."""
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(9000, given - 1), 100):
        with socket.socket() as one, socket.socket() as other, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 1))
            return port
    raise RuntimeError("no two free ports side by side")


class Shop:
    """A running shop. `url` and `sandbox` are its two origins; two at a time need two databases of Redis."""

    def __init__(self, home: Path, *, redis_database: int | None = None) -> None:
        self.home, self.port = home, free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox = Sandbox(f"http://127.0.0.1:{self.port + 1}")
        self.log = home / "shop.log"
        self._server = os.environ["DATABASE_URL"]
        self._name = f"browser_{os.getpid()}_{self.port}"
        self._redis = os.environ["REDIS_URL"]
        if redis_database is not None:
            self._redis = re.sub(r"(db=|/)\d+$", rf"\g<1>{redis_database}", self._redis)
        self.database_url = re.sub(r"(://[^/]*/)[^?]*", rf"\g<1>{self._name}", self._server)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._env: dict[str, str] = {}

    # --- Start and end ---
    def start(self) -> None:
        """Start it and wait until it has said that it is open."""
        tree = self._tree
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        self._admin(f'drop database if exists "{self._name}" with (force)', f'create database "{self._name}"')
        own = ("DJANGO_", "SANDBOX", "MANUFACTURER_", "PYTEST", "CELERY_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        for name in (
            "PUBLIC_BASE_URL",
            "ALLOWED_HOSTS",
            "DEBUG",
            "LOG_FORMAT",
            "MALLOC_ARENA_MAX",
            "TZ",
            "COLUMNS",
        ):
            clean.pop(name, None)
        self._env = clean | PACE | {
            "PORT": str(self.port), "DATABASE_URL": self.database_url, "REDIS_URL": self._redis, "SECRET_KEY": "for-the-browser-tests-" * 3,
            "MEDIA_ROOT": str(self.home / "media"), "SANDBOX_DATA": str(self.home / "sandbox"), "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pimpshop.run"],
                cwd=tree,
                env=self._env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while b"Ctrl-C ends everything" not in self.log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the shop did not start: " + self.log.read_text()[-3000:])
            time.sleep(0.1)

    def stop(self) -> None:
        """End it as Ctrl-C does, and drop its database."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)
        self._admin(f'drop database if exists "{self._name}" with (force)')

    @property
    def _tree(self) -> Path:
        return self.home / "shop"

    def manage(self, *command: str) -> str:
        """`manage.py` beside the running shop, as its people would call it; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=self._tree, env=self._env | {"SANDBOX": "1"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _admin(self, *statements: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    # --- What happens in it ---
    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the shop's database, as they stand now."""
        with psycopg.connect(self.database_url) as connection:
            found = connection.execute(sql, values)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def machine(self) -> str:
        """A machine with full stock that nobody has used yet; its id. Each test stands in front of its own, because
        a machine has at most five live sessions and one queue."""
        machine_id = f"BROWSER{next(self._numbers):05d}"
        self.sandbox.add_machine(machine_id, name=f"Mall {machine_id}")
        self.query(
            "insert into vending_machine (created_at, updated_at, machine_id, name, location, currency, language,"
            " is_active, maintenance, printer, printer_reason, stock_error)"
            " select now(), now(), %s, %s, 'Ground floor', currency, language, true, false, printer, '', ''"
            " from vending_machine where machine_id = 'CXYLOGD8OQUK'",
            machine_id, f"Mall {machine_id}",
        )  # fmt: skip
        return machine_id

    def hold_the_printer(self) -> None:
        """Orders are taken and get their number, and nothing is printed yet: a case that is handed out before its page was
        looked at shows no number any more."""
        self.sandbox.fault("printer_out")

    def let_print(self) -> None:
        self.sandbox.fault("printer_out", on=False)

    def end_faults(self) -> None:
        """Switch off whatever a test has switched on."""
        for fault in self.sandbox.books()["faults"]:
            if fault["is_on"]:
                self.sandbox.fault(fault["name"], on=False, target=fault["target"])

    def payments(self, machine_id: str) -> list[dict[str, Any]]:
        """The machine's payments in the manufacturer's own books."""
        return [p for p in self.sandbox.books()["payments"] if p["device_id"] == machine_id]

    def orders(self, machine_id: str) -> list[dict[str, Any]]:
        """The machine's print orders in the manufacturer's own books."""
        return [o for o in self.sandbox.books()["orders"] if o["device_id"] == machine_id]

    def wait_until_handed_out(self, machine_id: str) -> None:
        """Until the machine has dispensed its case and the shop has heard of it."""
        self.let_print()
        deadline = time.monotonic() + 90
        done = "select 1 from vending_printjob j join vending_machine m on m.id = j.machine_id where m.machine_id = %s and j.status = 'collected'"
        while not self.query(done, machine_id):
            assert time.monotonic() < deadline, self.orders(machine_id)
            time.sleep(0.2)

    def print_hash(self, order_no: str) -> str:
        """SHA-256 of the print file of the design that was frozen for an order."""
        rows = self.query(
            "select d.print_sha256 from catalog_design d join orders_orderline l on l.design_id = d.id"
            " join orders_order o on o.id = l.order_id where o.order_no = %s and d.frozen_at is not null",
            order_no,
        )  # fmt: skip
        assert len(rows) == 1, rows
        return str(rows[0][0])

    def printed_picture(self, digest: str) -> bytes:
        """The picture that the machine has fetched, by the hash that its print bay shows."""
        answer = requests.get(f"{self.sandbox.base_url}/manufacturer/pictures/{digest}", timeout=10)
        answer.raise_for_status()
        return answer.content
