"""The box "Needs a person" of the first page and of the sidebar: how many of what kind, the most urgent in full."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import staff_kinds
from pimpshop.core.admin import dashboard, item_words
from pimpshop.core.models import StaffItem

SHOWN_ON_FIRST_PAGE = 8
MOST_KINDS_IN_SIDEBAR = 6


@dashboard.panel(order=10, permission="core.view_staffitem")
def _open_items(request: HttpRequest) -> dashboard.Panel:
    """The most urgent first, then the longest wait."""
    counts = item_words.counts(request)
    count = sum(counts.values())
    rows = [_row(item) for item in _most_urgent()] if count else []
    return dashboard.Panel(
        title=_("Needs a person"),
        rows=rows,
        count=count,
        tone="danger" if count else "success",
        href=item_words.list_of(),
        empty=_("Nothing waits for a person."),
        chips=_chips(request, counts) if count else [],
        more=_("All %(number)s that wait") % {"number": count} if count > SHOWN_ON_FIRST_PAGE else "",
        wide=True,
    )


def _most_urgent() -> list[StaffItem]:
    waiting = StaffItem.objects.filter(resolved_at=None).annotate(severity=item_words.severity())
    return list(waiting.order_by("severity", "created_at")[:SHOWN_ON_FIRST_PAGE])


def _row(item: StaffItem) -> dashboard.Row:
    tone, age = item_words.age(item)
    urgency, _word = item_words.URGENCY[staff_kinds.get(item.kind).severity]
    return dashboard.Row(
        text=item_words.headline(item),
        href=reverse("admin:core_staffitem_change", args=[item.pk]),
        detail=item_words.todo(item),
        label=age,
        tone=tone or urgency,
        about=item.subject,
        about_href=item_words.address(item),
        who=item.owner,
    )


def _chips(request: HttpRequest, counts: dict[str, int]) -> list[dashboard.Chip]:
    """Mine, nobody's, overdue; then each kind that waits."""
    waiting = StaffItem.objects.filter(resolved_at=None)
    mine = waiting.filter(owner=str(request.user)).count()
    free = waiting.filter(owner="").count()
    late = waiting.filter(staff_kinds.overdue(timezone.now())).count()
    asked: list[tuple[Any, int, str, str]] = [
        (_("overdue"), late, item_words.list_of(show="overdue"), "danger"),
        (_("mine"), mine, item_words.list_of(show="mine"), ""),
        (_("nobody's yet"), free, item_words.list_of(show="unassigned"), ""),
    ]
    chips = [dashboard.Chip(text, number, href, tone) for text, number, href, tone in asked if number]
    return chips + [
        dashboard.Chip(staff_kinds.get(kind).title, number, item_words.list_of(kind=kind))
        for kind, number in counts.items()
    ]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """An entry for each of the most urgent kinds that wait, with its number."""
    tones = {
        staff_kinds.Severity.URGENT: "danger",
        staff_kinds.Severity.SOON: "warning",
        staff_kinds.Severity.CALM: "info",
    }
    return [
        {
            "title": staff_kinds.get(kind).title,
            "icon": "arrow_right",
            "link": item_words.list_of(kind=kind),
            "badge": number,
            "badge_variant": tones[staff_kinds.get(kind).severity],
            "permission": _may_look,
            "active": functools.partial(_is_shown, kind),
        }
        for kind, number in list(item_words.counts(request).items())[:MOST_KINDS_IN_SIDEBAR]
    ]


def _is_shown(kind: str, request: HttpRequest) -> bool:
    """Does this page show the items of that kind?"""
    return request.path == item_words.list_of() and request.GET.get("kind") == kind


def _may_look(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("core.view_staffitem"))
