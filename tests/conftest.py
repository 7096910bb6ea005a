"""The ground every test stands on: the servers, the time zone, clean caches, and a report of what was skipped.

Here: nothing about the shop. Factories are in tests/factories, helpers in tests/support.
Servers: DATABASE_URL and REDIS_URL where they are set, else a throw-away embedded pair (fsync off) that the first
process starts before the settings load and removes at the end. Each xdist worker has a database (pytest-django) and a
Redis database of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from pimpshop import embedded
from sandbox import keys

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
ZONE = os.environ.setdefault(
    "TEST_TZ", os.environ.get("TZ", "")
)  # Django overwrites TZ when its settings load
REDIS_DATABASES = 16
_lease: embedded.Lease | None = None


# --- Before the settings load -----------------------------------------------------------------------------------------
def _remove_at_exit(path: Path | str) -> None:
    """Remove a directory when this very process ends, not when a child forked by a test does."""
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(path, ignore_errors=True))


def _throw_away_servers() -> None:
    """Start a pair of our own and remove it, data and all, when this process ends."""
    global _lease
    home = Path(tempfile.mkdtemp(prefix="pimpshop-tests-"))
    _remove_at_exit(home)
    try:
        _lease = embedded.start(home, fast=True)
    except embedded.EmbeddedServersError as error:
        pytest.exit(str(error), returncode=3)
    atexit.register(_lease.close)
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = embedded.urls(home)
    os.environ["TEST_SERVERS"] = "embedded PostgreSQL and Valkey, thrown away"


def _settle_environment() -> None:
    """What the settings shall find, whatever `.env` or the shell of a developer says."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _throw_away_servers()
    os.environ.setdefault("TEST_SERVERS", "DATABASE_URL and REDIS_URL of the environment")
    files = tempfile.mkdtemp(prefix="pimpshop-files-")
    _remove_at_exit(files)
    os.environ.update(
        DEBUG="0",
        SECRET_KEY="for-tests-only-" * 4,
        PUBLIC_BASE_URL="http://127.0.0.1:8000",
        ALLOWED_HOSTS="127.0.0.1,localhost,testserver",
        SANDBOX="1",
        SANDBOX_URL="http://127.0.0.1:8001",
        MEDIA_ROOT=files,
        SANDBOX_KEYS_DIR=f"{files}/sandbox-keys",
        STRIPE_MIRROR="0",  # sixty tables more to empty after each test; tests/mirror has them
    )
    keys.ensure(Path(files) / "sandbox-keys")
    os.environ["DJANGO_SETTINGS_MODULE"] = "pimpshop.settings"


if not WORKER:
    _settle_environment()


def pytest_configure(config: pytest.Config) -> None:
    """Put back the time zone the suite was asked to run in; what hypothesis draws depends on nothing but the test."""
    from django.conf import settings

    _ = settings.TIME_ZONE  # loads them, which sets TZ
    if ZONE:
        os.environ["TZ"] = ZONE
        time.tzset()
    # The same examples in every run, and no verdict on how long one took: the machine may be busy.
    hypothesis.settings.register_profile(
        "suite", deadline=None, derandomize=True, database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )  # fmt: skip
    hypothesis.settings.load_profile("suite")


# --- For every test ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session", autouse=True)
def _own_redis() -> None:
    """A Redis database per xdist worker, counted on from the given one, as pytest-django does with databases. The cache is
    patient: the shop's fails after half a second, and on a busy machine a count would be lost now and then."""
    from django.conf import settings
    from django.core.cache import caches

    settings.CACHES["default"]["OPTIONS"] = {"socket_timeout": 30, "socket_connect_timeout": 30}
    if WORKER:
        url = _moved_on(settings.REDIS_URL, int(WORKER.removeprefix("gw")))
        settings.REDIS_URL = url
        settings.CACHES["default"] |= {"LOCATION": url, "KEY_PREFIX": f"test-{WORKER}"}
        settings.CELERY_BROKER_URL = embedded.celery_url(url)
    # Whoever touched the cache while tests were collected made it with the old address and prefix: make it anew.
    with contextlib.suppress(AttributeError):
        del caches["default"]


