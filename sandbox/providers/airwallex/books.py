"""Airwallex's books: its objects as the JSON that it answers, used request ids, tokens, posts, 3DS challenges.

Guarantees: numbers keep their literal text from the wire to the books and back; no card number is ever written, only what
the card does. Who changes an object says so where it does.
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sandbox import calls, database, faults
from sandbox.providers.airwallex import codes
from sandbox.providers.airwallex.refusal import Refusal
from sandbox.providers.manufacturer import wire

SCHEMA = """
CREATE TABLE IF NOT EXISTS awx_objects (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL, created REAL NOT NULL,
    card TEXT NOT NULL DEFAULT '' -- what the card behind it does
);
CREATE TABLE IF NOT EXISTS awx_requests (request_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS awx_tokens (token TEXT PRIMARY KEY, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS awx_challenges (
    id TEXT PRIMARY KEY, thing TEXT NOT NULL, return_url TEXT NOT NULL, card TEXT NOT NULL, result TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS awx_posts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0
);
"""
TABLES = ("awx_objects", "awx_requests", "awx_tokens", "awx_challenges", "awx_posts")

Object = dict[str, Any]
PREFIXES = {
    "payment_intents": "int",
    "payment_attempts": "att",
    "refunds": "rfd",
    "customers": "cus",
    "payment_consents": "cst",
    "payment_methods": "mtd",
}


def seed() -> None:
    """Nothing: the books begin empty."""


def now() -> str:
    """This moment as Airwallex writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+0000}"


def new(kind: str, body: Object, *, card: str = "") -> Object:
    """Write a new object with an id, times and the request_id that made it."""
    made = {
        "id": f"{PREFIXES[kind]}_sandbox{secrets.token_hex(8)}",
        **body,
        "created_at": now(),
        "updated_at": now(),
    }
    database.execute(
        "INSERT INTO awx_objects (id, kind, body, created, card) VALUES (?, ?, ?, ?, ?)",
        made["id"], kind, wire.dumps(made), time.time(), card,
    )  # fmt: skip
    return made


def save(thing: Object) -> Object:
    """Write an object back."""
    thing["updated_at"] = now()
    database.execute("UPDATE awx_objects SET body = ? WHERE id = ?", wire.dumps(thing), thing["id"])
    return thing


def get(kind: str, ref: str) -> Object:
    """An object by its id. Raises Refusal."""
    found = database.row("SELECT body FROM awx_objects WHERE kind = ? AND id = ?", kind, ref)
    if found is None:
        raise Refusal("resource_not_found", f"there is no {ref} among {kind}", 404)
    thing: Object = wire.loads(found["body"])
    return thing


def card_of(ref: str) -> str:
    """What the card behind a method or consent does."""
    found = database.row("SELECT card FROM awx_objects WHERE id = ?", ref)
    return str(found["card"]) if found else ""


def set_card(ref: str, card: str) -> None:
    """Write down what the card behind an object does."""
    database.execute("UPDATE awx_objects SET card = ? WHERE id = ?", card, ref)


def every(kind: str) -> list[Object]:
    """All objects of a kind, newest first."""
    found = database.rows("SELECT body FROM awx_objects WHERE kind = ? ORDER BY number DESC", kind)
    return [wire.loads(one["body"]) for one in found]


def use(request_id: str) -> None:
    """Take a request_id, once for all time. Raises Refusal: the first answer is not replayed."""
    if not request_id:
        raise Refusal("validation_error", "request_id is required", source="request_id")
    if len(request_id) > 64:
        raise Refusal("validation_error", "request_id is too long", source="request_id")
    if not database.execute("INSERT OR IGNORE INTO awx_requests VALUES (?)", request_id):
        raise Refusal("duplicate_request", "this request_id was used before")


def everything() -> dict[str, Any]:
    """For the control API: all objects oldest first, posts, counts of calls, faults."""
    return {
        **{kind: every(kind)[::-1] for kind in PREFIXES},
        "challenges": database.rows("SELECT * FROM awx_challenges"),
        "posts": database.rows("SELECT * FROM awx_posts ORDER BY number"),
        "calls": calls.counts(),
        "faults": faults.board(codes.NAME),
    }
