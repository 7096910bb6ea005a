"""Events: written with every change, and posted to the shop with Stripe's signature.

Guarantees: an event and its post are rows, so a restart loses none; a post is repeated until the shop answers 2xx, ten
times at the most. Faults decide whether a post is lost, late, doubled or overtaken when it is written, and what it says
and how it is signed each time it is sent.
"""

import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.stripe import books, codes

MOST_ATTEMPTS = 10


def tell(kind: str, thing: books.Thing, *, key: str = "") -> None:
    """Write the event about the object's new state and queue its post. Call inside the transaction of the change."""
    event = books.put(
        {
            "id": books.new_id("event"),
            "object": "event",
            "api_version": codes.API_VERSION,
            "type": kind,
            "data": {"object": books.public(thing)},
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": key or None},
        }
    )
    after = knobs.seconds("stripe_post_seconds")
    for fault in ("late_webhook", "reordered"):
        stroke = faults.strike(codes.NAME, fault, kind)
        after += stroke.seconds if stroke else 0.0
    lost = faults.strike(codes.NAME, "lost_webhook", kind) is not None
    _write(event, after, lost=lost)
    twice = faults.strike(codes.NAME, "duplicate_webhook", kind)
    if twice and not lost:
        _write(event, after + twice.seconds)


def _write(event: books.Thing, after: float, *, lost: bool = False) -> None:
    database.execute(
        "INSERT INTO stripe_posts (event_id, type, at, lost) VALUES (?, ?, ?, ?)",
        event["id"], event["type"], time.time(), int(lost),
    )  # fmt: skip
    found = database.row("SELECT max(id) AS id FROM stripe_posts")
    if found and not lost:
        jobs.add("stripe_post", {"id": found["id"]}, after=after)


@jobs.handler("stripe_post")
def deliver(payload: dict[str, Any], attempts: int) -> float | None:
    """Send one post; seconds until the next attempt, None when it is acknowledged or given up."""
    post = database.row("SELECT * FROM stripe_posts WHERE id = ?", payload["id"])
    event = books.find(post["event_id"], "event") if post else None
    if post is None or event is None:
        return None
    if faults.strike(codes.NAME, "wrong_amount", post["type"]):
        _spoil(event["data"]["object"])
    body = json.dumps(event, indent=2, ensure_ascii=False)
    wrong = faults.strike(codes.NAME, "wrong_signature", post["type"])
    secret = settings.STRIPE_WEBHOOK_SECRET[::-1] if wrong else settings.STRIPE_WEBHOOK_SECRET
    answer = outgoing.send(
        codes.NAME, f"webhook/{post['type']}", "POST", knobs.get("shop_url") + knobs.get("stripe_webhook_path"),
        body=body, headers={"Stripe-Signature": sign(body, secret), "User-Agent": "Stripe/1.0 (sandbox)"},
    )  # fmt: skip
    done = answer.status is not None and 200 <= answer.status < 300
    with database.transaction():
        database.execute(
            "UPDATE stripe_posts SET attempts = attempts + 1, acknowledged = ? WHERE id = ?",
            int(done),
            post["id"],
        )
    return None if done or attempts + 1 >= MOST_ATTEMPTS else knobs.seconds("stripe_repeat_seconds")


def _spoil(thing: books.Thing) -> None:
    for name in ("amount", "amount_total", "amount_received", "amount_captured"):
        if isinstance(thing.get(name), int):
            thing[name] += 1


def sign(body: str, secret: str, at: int | None = None) -> str:
    """The header Stripe-Signature for a body."""
    stamp = books.now() if at is None else at
    mac = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac},v0={'0' * 64}"