def _moved_on(url: str, step: int) -> str:
    """The same server's URL with its database number moved on by `step`, modulo the usual sixteen."""
    found = re.search(r"(?:/|[?&]db=)(\d+)$", url)
    stem, number = (url[: found.start(1)], int(found[1])) if found else (url.rstrip("/") + "/", 0)
    return f"{stem}{(number + step) % REDIS_DATABASES}"


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """Argon2 takes half a second of a core by design, for every person a test makes. The shop's own choice stays known
    (and is what tests/accounts look at)."""
    from django.conf import settings
    from django.test.signals import setting_changed

    quick = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    settings.PASSWORD_HASHERS = quick
    setting_changed.send(sender=type(settings), setting="PASSWORD_HASHERS", value=quick, enter=True)


@pytest.fixture(scope="session", autouse=True)
def _quick_emptying() -> None:
    """Tests that commit leave a clean database in milliseconds."""
    from tests.support import emptying

    emptying.install()


@pytest.fixture(autouse=True)
def _no_language() -> None:
    """A request leaves its language to its thread; the next test begins without one."""
    from django.utils import translation

    translation.deactivate()


@pytest.fixture(autouse=True)
def _windows_start_with_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits count in windows of the clock, and a test that crosses the end of one would begin to count anew. Time
    goes on as it does, only from the beginning of a week; a test that travels has its own time."""
    from pimpshop.core import throttles

    began, week = time.time(), 7 * 86_400

    def clock() -> float:
        now = time.time()
        return now - began + began // week * week if began <= now < began + 600 else now

    monkeypatch.setattr(throttles, "clock", clock)


@pytest.fixture(autouse=True)
def _fresh_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process of the shop remembers of a broker or provider that was away, and of a flood, is not the next test's."""
    from payments import webhooks
    from payments.services import inbox, sync
    from pimpshop.core import bell, budget

    monkeypatch.setattr(bell, "_broker_rests_until", 0.0)
    monkeypatch.setattr(bell, "_rang_at", {})
    monkeypatch.setattr(inbox, "_uncounted", Counter())
    monkeypatch.setattr(inbox, "_may_count", budget.Budget(200, 1))
    monkeypatch.setattr(sync, "_silent", {})
    monkeypatch.setattr(webhooks, "_may_log", budget.Budget(30, 60))


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    """No test sees another's throttle counters or tokens. Only keys under our prefix go: it may be a shared server."""
    from django.conf import settings

    address, prefix = settings.REDIS_URL, settings.CACHES["default"]["KEY_PREFIX"]
    yield
    # A client of its own, patient: the shop's gives up after half a second, and a busy machine may take longer.
    with redis.Redis.from_url(address, socket_timeout=30) as client:
        if keys := list(client.scan_iter(f"{prefix}:*", count=1000)):
            client.delete(*keys)


# --- At the end -------------------------------------------------------------------------------------------------------
def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if reporter else []


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI nothing may be skipped: everything a test needs is installed there, or the run has failed."""
    if os.environ.get("CI") == "true" and not WORKER and exitstatus == 0 and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers the suite ran on, in which zone, and what it skipped."""
    terminalreporter.section("where and what")
    terminalreporter.line(f"servers: {os.environ['TEST_SERVERS']}")
    for name in ("DATABASE_URL", "REDIS_URL"):
        terminalreporter.line(f"         {os.environ[name].rpartition('@')[2]}")  # without a password
    terminalreporter.line(f"zone:    {ZONE or 'of this machine'} ({time.tzname[0]})")
    skipped = _skipped(config)
    terminalreporter.line(f"skipped: {len(skipped) or 'nothing'}")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"         {report.nodeid}: {reason}")
    if skipped and os.environ.get("CI") == "true":
        terminalreporter.line("CI skips nothing: this run has failed.", red=True)
