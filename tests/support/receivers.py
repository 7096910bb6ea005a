"""A merchant's receiver of webhooks: an HTTP server on loopback that keeps what it was posted and answers as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Post:
    """One request: path, headers (names in lower case) and the raw body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answers` are the statuses of the next posts, then always `status`. `delay` seconds pass before an answer, and none
    comes while `hangs`."""

    port: int
    status: int = 200
    body: bytes = b"ok"
    delay: float = 0.0
    hangs: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    @property
    def place(self) -> str:
        """For OUTBOUND_ALLOWED_HOSTS."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hooks"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        return

    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.posts.append(Post(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        time.sleep(receiver.delay)
        while receiver.hangs:
            time.sleep(0.02)
        self.send_response(receiver.answers.pop(0) if receiver.answers else receiver.status)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(receiver.body)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that answers 200 until it is told otherwise."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiver = server.receiver = Receiver(server.server_port)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.hangs = False
        server.shutdown()
        server.server_close()
