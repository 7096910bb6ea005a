"""Invariants of the outgoing list, walked by `manage.py check_invariants`. Read only."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from pimpshop.core import invariants


def _rows(sql: str) -> Iterator[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        yield from cursor.fetchall()


@invariants.check("6 outgoing events are numbered without a gap")
def _numbers_without_gap() -> Iterator[str]:
    for count, first, last in _rows(
        """SELECT count(*), min(sequence), max(sequence) FROM payments_outboundevent WHERE sequence IS NOT NULL
           HAVING count(*) > 0 AND (min(sequence) <> 1 OR max(sequence) <> count(*))"""
    ):
        yield f"{count} events, numbered {first} to {last}"


#: Event row -> the outgoing event that it must have, as payments.services.outbox says.
_TOLD = """
    SELECT e.id, w.type FROM {events} e
    JOIN LATERAL (VALUES {wanted}) AS w(type, due) ON w.due
    LEFT JOIN payments_outboundevent o ON o.source = '{source}' AND o.change_id = e.id AND o.type = w.type
    WHERE e.published AND o.id IS NULL
"""
_FIRST = "NOT EXISTS (SELECT 1 FROM {events} b WHERE b.{link} = e.{link} AND b.id < e.id)"
_MOVED = "e.from_status <> e.to_status AND e.to_status = '{to}'"


@invariants.check("6 what counts as told has its events")
def _told() -> Iterator[str]:
    paid = " AND e.from_status NOT IN ('succeeded', 'partially_refunded', 'refunded')"
    wanted = {
        "payment": {"succeeded": paid, "failed": "", "canceled": "", "requires_action": ""},
        "refund": {"succeeded": "", "failed": ""},
    }
    for source, link in (("payment", "intent_id"), ("refund", "refund_id")):
        events = f"payments_{source}event"
        values = [f"('{source}.created', {_FIRST.format(events=events, link=link)})"]
        values += [f"('{source}.{to}', {_MOVED.format(to=to)}{more})" for to, more in wanted[source].items()]
        # Names of tables and words are constants of this module.
        for pk, type_ in _rows(_TOLD.format(events=events, source=source, wanted=", ".join(values))):
            yield f"{source} event {pk} has no {type_}"
