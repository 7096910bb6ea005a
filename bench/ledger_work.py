"""The crews of B7 in the shop's interpreter: `python -m bench.ledger_work ours|raw|pgledger` (DATABASE_URL)."""

from __future__ import annotations

import itertools
import os
import random
import sys
import uuid
from collections.abc import Callable
from typing import Any

import psycopg

from bench import crew

PEOPLE = 200
RAW = """CREATE TABLE raw_posting (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind varchar(16) NOT NULL,
    reference varchar(120) NOT NULL, source bigint NOT NULL, destination bigint NOT NULL, amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), UNIQUE (kind, reference))"""


def ours() -> Callable[[], object]:
    """By turns: 100 credits for somebody, and 50 of them spent."""
    from accounts.models import User
    from credits.services import ledger

    people = list(User.objects.order_by("pk").values_list("pk", flat=True)[:PEOPLE])
    turns = itertools.cycle((True, False))
    who = 0

    def do() -> object:
        nonlocal who
        reference = uuid.uuid4().hex
        if next(turns):
            who = random.choice(people)
            return ledger.grant(user_id=who, amount=100, reference=reference, payment_reference=reference)
        return ledger.spend(user_id=who, amount=50, reference=reference)

    return do


def _connected() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def raw() -> Callable[[], object]:
    """One INSERT of a posting."""
    connection = _connected()
    sql = "INSERT INTO raw_posting (kind, reference, source, destination, amount) VALUES (%s, %s, %s, %s, %s)"
    return lambda: connection.execute(sql, ["purchase", uuid.uuid4().hex, 1, random.randint(2, PEOPLE), 100])


def pgledger() -> Callable[[], object]:
    """A transfer between two people: no account that everybody waits for, which suits it best."""
    connection = _connected()
    ids = [row[0] for row in connection.execute("SELECT id FROM pgledger_accounts ORDER BY name")]
    turns = itertools.cycle((True, False))

    def do() -> object:
        pair = random.sample(ids, 2)
        amount = 100 if next(turns) else 50
        return connection.execute(
            "SELECT id FROM pgledger_create_transfer(%s, %s, %s)", [*pair, amount]
        ).fetchall()

    return do


def main() -> None:
    name = sys.argv[1]
    if name == "ours":
        import django

        django.setup()
    crew.answer({"ours": ours, "raw": raw, "pgledger": pgledger}[name])


if __name__ == "__main__":
    main()
