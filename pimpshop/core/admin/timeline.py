"""One story in one time order: what every app knows about an order, a session or a person, told together.

An app adds what it knows with `@timeline.source`; this module merges and adds the calls to providers, the staff items
and what staff did. Read only, bounded (MOST_CALLS), one query per source and table, whatever the length of the story. A
person's story is told in stretches (`people`): some of their orders, and the time that belongs to these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from pimpshop.core.admin import words
from pimpshop.core.models import AuditEntry, Notification, OutboundCall, StaffItem, StaffRequest

#: A payment nobody makes is asked about for days: only the newest calls are told.
MOST_CALLS = 300
MOST_EVENTS = 500


@dataclass(frozen=True)
class Story:
    """What the story is about; each may be empty. `order_nos`: of several orders."""

    order_no: str = ""
    session_id: str = ""
    order_nos: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.orders or self.session_id)

    @property
    def orders(self) -> tuple[str, ...]:
        return (self.order_no,) if self.order_no else self.order_nos

    def which(self, path: str = "") -> dict[str, Any]:
        """The rows of these orders, or of every order of the session, as a filter; `path` leads to the order."""
        return {f"{path}order_no__in": self.orders} if self.orders else {f"{path}session_id": self.session_id}


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `bodies` are (label, text) that open on demand, `facts` short (label, value) pairs;
    `number` is the one under which everything about it is found."""

    at: datetime
    lane: str
    title: Any
    tone: str = ""
    who: str = ""
    why: str = ""
    facts: tuple[tuple[Any, Any], ...] = ()
    bodies: tuple[tuple[Any, str], ...] = ()
    number: str = ""


@dataclass
class Part:
    """What one source tells: entries, and the numbers under which others may know more about it."""

    entries: list[Entry] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Told:
    """The whole story. `left_out`: there were more calls than are shown."""

    entries: list[Entry]
    left_out: bool


Source = Callable[[Story], Part]
ByNumber = Callable[[set[str]], list[Entry]]
_sources: list[Source] = []
_by_number: list[ByNumber] = []
LANES = {
    "session": _("session"),
    "print job": _("print job"),
    "order": _("order"),
    "payment": _("payment"),
    "refund": _("refund"),
    "dispute": _("dispute"),
    "credits": _("credits"),
    "inbox": _("inbox"),
    "outgoing": _("told to the merchant"),
    "call": _("call"),
    "staff": _("staff"),
    "message": _("message"),
}


def source(tell: Source) -> Source:
    """Register what an app knows about a story."""
    _sources.append(tell)
    return tell


def by_number(tell: ByNumber) -> ByNumber:
    """Register what an app knows under the numbers that the sources have named."""
    _by_number.append(tell)
    return tell


def of_events(
    lane: str, events: Iterable[Any], name: str = "", number: Callable[[Any], str] = lambda event: ""
) -> list[Entry]:
    """State events (core.models.StateEvent) as entries; `name` tells several of one lane apart."""
    return [_of_event(lane, event, name, number(event)) for event in events]


def _of_event(lane: str, event: Any, name: str, number: str) -> Entry:
    moved = event.from_status != event.to_status
    old, new = words.word(event.from_status), words.word(event.to_status)
    title = f"{old} → {new}" if moved and old else new if moved else event.reason or new
    return Entry(
        at=event.at,
        lane=lane,
        title=f"{name} · {title}" if name else title,
        tone=words.tone(event.to_status) if moved else "",
        who=event.actor or event.source,
        why=event.reason if moved else "",
        bodies=((_("details"), words.pretty(event.data)),) if event.data else (),
        number=number,
    )


def tell(story: Story) -> Told:
    """Everything that is known about `story`, oldest first."""
    entries, left_out, _numbers = gather(story)
    return Told(sorted(entries, key=lambda entry: entry.at), left_out)


def gather(story: Story) -> tuple[list[Entry], bool, set[str]]:
    """The entries as they come, whether calls were left out, and every number that the story goes by."""
    if not story:
        return [], False, set()
    entries: list[Entry] = []
    numbers = {number for number in (*story.orders, story.session_id) if number}
    for one in _sources:
        part = one(story)
        entries += part.entries
        numbers |= {number for number in part.numbers if number}
    for find in _by_number:
        entries += find(numbers)
    calls = list(OutboundCall.objects.filter(subject__in=numbers).order_by("-at")[: MOST_CALLS + 1])
    entries += [_of_call(call) for call in calls[:MOST_CALLS]]
    entries += _of_staff(numbers)
    return entries, len(calls) > MOST_CALLS, numbers


def _of_call(call: OutboundCall) -> Entry:
    failed = bool(call.error) or call.code not in ("", "200")
    facts: list[tuple[Any, Any]] = [
        (_("HTTP"), call.status),
        (_("code"), call.code),
        (_("took"), f"{call.latency_ms} ms"),
    ]
    facts += [("tlogTraceId", call.trace_id), (_("error"), call.error)]
    bodies = [(_("request"), words.pretty(call.request)), (_("answer"), words.pretty(call.response))]
    return Entry(
        at=call.at,
        lane="call",
        title=f"{call.provider} {call.name}",
        tone="danger" if failed else "",
        facts=tuple((label, value) for label, value in facts if value not in (None, "")),
        bodies=tuple((label, text) for label, text in bodies if text),
        number=call.subject,
    )


def _of_staff(numbers: set[str]) -> list[Entry]:
    entries = []
    for item in StaffItem.objects.filter(subject__in=numbers)[:MOST_EVENTS]:
        entries.append(
            Entry(
                at=item.created_at,
                lane="staff",
                title=item.title,
                tone="danger",
                why=item.detail,
                number=item.subject,
            )
        )
        if item.resolved_at:
            entries.append(
                Entry(
                    at=item.resolved_at,
                    lane="staff",
                    title=_("resolved: %s") % item.title,
                    tone="success",
                    who=item.resolved_by,
                    why=item.resolution,
                    number=item.subject,
                )
            )
    entries += deeds(AuditEntry.objects.filter(subject__in=numbers))
    for asked in StaffRequest.objects.filter(subject__in=numbers)[:MOST_EVENTS]:
        title = _("%(number)s waits for a second person: %(act)s")
        told = {"number": asked.number, "act": asked.act.replace("-", " ")}
        entries.append(
            Entry(
                at=asked.created_at, lane="staff", title=title % told, who=asked.asked_by, why=asked.reason,
                number=asked.subject,
            )
        )  # fmt: skip
    for note in Notification.objects.filter(reference__in=numbers)[:MOST_EVENTS]:
        kind = note.kind.replace("_", " ")
        entries.append(Entry(at=note.created_at, lane="message", title=kind, number=note.reference))
    return entries


def deeds(rows: QuerySet[AuditEntry]) -> list[Entry]:
    """What staff did."""
    return [
        Entry(
            at=deed.at, lane="staff", title=deed.action, who=deed.actor, why=deed.reason, number=deed.subject
        )
        for deed in rows[:MOST_EVENTS]
    ]
