"""Where the log-in token lives: the shape of a store, and one in memory for tests and single processes.

The store that all processes share is `pimpshop.core.tokens`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class TokenStore(Protocol):
    """`single_flight` renews `stale` once for everybody who saw it fail; the others get the new token."""

    def get(self) -> str | None: ...
    def single_flight(self, refresh: Callable[[], str], stale: str | None) -> str: ...


class MemoryTokenStore:
    """One token for the threads of one process."""

    def __init__(self, token: str | None = None) -> None:
        self._token = token
        self._lock = threading.Lock()

    def get(self) -> str | None:
        return self._token

    def single_flight(self, refresh: Callable[[], str], stale: str | None) -> str:
        with self._lock:
            if self._token is None or self._token == stale:
                self._token = refresh()
            return self._token
