"""WeChat Pay's own books: orders, refunds, notices, bill files to be fetched. Amounts are fen, times seconds since the epoch.

Lives here: the tables, numbers handed out, and how a row is told to the merchant. Who changes a row says so where it does.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from sandbox import database, faults
from sandbox.providers.wechatpay import codes

SCHEMA = """
CREATE TABLE IF NOT EXISTS wechat_orders (
    out_trade_no TEXT PRIMARY KEY, kind TEXT NOT NULL, appid TEXT NOT NULL, description TEXT NOT NULL,
    total INTEGER NOT NULL, notify_url TEXT NOT NULL, attach TEXT NOT NULL, openid TEXT NOT NULL, sent TEXT NOT NULL,
    prepay_id TEXT NOT NULL UNIQUE, code TEXT NOT NULL UNIQUE, expires REAL, created REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'NOTPAY', transaction_id TEXT UNIQUE, paid REAL, payer TEXT NOT NULL DEFAULT '',
    payer_total INTEGER, closed REAL
);
CREATE TABLE IF NOT EXISTS wechat_refunds (
    out_refund_no TEXT PRIMARY KEY, refund_id TEXT NOT NULL UNIQUE, out_trade_no TEXT NOT NULL, refund INTEGER NOT NULL,
    reason TEXT NOT NULL, notify_url TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'PROCESSING', created REAL NOT NULL,
    done REAL
);
CREATE TABLE IF NOT EXISTS wechat_notices (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, number TEXT NOT NULL, url TEXT NOT NULL, event TEXT NOT NULL,
    at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS wechat_files (token TEXT PRIMARY KEY, content BLOB NOT NULL, expires REAL NOT NULL);
"""
TABLES = ("wechat_orders", "wechat_refunds", "wechat_notices", "wechat_files")


def seed() -> None:
    """A new merchant has no orders."""


def order(out_trade_no: str) -> database.Row | None:
    """An order by the merchant's number."""
    return database.row("SELECT * FROM wechat_orders WHERE out_trade_no = ?", out_trade_no)


def known_order(out_trade_no: str) -> database.Row:
    """An order that is surely there: it was written, or a row names it."""
    found = order(out_trade_no)
    if found is None:
        raise LookupError(out_trade_no)
    return found


def order_of(prepay_id: str) -> database.Row | None:
    """An order by what the wallet is handed."""
    return database.row("SELECT * FROM wechat_orders WHERE prepay_id = ?", prepay_id)


def refund(out_refund_no: str) -> database.Row | None:
    """A refund by the merchant's number."""
    return database.row("SELECT * FROM wechat_refunds WHERE out_refund_no = ?", out_refund_no)


def known_refund(out_refund_no: str) -> database.Row:
    """A refund that is surely there."""
    found = refund(out_refund_no)
    if found is None:
        raise LookupError(out_refund_no)
    return found


def refunded(out_trade_no: str) -> int:
    """Fen that are given back or on their way."""
    found = database.row(
        "SELECT coalesce(sum(refund), 0) AS fen FROM wechat_refunds WHERE out_trade_no = ? AND status <> 'CLOSED'",
        out_trade_no,
    )
    return int(found["fen"]) if found else 0


def number(prefix: str, length: int) -> str:
    """A number of `length` digits that begins with `prefix` and the day."""
    head = f"{prefix}{datetime.now(codes.CHINA):%Y%m%d}"
    return head + "".join(secrets.choice("0123456789") for _ in range(length - len(head)))


def when(seconds: float) -> str:
    """A time of the books as WeChat Pay writes it."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(codes.CHINA)
    return moment.replace(microsecond=0).isoformat()


def told(found: database.Row, *, state: str = "") -> dict[str, Any]:
    """An order as a transaction object."""
    word = state or found["state"]
    about: dict[str, Any] = {
        "appid": found["appid"],
        "mchid": settings.WECHAT_MCH_ID,
        "out_trade_no": found["out_trade_no"],
        "trade_state": word,
        "trade_state_desc": codes.STATE_WORDS.get(word, word),
        "attach": found["attach"],
        "amount": {"total": found["total"], "currency": "CNY"},
    }
    if found["transaction_id"]:
        about |= {
            "transaction_id": found["transaction_id"],
            "trade_type": codes.TRADE_TYPES[found["kind"]],
            "bank_type": "OTHERS",
            "success_time": when(found["paid"]),
            "payer": {"openid": found["payer"]},
            "amount": {
                "total": found["total"],
                "payer_total": found["payer_total"],
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }
    return about


def told_refund(found: database.Row) -> dict[str, Any]:
    """A refund as a refund object."""
    paid = known_order(found["out_trade_no"])
    about: dict[str, Any] = {
        "refund_id": found["refund_id"],
        "out_refund_no": found["out_refund_no"],
        "transaction_id": paid["transaction_id"],
        "out_trade_no": found["out_trade_no"],
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": when(found["created"]),
        "status": found["status"],
        "funds_account": "AVAILABLE",
        "amount": {
            "total": paid["total"], "refund": found["refund"], "payer_total": paid["payer_total"],
            "payer_refund": found["refund"], "settlement_refund": found["refund"],
            "settlement_total": paid["total"], "discount_refund": 0, "currency": "CNY", "from": [],
        },
        "promotion_detail": [],
    }  # fmt: skip
    return about | ({"success_time": when(found["done"])} if found["status"] == "SUCCESS" else {})


def everything() -> dict[str, Any]:
    """The books as plain data, for the control API."""
    return {
        "orders": database.rows("SELECT * FROM wechat_orders ORDER BY created"),
        "refunds": database.rows("SELECT * FROM wechat_refunds ORDER BY created"),
        "notices": database.rows("SELECT * FROM wechat_notices ORDER BY at"),
        "faults": faults.board(codes.NAME),
    }
