"""The rounds: each due one is walked, none stops another, the bell brings them forward."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from pimpshop.core import bell, heartbeat, sweep_rounds, sweeper
from pimpshop.core.management.commands import sweep
from pimpshop.core.models import Heartbeat

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> dict[str, sweeper.Round]:
    """An empty registry."""
    own: dict[str, sweeper.Round] = {}
    monkeypatch.setattr(sweeper, "_rounds", own)
    return own


def add(name: str, work: list[int] | Exception, every: float = 10) -> list[float]:
    """Register a round that answers the numbers of `work` in turn (then 0) or raises; answers when it was walked."""
    walked: list[float] = []

    @sweeper.round(name, every=every)
    def _walk() -> int:
        walked.append(time.monotonic())
        if isinstance(work, Exception):
            raise work
        return work.pop(0) if work else 0

    return walked


@pytest.mark.django_db
def test_a_failing_round_stops_no_other(rounds: dict[str, sweeper.Round]) -> None:
    add("a", [2])
    add("b", ZeroDivisionError("oops"))
    add("c", [3])
    assert sweeper.walk() == {"a": 2, "b": -1, "c": 3}


@pytest.mark.django_db
def test_a_round_is_walked_when_it_is_due(
    rounds: dict[str, sweeper.Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(sweeper.time, "monotonic", lambda: now[0])
    add("fast", [], every=2)
    add("slow", [], every=60)
    failing = add("failing", ZeroDivisionError(), every=2)
    assert set(sweeper.walk()) == {"fast", "slow", "failing"}
    now[0] += 1
    assert sweeper.walk() == {}
    assert set(sweeper.walk(ahead=5)) == {"fast", "failing"}  # the bell rang
    now[0] += 2
    assert set(sweeper.walk()) == {"fast", "failing"}  # a failure is tried again at its own pace
    assert set(sweeper.walk(everything=True)) == {"fast", "slow", "failing"}
    assert len(failing) == 4


@pytest.mark.django_db
def test_until_quiet_adds_up_and_ends(rounds: dict[str, sweeper.Round]) -> None:
    add("a", [2, 0, 1])
    b = add("b", [1, 1, 0])
    assert sweeper.walk_until_quiet() == {"a": 3, "b": 2}
    assert len(b) == 4
    endless = add("endless", [1] * 1000)
    sweeper.walk_until_quiet(limit=5)
    assert len(endless) == 5


@pytest.mark.django_db
def test_once_prints_what_moved_and_fails_when_a_round_did(rounds: dict[str, sweeper.Round]) -> None:
    add("payments", [2])
    add("idle", [])
    out = StringIO()
    call_command("sweep", "--once", stdout=out)
    assert out.getvalue() == "payments: 2\n"
    add("broken", ZeroDivisionError())
    with pytest.raises(CommandError, match=r"^failed: broken "):
        call_command("sweep", "--once", stdout=StringIO())


@pytest.mark.django_db
def test_the_kernels_own_rounds() -> None:
    assert {"sweeper heartbeat", "old idempotency records"} <= set(sweeper.names())
    assert sweep_rounds._alive() == 0
    assert Heartbeat.objects.get().name == "sweeper"
    assert sweep_rounds._forget() == 0


def eventually(fact: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def ears() -> int:
    """How many connections LISTEN in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s"
            " AND state = 'idle' AND pid <> pg_backend_pid()",
            ["LISTEN %"],
        )
        return int(cursor.fetchone()[0])


@contextmanager
def listening() -> Iterator[None]:
    """The sweeper at work in a thread of its own."""
    command = sweep.Command()
    command._stop = False

    def run() -> None:
        try:
            command._listen_and_sweep()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        command._stop = True
        bell.wake_sweeper()
        thread.join(60)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_the_bell_wakes_the_sweeper(
    rounds: dict[str, sweeper.Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks by itself only every ten minutes here, and nothing is due before an hour: what is walked, the bell rang for."""
    monkeypatch.setattr(sweep, "POLL_SECONDS", 600.0)
    walked = add("quick", [], every=3600)
    slow = add("slow", [], every=7200)
    with listening():
        assert eventually(lambda: ears() == 1)
        assert (len(walked), len(slow)) == (1, 1)
        rounds["quick"].next_at = time.monotonic() + 4  # soon enough to be brought forward
        bell.wake_sweeper()
        assert eventually(lambda: len(walked) == 2)
        assert len(slow) == 1


@pytest.mark.django_db(transaction=True)
def test_a_deaf_sweeper_hears_again(
    rounds: dict[str, sweeper.Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The LISTENing connection is cut; rounds go on and the bell works again."""
    monkeypatch.setattr(sweep, "POLL_SECONDS", 0.2)
    looks = add("always", [], every=0.0)
    walked = add("quick", [], every=3600)
    with listening():
        assert eventually(lambda: ears() == 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE %s AND pid <> pg_backend_pid()",
                ["LISTEN %"],
            )
            assert cursor.rowcount == 1
        assert eventually(lambda: ears() == 0)
        before = len(looks)
        assert eventually(lambda: ears() == 1 and len(looks) > before)
        assert len(walked) == 1
        rounds["quick"].next_at = time.monotonic() + 4
        bell.wake_sweeper()
        assert eventually(lambda: len(walked) == 2)


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_the_process_sweeps_and_ends_when_told() -> None:
    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sweep"],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database, "LOG_LEVEL": "ERROR"},
        stderr=subprocess.PIPE,
    )
    try:
        assert eventually(lambda: Heartbeat.objects.filter(name="sweeper").exists())
        age = heartbeat.ages()["sweeper"]
        assert age is not None
        assert age < 60
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, b"")
