"""One story in one time order: what every app knows about an order or a session, told together.

An app adds what it knows with `@timeline.source`; this module merges and adds the calls to providers, the staff items
and what staff did. Read only, bounded (MOST_CALLS), one query per source and table, whatever the length of the story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from pimpshop.core.admin import words
from pimpshop.core.models import AuditEntry, Notification, OutboundCall, StaffItem

#: A payment nobody makes is asked about for days: only the newest calls are told.
MOST_CALLS = 300
MOST_EVENTS = 500


@dataclass(frozen=True)
class Story:
    """What the story is about; either may be empty."""

    order_no: str = ""
    session_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.order_no or self.session_id)


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `bodies` are (label, text) that open on demand, `facts` short (label, value) pairs."""

    at: datetime
    lane: str
    title: Any
    tone: str = ""
    who: str = ""
    why: str = ""
    facts: tuple[tuple[Any, Any], ...] = ()
    bodies: tuple[tuple[Any, str], ...] = ()


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


def of_events(lane: str, events: Iterable[Any], name: str = "") -> list[Entry]:
    """State events (core.models.StateEvent) as entries; `name` tells several of one lane apart."""
    return [_of_event(lane, event, name) for event in events]


def _of_event(lane: str, event: Any, name: str) -> Entry:
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
    )


def tell(story: Story) -> Told:
    """Everything that is known about `story`, oldest first."""
    if not story:
        return Told([], False)
    entries: list[Entry] = []
    numbers = {number for number in (story.order_no, story.session_id) if number}
    for one in _sources:
        part = one(story)
        entries += part.entries
        numbers |= {number for number in part.numbers if number}
    for find in _by_number:
        entries += find(numbers)
    calls = list(OutboundCall.objects.filter(subject__in=numbers).order_by("-at")[: MOST_CALLS + 1])
    entries += [_of_call(call) for call in calls[:MOST_CALLS]]
    entries += _of_staff(numbers)
    entries.sort(key=lambda entry: entry.at)
    return Told(entries, len(calls) > MOST_CALLS)


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
    )


def _of_staff(numbers: set[str]) -> list[Entry]:
    entries = []
    for item in StaffItem.objects.filter(subject__in=numbers)[:MOST_EVENTS]:
        entries.append(
            Entry(at=item.created_at, lane="staff", title=item.title, tone="danger", why=item.detail)
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
                )
            )
    for deed in AuditEntry.objects.filter(subject__in=numbers)[:MOST_EVENTS]:
        entries.append(Entry(at=deed.at, lane="staff", title=deed.action, who=deed.actor, why=deed.reason))
    for note in Notification.objects.filter(reference__in=numbers)[:MOST_EVENTS]:
        entries.append(Entry(at=note.created_at, lane="message", title=note.kind.replace("_", " ")))
    return entries
