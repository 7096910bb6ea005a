"""The books' file: SQLite through the standard library, one connection per thread, write-ahead log.

Lives here: connections, transactions, the schema's creation. Not here: any table; each part declares its own `SCHEMA`.
Guarantees: `transaction()` takes the write lock at once, so what is read inside it holds until the commit; it may be
nested (the outermost commits). Every commit rings `committed`, which wakes the background worker.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

committed = threading.Event()
_local = threading.local()

Row = dict[str, Any]


def connection() -> sqlite3.Connection:
    """This thread's connection, opened on first use."""
    found: sqlite3.Connection | None = getattr(_local, "connection", None)
    if found is None:
        settings.DATA.mkdir(parents=True, exist_ok=True)
        found = sqlite3.connect(settings.DATA / "books.sqlite3", timeout=15, isolation_level=None)
        found.row_factory = sqlite3.Row
        found.execute("PRAGMA journal_mode = WAL")
        found.execute("PRAGMA synchronous = NORMAL")
        _local.connection = found
    return found


@contextmanager
def transaction(*, keeps: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """One write transaction; nested use joins the outer one. Rolls back on any error but those it `keeps`.

    A refusal that a fault caused is kept: nothing but the fault's stroke was written by then, and that must count.
    """
    db = connection()
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException as error:
        db.execute("COMMIT" if isinstance(error, keeps) else "ROLLBACK")
        raise
    db.execute("COMMIT")
    committed.set()


def execute(sql: str, *values: object) -> int:
    """Run one statement; the number of rows that it changed."""
    return connection().execute(sql, values).rowcount


def rows(sql: str, *values: object) -> list[Row]:
    """All rows of a query, as dictionaries."""
    return [dict(found) for found in connection().execute(sql, values)]


def row(sql: str, *values: object) -> Row | None:
    """The first row of a query, or None."""
    found = connection().execute(sql, values).fetchone()
    return dict(found) if found is not None else None


def create(schemas: list[str]) -> None:
    """Create the tables that are missing."""
    for schema in schemas:
        connection().executescript(schema)
