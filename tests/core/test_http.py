"""Calls to the outside against a real server on loopback: bounds, errors, records, and the transaction rule."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import responses
from django.db import transaction

from pimpshop.core import http

HITS: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """Each path behaves badly in its own way."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        return

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        HITS.append(self.path)
        name = self.path.split("?")[0].strip("/").replace("/", "_")
        getattr(self, f"on_{name}", self.on_json)()

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def on_json(self) -> None:
        self.answer(b'{"code":200,"amount":19.99,"token":"abc"}', tlogTraceId="trace-1", Set_Cookie="a=b")

    def on_headers(self) -> None:
        self.answer(json.dumps(dict(self.headers)).encode())

    def on_port(self) -> None:
        self.answer(str(self.client_address[1]).encode())

    def on_bad(self) -> None:
        self.answer(b"<html>")

    def on_error(self) -> None:
        self.answer(b'{"code":500,"msg":"down"}', status=503)

    def on_missing(self) -> None:
        self.answer(b'{"code":404}', status=404)

    def on_moved(self) -> None:
        self.answer(b"", status=302, Location="/json")

    def on_announced(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "99999999")
        self.end_headers()
        self.close_connection = True

    def on_endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.drip(b"x" * 65536, 0)

    def on_trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.drip(b"x", 0.1)

    def on_slowheaders(self) -> None:
        self.drip(b"H", 0.1)

    def on_silent(self) -> None:
        self.connection.recv(1)  # until the caller hangs up
        self.close_connection = True

    def on_dropped(self) -> None:
        self.close_connection = True
        self.connection.close()

    def drip(self, piece: bytes, pause: float) -> None:
        self.close_connection = True
        try:
            for _ in range(6000):  # or until the caller hangs up
                self.wfile.write(piece)
                time.sleep(pause)
        except OSError:
            return


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def records() -> list[http.CallRecord]:
    return []


@pytest.fixture
def connect(server, records):
    """A function that makes a client: patient (this machine may be busy) but for the limits that it is given."""
    HITS.clear()
    with http.new_session() as session:
        yield lambda **limits: http.Client(
            server, provider="test", **{"timeout": (60, 60), "deadline": 120.0, **limits}, max_bytes=100_000,
            session=session, recorder=records.append,
            inspect=lambda answer: ("200", answer.headers.get("tlogtraceid", "")),
        )  # fmt: skip


@pytest.fixture
def client(connect):
    return connect()


def test_an_answer_and_its_record(client, records):
    body = b'{"account":"shop","password":"hunter2","third_id":"PYEN250830540573"}'
    began = time.monotonic()
    answer = client.request("POST", "/json", name="user/login", body=body, subject="P1", want_json=True)
    took = time.monotonic() - began
    assert answer.json() == {"code": 200, "amount": Decimal("19.99"), "token": "abc"}
    (record,) = records
    assert (record.provider, record.name, record.method, record.subject) == (
        "test",
        "user/login",
        "POST",
        "P1",
    )
    assert record.url.endswith("/json")
    assert record.request == {"account": "shop", "password": "[redacted]", "third_id": "PYEN250830540573"}
    assert record.response == {"code": 200, "amount": 19.99, "token": "[redacted]"}
    assert (record.status, record.code, record.trace_id, record.error) == (200, "200", "trace-1", "")
    assert 0 <= record.latency_ms <= took * 1000 + 1
    assert record.at.utcoffset().total_seconds() == 0


