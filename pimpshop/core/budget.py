"""How often one process may do something that costs more than what it is about (a log line, a counter's update).

Not here: limits of what callers may do; those hold over all processes (pimpshop.core.throttles).
"""

from __future__ import annotations

import time
from collections import deque


class Budget:
    """At most `count` times in `seconds`. `allows()` takes one and is safe between threads as far as it matters: under
    contention it may let one more through."""

    def __init__(self, count: int, seconds: float) -> None:
        self.seconds = seconds
        self._taken: deque[float] = deque(maxlen=count)

    def allows(self) -> bool:
        now = time.monotonic()
        if len(self._taken) == self._taken.maxlen and now - self._taken[0] < self.seconds:
            return False
        self._taken.append(now)
        return True
