"""A person's story: everything about their orders and about themselves, in one list by time, some orders at a time.

Here: cutting it into stretches and putting each together. An app registers what it knows: `@people.orders` (which orders a
stretch has), `@people.own` (what happened to the person beside their orders). Bounded: MOST_ORDERS orders, and the limits
of `timeline`; as many statements for one order as for ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from pimpshop.core.admin import timeline
from pimpshop.core.models import AuditEntry

MOST_ORDERS = 20


@dataclass(frozen=True)
class When:
    """From `since` to before `until`; None: from the beginning, until now."""

    since: datetime | None = None
    until: datetime | None = None

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows whose `at` lies in it."""
        if self.since is not None:
            rows = rows.filter(at__gte=self.since)
        return rows.filter(at__lt=self.until) if self.until is not None else rows


@dataclass(frozen=True)
class Stretch:
    """Some orders, and the time from the first of them to the next stretch. `older`: where the one before begins."""

    order_nos: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    older: int | None = None


@dataclass(frozen=True)
class Told(timeline.Told):
    """As timeline.Told; `older` and `is_newest` lead through the stretches."""

    older: int | None = None
    is_newest: bool = True


Orders = Callable[[int, int | None], Stretch]
Own = Callable[[int, When], list[timeline.Entry]]
_orders: list[Orders] = []
_own: list[Own] = []


def orders(find: Orders) -> Orders:
    """Register who knows a person's orders."""
    _orders.append(find)
    return find


def own(tell_: Own) -> Own:
    """Register what happened to a person beside their orders: (user's id, when). What an order told too counts once."""
    _own.append(tell_)
    return tell_


def tell(user_id: int, before: str = "") -> Told:
    """The stretch before the order with that id (as it came in an address), else the newest; oldest first."""
    stretch = _orders[0](user_id, int(before) if _is_id(before) else None)
    entries, left_out, _numbers = timeline.gather(timeline.Story(order_nos=stretch.order_nos))
    when = When(stretch.since, stretch.until)
    for one in _own:
        entries += one(user_id, when)
    entries += timeline.deeds(when.of(AuditEntry.objects.filter(subject=f"user {user_id}")).order_by("-at"))
    told = {(entry.at, entry.lane, str(entry.title), entry.number): entry for entry in entries}  # each once
    entries = sorted(told.values(), key=lambda entry: entry.at)
    return Told(entries, left_out, older=stretch.older, is_newest=stretch.until is None)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
