"""From an item to what puts it right, and back: the row that it is about, the acts that its kind suggests (of that row and
of what stands beside it: the payment of a refund, the cases of an order), and the open items about a row.

Here: which buttons. Not here: what an item says (`item_words`), doing an act (`acting`). An app says what stands beside its
rows with `beside`. Only what the reader may see and do is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.translation import gettext

from pimpshop.core import staff_kinds
from pimpshop.core.admin import finding, item_words
from pimpshop.core.models import StaffItem

#: So many open items are named on a row's page.
MOST = 5

_beside: dict[type, list[Callable[[Any], Iterable[Any]]]] = {}
Beside = Callable[[Any], Iterable[Any]]


@dataclass(frozen=True)
class Step:
    """A button of an item's page: where it leads. `main`: to the row itself."""

    title: Any
    href: str
    main: bool = False


def beside(model: type) -> Callable[[Beside], Beside]:
    """Register a function row -> rows of other models whose acts may put its trouble right (a few)."""

    def register(look: Beside) -> Beside:
        _beside.setdefault(model, []).append(look)
        return look

    return register


def steps(item: StaffItem, request: HttpRequest, site: AdminSite) -> list[Step]:
    """One click to the row, and to what may be done now; an item that is over leads only to the row."""
    found = [
        Step(gettext("Open %(subject)s") % {"subject": item.subject}, item_words.address(item), main=True)
    ]
    return found if item.resolved_at else found + list(_acts(item, request, site))


def needs_another(item: StaffItem, offered: list[Step]) -> bool:
    """Does its kind name acts, and is none of them this reader's or possible now?"""
    return item.resolved_at is None and bool(staff_kinds.get(item.kind).acts) and len(offered) == 1


def _acts(item: StaffItem, request: HttpRequest, site: AdminSite) -> Iterator[Step]:
    row = _row(item, request, site)
    if row is None:
        return
    suggested = staff_kinds.get(item.kind).acts
    rows = list(dict.fromkeys([row, *(other for look in _beside.get(type(row), ()) for other in look(row))]))
    buttons = [
        (one, button) for one in (rows if suggested else [row]) for button in _buttons(one, request, site)
    ]
    if suggested:
        buttons = [pair for name in suggested for pair in buttons if _name(pair[1]) == name]
    titles = [str(button["title"]) for _one, button in buttons]
    for (one, button), title in zip(buttons, titles, strict=True):
        yield Step(title if titles.count(title) == 1 else f"{title}: {one}", button["path"])


def _buttons(row: Any, request: HttpRequest, site: AdminSite) -> list[dict[str, Any]]:
    page = site._registry.get(type(row))
    if page is None or not page.has_view_permission(request, row):
        return []
    found: list[dict[str, Any]] = getattr(page, "buttons", lambda *_: [])(request, row)
    return found


def _name(button: dict[str, Any]) -> str:
    """An act's name is the end of its address."""
    return str(button["path"]).rstrip("/").rpartition("/")[2]


def _row(item: StaffItem, request: HttpRequest, site: AdminSite) -> Any:
    """The row behind the item's link; None when there is none or the reader may not see it."""
    kept = item.data.get("path", "")
    if not isinstance(kept, str) or not kept.startswith("/admin/"):
        return finding.lookup(item.subject, staff_kinds.get(item.kind).leads, request.user)
    try:
        match = resolve(kept)
    except Resolver404:
        return None
    page = getattr(match.func, "model_admin", None)
    if page is None:
        return None
    row = page.get_object(request, match.kwargs.get("object_id", ""))
    return row if row is not None and page.has_view_permission(request, row) else None


def waiting_for(request: HttpRequest, subjects: Iterable[str]) -> list[tuple[str, Any]]:
    """(what happened, the item) of the open items about a row that goes by those names."""
    named = {name[:120] for name in subjects if name}
    if not named or not request.user.has_perm("core.view_staffitem"):
        return []
    found = StaffItem.objects.filter(subject__in=named, resolved_at=None).order_by("pk")[:MOST]
    return [(item_words.headline(item), item) for item in found]
