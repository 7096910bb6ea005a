"""Workers that die: a forked process of the shop that does one piece of work and kills itself (SIGKILL) at a named
point, and the sweeper as a real process.

A point is a function ("payments.services.settlement:apply_result") and a side: `before` it is entered or `after` it
returned. The killing is put around the function in the child alone; production code knows nothing of it.
Needs `transactional_db` and a manufacturer on a port (tests.support.shop.on_a_port): `responses` ends at the process.
"""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.processes import PROJECT, test_database_url

_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Point:
    """Where a worker dies: `at` is "module:name" or "module:Class.method"; `nth` counts calls from 1."""

    at: str
    side: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.side} {self.at.rpartition(':')[2]}" + (f" #{self.nth}" if self.nth > 1 else "")


def before(at: str, nth: int = 1) -> Point:
    return Point(at, "before", nth)


def after(at: str, nth: int = 1) -> Point:
    return Point(at, "after", nth)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(point: Point) -> None:
    module, _, path = point.at.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    original, calls = getattr(owner, name), 0

    @functools.wraps(original)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.nth and point.side == "before":
            _die()
        answer = original(*args, **kwargs)
        if calls == point.nth:
            _die()
        return answer

    setattr(owner, name, deadly)


def _child(point: Point | None, work: Callable[[], object]) -> None:
    if point is not None:
        _arm(point)
    work()
    from django.db import connections

    connections.close_all()


def run(work: Callable[[], object], *, dies: Point | None = None, seconds: float = 90) -> int:
    """Do `work` in a process of its own; answers its exit code (-9: it died at the point, 0: it came to its end)."""
    from django.db import connections

    connections.close_all()  # a connection must not be shared over the fork
    process = _fork.Process(target=_child, args=(dies, work))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"the worker did not end within {seconds} s")
    assert process.exitcode is not None
    _wait_for_the_dead()
    return process.exitcode


def _wait_for_the_dead(seconds: float = 30) -> None:
    """Until the database has noticed that they are gone: a server process that has not yet rolled back holds its rows."""
    from django.db import connection

    end = time.monotonic() + seconds
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND xact_start IS NOT NULL AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
        assert time.monotonic() < end, "a transaction of a dead worker lives on"
        time.sleep(0.01)


def dies(work: Callable[[], object], point: Point) -> None:
    """Do `work` in a process of its own, which must die at `point`: a point that is never reached proves nothing."""
    code = run(work, dies=point)
    assert code == -signal.SIGKILL, f"the worker never came to the point {point} (exit code {code})"


@contextmanager
def sweeper(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py sweep` as a process on the test's database; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sweep"],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": test_database_url(), "LOG_LEVEL": "ERROR", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_ears(seconds: float = 60) -> None:
    """Until a sweeper of this database LISTENs."""
    from django.db import connection

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("no sweeper came up")