def test_neither_cookies_nor_environment_travel(client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client.request("GET", "/json", name="a")
    sent = client.request("GET", "/headers", name="b", headers={"Authorization": "raw"}).json()
    assert "Cookie" not in sent
    assert sent["Authorization"] == "raw"
    assert sent["User-Agent"] == "pimpshop/1.0"


def test_4xx_comes_back_as_an_answer(client, records):
    assert client.request("GET", "/missing", name="x", want_json=True).status == 404
    assert records[0].status == 404


@pytest.mark.parametrize(
    ("path", "error", "limits"),
    [
        ("/error", http.HttpUnavailable, {}),
        ("/bad", http.HttpBadBody, {}),
        ("/moved", http.HttpRedirected, {}),
        ("/announced", http.HttpTooLarge, {}),
        ("/endless", http.HttpTooLarge, {}),
        ("/silent", http.HttpTimeout, {"timeout": (60, 0.7)}),
        ("/trickle", http.HttpTimeout, {"deadline": 1.0}),
        ("/slowheaders", http.HttpTimeout, {"deadline": 1.0}),
        ("/dropped", http.HttpUnavailable, {}),
    ],
)
def test_every_failure_is_typed_bounded_and_recorded(connect, records, path, error, limits):
    started = time.monotonic()
    with pytest.raises(http.HttpError) as caught:
        connect(**limits).request("POST", path, name="x", body=b"{}", want_json=True)
    assert time.monotonic() - started < 50  # without its limit it lasts a minute and more
    assert (type(caught.value), caught.value.maybe_sent) == (error, True)
    assert [path] == HITS  # nothing was followed or sent twice
    (record,) = records
    assert record.error.startswith(error.__name__)


def test_a_5xx_keeps_its_answer(client):
    with pytest.raises(http.HttpUnavailable) as caught:
        client.request("GET", "/error", name="x")
    assert (caught.value.status, caught.value.answer.json()["msg"]) == (503, "down")


def test_a_refused_connection_was_surely_not_sent(records):
    client = http.Client("http://127.0.0.1:1", provider="test", recorder=records.append)
    with pytest.raises(http.HttpUnavailable) as caught:
        client.request("POST", "/x", name="x", body=b"{}")
    assert caught.value.maybe_sent is False
    assert records[0].status is None


@pytest.mark.parametrize(
    ("raised", "error", "maybe_sent"),
    [
        (requests.exceptions.ConnectTimeout("c"), http.HttpTimeout, False),
        (requests.exceptions.ReadTimeout("r"), http.HttpTimeout, True),
        (requests.exceptions.ConnectionError("reset"), http.HttpUnavailable, True),
        (requests.exceptions.ChunkedEncodingError("cut"), http.HttpUnavailable, True),
    ],
)
def test_what_the_library_raises_is_mapped(raised, error, maybe_sent):
    with responses.RequestsMock() as wire:
        wire.add("GET", "https://api.example/x", body=raised)
        with pytest.raises(http.HttpError) as caught:
            http.Client("https://api.example", provider="test").request("GET", "/x", name="x")
    assert (type(caught.value), caught.value.maybe_sent) == (error, maybe_sent)


@pytest.mark.parametrize("text", ["NaN", '{"a":Infinity}', "", "\xff", "[" * 100_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(http.HttpBadBody):
        http.Answer(200, {}, text.encode("latin-1")).json()


def test_a_recorder_that_fails_breaks_nothing(server):
    def broken(record: http.CallRecord) -> None:
        raise RuntimeError("no room")

    client = http.Client(server, provider="test", recorder=broken)
    assert client.request("GET", "/json", name="x").status == 200


def test_records_are_bounded_and_binary_is_only_counted(client, records):
    client.request(
        "POST",
        "/json",
        name="up",
        form={"type": "23"},
        files={"file": ("a.png", b"\x89" * 5000, "image/png")},
    )
    client.request("POST", "/json", name="long", body=json.dumps({"a": "lorem ipsum " * 9000}).encode())
    assert records[0].request == {"type": "23", "file": "<5000 bytes>"}
    assert len(json.dumps(records[1].request)) < 9000


def test_a_path_cannot_leave_the_base_url(client):
    with pytest.raises(ValueError, match="below the base URL"):
        client.request("GET", "http://evil.example/", name="x")
    assert HITS == []


def test_a_connection_is_used_again(client):
    assert len({client.request("GET", "/port", name="x").text for _ in range(3)}) == 1


def test_children_do_not_share_the_parents_connections(monkeypatch):
    mine = http.shared_session()
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert http.shared_session() is not mine


@pytest.mark.django_db(transaction=True)
def test_no_call_inside_a_transaction(client, records):
    with transaction.atomic(), pytest.raises(http.OpenTransaction):
        client.request("GET", "/json", name="x")
    with transaction.atomic(), pytest.raises(http.OpenTransaction):
        http.guarded_get("http://pictures.example/a.png", max_bytes=10)
    assert (HITS, records) == ([], [])
    assert client.request("GET", "/json", name="x").status == 200


@pytest.mark.django_db
def test_the_transaction_of_a_test_case_does_not_count(client):
    assert client.request("GET", "/json", name="x").status == 200
    with transaction.atomic(), pytest.raises(http.OpenTransaction):
        client.request("GET", "/json", name="x")
