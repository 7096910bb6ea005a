"""The rounds that do whatever rows say is due, without Celery. `manage.py sweep` walks them.

An app registers a round in its `tasks` module with `@sweeper.round("name", every=seconds)`; the function does a
bounded amount of work and answers how many rows it moved. A round that raises is logged and tried again next time;
it never stops the others. Several sweepers at once are harmless: every step is a compare-and-set of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from django.db import close_old_connections

log = structlog.get_logger(__name__)


@dataclass
class Round:
    name: str
    every: float
    run: Callable[[], int]
    next_at: float = 0.0


_rounds: dict[str, Round] = {}


def round(name: str, *, every: float) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Register a function as a round that is walked every `every` seconds (and at once when the bell rings)."""

    def register(function: Callable[[], int]) -> Callable[[], int]:
        _rounds[name] = Round(name, every, function)
        return function

    return register


def names() -> list[str]:
    return sorted(_rounds)


def each(keys: Iterable[int], work: Callable[[int], object], *, seconds: float = 10.0) -> int:
    """Do `work` on each row of a round, for at most `seconds`: a slow provider must not keep the other rounds waiting
    (what is left is due next time). Answers how many said that they did something.

    A row that raises stops no other one; its error is raised when all had their turn.
    """
    end = time.monotonic() + seconds
    moved, failure = 0, None
    for key in keys:
        if time.monotonic() >= end:
            break
        try:
            moved += bool(work(key))
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return moved


def walk(*, everything: bool = False, ahead: float = 0.0) -> dict[str, int]:
    """Run the rounds that are due within `ahead` seconds (all of them with `everything`).

    Answers name -> rows moved; -1 for a round that raised.
    """
    moved: dict[str, int] = {}
    now = time.monotonic()
    for entry in list(_rounds.values()):
        if not everything and entry.next_at > now + ahead:
            continue
        entry.next_at = now + entry.every
        try:
            moved[entry.name] = entry.run()
        except Exception:
            log.exception("sweep_round_failed", round=entry.name)
            moved[entry.name] = -1
            close_old_connections()
    return moved


def walk_until_quiet(limit: int = 20) -> dict[str, int]:
    """Walk all rounds until a walk moves nothing (bounded by `limit` walks). Answers the sums; -1 where one failed."""
    total: dict[str, int] = {}
    for _ in range(limit):
        moved = walk(everything=True)
        for name, count in moved.items():
            failed = count < 0 or total.get(name, 0) < 0
            total[name] = -1 if failed else total.get(name, 0) + count
        if not any(count > 0 for count in moved.values()):
            break
    return total
