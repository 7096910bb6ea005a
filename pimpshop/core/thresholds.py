"""Shares that must not grow too large: an item when one does, closed when it has halved. Twice the way is no flapping.

Between half the threshold and the threshold an item stays as it is, open or closed. `least` bad ones are needed to open
one: one unlucky card of three is no alert. Reads the open items, then opens and closes (staff_items.keep).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pimpshop.core import staff_items
from pimpshop.core.models import StaffItem


@dataclass(frozen=True)
class Reading:
    """Of `all` that were seen in the window about `subject`, `bad` were bad."""

    subject: str
    bad: int
    all: int

    @property
    def percent(self) -> str:
        """For people: "7.5 %"."""
        tenths = self.bad * 1000 // self.all if self.all else 0
        return f"{tenths // 10}.{tenths % 10} %"


def judge(
    *, kind: str, readings: Iterable[Reading], percent: int, least: int, title: str, detail: str = ""
) -> int:
    """Open and close the items of `kind`; `title` may name {subject} and {percent}. `percent` 0: no items at all.

    Answers how many were opened or closed. Idempotent.
    """
    known = set(StaffItem.objects.filter(kind=kind, resolved_at=None).values_list("subject", flat=True))
    found: dict[str, dict[str, Any]] = {}
    for reading in readings:
        limit = percent * reading.all
        is_bad = (
            2 * 100 * reading.bad > limit
            if reading.subject in known
            else reading.bad >= least and 100 * reading.bad > limit
        )
        if percent and is_bad:
            words = {"subject": reading.subject, "percent": reading.percent}
            found[reading.subject] = {
                "title": title.format(**words), "detail": detail, "bad": reading.bad, "all": reading.all,
            }  # fmt: skip
    return staff_items.keep(kind=kind, found=found, passed="the figure is good again")
