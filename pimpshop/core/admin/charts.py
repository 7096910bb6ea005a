"""Small charts of the desk, drawn here as SVG: one bar a day, a title, a description, and the same numbers as a table.

No script, no style attribute: sizes are attributes, colours are classes (static/css/desk.css). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext

WIDTH, HEIGHT, GAP = 320, 88, 3


@dataclass(frozen=True)
class Point:
    """A day and its number; `text` is how people read the number. `value` None: nothing is known of that day."""

    day: date
    value: int | None
    text: Any


@dataclass(frozen=True)
class Bar:
    """A point with its place in the drawing."""

    x: float
    y: float
    width: float
    height: float
    label: str
    text: Any
    last: bool


@dataclass(frozen=True)
class Chart:
    """`top` is what the highest bar stands for."""

    name: str
    title: Any
    bars: list[Bar]
    top: Any
    summary: str
    is_empty: bool
    width: int = WIDTH
    height: int = HEIGHT


def draw(name: str, title: Any, points: Iterable[Point], *, most: int | None = None) -> Chart:
    """The chart of `points`, oldest first; `most` fixes the top of the scale (100 for per cent)."""
    shown = list(points)
    known = [point for point in shown if point.value is not None]
    highest = max(known, key=lambda point: point.value or 0, default=None)
    top = max(most or 0, (highest.value or 0) if highest else 0, 1)
    step = WIDTH / max(len(shown), 1)
    bars = [
        _bar(point, x=index * step, width=step - GAP, top=top, last=index == len(shown) - 1)
        for index, point in enumerate(shown)
    ]
    summary = gettext("%(days)s days. Highest: %(most)s. Today: %(today)s.") % {
        "days": len(shown),
        "most": highest.text if highest else "–",
        "today": shown[-1].text if shown else "–",
    }
    is_empty = highest is None or not highest.value
    return Chart(name, title, bars, highest.text if highest else "–", summary, is_empty)


def _bar(point: Point, *, x: float, width: float, top: int, last: bool) -> Bar:
    """A day without anything keeps a line of one unit, so that it is seen to be there."""
    height = max(round((point.value or 0) * (HEIGHT - 2) / top, 1), 1)
    return Bar(
        x=round(x, 1), y=round(HEIGHT - height, 1), width=round(width, 1), height=height,
        label=date_format(point.day, "SHORT_DATE_FORMAT"), text=point.text, last=last,
    )  # fmt: skip
