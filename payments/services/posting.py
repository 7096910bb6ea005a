"""Posting to many receivers side by side, in threads of this process, so that one that hangs keeps nobody waiting.

Here: who may run and how long the round waits. Not here: what is posted (deliveries). Guarantees: at most PARALLEL at a
time and process, of which FAILING to endpoints that fail at present; the round waits WAIT_SECONDS at the most and what
is not done by then goes on behind its back (a process that ends takes the attempt with it: its right to send runs out
and it is made again). Each thread gives its database connection back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import structlog
from django.db import connections

log = structlog.get_logger(__name__)

#: With the process's own, within the pool of eight connections.
PARALLEL = 6
FAILING = 3
WAIT_SECONDS = 2.0

_places = threading.BoundedSemaphore(PARALLEL)
_places_for_failing = threading.BoundedSemaphore(FAILING)


def side_by_side(rows: Iterable[tuple[int, bool]], work: Callable[[int], bool]) -> int:
    """Do `work` on each (key, whether it may well hang) in a thread of its own. Answers how many said True in time."""
    end = time.monotonic() + WAIT_SECONDS
    threads: list[threading.Thread] = []
    done: list[int] = []
    for key, slow in rows:
        held = _enter(slow, end)
        if held is None:
            if slow:
                continue
            break
        thread = threading.Thread(target=_one, args=(key, work, held, done), daemon=True, name="post")
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return len(done)


def _enter(slow: bool, end: float) -> list[threading.BoundedSemaphore] | None:
    """A place to run in; None when there is none in time. The healthy wait for one, the others come again."""
    if slow and not _places_for_failing.acquire(blocking=False):
        return None
    if _places.acquire(timeout=max(0.0, end - time.monotonic())):
        return [_places, _places_for_failing] if slow else [_places]
    if slow:
        _places_for_failing.release()
    return None


def _one(
    key: int, work: Callable[[int], bool], held: list[threading.BoundedSemaphore], done: list[int]
) -> None:
    try:
        if work(key):
            done.append(key)
    except Exception:
        log.exception("post_failed", key=key)
    finally:
        connections.close_all()
        for place in held:
            place.release()
