"""B7: the ledger with eight workers. Ours (a grant and a spend by turns: lock, posting, lots, balance) against a raw
INSERT of one posting, and against two ledgers: pgledger (functions in SQL) and django-hordak."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench import ledger_work, results, servers, stage
from bench.peers import venv


@dataclass
class Crew:
    name: str
    process: subprocess.Popen[str]
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"seconds": seconds}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("="):
                rate, cpu = json.loads(line[1:])
                self.rates.append(rate)
                self.cpu.append(cpu)
                return
        raise RuntimeError(f"the crew of {self.name} ended")

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)

    def __str__(self) -> str:
        return f"{statistics.median(self.rates):,.0f}/s, {statistics.median(self.cpu):.2f} ms CPU"


def _crew(place: servers.Place, name: str, url: str, *command: str, **more: str) -> Crew:
    log = (place.home / f"ledger-{name}.log").open("w")
    process = subprocess.Popen(
        command, cwd=servers.PROJECT, env=place.environment(url, **more), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip
    return Crew(name, process)


def _ours(ground: stage.Stage) -> Crew:
    url = ground.new_shop("ledger")
    env = ground.place.environment(url, DJANGO_SETTINGS_MODULE="pimpshop.settings")
    people = (
        "import django; django.setup(); from accounts.models import User; "
        f"User.objects.bulk_create(User(email=f'p{{n}}@example.com') for n in range({ledger_work.PEOPLE}))"
    )
    ground.place.python("-c", people, env=env)
    command = (sys.executable, "-m", "bench.ledger_work", "ours")
    return _crew(ground.place, "ours", url, *command, DJANGO_SETTINGS_MODULE="pimpshop.settings")


def _raw(ground: stage.Stage) -> Crew:
    url = ground.place.new_database("raw")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ledger_work.RAW)
    return _crew(ground.place, "raw", url, sys.executable, "-m", "bench.ledger_work", "raw")


def _pgledger(ground: stage.Stage) -> Crew | None:
    files = venv.pgledger()
    if files is None:
        return None
    url = ground.place.new_database("pgledger")
    with psycopg.connect(url, autocommit=True) as connection:
        for file in files:
            connection.execute(file.read_bytes())
        accounts = "SELECT pgledger_create_account('person ' || n, 'CREDITS') FROM generate_series(1, %s) n"
        connection.execute(accounts, [ledger_work.PEOPLE])
    return _crew(ground.place, "pgledger", url, sys.executable, "-m", "bench.ledger_work", "pgledger")


def _hordak(ground: stage.Stage) -> Crew | None:
    python = venv.python()
    if python is None:
        return None
    url = ground.place.new_database("hordak")
    env = ground.place.environment(url)
    made = subprocess.run(
        [python, "-m", "bench.peers.hordak_work", "prepare"], cwd=servers.PROJECT, env=env, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        print(made.stderr[-2000:], file=sys.stderr)
        return None
    return _crew(ground.place, "hordak", url, python, "-m", "bench.peers.hordak_work")


def run(ground: stage.Stage) -> list[results.Row]:
    ours, raw, pgledger, hordak = (_ours(ground), _raw(ground), _pgledger(ground), _hordak(ground))
    crews = [crew for crew in (ours, raw, pgledger, hordak) if crew is not None]
    try:
        for number in range(3 if ground.quick else 7):
            for crew in [*crews[number % len(crews) :], *crews[: number % len(crews)]]:
                crew.run(0.3 if ground.quick else 0.7)
    finally:
        for crew in crews:
            crew.close()

    def against(other: Crew | None, target: float, column: str, what: str) -> results.Row:
        if other is None:
            return results.Row(
                number="B7", measure=f"{what}: this peer is not here", target=f"≥ {target:g} x"
            )
        ratio = statistics.median(a / b for a, b in zip(ours.rates, other.rates, strict=True))
        cells: dict[str, Any] = {"ours": str(ours), column: str(other)}
        return results.at_least("B7", what, ratio, target, **cells)

    return [
        against(raw, 0.5, "floor", "ledger grant and spend, 8 workers, against a raw insert"),
        against(pgledger, 1.8, "peer", "against pgledger's transfer"),
        against(hordak, 4, "peer", "against django-hordak's transfer"),
    ]
