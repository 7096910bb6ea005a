"""The call log: every call in and out, with request, answer and the verdict on its signature.

Guarantees: passwords and tokens are masked before they are written; long bodies are cut; only the newest calls are kept.
"""

import json
import re
import time

from sandbox import database

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, direction TEXT NOT NULL, name TEXT NOT NULL,
    method TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL, request TEXT NOT NULL,
    status INTEGER, answer TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL, milliseconds INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_name ON calls (provider, name);
"""
KEPT = 4000
LONGEST = 12_000
SECRET_HEADERS = {"authorization", "cookie"}
_SECRET_FIELD = re.compile(r'("(?:password|token)"\s*:\s*")([^"]{0,4})[^"]*"')


def mask(text: str) -> str:
    """The text without passwords and tokens (their first four characters stay), cut to a readable length."""
    return _SECRET_FIELD.sub(r'\1\2…"', text)[:LONGEST]


def record(
    *,
    provider: str,
    direction: str,
    name: str,
    method: str,
    url: str,
    headers: dict[str, str],
    request: str,
    status: int | None,
    answer: str,
    started: float,
    verdict: str = "",
    note: str = "",
) -> None:
    """Write one call. `direction` is "in" or "out"; `started` is time.monotonic() at its begin."""
    shown = {
        key: value[:4] + "…" if key.lower() in SECRET_HEADERS else value for key, value in headers.items()
    }
    with database.transaction():
        database.execute(
            "INSERT INTO calls (at, provider, direction, name, method, url, headers, request, status, answer, verdict,"
            " note, milliseconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            time.time(), provider, direction, name, method, url, json.dumps(shown), mask(request), status,
            mask(answer), verdict, note, round((time.monotonic() - started) * 1000),
        )  # fmt: skip
        database.execute("DELETE FROM calls WHERE id <= (SELECT max(id) FROM calls) - ?", KEPT)


def newest(*, name: str = "", direction: str = "", limit: int = 100) -> list[database.Row]:
    """The newest calls first, by name and direction where given; headers as a dictionary."""
    found = database.rows(
        "SELECT * FROM calls WHERE (? = '' OR name = ?) AND (? = '' OR direction = ?) ORDER BY id DESC LIMIT ?",
        name, name, direction, direction, limit,
    )  # fmt: skip
    for call in found:
        call["headers"] = json.loads(call["headers"])
    return found


def counts() -> dict[str, int]:
    """How often each call was made, as {"in order/payData": 2}."""
    found = database.rows(
        "SELECT direction, name, count(*) AS n FROM calls GROUP BY direction, name ORDER BY 1, 2"
    )
    return {f"{call['direction']} {call['name']}": call["n"] for call in found}
