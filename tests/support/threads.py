"""Real threads against one database, let go together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def together(count: int, work: Callable[[int], T]) -> list[T]:
    """Call `work(0)` … `work(count - 1)` in as many threads, all let go at once; answers in order.

    Each thread has its own database connection and closes it. An exception in any thread is raised here. Needs
    `@pytest.mark.django_db(transaction=True)`: the threads must see what the test committed.
    """
    gate = threading.Barrier(count)

    def one(number: int) -> T:
        try:
            gate.wait(timeout=60)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
