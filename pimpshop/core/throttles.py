"""Rate limits that hold over all processes: fixed windows in the shared cache.

A dead cache lets requests through (logged once a minute): a limit is never worth a slow or closed shop. Limits name
who they count: a key, an account, a machine, or the client's address as TRUSTED_PROXIES allows to believe it.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass
from functools import lru_cache

import structlog
from django.conf import settings
from django.http import HttpRequest
from redis.exceptions import RedisError

from pimpshop.core import cache, errors, ids

log = structlog.get_logger(__name__)


clock = time.time  # a name of its own, so that a test can start its windows when it starts


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` requests in `seconds` per counted thing."""

    name: str
    count: int
    seconds: int


def hit(limit: Limit, who: str, now: float | None = None) -> int:
    """Count one request of `who`. Answers 0 when it may pass, else the seconds to wait (at least 1)."""
    now = clock() if now is None else now
    window = int(now // limit.seconds)
    who = _counted(who)
    key = f"throttle:{limit.name}:{window}:{ids.hash_token(who)[:24]}"
    try:
        used = cache.tally(key, 1, timeout=limit.seconds + 5)
    except (RedisError, OSError) as error:
        _say_open(limit, error)
        return 0
    return 0 if used <= limit.count else max(1, math.ceil((window + 1) * limit.seconds - now))


_said_open_at = float("-inf")


def _say_open(limit: Limit, error: Exception) -> None:
    """One line a minute and process: each request would write one while the cache is away."""
    global _said_open_at
    if time.monotonic() - _said_open_at >= 60:
        _said_open_at = time.monotonic()
        log.warning("throttle_open", limit=limit.name, error=type(error).__name__)


def _counted(who: str) -> str:
    """An IPv6 address counts by its /64: one household has that many."""
    if ":" not in who or not _is_address(who):
        return who
    return str(ipaddress.ip_network(f"{who}/64", strict=False))


def enforce(limit: Limit, who: str) -> None:
    """Raises TooManyRequests (429 with Retry-After) when `who` is over `limit`."""
    wait = hit(limit, who)
    if wait:
        raise errors.TooManyRequests(retry_after=wait)


def client_address(request: HttpRequest) -> str:
    """The caller's address: X-Forwarded-For is believed only as far as the hops are TRUSTED_PROXIES (CIDR list)."""
    hops = [request.META.get("REMOTE_ADDR") or "127.0.0.1"]
    if _trusted(hops[0]):
        forwarded = [
            part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()
        ]
        for hop in reversed(forwarded):
            hops.append(hop)
            if not _trusted(hop):
                break
    return next((hop for hop in reversed(hops) if _is_address(hop)), hops[0])


@lru_cache(maxsize=1024)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _trusted(address: str) -> bool:
    return address_in(address, settings.TRUSTED_PROXIES)


def address_in(address: str, networks: list[str]) -> bool:
    """Is `address` in one of the CIDR `networks`? An IPv4 caller on an IPv6 socket (::ffff:…) counts as IPv4."""
    if not networks or not _is_address(address):
        return False
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in ipaddress.ip_network(network, strict=False) for network in networks)
