"""WeChat's own books for the mini program: people, codes, access tokens, deliveries told, contents checked."""

import secrets
import time
from typing import Any

from sandbox import database, faults
from sandbox.providers.wechat import codes

SCHEMA = """
CREATE TABLE IF NOT EXISTS mini_people (
    openid TEXT PRIMARY KEY, unionid TEXT NOT NULL DEFAULT '', name TEXT NOT NULL, visited REAL
);
CREATE TABLE IF NOT EXISTS mini_codes (
    code TEXT PRIMARY KEY, openid TEXT NOT NULL, made REAL NOT NULL, used REAL
);
CREATE TABLE IF NOT EXISTS mini_tokens (token TEXT PRIMARY KEY, ends REAL NOT NULL);
CREATE TABLE IF NOT EXISTS mini_shipments (
    out_trade_no TEXT PRIMARY KEY, mchid TEXT NOT NULL, openid TEXT NOT NULL, logistics_type INTEGER NOT NULL,
    item_desc TEXT NOT NULL, upload_time TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS mini_checks (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, verdict TEXT NOT NULL, at REAL NOT NULL
);
"""
TABLES = ("mini_people", "mini_codes", "mini_tokens", "mini_shipments", "mini_checks")
#: They stay the same after a reset: the shop remembers them.
PEOPLE = (
    ("oSbx1XiaoYu0000000000000001", "uSbx1XiaoYu0000000000000001", "小雨 Xiao Yu"),
    ("oSbx2AMing00000000000000002", "uSbx2AMing00000000000000002", "阿明 A-Ming"),
    ("oSbx3XiaoXue000000000000003", "uSbx3XiaoXue000000000000003", "小雪 Xiao Xue"),
)


def seed() -> None:
    """Three people who use the mini program."""
    for openid, unionid, name in PEOPLE:
        add_person(openid + "X", unionid=unionid + "X", name=name)


def add_person(openid: str, *, unionid: str = "", name: str = "") -> database.Row:
    """A person at this app; one who is there stays."""
    database.execute(
        "INSERT OR IGNORE INTO mini_people (openid, unionid, name) VALUES (?, ?, ?)",
        openid,
        unionid,
        name or openid,
    )
    found = person(openid)
    assert found is not None  # noqa: S101 - it was just written
    return found


def new_openid() -> str:
    """An openid in WeChat's shape: 28 characters."""
    return "oSbx" + secrets.token_hex(11) + "Xy"


def person(openid: str) -> database.Row | None:
    return database.row("SELECT * FROM mini_people WHERE openid = ?", openid)


def people() -> list[database.Row]:
    return database.rows("SELECT * FROM mini_people ORDER BY rowid")


def give_code(openid: str) -> str:
    """What wx.login gives that person: good once, for five minutes."""
    code = "0" + secrets.token_hex(15) + "w"
    database.execute(
        "INSERT INTO mini_codes (code, openid, made) VALUES (?, ?, ?)", code, openid, time.time()
    )
    return code


def access_token(*, force: bool = False) -> tuple[str, int]:
    """(token, seconds that it still lives). The same one while it lives, unless a new one is forced."""
    now = time.time()
    found = database.row("SELECT * FROM mini_tokens WHERE ends > ? ORDER BY ends DESC", now + 300)
    if found is not None and not force:
        return str(found["token"]), int(found["ends"] - now)
    token = f"{secrets.token_urlsafe(48)}"
    database.execute("UPDATE mini_tokens SET ends = min(ends, ?)", now + 300)
    database.execute("INSERT INTO mini_tokens (token, ends) VALUES (?, ?)", token, now + codes.TOKEN_LIFE)
    return token, codes.TOKEN_LIFE


def everything() -> dict[str, Any]:
    """The books as plain data, for the control API."""
    return {
        "people": people(),
        "codes": database.rows("SELECT * FROM mini_codes ORDER BY made"),
        "tokens": len(database.rows("SELECT * FROM mini_tokens")),
        "shipments": database.rows("SELECT * FROM mini_shipments ORDER BY at"),
        "checks": database.rows("SELECT * FROM mini_checks ORDER BY id"),
        "faults": faults.board(codes.NAME),
    }
