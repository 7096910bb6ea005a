"""Buying online in tests: an order, a payment at one of the four gateways, the shopper's yes, and the provider's posts.

The providers are the sandbox's process. What they post arrives in a mailbox (a server on loopback that answers as the shop
would), and a test hands it on to the shop when, as often and in whatever order it likes; `live` hands it on at once.
Time passes by making our rows older: the providers' clock, which signatures carry, goes on as it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.sandbox import Sandbox

if TYPE_CHECKING:
    from accounts.models import User
    from orders.models import Order
    from payments.models import PaymentIntent

GATEWAYS = ("stripe", "airwallex", "wechatpay", "alipay")
#: The way to pay where the shopper says yes away from us.
METHODS = {"stripe": "checkout", "airwallex": "card", "wechatpay": "native", "alipay": "precreate"}
GOOD, THREE_DS, CVC = "4242424242424242", "4000000000003220", "737"
#: Words that stop the repeats, by the end of the address.
_THANKS = {"wechat/notify": (204, b""), "alipay": (200, b"success")}


@dataclass(frozen=True)
class Post:
    """What a provider posted, to be handed on as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def __contains__(self, text: str) -> bool:
        return text.encode() in self.body

    def deliver(self, **changes: Any) -> int:
        """Hand it to the shop; the answer's status. `body` and `headers` replace what came."""
        from django.test import Client

        headers = self.headers | changes.get("headers", {})
        skip = ("Host", "Content-Length", "Connection", "Content-Type")
        kept = {name: value for name, value in headers.items() if name not in skip and value is not None}
        body = changes.get("body", self.body)
        kind = headers.get("Content-Type", "application/json")
        return Client().post(self.path, body, content_type=kind, headers=kept).status_code


