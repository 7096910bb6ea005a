"""What Airwallex posts to the shop: a signed event for every move of an object.

Guarantees: a post is a row and a job, so a restart loses none; the object is written down as it was when it moved; it is
repeated until the shop answers 200. Faults decide when and whether it arrives, and what its signature is worth.
"""

import hashlib
import hmac
import secrets
import time
from decimal import Decimal
from typing import Any

from django.conf import settings

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.airwallex import books, codes
from sandbox.providers.manufacturer import wire

PATH = "/api/v2/webhooks/airwallex"
MOST_ATTEMPTS = 12


def moved(name: str, thing: books.Object) -> None:
    """Queue the event `name` about an object. Call inside the transaction that moved it."""
    kind = f"post/{name.partition('.')[0]}"
    held_back = faults.strike(codes.NAME, "reordered", kind)
    late = faults.strike(codes.NAME, "late_webhook", kind)
    after = (held_back.seconds if held_back else 0.0) + (late.seconds if late else 0.0)
    lost = faults.strike(codes.NAME, "lost_webhook", kind) is not None
    number = _write(name, thing, lost=lost)
    if lost:
        return
    jobs.add("awx_post", {"number": number}, after=after)
    twice = faults.strike(codes.NAME, "duplicate_webhook", kind)
    if twice:
        jobs.add("awx_post", {"number": number}, after=after + twice.seconds)


def _write(name: str, thing: books.Object, *, lost: bool) -> int:
    event_id = f"evt_sandbox{secrets.token_hex(8)}"
    told = {
        "id": event_id, "name": name, "account_id": codes.ACCOUNT, "created_at": books.now(), "version": codes.VERSION,
        "source_id": thing["id"], "data": {"object": _told(name, thing)},
    }  # fmt: skip
    database.execute(
        "INSERT INTO awx_posts (id, name, body, at, lost) VALUES (?, ?, ?, ?, ?)",
        event_id, name, wire.dumps(told), time.time(), int(lost),
    )  # fmt: skip
    found = database.row("SELECT max(number) AS number FROM awx_posts")
    return int(found["number"]) if found else 0


def _told(name: str, thing: books.Object) -> books.Object:
    if not faults.strike(codes.NAME, "wrong_amount", f"post/{name.partition('.')[0]}"):
        return thing
    return {**thing, "amount": wire.Literal(Decimal(thing["amount"]) + 1)}


def sign(timestamp: str, body: str, secret: str) -> str:
    """HMAC-SHA256 in hex over the timestamp's text and the body."""
    return hmac.new(secret.encode(), (timestamp + body).encode(), hashlib.sha256).hexdigest()


@jobs.handler("awx_post")
def deliver(payload: dict[str, Any], attempts: int) -> float | None:
    """Send one post; seconds until the next attempt, None when it is acknowledged or given up."""
    post = database.row("SELECT * FROM awx_posts WHERE number = ?", payload["number"])
    if post is None:
        return None
    kind = f"post/{post['name'].partition('.')[0]}"
    forged = faults.strike(codes.NAME, "wrong_signature", kind) is not None
    timestamp = str(round(time.time() * 1000))
    secret = "not-the-secret" if forged else settings.AIRWALLEX_WEBHOOK_SECRET
    headers = {"x-timestamp": timestamp, "x-signature": sign(timestamp, post["body"], secret)}
    answer = outgoing.send(
        codes.NAME, kind, "POST", knobs.get("shop_url") + PATH, body=post["body"], headers=headers,
        note="fault: wrong signature" if forged else post["name"],
    )  # fmt: skip
    done = answer.status == 200
    with database.transaction():
        database.execute(
            "UPDATE awx_posts SET attempts = attempts + 1, acknowledged = max(acknowledged, ?) WHERE number = ?",
            int(done), post["number"],
        )  # fmt: skip
    return None if done or attempts + 1 >= MOST_ATTEMPTS else knobs.seconds("airwallex_repeat_seconds")
