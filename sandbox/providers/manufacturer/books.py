"""The manufacturer's own books: tokens, machines, stock, payments, orders, pictures fetched, posts to the shop.

Lives here: the tables, their first content, numbers handed out, and small reads. Who changes a row says so where it does.
Amounts are the literal text of the wire; times are seconds since the epoch.
"""

import random
import time
from datetime import UTC, datetime
from typing import Any

from sandbox import calls, database, faults
from sandbox.providers.manufacturer import catalogue, codes

SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS devices (
    device_id TEXT PRIMARY KEY, shop_id TEXT NOT NULL, name TEXT NOT NULL,
    session_id TEXT, qr_url TEXT, session_expires REAL, session_status TEXT, session_progress TEXT,
    session_problem TEXT, next_try REAL NOT NULL DEFAULT 0, watched_until REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS stock (
    device_id TEXT NOT NULL, mobile_shell_id TEXT NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0),
    PRIMARY KEY (device_id, mobile_shell_id)
);
CREATE TABLE IF NOT EXISTS payments (
    third_id TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, device_id TEXT NOT NULL, mobile_model_id TEXT NOT NULL,
    pay_amount TEXT NOT NULL, pay_type INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 1,
    method TEXT NOT NULL DEFAULT '', on_screen INTEGER NOT NULL DEFAULT 1, created REAL NOT NULL, changed REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, third_id TEXT NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE, third_pay_id TEXT NOT NULL,
    device_id TEXT NOT NULL, mobile_model_id TEXT NOT NULL, mobile_shell_id TEXT NOT NULL, pic TEXT NOT NULL,
    queue_no TEXT NOT NULL, status INTEGER NOT NULL, jammed INTEGER NOT NULL DEFAULT 0, -- 13 that ends with the fault
    created REAL NOT NULL, changed REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS fetches (
    id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, at REAL NOT NULL, status INTEGER, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, width INTEGER, height INTEGER, problem TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, third_id TEXT NOT NULL, status INTEGER NOT NULL, at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0
);
"""
TABLES = ("tokens", "numbers", "devices", "stock", "payments", "orders", "fetches", "posts")


def seed() -> None:
    """The machines of the catalogue, each with its stock. Idempotent."""
    for device in catalogue.data()["devices"]:
        add_device(device["id"], name=device["name"], shop_id=device["shop_id"])


def add_device(device_id: str, *, name: str = "", shop_id: str = "") -> None:
    """Put up a machine with the catalogue's stock; one that stands already stays as it is."""
    with database.transaction():
        database.execute(
            "INSERT OR IGNORE INTO devices (device_id, shop_id, name) VALUES (?, ?, ?)",
            device_id, shop_id or catalogue.data()["shops"][0]["id"], name or device_id,
        )  # fmt: skip
        for shell in catalogue.shells().values():
            database.execute("INSERT OR IGNORE INTO stock VALUES (?, ?, ?)", device_id, shell.id, shell.stock)


def device(device_id: str) -> database.Row | None:
    """A machine's row."""
    return database.row("SELECT * FROM devices WHERE device_id = ?", device_id)


def payment(third_id: str) -> database.Row | None:
    """A payment by the partner's id (PYEN…)."""
    return database.row("SELECT * FROM payments WHERE third_id = ?", third_id)


def order(third_id: str) -> database.Row | None:
    """An order by the partner's id (OREN…)."""
    return database.row("SELECT * FROM orders WHERE third_id = ?", third_id)


def shell_stock(device_id: str, mobile_shell_id: str) -> int:
    """How many of a shell a machine holds."""
    found = database.row(
        "SELECT stock FROM stock WHERE device_id = ? AND mobile_shell_id = ?", device_id, mobile_shell_id
    )
    return 0 if found is None else int(found["stock"])


def next_id(prefix: str) -> str:
    """A number like MSPY10250830000008: the day and a counter. Call inside a transaction."""
    name = f"{prefix}10{datetime.now(UTC):%y%m%d}"
    database.execute("INSERT INTO numbers VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1", name)
    found = database.row("SELECT value FROM numbers WHERE name = ?", name)
    return f"{name}{found['value'] if found else 1:06d}"


def draw_queue_no() -> str:
    """Four digits that no order of the last day has: real queue numbers are not sequential. Call inside a transaction."""
    taken = {
        found["queue_no"]
        for found in database.rows("SELECT queue_no FROM orders WHERE created > ?", time.time() - 86_400)
    }
    return random.choice([text for text in (f"{n:04d}" for n in range(1000, 10_000)) if text not in taken])


def good_fetch(order_id: str) -> database.Row | None:
    """The newest fetch of an order's picture that brought a picture."""
    return database.row(
        "SELECT * FROM fetches WHERE order_id = ? AND problem = '' ORDER BY id DESC LIMIT 1", order_id
    )


def everything() -> dict[str, Any]:
    """The books as plain data, for the control API."""
    return {
        "payments": database.rows("SELECT * FROM payments ORDER BY created"),
        "orders": database.rows("SELECT * FROM orders ORDER BY number"),
        "fetches": database.rows("SELECT * FROM fetches ORDER BY id"),
        "posts": database.rows("SELECT * FROM posts ORDER BY id"),
        "stock": {
            f"{found['device_id']} {found['mobile_shell_id']}": found["stock"]
            for found in database.rows("SELECT * FROM stock")
        },
        "devices": database.rows("SELECT * FROM devices ORDER BY device_id"),
        "calls": calls.counts(),
        "faults": faults.board(codes.NAME),
    }
