"""What must always hold, checked on any database. `manage.py check_invariants` walks the registered checks.

An app registers a check in its `checks` module: `@invariants.check("2 refunds <= captured")` over a function that
yields one `Violation` (or text) for each row that breaks it. Read only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Violation:
    check: str
    row: str

    def __str__(self) -> str:
        return f"{self.check}: {self.row}"


Check = Callable[[], Iterable[str]]
_checks: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Register a generator of violating rows (as text for people) under `name`."""

    def register(function: Check) -> Check:
        _checks[name] = function
        return function

    return register


def names() -> list[str]:
    return sorted(_checks)


def violations() -> Iterator[Violation]:
    """Every violation on the current database, check by check. A check that raises is one itself, and stops no other."""
    for name, function in sorted(_checks.items()):
        try:
            yield from [Violation(name, row) for row in function()]
        except Exception as error:
            log.exception("invariant_check_failed", check=name)
            yield Violation(name, f"the check itself failed: {type(error).__name__}")
