"""What Stripe sends and answers, as far as the peer needs it: two kinds of events, signed, and objects by their id."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import stripe

from bench import load

SECRET = "whsec_for_benchmarks_only"
ENDPOINT = uuid.UUID("6d7c1f5e-0000-4000-8000-0000000000b1")
VERSION = "2026-05-27.dahlia"


def payment_intent(number: str) -> dict[str, Any]:
    """A succeeded payment with nothing attached."""
    return {
        "id": number, "object": "payment_intent", "amount": 1999, "amount_capturable": 0, "amount_received": 1999,
        "capture_method": "automatic", "client_secret": f"{number}_secret_x", "confirmation_method": "automatic",
        "created": 1_760_000_000, "currency": "gbp", "customer": None, "description": None, "livemode": False,
        "metadata": {"out_trade_no": number.removeprefix("pi_")}, "next_action": None, "on_behalf_of": None,
        "payment_method": None, "payment_method_types": ["card"], "receipt_email": None, "setup_future_usage": None,
        "shipping": None, "statement_descriptor": None, "status": "succeeded", "transfer_data": None,
        "transfer_group": None, "latest_charge": None, "canceled_at": None, "cancellation_reason": None,
    }  # fmt: skip


def balance(number: str) -> dict[str, Any]:
    """The lightest thing that an event can be about: nothing is synced for it."""
    money = [{"amount": 1999, "currency": "gbp", "source_types": {"card": 1999}}]
    return {"object": "balance", "livemode": False, "available": money, "pending": money}


def events(
    kind: str, *, path: str = f"/stripe/webhook/{ENDPOINT}", name: Callable[[int], str] | None = None
) -> Iterator[bytes]:
    """Signed webhook posts without end: "balance.available" or "payment_intent.succeeded", about what `name` makes of
    the numbers from 1. The same bytes for whoever stands at `path`."""
    run = uuid.uuid4().hex[:8]
    for number in itertools.count(1):
        about = name(number) if name else f"{run}{number:010d}"
        yield signed(kind, f"evt_{run}{number:010d}", f"pi_{about}", path)


def signed(kind: str, event_id: str, about: str, path: str, *, secret: str = SECRET) -> bytes:
    """One such post."""
    make = payment_intent if kind.startswith("payment_intent") else balance
    event = {
        "id": event_id, "object": "event", "api_version": VERSION, "created": 1_760_000_000,
        "data": {"object": make(about)}, "livemode": False, "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None}, "type": kind,
    }  # fmt: skip
    body = json.dumps(event).encode()
    moment = int(time.time())
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return load.post(path, body, Stripe_Signature=f"t={moment},v1={mac}")


def answer_at_once() -> None:
    """Give stripe-python a client without a network: it knows every payment intent."""

    class Instant(stripe.HTTPClient):
        name = "instant"

        def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> Any:
            number = url.split("?")[0].rpartition("/")[2]
            found = (
                payment_intent(number) if number.startswith("pi_") else {"id": number, "object": "account"}
            )
            return json.dumps(found), 200, {"request-id": "req_bench"}

    stripe.default_http_client = Instant()


def prepare() -> None:
    """The rows that the view wants to find: account, key, endpoint. Run with the peer's settings loaded."""
    from django.conf import settings
    from djstripe.models import Account, APIKey, WebhookEndpoint

    account = Account.objects.create(id="acct_1bench", stripe_data={"id": "acct_1bench"}, livemode=False)
    APIKey.objects.create(
        id="mk_1bench", type="secret", secret=settings.STRIPE_TEST_SECRET_KEY, livemode=False,
        djstripe_owner_account=account,
    )  # fmt: skip
    WebhookEndpoint.objects.create(
        id="we_1bench", djstripe_uuid=ENDPOINT, secret=SECRET, livemode=False, enabled_events=["*"],
        url="https://shop.example.com/stripe/webhook", status="enabled", api_version=VERSION,
        djstripe_owner_account=account, stripe_data={"id": "we_1bench"},
    )  # fmt: skip


if __name__ == "__main__":
    import django

    django.setup()
    prepare()
