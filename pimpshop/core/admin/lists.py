"""Lists of big tables: pages without counting everything, and search that an index answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.utils.functional import cached_property

#: Rows are counted exactly up to here; above it the whole table is estimated and a filtered list ends here.
COUNT_LIMIT = 5_000


class BoundedPaginator(Paginator):
    """Counts at most COUNT_LIMIT rows. A longer list without filters shows PostgreSQL's own estimate."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        counted = rows.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        if counted <= COUNT_LIMIT:
            return counted
        return COUNT_LIMIT if rows.query.where else max(_estimate(rows.model), counted)


def _estimate(model: type[Model]) -> int:
    """Rows of the table as PostgreSQL's last ANALYZE saw them; -1 when it never ran."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        return int(cursor.fetchone()[0])


def search(
    rows: QuerySet[Any], numbers: tuple[str, ...], term: str, exact: Callable[[str], list[Q]] | None = None
) -> QuerySet[Any]:
    """`rows` whose numbers begin with `term` (whatever the case it was typed in), or that `exact` names.

    Each number is looked up in a subquery of its own (UNION), so that each uses its own prefix index; one OR over
    several columns or tables would read the whole table. `exact`: conditions for whole numbers, whose index cannot
    look for a beginning.
    """
    term = term.strip()
    if not term or not numbers:
        return rows
    conditions = [_begins(number, term) for number in numbers] + (exact(term) if exact else [])
    found = [rows.model._default_manager.order_by().filter(one).values("pk") for one in conditions]
    return rows.filter(pk__in=found[0].union(*found[1:]) if len(found) > 1 else found[0])


def _begins(number: str, term: str) -> Q:
    """As typed, PYEN… and session ids (upper case), hashes and e-mails (lower), order numbers (P, then lower)."""
    condition = Q()
    for spelling in sorted({term, term.upper(), term.lower(), term.capitalize()}):
        condition |= Q(**{f"{number}__startswith": spelling})
    return condition
