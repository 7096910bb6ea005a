"""All rows of all tables of ours, to say of a refusal that it has changed nothing at all."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection

#: Not ours, or written by whoever looks: the log-in's own session.
LEFT_OUT = ("sessions", "contenttypes", "djstripe", "account", "mfa")


def snapshot() -> dict[str, list[str]]:
    """table -> its rows as text, in order."""
    tables = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.app_label not in LEFT_OUT
    }
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            found[table] = [row[0] for row in cursor.fetchall()]
    return found


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, Any]:
    """The tables that are not as they were, with what is new or gone."""
    return {
        table: sorted(set(after[table]) ^ set(before[table]))
        for table in before
        if after[table] != before[table]
    }
