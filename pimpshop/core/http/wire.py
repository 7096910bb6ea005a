"""The wire: one request out, one bounded answer back, every failure typed.

Lives here: errors, `Answer`, sessions, the total deadline, `exchange`. Not here: whose call it is and its record
(client), addresses that cannot be trusted (guard).
"""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import requests
import urllib3
from django.conf import settings
from django.db import connections
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_match_hostname import CertificateError

from pimpshop.core import redaction

TIMEOUT = (3.0, 10.0)  # seconds: connect, each read
DEADLINE = 20.0  # seconds for the whole call
MAX_BYTES = 2 * 1024 * 1024
USER_AGENT = "pimpshop/1.0"


# --- errors -------------------------------------------------------------------------------------------------


class OpenTransaction(RuntimeError):
    """A programming error: a call to the outside was tried inside a database transaction."""


class HttpError(Exception):
    """Base. `maybe_sent` True: the request may have reached the provider and been acted upon (unknown outcome);
    False: it surely did not. `answer` is what came back, if anything did. Messages are redacted."""

    def __init__(self, message: str = "", *, maybe_sent: bool = True, answer: Answer | None = None) -> None:
        super().__init__(redaction.scrub_text(message, max_bytes=500))
        self.maybe_sent = maybe_sent
        self.answer = answer

    @property
    def status(self) -> int | None:
        """The HTTP status, None when nothing came back."""
        return self.answer.status if self.answer else None


class HttpTimeout(HttpError):
    """Connect, read or the total deadline ran out."""


class HttpUnavailable(HttpError):
    """The network failed, or the provider answered 5xx (then `answer` is there)."""


class HttpTooLarge(HttpError):
    """The answer is longer than allowed; it was not read to the end (`answer` is its head, without a body)."""


class HttpRedirected(HttpError):
    """The provider answered 3xx; redirects are never followed."""


class HttpBadBody(HttpError):
    """The answer is not the JSON it should be."""


class HttpRefused(HttpError):
    """Our own guard refused the address, or it does not serve the file. Nothing was acted upon."""


# --- values -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as UTF-8, broken bytes replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, fractions as Decimal. Raises HttpBadBody (also for NaN and broken UTF-8)."""
        try:
            return json.loads(self.body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as exc:
            raise HttpBadBody(f"no JSON in an answer of {len(self.body)} bytes", answer=self) from exc


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


# --- no call inside a transaction ---------------------------------------------------------------------------


def assert_no_transaction() -> None:
    """Raises OpenTransaction when this thread has an atomic block open (those of Django's TestCase do not count)."""
    if not settings.configured:
        return
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise OpenTransaction("no outside call inside a transaction: commit first, then call")


# --- the wire -----------------------------------------------------------------------------------------------


class Deadline:
    """Ends a call that outlives its total time, whatever it is waiting for, by shutting its socket down."""

    current = threading.local()

    def __init__(self, seconds: float) -> None:
        self.connection: Any = None
        self.expired = False
        self._seconds = seconds
        self._done = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> Deadline:
        Deadline.current.value = self
        threading.Thread(target=self._watch, name="http-deadline", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        Deadline.current.value = None
        with self._lock:  # once we are out, the connection may be somebody else's
            self._done.set()

    def _watch(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):  # again and again: the socket may be opened after the first time
            wait = 0.1
            with self._lock:
                if self._done.is_set():
                    return
                self.expired = True
                sock = getattr(self.connection, "sock", None)
                if sock is not None:
                    with contextlib.suppress(OSError):
                        # The plain socket's: SSLSocket.shutdown is not made for another thread's use.
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _WatchedPool(HTTPConnectionPool):
    def _get_conn(self, timeout: float | None = None) -> Any:
        return _watched(super()._get_conn(timeout))


class _WatchedTlsPool(HTTPSConnectionPool):
    def _get_conn(self, timeout: float | None = None) -> Any:
        return _watched(super()._get_conn(timeout))


def _watched(connection: Any) -> Any:
    deadline = getattr(Deadline.current, "value", None)
    if deadline is not None:
        deadline.connection = connection
    return connection


class WatchedAdapter(HTTPAdapter):
    """Lets the deadline reach the socket in use."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}


def new_session(adapter: HTTPAdapter | None = None) -> requests.Session:
    """A session without cookies, proxies, .netrc, redirects or retries; safe for several threads."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    adapter = adapter or WatchedAdapter(pool_connections=16, pool_maxsize=16)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


_sessions: dict[int, requests.Session] = {}


def shared_session() -> requests.Session:
    """The session of this process: connections are kept alive, and never shared with a forked child."""
    pid = os.getpid()
    if pid not in _sessions:
        _sessions[pid] = new_session()
    return _sessions[pid]


def _brief(exc: BaseException) -> str:
    """The innermost reason in few words; the libraries repeat the whole URL at each level."""
    inner = exc.args[0] if exc.args else None
    reason = getattr(inner, "reason", None)
    return redaction.scrub_exception(reason if isinstance(reason, BaseException) else exc)


def _was_sent(exc: BaseException) -> bool:
    """False only where the chain of causes proves that no request left: no connection was ever made."""
    never = (
        urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError,
        ssl.SSLCertVerificationError,
        CertificateError, ConnectionRefusedError, requests.exceptions.ConnectTimeout,
        requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema,
    )  # fmt: skip
    seen: list[BaseException] = []
    queue: list[Any] = [exc]
    while queue:
        item = queue.pop()
        if not isinstance(item, BaseException) or item in seen:
            continue
        if isinstance(item, never):
            return False
        seen.append(item)
        queue += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return True


@contextlib.contextmanager
def _mapped(deadline: Deadline) -> Iterator[None]:
    """Errors of the libraries become ours."""
    try:
        yield
    except HttpError:
        raise
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as exc:
        text, sent = _brief(exc), _was_sent(exc)
        late = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
        if deadline.expired or isinstance(exc, late):
            raise HttpTimeout(text, maybe_sent=sent) from exc
        raise HttpUnavailable(text, maybe_sent=sent) from exc
    except (ValueError, AttributeError) as exc:
        if not deadline.expired:  # a socket shut down under a reader can end in either
            raise
        raise HttpTimeout(redaction.scrub_exception(exc)) from exc


def exchange(
    session: requests.Session, method: str, url: str, *, timeout: tuple[float, float], deadline: float,
    max_bytes: int, **parts: Any,
) -> Answer:  # fmt: skip
    """Send once and read at most `max_bytes`. Raises HttpError; any status comes back as an Answer but 3xx."""
    assert_no_transaction()
    parts["headers"] = {
        "User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **(parts.get("headers") or {}),
    }  # fmt: skip
    with Deadline(deadline) as watch, _mapped(watch):
        response = session.request(
            method, url, timeout=timeout, allow_redirects=False, stream=True, verify=True, **parts
        )
        with response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            head = Answer(response.status_code, headers, b"")
            answer = replace(head, body=_read(response, watch, max_bytes, head))
    if 300 <= answer.status < 400:
        raise HttpRedirected(f"answered {answer.status}", answer=answer)
    return answer


def _read(response: requests.Response, watch: Deadline, max_bytes: int, head: Answer) -> bytes:
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise HttpTooLarge(f"{length} bytes announced, {max_bytes} allowed", answer=head)
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > max_bytes:
            raise HttpTooLarge(f"more than {max_bytes} bytes", answer=head)
        if watch.expired:
            break
    if watch.expired:
        raise HttpTimeout("the whole call took too long")
    return bytes(body)
