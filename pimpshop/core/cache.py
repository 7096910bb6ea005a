"""The shared cache: Redis that fails at once. redis-py 8 would retry a refused connection for four seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

T = TypeVar("T")


class _Clients(RedisCacheClient):
    """Keeps the client of each connection pool: Django makes a new one for every command, dearer than the command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]
        if pool not in self._kept:
            self._kept[pool] = self._client(connection_pool=pool)  # type: ignore[attr-defined]
        return self._kept[pool]


class FailFastRedisCache(RedisCache):
    """Django's Redis cache with short time-outs and no retry; callers decide what a dead cache means."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        params = {**params, "OPTIONS": {
            "socket_connect_timeout": 0.3, "socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0),
            **params.get("OPTIONS", {}),
        }}  # fmt: skip
        super().__init__(server, params)
        self._class = _Clients

    def clear(self) -> None:
        """Forget our keys. Django's way is FLUSHDB, which would take the broker's queues of the same Redis along."""
        client = self._cache.get_client(write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=500):
            client.delete(key)

    def tally(self, key: str, by: int, *, timeout: int) -> int:
        """Add `by` to a counter that is forgotten `timeout` seconds after its first use; answers what it stands at. One
        round trip where Django's add and incr take four. Raises RedisError."""
        name = self.make_and_validate_key(key)
        client = self._cache.get_client(name, write=True)
        total = int(client.incrby(name, by))
        if total == by:
            client.expire(name, timeout)
        return total


def kept(key: str, seconds: int, make: Callable[[], T]) -> T:
    """`make()`, at most once per `seconds` while the cache is there; without it, each time. None is not kept."""
    try:
        known: T | None = caches["default"].get(key)
    except (RedisError, OSError):
        return make()
    if known is not None:
        return known
    fresh = make()
    with contextlib.suppress(RedisError, OSError):
        caches["default"].set(key, fresh, timeout=seconds)
    return fresh


def tally(key: str, by: int, *, timeout: int) -> int:
    """`FailFastRedisCache.tally` of the shared cache."""
    total: int = caches["default"].tally(key, by, timeout=timeout)  # type: ignore[attr-defined]
    return total


def add_up(key: str, counts: Mapping[str, int]) -> None:
    """Add to the numbers kept under `key`, which are never forgotten. One round trip. Raises RedisError."""
    name, client = _numbers(key)
    with client.pipeline(transaction=False) as pipe:
        for field, by in counts.items():
            pipe.hincrby(name, field, by)
        pipe.execute()


def sums(key: str) -> dict[str, int]:
    """The numbers kept under `key`. Raises RedisError."""
    name, client = _numbers(key)
    return {field.decode(): int(value) for field, value in client.hgetall(name).items()}


def _numbers(key: str) -> tuple[str, Any]:
    backend: Any = caches["default"]
    name = backend.make_and_validate_key(key)
    return name, backend._cache.get_client(name, write=True)
