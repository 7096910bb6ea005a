"""Eight processes that do one thing for a while: what a ledger is asked in a busy hour. Standard library only, for the
peers' interpreter runs it too.

A crew is a process that is asked over stdin (`{"seconds": 1.0}`) and answers one line: work done, CPU seconds.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

WORKERS = 8
#: A worker opens its connection and does this much before anybody looks at a clock: PostgreSQL plans a statement anew
#: five times before it keeps a plan, and a contender may do two things by turns. Workers of a shop live for days.
WARM = 25

Job = Callable[[], Callable[[], object]]


def _work(job: Job, ready: Barrier, seconds: float, told: Any) -> None:
    do = job()
    for _ in range(WARM):
        do()
    ready.wait()
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        do()
        done += 1
    told.put((done, time.perf_counter() - started))


def once(job: Job, seconds: float) -> tuple[float, float]:
    """(work per second of all workers together, CPU milliseconds per piece). `job` is called in each worker and answers
    what it then does again and again."""
    fork = multiprocessing.get_context("fork")
    ready, told = fork.Barrier(WORKERS), fork.Queue()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    crew = [fork.Process(target=_work, args=(job, ready, seconds, told)) for _ in range(WORKERS)]
    for worker in crew:
        worker.start()
    said = [told.get(timeout=120) for _ in crew]
    for worker in crew:
        worker.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = sum(count for count, _ in said)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return sum(count / taken for count, taken in said), 1000 * cpu / (done + WORKERS * WARM)


def answer(job: Job) -> None:
    """Until stdin ends."""
    for line in sys.stdin:
        print("=" + json.dumps(once(job, json.loads(line)["seconds"])), flush=True)
