"""Alipay's books: trades, refunds, notices to the merchant, links to bills. Amounts are whole fen.

Lives here: the tables, small reads, numbers handed out, times and amounts as Alipay writes them.
"""

import random
import secrets
import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox import calls, database, faults
from sandbox.providers.alipay import codes

SCHEMA = """
CREATE TABLE IF NOT EXISTS alipay_trades (
    out_trade_no TEXT PRIMARY KEY, trade_no TEXT NOT NULL UNIQUE, token TEXT NOT NULL UNIQUE, way TEXT NOT NULL,
    fen INTEGER NOT NULL CHECK (fen > 0), subject TEXT NOT NULL, status TEXT NOT NULL,
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND fen),
    notify_url TEXT NOT NULL, return_url TEXT NOT NULL, quit_url TEXT NOT NULL, passback TEXT NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL, paid REAL, closed REAL
);
CREATE TABLE IF NOT EXISTS alipay_refunds (
    id INTEGER PRIMARY KEY, out_trade_no TEXT NOT NULL, out_request_no TEXT NOT NULL, fen INTEGER NOT NULL,
    reason TEXT NOT NULL, at REAL NOT NULL, UNIQUE (out_trade_no, out_request_no)
);
CREATE TABLE IF NOT EXISTS alipay_notices (
    id INTEGER PRIMARY KEY, out_trade_no TEXT NOT NULL, status TEXT NOT NULL, url TEXT NOT NULL, fields TEXT NOT NULL,
    at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS alipay_bills (token TEXT PRIMARY KEY, day TEXT NOT NULL, expires REAL NOT NULL);
"""
TABLES = ("alipay_trades", "alipay_refunds", "alipay_notices", "alipay_bills")
CHINA = timezone(timedelta(hours=8))
BUYER_ID, BUYER_LOGON = "2088101117955611", "san***@alipay.example"
MOST_FEN = 10_000_000_000


def seed() -> None:
    """Nothing is there before somebody pays."""


def trade(out_trade_no: str) -> database.Row | None:
    """A trade by the merchant's number."""
    return database.row("SELECT * FROM alipay_trades WHERE out_trade_no = ?", out_trade_no)


def by_token(token: str) -> database.Row | None:
    """A trade by the token of its cashier page and QR code."""
    return database.row("SELECT * FROM alipay_trades WHERE token = ?", token)


def refund(out_trade_no: str, out_request_no: str) -> database.Row | None:
    """A refund by the merchant's two numbers."""
    return database.row(
        "SELECT * FROM alipay_refunds WHERE out_trade_no = ? AND out_request_no = ?", out_trade_no, out_request_no
    )  # fmt: skip


def new_trade_no() -> str:
    """The day and a random tail, as Alipay's are: 28 digits."""
    return f"{datetime.now(CHINA):%Y%m%d}22001{random.randrange(10**15):015d}"


def new_token() -> str:
    """What stands behind `bax` in a QR code."""
    return secrets.token_hex(10)


def yuan(fen: int) -> str:
    """Fen as "19.99"."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: object) -> int | None:
    """ "19.99" in fen; None for what is no amount from 0.01 to 100,000,000 with two decimals."""
    try:
        scaled = Decimal(str(text)) * 100
        found = int(scaled) if scaled == scaled.to_integral_value() else 0
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return found if 0 < found <= MOST_FEN else None


def local(at: float) -> str:
    """Seconds since the epoch as Beijing's time."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def seconds(text: str) -> float:
    """The inverse of `local`. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).timestamp()


def everything() -> dict[str, Any]:
    """The books as plain data, for the control API."""
    return {
        "trades": database.rows("SELECT * FROM alipay_trades ORDER BY created"),
        "refunds": database.rows("SELECT * FROM alipay_refunds ORDER BY id"),
        "notices": database.rows("SELECT * FROM alipay_notices ORDER BY id"),
        "calls": calls.counts(),
        "faults": faults.board(codes.NAME),
        "at": time.time(),
    }
