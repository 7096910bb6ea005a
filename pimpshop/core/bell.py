"""Rows are the queue; this rings the bell. `ring()` after a commit wakes a Celery worker; when the broker is dead it
wakes the sweeper by NOTIFY instead. A bell that nobody hears loses nothing: the sweeper reads the rows every second.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery import Task
from django.db import DatabaseError, connection, transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

#: The sweeper LISTENs here.
CHANNEL = "pimpshop_due"
#: After a dead broker, do not try it again for so many seconds: a buyer must not wait for a bell.
BROKER_REST_SECONDS = 5.0

#: With `thin`, one message in so many seconds and process is enough: the worker that it wakes does all that is due.
THIN_SECONDS = 0.05

_broker_rests_until = 0.0
_rang_at: dict[str, float] = {}


def ring(task: Task, *args: Any, after: float = 0, thin: bool = False) -> None:
    """Enqueue `task(*args)` after the current transaction commits (at once outside one), to run `after` seconds
    later. Never raises.

    `thin` is for tasks that go on with whatever else is due: in a burst (more than twenty a second from one process)
    most messages are left out, since making one costs more than storing what it is about.
    """
    transaction.on_commit(
        lambda: _send(task, args, after) if not thin or _is_time(task) else None, robust=True
    )


def _is_time(task: Task) -> bool:
    """Whether the last message of this task is long enough ago, which it then no longer is."""
    now = time.monotonic()
    if now - _rang_at.get(task.name, float("-inf")) < THIN_SECONDS:
        return False
    _rang_at[task.name] = now
    return True


def _send(task: Task, args: tuple[Any, ...], after: float) -> None:
    global _broker_rests_until
    if time.monotonic() >= _broker_rests_until:
        try:
            task.apply_async(args=args, countdown=after or None, retry=False, ignore_result=True)
        except (OperationalError, OSError) as error:
            _broker_rests_until = time.monotonic() + BROKER_REST_SECONDS
            log.warning("broker_down", error=type(error).__name__, task=task.name)
        else:
            return
    wake_sweeper()


def wake_sweeper() -> None:
    """Tell the sweeper that something is due. One cheap statement; a failure is only logged."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    except DatabaseError as error:
        log.warning("sweeper_not_woken", error=type(error).__name__)
