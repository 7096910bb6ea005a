"""From any number to its page: an order number, a session id, a PYEN, an OREN, a provider's number, an e-mail address, the
last four digits of a card.

An app registers a finder per kind of row (`finder`: one row or none; `several`: a few, newest first); the box on the first
page and links between apps use `address`. One row is opened at once, several are listed. Each look is by an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

Finder = Callable[[str], Any]
Finders = Callable[[str], Iterable[Any]]
_finders: dict[str, tuple[str, Finder]] = {}
_several: list[tuple[Any, str, Finders]] = []
#: So many rows of a kind are listed.
MOST = 20


def finder(kind: str, *, permission: str) -> Callable[[Finder], Finder]:
    """Register a function number -> model instance or None. Finders are asked in the order of registration."""

    def register(find: Finder) -> Finder:
        _finders[kind] = (permission, find)
        return find

    return register


def several(title: Any, *, permission: str) -> Callable[[Finders], Finders]:
    """Register a function number -> rows (at most MOST are shown), for numbers that belong to more than one row."""

    def register(find: Finders) -> Finders:
        _several.append((title, permission, find))
        return find

    return register


def address(number: str, kind: str = "") -> str:
    """A link that finds `number` (as one kind of row, or as any)."""
    return f"{reverse('admin:find')}?{urlencode({'q': number, **({'kind': kind} if kind else {})})}"


def lookup(number: str, kind: str, user: Any) -> Any:
    """The row of one kind that `number` names; None when there is none, or when `user` may not see it."""
    permission, look = _finders.get(kind, ("", None))
    return look(number) if look is not None and number and user.has_perm(permission) else None


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Go to the row that `q` names, list several; nothing found (or not allowed): say so on the first page."""
    number = request.GET.get("q", "").strip().replace("\0", "")[:120]
    kind = request.GET.get("kind", "")
    exact = next(_exact(number, kind, request.user), None)
    if exact is not None:
        return HttpResponseRedirect(_page(exact))
    groups = [] if kind else list(_groups(number, request.user))
    if [len(group["rows"]) for group in groups] == [1]:
        return HttpResponseRedirect(groups[0]["rows"][0]["href"])
    if groups:
        title = gettext("Found for “%s”") % number
        context = {**admin.site.each_context(request), "title": title, "groups": groups, "most": MOST}
        return TemplateResponse(request, "admin/found.html", context)
    messages.warning(request, gettext("Nothing has the number “%s”.") % number)
    return HttpResponseRedirect(reverse("admin:index"))


def _exact(number: str, kind: str, user: Any) -> Iterator[Any]:
    for name, (permission, look) in _finders.items():
        if number and (not kind or kind == name) and user.has_perm(permission):
            found = look(number)
            if found is not None:
                yield found


def _groups(number: str, user: Any) -> Iterator[dict[str, Any]]:
    for title, permission, look in _several:
        rows = list(look(number))[:MOST] if number and user.has_perm(permission) else []
        if rows:
            yield {
                "title": title,
                "rows": [
                    {"text": str(row), "at": getattr(row, "created_at", None), "href": _page(row)}
                    for row in rows
                ],
            }


def _page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
