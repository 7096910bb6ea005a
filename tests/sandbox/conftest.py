"""What the sandbox's tests share: a partner that calls it as the shop would, and a stand-in shop that hears its posts."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import pytest
import requests
from PIL import Image

from payments.gateways import base
from sandbox.providers.manufacturer import signing, wire
from tests.support.sandbox import Sandbox, sandbox_client, sandbox_server
from tests.support.stripe_sandbox import StripeSandbox

__all__ = ["sandbox_client", "sandbox_server"]

DEVICE = "CXYLOGD8OQUK"
MODEL, SHELL = "MM020250224000010", "MS102503270003"
ACKNOWLEDGEMENT = {"msg": "操作成功", "code": 200, "data": "success"}


class Partner:
    """Calls the manufacturer's API: signs, logs in, sends what it is told to send."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = ""
        self.http = requests.Session()
        self.http.trust_env = False

    def raw(self, name: str, body: Any, **headers: str | None) -> requests.Response:
        """One call; keyword headers replace the usual ones, None leaves one out."""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        usual = {
            "Content-Type": "application/json",
            "sign": signing.sign(wire.loads(text), Sandbox.SIGN_KEY),
            "req_source": "en",
            "Authorization": self.token,
        }
        sent = {key: value for key, value in (usual | headers).items() if value is not None}
        return self.http.post(
            f"{self.sandbox.manufacturer_url}/{name}", data=text.encode(), headers=sent, timeout=30
        )

    def call(self, name: str, body: Any) -> dict[str, Any]:
        """One call's envelope; HTTP must be 200."""
        answer = self.raw(name, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def login(self) -> "Partner":
        body = {"account": Sandbox.ACCOUNT, "password": Sandbox.PASSWORD}
        self.token = self.call("user/login", body)["data"]["token"]
        return self

    def pay_data(self, third_id: str, *, pay_type: int = 5, amount: str = "19.99") -> dict[str, Any]:
        body = {"mobile_model_id": MODEL, "device_id": DEVICE, "third_id": third_id}
        text = json.dumps(body)[:-1] + f', "pay_amount": {amount}, "pay_type": {pay_type}}}'
        return self.raw("order/payData", text).json()

    def order_data(self, third_id: str, pay_id: str, pic: str) -> dict[str, Any]:
        body = {"third_pay_id": pay_id, "third_id": third_id, "pic": pic, "device_id": DEVICE}
        return self.call("order/orderData", body | {"mobile_model_id": MODEL, "mobile_shell_id": SHELL})


@dataclass
class StandInShop:
    """A shop of few words: keeps what it is sent, answers what it is told to answer."""

    url: str = ""
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)  # by the end of the path
    text_answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # likewise, as plain text
    picture: bytes = b""

    def posts(self, path: str) -> list[bytes]:
        return [body for method, seen, _, body in self.seen if method == "POST" and seen == path]

    def answer(self, path: str) -> tuple[int, bytes, str]:
        for end, (status, body) in self.answers.items():
            if path.endswith(end):
                return status, json.dumps(body).encode(), "application/json"
        for end, (status, text) in self.text_answers.items():
            if path.endswith(end):
                return status, text, "text/plain"
        if path.endswith(".png"):
            return 200, self.picture, "image/png"
        return 200, json.dumps(ACKNOWLEDGEMENT).encode(), "application/json"


@pytest.fixture
def stand_in_shop(sandbox_client: Sandbox) -> Iterator[StandInShop]:
    """A stand-in shop that the sandbox sends its posts to."""
    drawn = BytesIO()
    Image.new("RGB", (98, 192), "#c0ffee").save(drawn, "PNG")
    shop = StandInShop(picture=drawn.getvalue())

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # First what it will be told, then that it is here: a test that changes the answer when it has seen a post
            # changes that of the next one.
            status, content, kind = shop.answer(self.path)
            shop.seen.append((self.command, self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _do

        def log_message(self, *parts: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    sandbox_client.knobs(shop_url=shop.url)
    yield shop
    sandbox_client.reset()
    server.shutdown()
    server.server_close()


def stated(gateway: base.Gateway, zone: tzinfo) -> list[base.StatementLine]:
    """The statement of what a test has just done: today's, and for a few minutes after midnight yesterday's too."""
    now, lines = datetime.now(zone), []
    for day in sorted({(now - timedelta(minutes=5)).date(), now.date()}):
        with contextlib.suppress(base.GatewayUnavailable):  # no bill yet of a day on which nothing happened
            lines += gateway.statement(day)
    return lines


@pytest.fixture
def partner(sandbox_client: Sandbox) -> Partner:
    """A partner that is logged in."""
    return Partner(sandbox_client).login()


@pytest.fixture
def stripe_sandbox(sandbox_client: Sandbox) -> StripeSandbox:
    """The simulated Stripe with empty books."""
    return StripeSandbox(sandbox_client)
