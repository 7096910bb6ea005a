"""A load generator that is cheap and bounded: a fixed number of prepared HTTP requests over a few open connections.

Lives here: sending, reading, counting seconds. Not here: what is sent. One thread, no library: on a small machine the
generator must not be what is measured. Every answer is compared with what was expected; a wrong one ends the run.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Sequence

TIMEOUT = 120.0


class WrongAnswer(AssertionError):
    """A contender answered something else than it should: its numbers would mean nothing."""


def post(path: str, body: bytes, *, content_type: str = "application/json", **headers: str) -> bytes:
    """The bytes of one POST request (HTTP/1.1, connection kept)."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def get(path: str) -> bytes:
    """The bytes of one GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class _Line:
    """One connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def answer(self) -> bytes | None:
        """The whole answer, or None while it is still arriving."""
        data = self.socket.recv(65536)
        if not data:
            raise WrongAnswer(f"the connection was closed after {self.buffer[:200]!r}")
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        if b"chunked" in head:
            complete = body.endswith(b"0\r\n\r\n")
            return self._taken() if complete else None
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0
        )
        if len(body) < length:
            return None
        return self._taken()

    def _taken(self) -> bytes:
        whole, self.buffer = self.buffer, b""
        return whole


def run(
    ports: Sequence[int], requests: Iterator[bytes], count: int, expect: bytes, *, lines: int = 8
) -> float:
    """Send `count` requests over `lines` connections spread evenly over the ports. Answers the seconds it took.

    Raises WrongAnswer unless each answer starts with "HTTP/1.1 " + `expect`.
    """
    wanted = b"HTTP/1.1 " + expect
    with selectors.DefaultSelector() as selector:
        connections = [_Line(ports[number % len(ports)]) for number in range(min(lines, count))]
        try:
            started = time.perf_counter()
            left = count - len(connections)
            for line in connections:
                line.socket.sendall(next(requests))
                selector.register(line.socket, selectors.EVENT_READ, line)
            busy = len(connections)
            while busy:
                events = selector.select(TIMEOUT)
                if not events:
                    raise WrongAnswer(f"no answer within {TIMEOUT:.0f} s")
                for key, _ in events:
                    answer = key.data.answer()
                    if answer is None:
                        continue
                    if not answer.startswith(wanted):
                        raise WrongAnswer(answer[:600].decode(errors="replace"))
                    if left:
                        left -= 1
                        key.data.socket.sendall(next(requests))
                    else:
                        selector.unregister(key.data.socket)
                        busy -= 1
            return time.perf_counter() - started
        finally:
            for line in connections:
                line.socket.close()
