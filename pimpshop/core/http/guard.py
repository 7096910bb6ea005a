"""The guard: fetch from or post to an address that a client gave us, without becoming its tool.

Lives here: what is refused (scheme, user info, ports, addresses that are not public), the connection pinned to the
address that was checked. Not here: providers (their base URLs are settings, `client`).

Guarantees: the name is resolved once, every address must be public, and the connection goes to a checked address
with the right Host and TLS name, so that a second DNS answer cannot redirect it; no redirects; bounded in bytes and
time. OUTBOUND_ALLOWED_HOSTS (`host:port`, for development) lifts the address and port rules, and for a post the rule
of https; nothing else.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pimpshop.core.http import wire

MAX_URL = 2048
PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*\.?", re.ASCII)
# Not public, whatever Python's `is_global` of the day says: addresses that carry an IPv4 address inside, relays.
_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
    )
]  # fmt: skip


def guarded_get(
    url: str, *, max_bytes: int, allowed_hosts: Iterable[str] = (), timeout: tuple[float, float] = (3.0, 5.0),
    deadline: float = 15.0,
) -> wire.Answer:  # fmt: skip
    """Fetch `url` with GET; the answer is 200 and at most `max_bytes` long.

    Raises HttpRefused (address, or another status than 200), HttpTimeout, HttpUnavailable, HttpTooLarge,
    HttpRedirected; OpenTransaction inside a transaction.
    """
    wire.assert_no_transaction()
    place = _place(url, allowed_hosts)
    answer = _exchange("GET", url, place, timeout=timeout, deadline=deadline, max_bytes=max_bytes)
    if answer.status >= 500:
        raise wire.HttpUnavailable(f"answered {answer.status}", answer=answer)
    if answer.status != 200:
        raise wire.HttpRefused(f"answered {answer.status}", maybe_sent=False, answer=answer)
    return answer


def guarded_post(
    url: str, *, body: bytes, headers: Mapping[str, str], max_bytes: int, allowed_hosts: Iterable[str] = (),
    timeout: tuple[float, float] = (3.0, 10.0), deadline: float = 15.0,
) -> wire.Answer:  # fmt: skip
    """Post `body` once to an https address that a client gave (http only where `allowed_hosts` exempts it). Any status
    but 3xx comes back as an Answer: what it means is the caller's.

    Raises HttpRefused (the address), HttpTimeout, HttpUnavailable (network), HttpTooLarge (its `status` is what was
    answered), HttpRedirected; OpenTransaction inside a transaction.
    """
    wire.assert_no_transaction()
    place = _place(url, allowed_hosts, https_only=True)
    return _exchange(
        "POST",
        url,
        place,
        timeout=timeout,
        deadline=deadline,
        max_bytes=max_bytes,
        data=body,
        headers=headers,
    )


def check_address(url: str, *, allowed_hosts: Iterable[str] = ()) -> None:
    """Would `guarded_post` send anything there now? Raises HttpRefused. Asks the name service, calls nobody."""
    wire.assert_no_transaction()
    _place(url, allowed_hosts, https_only=True)


@dataclass(frozen=True)
class _Place:
    """Where to connect: the address that the name has now, and the name itself."""

    scheme: str
    host: str
    port: int
    address: str


def _place(url: str, allowed_hosts: Iterable[str], *, https_only: bool = False) -> _Place:
    """Raises HttpRefused for every address that is none of the open internet's, unless `allowed_hosts` exempts it."""
    scheme, host, port = _parse(url)
    exempt = f"{host}:{port}" in {entry.strip().lower() for entry in allowed_hosts}
    if https_only and scheme != "https" and not exempt:
        raise _refused("only https")
    if not exempt and port != PORTS[scheme]:
        raise _refused("only the usual ports")
    return _Place(scheme, host, port, _address(host, port, exempt=exempt))


def _exchange(
    method: str, url: str, place: _Place, *, headers: Mapping[str, str] | None = None, **parts: Any
) -> wire.Answer:
    named = f"[{place.host}]" if ":" in place.host else place.host
    host = named if place.port == PORTS[place.scheme] else f"{named}:{place.port}"
    with wire.new_session(PinnedAdapter(place.address, place.host)) as session:
        return wire.exchange(session, method, url, headers={**(headers or {}), "Host": host}, **parts)


def _refused(why: str) -> wire.HttpRefused:
    return wire.HttpRefused(why, maybe_sent=False)


def _parse(url: str) -> tuple[str, str, int]:
    """(scheme, host in lower case ASCII, port). Raises HttpRefused for whatever two parsers could read differently."""
    if not isinstance(url, str) or len(url) > MAX_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise _refused("not a plain URL")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (
            (parts.hostname or "")
            .encode("idna" if not (parts.hostname or "").isascii() else "ascii")
            .decode()
        )
    except ValueError as exc:
        raise _refused("not a URL") from exc
    if parts.scheme not in PORTS:
        raise _refused("only http and https")
    if "@" in parts.netloc or not host or "%" in host:
        raise _refused("a host, no user")
    if ":" not in host and not _HOST.fullmatch(host.lower()):
        raise _refused("no such host name")
    return parts.scheme, host.lower(), PORTS[parts.scheme] if port is None else port


def _address(host: str, port: int, *, exempt: bool) -> str:
    """The address to connect to. One address that is not public condemns the name. Raises HttpRefused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise _refused("the host has no address") from exc
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (exempt or all(map(is_public, addresses))):
        raise _refused("the host is not public")
    return addresses[0]


def is_public(address: str) -> bool:
    """True for an address on the open internet. Source: IANA's special-purpose registries, through `ipaddress`."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip.version == net.version and ip in net for net in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local)


class PinnedAdapter(wire.WatchedAdapter):
    """Connects to `address` whatever the URL's host resolves to by now; TLS is checked against `host`."""

    def __init__(self, address: str, host: str) -> None:
        self._address, self._host = address, host
        super().__init__(pool_connections=1, pool_maxsize=1)

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        host_params["host"] = self._address
        if host_params["scheme"] == "https":
            pool_kwargs |= {"server_hostname": self._host, "assert_hostname": self._host}
        return host_params, pool_kwargs
