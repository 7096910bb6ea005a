"""The fault switchboard, one for all providers: what goes wrong, how often and for how long.

A fault is (provider, name, target): the target is one call or post by name, or empty for the fault's usual ones.
`count` is how many times it still strikes (None: until switched off), `seconds` its delay where it has one.
Guarantees: `strike` takes one stroke atomically, so a fault with count 1 strikes once under any number of threads.
"""

from dataclasses import dataclass

from sandbox import database

SCHEMA = """
CREATE TABLE IF NOT EXISTS faults (
    provider TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL DEFAULT '',
    is_on INTEGER NOT NULL, count INTEGER, seconds REAL, strokes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, name, target)
);
"""


@dataclass(frozen=True)
class Kind:
    """One thing that can go wrong. `usual`: the targets it hits when none is named (empty: all of `targets`).

    One that is not `counted` is a state and lasts until it is switched off.
    """

    name: str
    title: str
    targets: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    seconds: float | None = None
    counted: bool = True

    def hits_by_default(self, target: str) -> bool:
        return target in (self.usual or self.targets) or not target


@dataclass(frozen=True)
class Stroke:
    """A fault that struck; `seconds` is its delay."""

    name: str
    seconds: float


class FaultError(ValueError):
    """An unknown fault, target or value."""


_kinds: dict[tuple[str, str], Kind] = {}


def declare(provider: str, kinds: tuple[Kind, ...]) -> None:
    """Make a provider's faults known. Idempotent."""
    for kind in kinds:
        _kinds[provider, kind.name] = kind


def kinds(provider: str) -> list[Kind]:
    """A provider's faults, in the order they were declared."""
    return [kind for (owner, _), kind in _kinds.items() if owner == provider]


def switch(
    provider: str,
    name: str,
    *,
    on: bool,
    count: int | None = None,
    seconds: float | None = None,
    target: str = "",
) -> None:
    """Switch a fault on or off. Raises FaultError and changes nothing when it makes no sense."""
    kind = _kinds.get((provider, name))
    if kind is None:
        raise FaultError(f"{provider} has no fault named {name!r}")
    if target and target not in kind.targets:
        raise FaultError(
            f"{name} cannot hit {target!r}; it can hit: {', '.join(kind.targets) or 'nothing by name'}"
        )
    if count is not None and not kind.counted:
        raise FaultError(f"{name} lasts until it is switched off: it takes no count")
    if (count is not None and count < 1) or (seconds is not None and not 0 <= seconds <= 86_400):
        raise FaultError("count must be at least 1, seconds between 0 and 86400")
    with database.transaction():
        if not on and not target:
            database.execute("UPDATE faults SET is_on = 0 WHERE provider = ? AND name = ?", provider, name)
            return
        database.execute(
            "INSERT INTO faults (provider, name, target, is_on, count, seconds) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET is_on = excluded.is_on, count = excluded.count, seconds = excluded.seconds",
            provider, name, target, int(on), count, seconds,
        )  # fmt: skip


def _find(provider: str, name: str, target: str) -> database.Row | None:
    kind = _kinds[provider, name]
    wanted = [target, ""] if kind.hits_by_default(target) else [target]
    for candidate in wanted:
        found = database.row(
            "SELECT * FROM faults WHERE provider = ? AND name = ? AND target = ? AND is_on = 1",
            provider, name, candidate,
        )  # fmt: skip
        if found is not None:
            return found
    return None


def is_on(provider: str, name: str, target: str = "") -> bool:
    """Whether the fault is on for this target, without taking a stroke: for faults that are a state (printer out)."""
    return _find(provider, name, target) is not None


def strike(provider: str, name: str, target: str = "") -> Stroke | None:
    """Take one stroke of the fault if it is on for this target, else None."""
    if not is_on(provider, name, target):
        return None  # the usual case, without the write lock
    with database.transaction():
        found = _find(provider, name, target)
        if found is None:
            return None
        left = None if found["count"] is None else found["count"] - 1
        database.execute(
            "UPDATE faults SET strokes = strokes + 1, count = ?, is_on = ? "
            "WHERE provider = ? AND name = ? AND target = ?",
            left, int(left != 0), provider, name, found["target"],
        )  # fmt: skip
    delay = found["seconds"] if found["seconds"] is not None else _kinds[provider, name].seconds
    return Stroke(name, delay or 0.0)


def board(provider: str) -> list[database.Row]:
    """Every switch that was ever touched since the last reset, with its strokes."""
    return database.rows("SELECT * FROM faults WHERE provider = ? ORDER BY name, target", provider)
