"""What the manufacturer sends to the shop by itself: payment posts, order status posts, the machine's payment poll.

Guarantees: a post is a row and a job, so a restart loses none; it is repeated up to ten times unless the shop answers
exactly as documented. Faults decide whether a post is lost, late, doubled or overtaken when it is written, and what its
body looks like each time it is sent.
"""

import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.manufacturer import books, codes, signing, wire

ACKNOWLEDGEMENT = {"msg": "操作成功", "code": 200, "data": "success"}
MOST_ATTEMPTS = 10
POLL_LIMIT_SECONDS = 1800
CHINA = timezone(timedelta(hours=8))


def payment_changed(third_id: str, status: int, *, after: float = 0.0) -> None:
    """Queue the payment post. Call inside the transaction that moved the payment."""
    _queue(codes.PAYMENT_POST, third_id, status, after)
    stale = faults.strike(codes.NAME, "reordered", codes.PAYMENT_POST)
    if stale:
        _write(codes.PAYMENT_POST, third_id, codes.PAYING, after + stale.seconds)


def order_changed(third_id: str, status: int) -> None:
    """Queue the order status post. Call inside the transaction that moved the order."""
    held_back = faults.strike(codes.NAME, "reordered", codes.ORDER_POST)
    _queue(codes.ORDER_POST, third_id, status, held_back.seconds if held_back else 0.0)


def _queue(kind: str, third_id: str, status: int, after: float) -> None:
    late = faults.strike(codes.NAME, "late_webhook", kind)
    after += late.seconds if late else 0.0
    lost = faults.strike(codes.NAME, "lost_webhook", kind)
    _write(kind, third_id, status, after, lost=lost is not None)
    twice = faults.strike(codes.NAME, "duplicate_webhook", kind)
    if twice and not lost:
        _write(kind, third_id, status, after + twice.seconds)


def _write(kind: str, third_id: str, status: int, after: float, *, lost: bool = False) -> None:
    database.execute(
        "INSERT INTO posts (kind, third_id, status, at, lost) VALUES (?, ?, ?, ?, ?)",
        kind, third_id, status, time.time(), int(lost),
    )  # fmt: skip
    found = database.row("SELECT max(id) AS id FROM posts")
    if found and not lost:
        jobs.add("post", {"id": found["id"]}, after=after)


@jobs.handler("post")
def deliver(payload: dict[str, Any], attempts: int) -> float | None:
    """Send one post; seconds until the next attempt, None when it is acknowledged or given up."""
    post = database.row("SELECT * FROM posts WHERE id = ?", payload["id"])
    if post is None:
        return None
    if post["kind"] == codes.PAYMENT_POST:
        answer, pause = _send_payment(post), "repeat_seconds"
    else:
        answer, pause = _send_order(post), "order_repeat_seconds"
    done = answer is not None and answer.status == 200 and answer.json() == ACKNOWLEDGEMENT
    with database.transaction():
        database.execute(
            "UPDATE posts SET attempts = attempts + 1, acknowledged = ? WHERE id = ?", int(done), post["id"]
        )
    return None if done or answer is None or attempts + 1 >= MOST_ATTEMPTS else knobs.seconds(pause)


def _status(post: database.Row) -> wire.Literal:
    odd = faults.strike(codes.NAME, "unknown_status", post["kind"])
    return wire.Literal(codes.AN_UNKNOWN_STATUS if odd else post["status"])


def _send_payment(post: database.Row) -> outgoing.Answer | None:
    payment = books.payment(post["third_id"])
    if payment is None:
        return None
    body: Any = {"third_id": payment["third_id"], "status": _status(post)}
    wrong = faults.strike(codes.NAME, "wrong_amount", codes.PAYMENT_POST)
    as_array = faults.strike(codes.NAME, "array_body", codes.PAYMENT_POST)
    if as_array or wrong or faults.strike(codes.NAME, "object_body", codes.PAYMENT_POST):
        told = str(Decimal(payment["pay_amount"]) + 1) if wrong else payment["pay_amount"]
        paid_at = datetime.fromtimestamp(payment["changed"], UTC).astimezone(CHINA)
        body = {
            "third_id": payment["third_id"],
            "pay_type": wire.Literal(payment["pay_type"]),
            "pay_amount": wire.Literal(told),
            "pay_date": f"{paid_at:%Y-%m-%d %H:%M:%S}",
            "status": body["status"],
        }
    if as_array:
        body = [body]
    return _post(codes.PAYMENT_POST, knobs.get("pay_status_path"), body)


def _send_order(post: database.Row) -> outgoing.Answer | None:
    order = books.order(post["third_id"])
    if order is None:
        return None
    named = order["id"] if knobs.get("order_id_kind") == "msor" else order["third_id"]
    values = (named, _status(post), order["queue_no"], order["device_id"])
    names = ("third_id", "status", "queue_no", "device_id")
    if knobs.get("order_post_names") == "camel":
        names = ("orderId", "orderStatus", "queueNumber", "deviceId")
    body = dict(zip(names, values, strict=True))
    as_form = knobs.get("order_post_form") == "1"
    return _post(codes.ORDER_POST, knobs.get("order_status_path"), body, as_form=as_form)


def _post(name: str, path: str, body: Any, *, as_form: bool = False) -> outgoing.Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded" if as_form else "application/json"}
    if knobs.get("sign_posts") == "1":
        headers["sign"] = signing.sign(body, settings.MANUFACTURER_SIGN_KEY)
    text = urlencode(body) if as_form else wire.dumps(body)
    return outgoing.send(codes.NAME, name, "POST", knobs.get("shop_url") + path, body=text, headers=headers)


@jobs.handler("poll_payment")
def poll_payment(payload: dict[str, Any], attempts: int) -> float | None:
    """The machine asks the shop how a payment stands, until it is complete, or for half an hour."""
    payment = books.payment(payload["third_id"])
    if payment is None or time.time() - payment["created"] > POLL_LIMIT_SECONDS:
        return None
    url = f"{knobs.get('shop_url')}/api/chinese/payment/{payment['third_id']}/status"
    answer = outgoing.send(codes.NAME, "machine/poll", "GET", url).json()
    if isinstance(answer, dict) and answer.get("polling_complete") is True:
        return None
    return knobs.seconds("poll_seconds")
