"""B9: what a thousand times as much history costs the things that are done all the time.

One database and one process per size, asked in turns, so that the machine's noise meets all sizes alike. What grows is
history (sold cases, all their rows and events); what is under way stays the same, as in a real shop. Measured are the
shop's own functions. Plans are asked of PostgreSQL for every statement that they send.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench import results, servers, stage

#: The last one takes minutes to fill: only with --long.
SIZES = (1_000, 100_000, 1_000_000)
TARGET, ADMIN_TARGET = 1.5, 2.0


@dataclass
class Worker:
    """A process that stands on the database of one size."""

    size: int
    process: subprocess.Popen[str]

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("="):
                return json.loads(line[1:])
        raise RuntimeError(f"the process for {self.size:,} rows ended")

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


def start(ground: stage.Stage, size: int) -> Worker:
    """A database with `size` sold cases and the process that asks it."""
    place = ground.place
    url = ground.new_shop(f"growth_{size}")
    env = place.environment(url, DJANGO_SETTINGS_MODULE="pimpshop.settings")
    log = (place.home / f"growth-{size}.log").open("w")
    command = [sys.executable, "-m", "bench.growth_work", str(size)]
    process = subprocess.Popen(
        command,
        cwd=servers.PROJECT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    return Worker(size, process)


def run(ground: stage.Stage) -> list[results.Row]:
    sizes = SIZES if ground.long else SIZES[:2]
    ground.load()
    env = ground.place.environment(ground.database_url, DJANGO_SETTINGS_MODULE="pimpshop.settings")
    # Pages of the admin name static files, which a fresh clone has not collected.
    ground.place.python("manage.py", "collectstatic", "--no-input", "-v0", env=env)
    workers: list[Worker] = []
    try:
        for size in sizes:
            workers.append(start(ground, size))
            workers[-1].ask(do="fill")
        names = workers[0].ask(do="names")
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(5 if ground.quick else 15):
            for name in names:
                for worker in workers:
                    taken = worker.ask(do="time", name=name, times=20 if ground.quick else 40)
                    times.setdefault((name, worker.size), []).extend(taken)
        scans = {name: workers[-1].ask(do="plans", name=name) for name in names}
    finally:
        for worker in workers:
            worker.close()
    return [_row(name, sizes, times, scans[name]) for name in names]


def _row(
    name: str, sizes: tuple[int, ...], times: dict[tuple[str, int], list[float]], scans: list[str]
) -> results.Row:
    # The second decile: whatever else the machine does only ever adds.
    middle = [statistics.quantiles(times[name, size], n=10)[1] * 1000 for size in sizes]
    ratio = middle[-1] / middle[0]
    target = ADMIN_TARGET if name.startswith("admin") else TARGET
    said = " / ".join(f"{ms:.2f}" for ms in middle)
    plan = f"**sequential: {', '.join(scans)}**" if scans else "no sequential scan"
    return results.Row(
        number="B9", measure=f"{name}, {' / '.join(f'{size:.0e}'.replace('+0', '') for size in sizes)} rows",
        ours=f"{said} ms; {plan}", ratio=f"{ratio:.2f} x", target=f"≤ {target:g} x, no sequential scan",
        met=ratio <= target and not scans,
    )  # fmt: skip