@dataclass
class Mailbox:
    """Everything that was posted, oldest first. `live`: handed on while the provider waits for the answer."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    live: bool = False

    def wait(self, count: int = 1, *, about: str = "", seconds: float = 30) -> list[Post]:
        """The posts that contain `about`, once there are so many."""
        deadline = time.monotonic() + seconds
        while True:
            found = [post for post in list(self.posts) if about in post]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, [post.body[:200] for post in self.posts]
            time.sleep(0.02)

    def take(self, post: Post) -> tuple[int, bytes]:
        self.posts.append(post)
        if self.live:
            from django.db import connections

            try:
                status = post.deliver()
            finally:
                connections.close_all()
            if status != 200:
                return status, b""
        return next((answer for end, answer in _THANKS.items() if post.path.endswith(end)), (200, b"{}"))


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A server on loopback that stands where the shop is for the providers."""
    box = Mailbox()

    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = box.take(Post(self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *parts: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = (
        False  # at the end it is waited for: no post is still at work in the shop of the next test
    )
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    box.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Online:
    """The shop's side of buying online, and the shopper's hand at the providers."""

    sandbox: Sandbox
    box: Mailbox

    # --- the shop ---
    def order(self, user: User | None = None, **snapshot: Any) -> Order:
        """A pack of 500 credits for 39.90 CNY, which every gateway can sell."""
        from orders.models import OrderLine
        from tests import factories

        order = factories.order(
            lines=0, kind="credits", user=user or factories.user(), currency="CNY", total_minor=3990
        )
        OrderLine.objects.create(
            order=order, unit_minor=3990, snapshot={"name": "500", "credits": 500} | snapshot
        )
        factories.created(order)
        return order

    def start(
        self, gateway: str, order: Order | None = None, *, card: str = THREE_DS, method: str = ""
    ) -> PaymentIntent:
        """An attempt that waits for its shopper. A card (Airwallex; Stripe by method="card") is confirmed at once."""
        from payments.services import online_payments

        method = method or METHODS[gateway]
        choice = online_payments.Choice(gateway=gateway, method=method)
        return online_payments.start_payment(
            order or self.order(),
            choice,
            instrument=a_card(card) if method == "card" else None,
            source="page",
        )

    def paid(self, gateway: str, order: Order | None = None, **more: Any) -> PaymentIntent:
        """Paid there and settled here, by a question of the sweeper."""
        from payments.services import sync

        intent = self.start(gateway, order, **more)
        if intent.status == "requires_action":
            self.pay(intent)
            let_pass(seconds=4)
            sync.check_now(intent=intent, source="poll")
        intent.refresh_from_db()
        intent.order.refresh_from_db()
        assert (intent.status, intent.order.status) == ("succeeded", "completed")
        return intent

    # --- the shopper and the owner of the account, at the provider ---
    def pay(self, intent: PaymentIntent) -> None:
        """The shopper says yes."""
        number, ref = intent.out_trade_no, intent.provider_ref
        if intent.gateway == "wechatpay":
            self.control("wechatpay/pay", out_trade_no=number)
        elif intent.gateway == "alipay":
            self.control(f"alipay/trades/{number}/pay")
        elif ref.startswith("cs_"):
            self.control(f"stripe/sessions/{ref}/pay", card=GOOD)
        elif ref.startswith("pi_"):
            self.control(f"stripe/intents/{ref}/authenticate", approve=True)
        else:
            challenges = self.sandbox.books("airwallex")["challenges"]
            key = next(one["id"] for one in challenges if one["thing"] == ref)
            self.control(f"airwallex/3ds/{key}", result="approve")

    def can_pay(self, intent: PaymentIntent) -> bool:
        """Try it: does the provider still take the shopper's yes?"""
        before = self.charges(intent.gateway)
        try:
            self.pay(intent)
        except requests.HTTPError:
            return False
        return self.charges(intent.gateway) > before

    def scan(self, intent: PaymentIntent) -> None:
        """Alipay's code is scanned, and the shopper has not said yes: only now the provider knows it."""
        trades = self.sandbox.books("alipay")["trades"]
        token = next(one["token"] for one in trades if one["out_trade_no"] == intent.out_trade_no)
        requests.get(f"{self.sandbox.base_url}/alipay/cashier/{token}/", timeout=9).raise_for_status()

    def breathe(self) -> None:
        """The providers' own slow work takes some tenths of a second: until no refund is on its way at any of them."""
        for gateway in ("stripe", "airwallex", "wechatpay"):
            self.sandbox.wait_for(lambda books: not _on_their_way(books), provider=gateway)

    def end_refunds(self) -> None:
        """What is on its way back arrives, however long it was to take."""
        self.sandbox.knobs(airwallex_settle_seconds=0.1)
        self.control("hurry")
        self.breathe()

    def forget_posts(self) -> None:
        """Empty the mailbox, once everything that the providers had to tell has come."""
        for gateway in GATEWAYS:
            self.sandbox.wait_for(
                lambda books: all(
                    one["acknowledged"] or one["lost"]
                    for one in books.get("posts") or books.get("notices") or ()
                ),
                provider=gateway,
            )
        self.box.posts.clear()

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return self.sandbox._post(path, body)

    def fault(self, gateway: str, name: str, **words: Any) -> None:
        self.sandbox.fault(name, provider=gateway, **words)

    # --- what the providers' books say ---
    def charges(self, gateway: str) -> int:
        """How often money was taken."""
        books = self.sandbox.books(gateway)
        if gateway == "stripe":
            return sum(one["status"] == "succeeded" for one in books.get("charge", ()))
        if gateway == "airwallex":
            return sum(one["status"] == "SUCCEEDED" for one in books["payment_intents"])
        rows = books["orders"] if gateway == "wechatpay" else books["trades"]
        return sum(bool(one["paid"]) for one in rows)

    def attempts(self, gateway: str) -> int:
        """How many payments were begun there."""
        books = self.sandbox.books(gateway)
        if gateway == "stripe":
            sessions = books.get("checkout.session", ())
            own = [one for one in books.get("payment_intent", ()) if one["metadata"].get("via") != "checkout"]
            return len(sessions) + len(own)
        return len(
            books[{"airwallex": "payment_intents", "wechatpay": "orders", "alipay": "trades"}[gateway]]
        )

    def refunds(self, gateway: str) -> list[int]:
        """What was given back (or is on its way), in minor units, oldest first."""
        from decimal import Decimal

        books = self.sandbox.books(gateway)
        if gateway == "stripe":
            return [one["amount"] for one in books.get("refund", ()) if one["status"] != "failed"]
        if gateway == "airwallex":
            return [
                int(Decimal(one["amount"]) * 100) for one in books["refunds"] if one["status"] != "FAILED"
            ]
        if gateway == "wechatpay":
            return [one["refund"] for one in books["refunds"] if one["status"] in ("PROCESSING", "SUCCESS")]
        return [one["fen"] for one in books["refunds"]]

    def asked(self) -> int:
        """How many calls left the shop so far."""
        from pimpshop.core.models import OutboundCall

        return OutboundCall.objects.count()


def _on_their_way(books: dict[str, Any]) -> list[Any]:
    """The refunds of a provider's books that have not ended."""
    refunds = books.get("refunds") or books.get("refund") or ()
    return [one for one in refunds if one["status"] in ("pending", "RECEIVED", "ACCEPTED", "PROCESSING")]


def a_card(number: str = GOOD, cvc: str = CVC) -> Any:
    from payments.gateways import base

    return base.Card(number=number, exp_month=12, exp_year=2034, cvc=cvc, name="Zoe Tester")


def point_at(settings: Any, sandbox: Sandbox, box: Mailbox) -> Online:
    """The settings of all four gateways lead to the sandbox, and what they post to the mailbox."""
    settings.PUBLIC_BASE_URL, settings.WECHAT_NOTIFY_URL = box.url, ""
    settings.STRIPE_API_BASE = f"{sandbox.base_url}/stripe"
    settings.AIRWALLEX_API_BASE = f"{sandbox.base_url}/airwallex"
    settings.WECHAT_GATEWAY = f"{sandbox.base_url}/wechatpay"
    settings.ALIPAY_GATEWAY = f"{sandbox.base_url}/alipay/gateway.do"
    settings.MANUFACTURER_API_BASE = sandbox.manufacturer_url
    sandbox.knobs(shop_url=box.url)
    return Online(sandbox, box)


def let_pass(*, but: tuple[str, ...] = (), **delta: float) -> None:
    """Make everything that stands in payments' rows so much older (timedelta's words), but for the columns `but`."""
    from django.db import models
    from django.db.models import F

    from payments.models import GatewaySwitch, PaymentIntent, Refund, WebhookEvent

    for model in (PaymentIntent, Refund, WebhookEvent, GatewaySwitch):
        times = [one.name for one in model._meta.concrete_fields if isinstance(one, models.DateTimeField)]
        names = [name for name in times if name not in but]
        model.objects.update(**{name: F(name) - timedelta(**delta) for name in names})


def sweep() -> None:
    """Payments' rounds of the sweeper until nothing is due; nothing may raise. (The round of statements asks every provider
    about every day and has tests of its own.)"""
    from orders.services import granting
    from payments.services import inbox, refund_steps, sync
    from pimpshop.core import sweeper

    for _ in range(10):
        moved = sweeper.each(inbox.due(), inbox.process)
        moved += sweeper.each(sync.due(), sync.check_due)
        moved += sweeper.each(refund_steps.due(), refund_steps.send)
        moved += sweeper.each(granting.due(), granting.grant_again)
        if not moved:
            return


def settle_down(*, seconds: float = 130, rounds: int = 2) -> None:
    """Let so much time pass, with the sweeper at work and nobody looking. How long a payment may be paid was told to its
    provider and stays: a repeat of the request is the same request."""
    for _ in range(rounds):
        let_pass(seconds=seconds / rounds, but=("expires_at",))
        sweep()


@pytest.fixture
def online_shop(transactional_db: None, settings: Any, sandbox_client: Sandbox) -> Iterator[Online]:
    """As `online` of the flow tests, with rows that other threads and processes see."""
    from tests.support.shop import assert_invariants

    with mailbox() as box:
        yield point_at(settings, sandbox_client, box)
    assert_invariants()
