"""From any number to its page: an order number, a session id, a PYEN, an OREN, a queue number.

An app registers a finder per kind of row; the box on the first page and links between apps use `address`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

Finder = Callable[[str], Any]
_finders: dict[str, tuple[str, Finder]] = {}


def finder(kind: str, *, permission: str) -> Callable[[Finder], Finder]:
    """Register a function number -> model instance or None. Finders are asked in the order of registration."""

    def register(find: Finder) -> Finder:
        _finders[kind] = (permission, find)
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
    """Go to the row that `q` names; nothing found (or not allowed): say so on the first page."""
    number = request.GET.get("q", "").strip().replace("\0", "")[:120]
    kind = request.GET.get("kind", "")
    for name, (permission, look) in _finders.items():
        if number and (not kind or kind == name) and request.user.has_perm(permission):
            found = look(number)
            if found is not None:
                meta = found._meta
                page = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[found.pk])
                return HttpResponseRedirect(page)
    messages.warning(request, gettext("Nothing has the number “%s”.") % number)
    return HttpResponseRedirect(reverse("admin:index"))
