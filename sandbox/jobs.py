"""Background work: rows that say what is due, and daemon threads that do it. A restart loses nothing.

A row lives until its work is done. A handler is registered by kind and gets the row's payload and the number of earlier attempts. It answers None when the
work is done, or the seconds after which it wants to run again. A handler that raises runs again after two seconds.
Guarantees: a row is claimed by one UPDATE, so one thread at a time runs it; a claim of a dead process lapses; inside
`at_rest` no job runs and none begins.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sandbox import database

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, claimed_until REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due);
CREATE UNIQUE INDEX IF NOT EXISTS jobs_keyed ON jobs (kind, key) WHERE key <> '';
"""
THREADS = 8
CLAIM_SECONDS = 60
IDLE_SECONDS = 1.0
REST_SECONDS = 20.0  # longer than a post waits for its answer (outgoing.TIMEOUT)

Handler = Callable[[dict[str, Any], int], float | None]
log = logging.getLogger(__name__)
_handlers: dict[str, Handler] = {}
_started = threading.Lock()
_beginning = threading.Condition()  # held while jobs are claimed; tells when one has ended
_at_work = 0


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does the jobs of one kind."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return register


def add(kind: str, payload: dict[str, Any], *, after: float = 0.0, key: str = "") -> None:
    """Write a job that is due `after` seconds from now. With a key: at most one job of that kind and key."""
    with database.transaction():
        database.execute(
            "INSERT OR IGNORE INTO jobs (kind, key, payload, due) VALUES (?, ?, ?, ?)",
            kind, key, json.dumps(payload), time.time() + after,
        )  # fmt: skip


def hurry() -> None:
    """Make everything that is planned due now: days pass in a moment."""
    with database.transaction():
        database.execute("UPDATE jobs SET due = 0")


@contextmanager
def at_rest() -> Iterator[None]:
    """No job runs inside, so that the work of yesterday's rows cannot end in today's books. Not inside a transaction:
    the jobs that are waited for want to write."""
    with _beginning:
        if not _beginning.wait_for(lambda: _at_work == 0, timeout=REST_SECONDS):
            log.warning("jobs did not end within %s s", REST_SECONDS)
        yield


def start() -> None:
    """Start the worker of this process, once. Claims left by an earlier process are taken back."""
    if not _started.acquire(blocking=False):
        return
    database.execute("UPDATE jobs SET claimed_until = 0")
    threading.Thread(target=_work, name="sandbox-jobs", daemon=True).start()


def _work() -> None:
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-job")
    while True:
        database.committed.clear()
        try:
            _begin_due(pool)
            wait = _seconds_to_next()
        except Exception:  # the loop must outlive a locked file or a full disk
            log.exception("looking for jobs failed")
            wait = IDLE_SECONDS
        database.committed.wait(wait)


def _begin_due(pool: ThreadPoolExecutor) -> None:
    global _at_work
    with _beginning:
        for job in _claim_due():
            _at_work += 1
            pool.submit(_run, job)


def _claim_due() -> list[database.Row]:
    now = time.time()
    due = database.rows(
        "SELECT * FROM jobs WHERE due <= ? AND claimed_until < ? ORDER BY due LIMIT 50", now, now
    )
    return [
        job
        for job in due
        if database.execute(
            "UPDATE jobs SET claimed_until = ? WHERE id = ? AND claimed_until < ?",
            now + CLAIM_SECONDS, job["id"], now,
        ) == 1
    ]  # fmt: skip


def _seconds_to_next() -> float:
    found = database.row("SELECT min(max(due, claimed_until)) AS due FROM jobs")
    if found is None or found["due"] is None:
        return IDLE_SECONDS
    return min(max(float(found["due"]) - time.time(), 0.01), IDLE_SECONDS)


def _run(job: database.Row) -> None:
    global _at_work
    try:
        _do(job)
    finally:
        with _beginning:
            _at_work -= 1
            _beginning.notify_all()


def _do(job: database.Row) -> None:
    try:
        again = _handlers[job["kind"]](json.loads(job["payload"]), job["attempts"])
    except Exception:
        log.exception("job %s of kind %s failed", job["id"], job["kind"])
        again = 2.0
    with database.transaction():
        if again is None:
            database.execute("DELETE FROM jobs WHERE id = ?", job["id"])
        else:
            database.execute(
                "UPDATE jobs SET attempts = attempts + 1, claimed_until = 0, due = ? WHERE id = ?",
                time.time() + again, job["id"],
            )  # fmt: skip
