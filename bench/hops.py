"""B8: from a post of the machine's to the question that it leads to at the manufacturer: bell, worker, inbox, the call.

Against a bare hop: a view that enqueues a Celery task which does nothing. Both go through the same broker to the same
worker and tell the bench (UDP on loopback) when they arrive. Then the same with Redis dead: the sweeper takes over.
One post at a time, so what is measured is delay, not capacity.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import load, results, rows, servers, stage, webhooks

COUNT = 150
DEAD_COUNT = 20
#: Apart enough that each post rings a bell of its own (pimpshop.core.bell.THIN_SECONDS).
PAUSE = 0.06


class Ear:
    """Where contenders tell that something arrived."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(120)
        self.port = self._socket.getsockname()[1]

    def hear(self, wanted: str) -> float:
        """The moment (perf_counter) at which `wanted` was told; what else is told meanwhile is passed over."""
        while True:
            if self._socket.recv(512).decode() == wanted:
                return time.perf_counter()


def _post(port: int, request: bytes) -> None:
    load.run([port], iter([request]), 1, b"200", lines=1)


def _delay(ear: Ear, port: int, name: str, request: bytes) -> float:
    started = time.perf_counter()
    _post(port, request)
    taken = 1000 * (ear.hear(name) - started)
    time.sleep(PAUSE)
    return taken


@contextmanager
def _running(place: servers.Place, name: str, env: dict[str, str], *command: str) -> Iterator[None]:
    log: Path = place.home / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=servers.PROJECT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until_it_works(do: Callable[[], float]) -> None:
    """The first arrival: whoever was starting has started."""
    do()


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def run(ground: stage.Stage) -> list[results.Row]:
    ear = Ear()
    url = ground.new_shop("hops")
    more = {
        "BENCH_EAR": str(ear.port),
        "DJANGO_SETTINGS_MODULE": "pimpshop.settings",
        "REMAP_SIGTERM": "SIGQUIT",
    }
    env = ground.place.environment(url, **more, REDIS_URL=ground.place.redis_url.replace("db=0", "db=1"))
    ground.place.python(
        "-c", "import django; django.setup(); from bench import rows; rows.fill(50, under_way=1000)", env=env
    )
    numbers = (rows.third_id(rows.WAITING, n) for n in range(1, 1000))
    alive = _with_redis(ground, ear, env, numbers)
    dead = {**env, "REDIS_URL": f"unix://{ground.place.home}/nobody.sock?db=0"}
    lost = _without_redis(ground, ear, dead, numbers)
    (hop50, hop99), (ours50, ours99) = (_percentiles(alive[name]) for name in ("hop", "ours"))
    row = results.Row
    return [
        row(
            number="B8", measure="webhook received to manufacturer asked, p50 against a bare Celery hop",
            ours=f"{ours50:.1f} ms", floor=f"{hop50:.1f} ms", ratio=f"{ours50 / hop50:.2f} x", target="≤ 1.5 x",
            met=ours50 <= 1.5 * hop50,
        ),
        row(
            number="B8", measure="the same, p99", ours=f"{ours99:.1f} ms", floor=f"{hop99:.1f} ms",
            ratio=f"{ours99 / hop99:.2f} x", target="≤ 1.5 x", met=ours99 <= 1.5 * hop99,
        ),
        results.at_most("B8", f"the same with Redis dead, the slowest of {len(lost)}", max(lost) / 1000, 2, "s"),
    ]  # fmt: skip


def _with_redis(
    ground: stage.Stage, ear: Ear, env: dict[str, str], numbers: Iterator[str]
) -> dict[str, list[float]]:
    worker = ("-m", "celery", "-q", "-A", "bench.ours.worker", "worker", "-P", "prefork", "-c", "2")
    times: dict[str, list[float]] = {"hop": [], "ours": []}
    shop = ground.place.serve("hops-shop", "pimpshop.wsgi", env).ports[0]
    bare = ground.place.serve("hops-bare", "bench.ours.wsgi", env).ports[0]
    with _running(ground.place, "hops-worker", env, *worker, "--without-gossip", "--without-mingle"):

        def hop(name: str) -> float:
            return _delay(ear, bare, name, load.post("/hop", json.dumps({"name": name}).encode()))

        def ours() -> float:
            number = next(numbers)
            return _delay(ear, shop, number, webhooks.pay_status(number))

        for number in range(6):
            _until_it_works(lambda name=f"warm{number}": hop(name))  # type: ignore[misc]
            _until_it_works(ours)
        for number in range(COUNT // (5 if ground.quick else 1)):
            times["hop"].append(hop(f"hop{number}"))
            times["ours"].append(ours())
    return times


def _without_redis(ground: stage.Stage, ear: Ear, env: dict[str, Any], numbers: Iterator[str]) -> list[float]:
    shop = ground.place.serve("dead-shop", "pimpshop.wsgi", env).ports[0]
    with _running(ground.place, "hops-sweeper", env, "-m", "bench.ours.worker"):

        def ours() -> float:
            number = next(numbers)
            return _delay(ear, shop, number, webhooks.pay_status(number))

        _until_it_works(ours)
        return [ours() for _ in range(DEAD_COUNT)]
