"""The guard for addresses that clients give: nothing of ours, nothing twice resolved, nothing followed."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests.adapters
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pimpshop.core import http

HOST = "pictures.example"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Host"], self.headers.get("Cookie")))
        status = {"/moved": 302, "/missing": 404, "/down": 503}.get(self.path, 200)
        self.send_response(status)
        self.send_header("Location", "http://169.254.169.254/latest/")
        self.end_headers()
        self.wfile.write(b"p" * (5000 if self.path == "/large" else 5))


def serve(context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


@pytest.fixture
def server():
    server = serve()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def names(monkeypatch):
    """Name -> addresses, instead of the name service; counts the questions."""
    table: dict[str, list[str]] = {HOST: ["127.0.0.1"]}
    asked: list[str] = []

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host in ("127.0.0.1", "::1"):
            return real(host, port, *args, **kwargs)
        asked.append(host)
        if host not in table:
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in table[host]]

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    resolve.table, resolve.asked = table, asked
    return resolve


def get(server: ThreadingHTTPServer, path: str, **options: Any) -> http.Answer:
    port = server.server_port
    options = {"max_bytes": 1000, "allowed_hosts": [f"{HOST}:{port}"], **options}
    return http.guarded_get(f"http://{HOST}:{port}{path}", **options)


def test_an_allowed_host_is_fetched_with_its_own_name(server, names):
    assert get(server, "/a.png?x=1").body == b"ppppp"
    assert server.seen == [("/a.png?x=1", f"{HOST}:{server.server_port}", None)]
    assert names.asked == [HOST]  # once: a second answer could be another


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/moved", http.HttpRedirected),
        ("/missing", http.HttpRefused),
        ("/down", http.HttpUnavailable),
        ("/large", http.HttpTooLarge),
    ],
)
def test_anything_but_a_small_200_is_an_error(server, names, path, error):
    with pytest.raises(http.HttpError) as caught:
        get(server, path)
    assert type(caught.value) is error
    assert len(server.seen) == 1


def test_loopback_is_refused_without_the_exemption(server, names):
    with pytest.raises(http.HttpRefused):
        get(server, "/a.png", allowed_hosts=[])
    with pytest.raises(http.HttpRefused):
        get(
            server,
            "/a.png",
            allowed_hosts=[f"{HOST}:{server.server_port + 1}", HOST, f"x{HOST}:{server.server_port}"],
        )
    assert server.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://pictures.example/a", "file:///etc/passwd", "gopher://x/", "//pictures.example/a", "pictures.example/a",
        "http://", "http:///a", "http://user:pw@pictures.example/a", "http://user@pictures.example/", "http://a b/",
        "http://pictures.example:99999/", "http://pictures.example:22/", "https://pictures.example:80/",
        "http://pictures.example\\@127.0.0.1/", "http://pictures.example/\r\nX: y", "http://pictures.example/\x00",
        "http://[::1/", "http://[fe80::1%25eth0]/", "http://-x/", "http://x/" + "a" * 3000, "", None, 7,
        "http://unknown.example/", "http://..example/",
    ],
)  # fmt: skip
def test_odd_urls_are_refused_without_a_call(names, url):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        with pytest.raises(http.HttpRefused) as caught:
            http.guarded_get(url, max_bytes=10)
        assert caught.value.maybe_sent is False
        assert len(wire.calls) == 0


PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00::1",
    "fc00::1", "fd00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "100::1", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(names, address):
    assert not http.is_public(address)
    names.table[HOST] = ["93.184.215.14", address]  # one bad address condemns the name
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        with pytest.raises(http.HttpRefused):
            http.guarded_get(f"https://{HOST}/a.png", max_bytes=10)
        assert len(wire.calls) == 0


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
def test_other_spellings_of_loopback_are_refused(host):
    with pytest.raises(http.HttpRefused):
        http.guarded_get(f"http://{host}/", max_bytes=10)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111"])
def test_public_addresses_are_public(address):
    assert http.is_public(address)


def certificate(tmp_path, name: str) -> tuple[str, str]:
    """A self-signed certificate for `name`: (path of certificate, path of key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(cert_path), str(key_path)


@pytest.mark.parametrize(("name", "fits"), [(HOST, True), ("evil.example", False)])
def test_tls_is_checked_against_the_name_though_the_address_is_pinned(
    monkeypatch, tmp_path, names, name, fits
):
    cert, key = certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    asked: list[str | None] = []
    context.sni_callback = lambda sock, server_name, ctx: asked.append(server_name)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", cert)
    server = serve(context)
    url = f"https://{HOST}:{server.server_port}/a.png"
    try:
        if fits:
            answer = http.guarded_get(url, max_bytes=10, allowed_hosts=[f"{HOST}:{server.server_port}"])
            assert answer.body == b"ppppp"
            assert server.seen == [("/a.png", f"{HOST}:{server.server_port}", None)]
        else:
            with pytest.raises(http.HttpUnavailable) as caught:
                http.guarded_get(url, max_bytes=10, allowed_hosts=[f"{HOST}:{server.server_port}"])
            assert caught.value.maybe_sent is False
            assert server.seen == []
        assert asked == [HOST]
    finally:
        server.shutdown()
        server.server_close()
