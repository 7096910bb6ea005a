"""The kinds of trouble that wait for a person: one table, filled by the apps, read by the desk and by the alerts.

A kind says in the reader's language what happened and what to do, how urgent it is, after how long it has waited too
long, and to which sort of row its subject leads. The rows themselves: pimpshop.core.staff_items.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Severity(enum.IntEnum):
    """How soon somebody looks; the lower, the sooner."""

    URGENT = 1
    SOON = 2
    CALM = 3


#: How long an item of a severity may wait before it counts as overdue.
WITHIN = {
    Severity.URGENT: timedelta(hours=1),
    Severity.SOON: timedelta(hours=24),
    Severity.CALM: timedelta(days=7),
}


@dataclass(frozen=True)
class Kind:
    """One kind. `leads`: the finder (core.admin.finding) that knows what the subject names, "" for whatever fits. `acts`:
    the names of the acts that put it right, the usual one first; none: whatever may be done to the row."""

    name: str
    title: Any
    todo: Any
    severity: Severity = Severity.SOON
    leads: str = ""
    within: timedelta | None = None
    acts: tuple[str, ...] = ()

    @property
    def limit(self) -> timedelta:
        """The age from which an open item of this kind is overdue."""
        return self.within or WITHIN[self.severity]


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Add kinds to the table; a name is taken once."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) != kind:
            raise ValueError(f"the kind {kind.name} is there already")


def every() -> list[Kind]:
    """All kinds, the most urgent first."""
    return sorted(_kinds.values(), key=lambda kind: (kind.severity, kind.name))


def get(name: str) -> Kind:
    """The kind of that name. One that nobody registered is shown by its name, as something to look at soon."""
    return _kinds.get(name) or Kind(name, name.replace("_", " ").capitalize(), "")


def is_known(name: str) -> bool:
    return name in _kinds


def names(severity: Severity) -> list[str]:
    return [kind.name for kind in _kinds.values() if kind.severity == severity]


def overdue(now: datetime) -> Q:
    """Open items that wait longer than their kind allows."""
    usual = WITHIN[Severity.SOON]
    condition = ~Q(kind__in=_kinds) & Q(created_at__lt=now - usual)
    for limit, kinds in _by_limit().items():
        condition |= Q(kind__in=kinds, created_at__lt=now - limit)
    return condition & Q(resolved_at=None)


def _by_limit() -> dict[timedelta, Iterable[str]]:
    found: dict[timedelta, list[str]] = {}
    for kind in _kinds.values():
        found.setdefault(kind.limit, []).append(kind.name)
    return dict(found)


register(
    Kind(
        "invariant", _("The books break a rule"),
        _("Change nothing by hand. Show it to the developers, with what is written below."),
        Severity.URGENT,
    ),
    Kind(
        "second_person", _("Waits for a second person"),
        _("Look at what would move and why. Say yes or no within a day; afterwards nothing moves."),
        leads="request",
    ),
    Kind(
        "message_not_sent", _("A customer could not be told"),
        _("Look at the address, then send the message again or tell them another way."),
        acts=("send-again",),
    ),
    Kind(
        "api_errors", _("The shop itself answers with errors"),
        _("Look at the log and at the last change. It closes by itself when the answers are good again."),
        Severity.URGENT,
    ),
)  # fmt: skip
