"""The first page of the staff's desk: panels, those that need a person first.

Each app adds panels with `@dashboard.panel`; a panel is shown to whoever has its permission. Numbers that must read
many rows are cached for a minute (`cached`); without the cache they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.http import HttpRequest

from pimpshop.core import cache as shared
from pimpshop.core.admin.charts import Chart

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One line of a panel: what, more about it, where it leads, a label with its tone."""

    text: Any
    href: str = ""
    detail: Any = ""
    label: Any = ""
    tone: str = ""
    about: str = ""
    about_href: str = ""
    who: str = ""


@dataclass(frozen=True)
class Chip:
    """A name, mostly with a number, that leads to a list."""

    text: Any
    number: int | None
    href: str
    tone: str = ""
    on: bool = False


@dataclass(frozen=True)
class Figure:
    """One number of today."""

    label: Any
    value: Any
    href: str = ""
    more: Any = ""


@dataclass(frozen=True)
class Panel:
    """A box of the first page. `count` None: no number beside the title. `wide`: over the whole width."""

    title: Any
    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    count: int | None = None
    tone: str = ""
    href: str = ""
    empty: Any = ""
    chips: list[Chip] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    wide: bool = False
    note: Any = ""
    more: Any = ""  # what the link to `href` below the rows says


Maker = Callable[[HttpRequest], Panel]
_panels: list[tuple[int, str, Maker]] = []


def panel(*, order: int, permission: str) -> Callable[[Maker], Maker]:
    """Register a panel; lower `order` stands further up."""

    def register(make: Maker) -> Maker:
        _panels.append((order, permission, make))
        _panels.sort(key=lambda entry: entry[0])
        return make

    return register


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD's DASHBOARD_CALLBACK: the panels this member of staff may see."""
    context["panels"] = [
        make(request) for _order, permission, make in _panels if request.user.has_perm(permission)
    ]
    return context


def cached(name: str, seconds: int, make: Callable[[], T]) -> T:
    """`make()`, at most once per `seconds` while the cache is there."""
    return shared.kept(f"desk:{name}", seconds, make)
