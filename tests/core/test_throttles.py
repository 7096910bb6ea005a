"""Rate limits over all processes, and whom they count."""

from __future__ import annotations

import time
from typing import Any

import pytest
import structlog
from django.core.cache import caches
from django.test import RequestFactory

from pimpshop.core import errors, throttles
from pimpshop.core.throttles import Limit, client_address
from tests.support import threads

LIMIT = Limit("test", 3, 60)
START = 1_800_000_000.0 - 1_800_000_000.0 % 60


def test_so_many_pass_and_then_none_until_the_window_ends() -> None:
    assert [throttles.hit(LIMIT, "a", START + 10) for _ in range(5)] == [0, 0, 0, 50, 50]
    assert throttles.hit(LIMIT, "a", START + 59.5) == 1
    assert throttles.hit(LIMIT, "a", START + 30.2) == 30  # rounded up: nobody comes back too early
    assert throttles.hit(LIMIT, "a", START + 60) == 0


def test_each_caller_and_each_limit_counts_for_itself() -> None:
    other = Limit("other", 3, 60)
    for _ in range(3):
        throttles.hit(LIMIT, "a", START)
    assert throttles.hit(LIMIT, "a", START) == 60
    assert throttles.hit(LIMIT, "b", START) == 0
    assert throttles.hit(other, "a", START) == 0


def test_processes_share_the_count() -> None:
    """Each thread has a cache client of its own, as each process has."""

    def three(_: int) -> int:
        passed = sum(throttles.hit(LIMIT, "a", START) == 0 for _ in range(3))
        caches["default"].close()
        return passed

    assert sum(threads.together(6, three)) == 3


def test_who_is_counted_is_not_stored_in_clear() -> None:
    throttles.hit(LIMIT, "alice@example.com", START)
    client = caches["default"]._cache.get_client()
    assert [key for key in client.scan_iter("*") if b"alice" in key] == []


def test_over_the_limit_is_a_429_that_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "clock", lambda: START + 20)
    for _ in range(3):
        throttles.enforce(LIMIT, "a")
    with pytest.raises(errors.TooManyRequests) as refused:
        throttles.enforce(LIMIT, "a")
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (429, "rate_limited", 40)


def test_a_dead_cache_lets_everybody_pass_at_once_and_says_so_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    monkeypatch.setattr(throttles, "_said_open_at", float("-inf"))
    began = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        assert [throttles.hit(LIMIT, "a") for _ in range(20)] == [0] * 20
    assert time.monotonic() - began < 10  # redis-py's own way is four seconds for each
    assert [(line["event"], line["limit"], line["error"]) for line in lines] == [
        ("throttle_open", "test", "ConnectionError")
    ]
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}


def test_clearing_our_cache_leaves_the_brokers_queue_alone() -> None:
    cache = caches["default"]
    client = cache._cache.get_client(write=True)
    client.rpush("a-queue-of-the-broker", "task")
    cache.set("x", 1)
    cache.clear()
    assert cache.get("x") is None
    assert client.lrange("a-queue-of-the-broker", 0, -1) == [b"task"]
    client.delete("a-queue-of-the-broker")


# --- Whose address ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "client"),
    [
        ([], "203.0.113.9", None, "203.0.113.9"),
        ([], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ([], "10.0.0.1", "198.51.100.1", "10.0.0.1"),
        (["10.0.0.0/8"], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.1", None, "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        (["10.0.0.0/8"], "10.0.0.1", "not an address", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1, <script>", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", " , ,", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1", "2001:db8::5", "2001:db8::5"),
        (["::1", "10.0.0.0/8"], "::1", "198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "", "198.51.100.1", "127.0.0.1"),
    ],
)
def test_x_forwarded_for_is_believed_only_from_trusted_proxies(
    settings: Any, trusted: list[str], remote: str, forwarded: str | None, client: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)) == client


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], False),
        ("10.1.2.3", ["10.1.2.3"], True),
        ("10.1.2.3", ["10.1.2.3/8"], True),
        ("10.1.2.3", [], False),
        ("::1", ["10.0.0.0/8", "::/64"], True),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("", ["0.0.0.0/0"], False),
        ("localhost", ["0.0.0.0/0"], False),
    ],
)
def test_address_in(address: str, networks: list[str], inside: bool) -> None:
    assert throttles.address_in(address, networks) is inside
