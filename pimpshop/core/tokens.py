"""Access tokens of providers, shared by all processes with single flight.

The token stands sealed in a row. Renewal holds an advisory lock on a connection's session, not a transaction, so the
log-in call happens outside any transaction; whoever waited finds the new token and does not log in again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone

from pimpshop.core import crypto
from pimpshop.core.models import SharedToken

#: How long to wait for another process's log-in.
WAIT_SECONDS = 3.0


class SharedTokenStore:
    """`get()` answers the shared token; `single_flight(refresh, stale)` renews it once for all processes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self) -> str | None:
        row = SharedToken.objects.filter(name=self.name).first()
        return crypto.unseal(row.sealed) if row else None

    def single_flight(self, refresh: Callable[[], str], stale: str | None) -> str:
        """Call `refresh()` unless another process has replaced `stale` meanwhile. Answers the token to use.

        Raises TimeoutError when another process's log-in hangs: a queue of waiting pages must not grow behind it.
        """
        with self._turn():
            current = self.get()
            if current and current != stale:
                return current
            fresh = refresh()
            SharedToken.objects.update_or_create(
                name=self.name,
                defaults={"sealed": crypto.seal(fresh), "obtained_at": timezone.now()},
            )
            return fresh

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the lock of this token on the connection's session (no transaction is open while the log-in runs)."""
        digest = hashlib.sha256(f"token:{self.name}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        end = time.monotonic() + WAIT_SECONDS
        while not _answer("SELECT pg_try_advisory_lock(%s)", number):
            if time.monotonic() >= end:
                raise TimeoutError(
                    f"somebody else has been logging in at {self.name} for {WAIT_SECONDS:.0f} s"
                )
            time.sleep(0.05)
        try:
            yield
        finally:
            _answer("SELECT pg_advisory_unlock(%s)", number)


def _answer(sql: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [number])
        return bool(cursor.fetchone()[0])
