"""State machines as tables, and `advance()`, the only writer of a `status` column.

A transition is ONE statement: a compare-and-set UPDATE together with the INSERT of its event row. The caller that
moved the row gets True; everybody else gets False and returns quietly. That makes webhook, poll, page, admin and
sweeper on the same row harmless. Locks: the row, for the length of the caller's transaction. No call leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from psycopg.types.json import Jsonb


@dataclass(frozen=True)
class StateTable:
    """One state machine: `moves` maps each status to the statuses it may move to (an empty set: final)."""

    name: str
    initial: str
    moves: Mapping[str, frozenset[str]]
    labels: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        targets = frozenset().union(*self.moves.values()) if self.moves else frozenset()
        unknown = (targets | {self.initial}) - set(self.moves)
        if unknown:
            raise ValueError(f"{self.name}: {sorted(unknown)} have no row in the table")

    @property
    def statuses(self) -> tuple[str, ...]:
        return tuple(self.moves)

    @property
    def final(self) -> frozenset[str]:
        return frozenset(status for status, to in self.moves.items() if not to)

    def sources(self, to: str) -> list[str]:
        """The statuses from which `to` may be reached. Raises KeyError for an unknown status."""
        self.moves[to]
        return [status for status, targets in self.moves.items() if to in targets]

    def allows(self, from_: str, to: str) -> bool:
        return to in self.moves[from_]

    def choices(self) -> list[tuple[str, Any]]:
        return [(status, self.labels.get(status, status.replace("_", " "))) for status in self.moves]


def table(name: str, initial: str, moves: Mapping[str, Iterable[str] | str], **extra: Any) -> StateTable:
    """A StateTable written shortly: values are sets, or one text with names separated by spaces."""
    return StateTable(
        name=name,
        initial=initial,
        moves={k: frozenset(v.split() if isinstance(v, str) else v) for k, v in moves.items()},
        **extra,
    )


class StateModel(models.Model):
    """A row with a `status` that only `advance()` moves. Subclasses name STATES, EVENT_MODEL and EVENT_LINK."""

    STATES: ClassVar[StateTable]
    #: Further state columns with tables of their own, for example {"user_progress": PROGRESS}.
    MORE_STATES: ClassVar[Mapping[str, StateTable]] = {}
    EVENT_MODEL: ClassVar[str]  # "app.Model", a StateEvent whose foreign key is EVENT_LINK
    EVENT_LINK: ClassVar[str]

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses a save that would write a state past advance(): name the update_fields of an existing row."""
        if not self._state.adding:
            fields = kwargs.get("update_fields")
            if fields is None or {"status", *self.MORE_STATES} & set(fields):
                raise RuntimeError(
                    f"{type(self).__name__}: states are moved by advance(); save with update_fields"
                )
        super().save(*args, **kwargs)


def advance(
    obj: StateModel,
    to: str,
    *,
    source: str,
    actor: str = "",
    reason: str = "",
    data: dict[str, Any] | None = None,
    only_from: Iterable[str] | None = None,
    column: str = "status",
    **fields: Any,
) -> bool:
    """Move `obj` to status `to` if its table allows that from where the row stands now; write the event row.

    `only_from` narrows the table's sources; `fields` are written in the same UPDATE; `source` names the door (api,
    webhook, poll, page, admin, sweeper, system), `actor` the person, `reason` the why. On True the object's
    attributes are up to date. Guarantees: one statement, atomic, safe with any number of callers. Raises KeyError
    for a status that the table does not have.
    """
    table_ = obj.STATES if column == "status" else obj.MORE_STATES[column]
    sources = table_.sources(to)
    if only_from is not None:
        sources = [status for status in sources if status in set(only_from)]
    if not sources:
        return False
    now = timezone.now()
    values = _stamped(obj, now, {column: to, **fields})
    if column != "status":
        data = {"column": column, **(data or {})}  # two tables may use the same words
    event = _event(now, to, source, actor, reason, data)
    if not _update_and_record(obj, "id = %s", obj.pk, column, sources, values, event):
        return False
    for name, value in values.items():
        setattr(obj, name, value)
    return True


def advance_all(
    model: type[StateModel],
    pks: Collection[int],
    to: str,
    *,
    source: str,
    actor: str = "",
    reason: str = "",
    **fields: Any,
) -> int:
    """`advance` for many rows at once, with the same `fields` for each: one statement. Answers how many moved."""
    sources = model.STATES.sources(to)
    if not pks or not sources:
        return 0
    now = timezone.now()
    values = _stamped(model, now, {"status": to, **fields})
    event = _event(now, to, source, actor, reason, None)
    return _update_and_record(model, "id = ANY(%s::bigint[])", list(pks), "status", sources, values, event)


def _stamped(owner: StateModel | type[StateModel], now: datetime, values: dict[str, Any]) -> dict[str, Any]:
    if any(f.name == "updated_at" for f in owner._meta.concrete_fields):
        values.setdefault("updated_at", now)
    return values


def _event(
    now: datetime, to: str, source: str, actor: str, reason: str, data: dict[str, Any] | None
) -> tuple[Any, ...]:
    """The values of an event row, in the order of the statement."""
    return (now, to, source[:32], actor[:120], reason[:500], Jsonb(data or {}))


def _update_and_record(
    owner: StateModel | type[StateModel],
    which: str,
    keys: Any,
    column: str,
    sources: list[str],
    values: dict[str, Any],
    event: tuple[Any, ...],
) -> int:
    """The one statement of `advance`. Answers how many rows stood where the table allows the move."""
    meta = owner._meta
    event_meta = apps.get_model(owner.EVENT_MODEL)._meta
    link = event_meta.get_field(owner.EVENT_LINK).column
    assignments, params = [], []
    for name, value in values.items():
        model_field = meta.get_field(name)
        assignments.append(f'"{model_field.column}" = %s')  # type: ignore[union-attr]
        plain = value.pk if isinstance(value, models.Model) else value
        params.append(model_field.get_db_prep_save(plain, connection))  # type: ignore[union-attr]
    # Table, column and link names come from model metadata, never from input: nothing to inject.
    sql = f"""
        WITH old AS (
            SELECT id, "{column}" AS was FROM "{meta.db_table}"
            WHERE {which} AND "{column}" = ANY(%s) FOR NO KEY UPDATE
        ), moved AS (
            UPDATE "{meta.db_table}" AS t SET {", ".join(assignments)}
            FROM old WHERE t.id = old.id RETURNING t.id, old.was
        )
        INSERT INTO "{event_meta.db_table}" ("{link}", from_status, at, to_status, source, actor, reason, data)
        SELECT id, was, %s, %s, %s, %s, %s, %s FROM moved RETURNING id
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [keys, sources, *params, *event])
        return int(cursor.rowcount)


def remark(
    obj: StateModel,
    *,
    source: str,
    actor: str = "",
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """An event row without a move: something worth remembering happened to `obj`."""
    apps.get_model(obj.EVENT_MODEL).objects.create(
        **{f"{obj.EVENT_LINK}_id": obj.pk},
        from_status=obj.status,  # type: ignore[attr-defined]
        to_status=obj.status,  # type: ignore[attr-defined]
        source=source[:32],
        actor=actor[:120],
        reason=reason[:500],
        data=data or {},
    )
