"""The hot path of the ledger, in hand-written SQL: the usual grant, the usual spending; one statement each.

Here: calls of the functions of migrations 0003 and 0005. Not here: everything unusual (a reference that was booked
before, a debt to repay, something that has ended, too little, the shop's first posting ever). Then the answer is None,
all rows are as they were, and the plain way decides, whose rows these must equal. Guarantees: one statement, so all of it or nothing, also outside a transaction.
Locks: the user's account. BENCH.md, B7: through the ORM it is a dozen statements.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from credits.models import Lot, Posting
from credits.services import books

_GRANT = {
    kind.value: f"SELECT credits_grant_at_once(%s, %s, '{kind}', '{gives}', '{origin}', %s, %s, %s, %s, %s, %s)"
    for kind, gives, origin in (
        (Posting.Kind.PURCHASE, books.System.ISSUANCE, Lot.Origin.PURCHASED),
        (Posting.Kind.BONUS, books.System.BONUS, Lot.Origin.BONUS),
    )
}
_SPEND = (
    f"SELECT credits_spend_at_once(%s, %s, '{Posting.Kind.SPEND}', '{books.System.SPENT}', %s, %s, %s, %s)"
)


def grant(
    *,
    user_id: int,
    amount: int,
    reference: str,
    kind: str,
    payment_reference: str,
    expires_at: datetime | None,
    reason: str,
    actor: str,
) -> Posting | None:
    """As `ledger.grant` to a user, or None."""
    now = timezone.now()
    told = _call(
        _GRANT[kind], [user_id, amount, reference, payment_reference, expires_at, reason, actor, now]
    )
    if told is None:
        return None
    pk, account, shops, after = told
    return _posting(pk, kind, reference, shops, account, amount, None, after, actor, reason, now)


def spend(*, user_id: int, amount: int, reference: str, reason: str, actor: str) -> Posting | None:
    """As `ledger.spend`, or None."""
    now, kind = timezone.now(), Posting.Kind.SPEND.value
    told = _call(_SPEND, [user_id, amount, reference, reason, actor, now])
    if told is None:
        return None
    pk, account, shops, after = told
    return _posting(pk, kind, reference, account, shops, amount, after, None, actor, reason, now)


def _call(sql: str, params: list[Any]) -> list[int] | None:
    """With a cursor that sends parameters apart, so that a connection parses the statement once (settings.DATABASES,
    `prepare_threshold`): half of what Python spends on a call. Django's own writes them into the text."""
    connection.ensure_connection()
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    plain: Any = psycopg.Cursor(connection.connection)
    with wrapped(plain) as cursor:
        cursor.execute(sql, params)
        (told,) = cursor.fetchone()
    return told  # type: ignore[no-any-return]


def _posting(*values: Any) -> Posting:
    """The row that the function wrote, without reading it: values in the order of the table's columns."""
    *others, actor, reason, at = values
    return Posting.from_db(connection.alias, _COLUMNS, [*others, actor[:120], reason[:500], at])


_COLUMNS = [field.attname for field in Posting._meta.concrete_fields]
