"""Contenders against each other, round by round: noise of the machine meets all of them alike.

Lives here: interleaving, medians, WAL per request. Not here: who the contenders are.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench import load, servers


@dataclass
class Contender:
    """Somebody's web processes with an endless stream of prepared requests and what they must answer."""

    name: str
    web: servers.Web
    requests: Iterator[bytes]
    expect: bytes = b"200"
    rates: list[float] = field(default_factory=list)
    cpu: float = 0.0
    done: int = 0
    wal: float = -1.0

    @property
    def rate(self) -> float:
        """Requests per second, the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the web processes per request."""
        return 1000 * self.cpu / self.done

    def __str__(self) -> str:
        wal = f", {self.wal:,.0f} B WAL" if self.wal >= 0 else ""
        return f"{self.rate:,.0f}/s, {self.cpu_ms:.2f} ms CPU{wal}"


@dataclass(frozen=True)
class Size:
    """How long a race is: rounds, and requests per round of the fast; the slow get a part of it."""

    rounds: int
    requests: int

    @classmethod
    def of(cls, *, quick: bool) -> Size:
        return cls(3, 48) if quick else cls(11, 400)


def race(contenders: Sequence[Contender], size: Size, *, slow: Sequence[str] = ()) -> None:
    """Warm everybody up, then let them run in turns, the order turning with each round."""
    for contender in contenders:
        load.run(contender.web.ports, contender.requests, 48, contender.expect)
    for number in range(size.rounds):
        turn = number % len(contenders)
        for contender in [*contenders[turn:], *contenders[:turn]]:
            count = max(16, size.requests // 8) if contender.name in slow else size.requests
            before = contender.web.cpu()
            seconds = load.run(contender.web.ports, contender.requests, count, contender.expect)
            contender.cpu += contender.web.cpu() - before
            contender.done += count
            contender.rates.append(count / seconds)


def ratio(one: Contender, other: Contender) -> float:
    """How many times as many requests per second `one` answers: the median over the rounds of one run."""
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


def weigh(place: servers.Place, contenders: Sequence[Contender], count: int = 40) -> None:
    """Bytes of WAL per request: one at a time with nothing else going on; the median leaves out the rare page image."""
    with place.connect() as connection:
        for contender in contenders:
            load.run(contender.web.ports, contender.requests, 40, contender.expect)
            steps = []
            for _ in range(count):
                before = place.wal_position(connection)
                load.run(contender.web.ports[:1], contender.requests, 1, contender.expect, lines=1)
                steps.append(place.wal_position(connection) - before)
            contender.wal = statistics.median(steps)
