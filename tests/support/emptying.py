"""A clean database after a test that commits: only what has rows is emptied.

Django's flush truncates all ninety tables and makes every permission anew, a third of a second for a handful of rows.
Here one statement looks which tables have rows and those are emptied, in milliseconds. What migrations and their signal
made (content types, permissions, groups) stays; a test that changed their number gets Django's own flush.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

#: Made by `migrate`, the same for every test.
KEPT = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)
_TABLES = """SELECT c.relname, EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
             FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"""
_flush = TransactionTestCase._fixture_teardown
_known: dict[str, Any] = {}


def install() -> None:
    """For this process, from now on: every test that commits ends with `_empty`."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[method-assign]


def _empty(case: TransactionTestCase) -> None:
    if "tables" not in _known:  # the first time Django does it: then we know what it leaves
        _flush(case)
        _learn()
        return
    if _counts() != _known["counts"]:
        _flush(case)
        return
    with connection.cursor() as cursor:
        cursor.execute(_known["look"])
        filled = [name for (name,) in cursor.fetchall()]
        guarded = [name for name in filled if _known["tables"][name]]
        if guarded:  # append-only: their triggers forbid DELETE
            cursor.execute(f"TRUNCATE {_listed(guarded)} CASCADE")
        with transaction.atomic():  # foreign keys are looked at when it ends
            for name in filled:
                if name not in guarded:
                    cursor.execute(f'DELETE FROM "{name}"')


def _learn() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = {name: bool(guarded) for name, guarded in cursor.fetchall() if name not in KEPT}
    _known["look"] = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in sorted(tables)
    )
    _known["tables"], _known["counts"] = tables, _counts()


def _counts() -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f'(SELECT count(*) FROM "{name}")' for name in KEPT))
        return tuple(cursor.fetchone())


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
