"""Stripe's books: every object as the JSON that Stripe would tell, remembered answers by idempotency key, posts.

Fields that begin with "_" are the simulator's own and never told. Money is integers of Stripe's minor units.
"""

import json
import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from sandbox import calls, database, faults
from sandbox.providers.stripe import codes
from sandbox.providers.stripe.refusal import missing

SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_objects (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS stripe_objects_by_kind ON stripe_objects (kind, n);
CREATE TABLE IF NOT EXISTS stripe_answers (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER, body TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS stripe_posts (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, type TEXT NOT NULL, at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0
);
"""
TABLES = ("stripe_objects", "stripe_answers", "stripe_posts")
PREFIXES = {
    "checkout.session": "cs_test_", "payment_intent": "pi_", "payment_method": "pm_", "charge": "ch_", "refund": "re_",
    "customer": "cus_", "setup_intent": "seti_", "event": "evt_", "dispute": "du_", "balance_transaction": "txn_",
    "mandate": "mandate_",
}  # fmt: skip
_LETTERS = string.ascii_letters + string.digits
Thing = dict[str, Any]


def seed() -> None:
    """The account's prices (seed 3). Idempotent. Calls that a killed process left unanswered are forgotten."""
    database.execute("DELETE FROM stripe_answers WHERE status IS NULL")
    if database.row("SELECT 1 FROM stripe_objects WHERE kind = 'price'"):
        return
    with database.transaction():
        for ident, name, cents in codes.PRICES:
            product = f"prod_{ident[-14:]}"
            put({"id": product, "object": "product", "name": name, "active": True, "description": None,
                 "default_price": ident, "metadata": {}, "images": [], "type": "service", "updated": now()})  # fmt: skip
            put({"id": ident, "object": "price", "active": True, "product": product, "currency": "usd",
                 "unit_amount": cents, "unit_amount_decimal": str(cents), "type": "one_time", "recurring": None,
                 "billing_scheme": "per_unit", "tax_behavior": "unspecified", "lookup_key": None, "nickname": name,
                 "tiers_mode": None, "transform_quantity": None, "metadata": {}})  # fmt: skip


def now() -> int:
    """Seconds since the epoch."""
    return int(time.time())


def new_id(kind: str) -> str:
    """An id in the shape that Stripe's have."""
    body = "".join(secrets.choice(_LETTERS) for _ in range(24))
    return f"{PREFIXES[kind]}{body}" if kind == "checkout.session" else f"{PREFIXES[kind]}1{body[1:]}"


def put(thing: Thing) -> Thing:
    """Write a new object or its new state."""
    thing.setdefault("livemode", False)
    created = int(thing.setdefault("created", now()))
    database.execute(
        "INSERT INTO stripe_objects (id, kind, created, data) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET data = excluded.data",
        thing["id"], thing["object"], created, json.dumps(thing),
    )  # fmt: skip
    return thing


def find(ident: str, kind: str = "") -> Thing | None:
    """The object with that id, of that kind where one is named."""
    found = database.row("SELECT data FROM stripe_objects WHERE id = ? AND ? IN ('', kind)", ident, kind)
    return dict(json.loads(found["data"])) if found else None


def get(ident: str, kind: str, param: str = "id") -> Thing:
    """The same, or Stripe's refusal."""
    found = find(ident, kind)
    if found is None:
        raise missing(kind, ident, param)
    return found


def newest(kind: str, keep: Callable[[Thing], bool] = lambda thing: True, limit: int = 10_000) -> list[Thing]:
    """Objects of a kind, newest first."""
    rows = database.rows("SELECT data FROM stripe_objects WHERE kind = ? ORDER BY n DESC", kind)
    found = []
    for row in rows:
        thing = json.loads(row["data"])
        if keep(thing):
            found.append(thing)
        if len(found) >= limit:
            break
    return found


def public(thing: Any) -> Any:
    """What Stripe tells of an object."""
    if isinstance(thing, dict):
        return {name: public(value) for name, value in thing.items() if not name.startswith("_")}
    return [public(item) for item in thing] if isinstance(thing, list) else thing


def everything() -> dict[str, Any]:
    """The books as plain data, for the control API: objects by kind, oldest first."""
    told: dict[str, Any] = {}
    for kind in (*PREFIXES, "price", "product"):
        told[kind] = [public(thing) for thing in reversed(newest(kind))]
    told["posts"] = database.rows("SELECT * FROM stripe_posts ORDER BY id")
    told["calls"] = calls.counts()
    told["faults"] = faults.board(codes.NAME)
    return told
