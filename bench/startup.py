"""B12 and B13: `make run` on a fresh clone until a page answers, again, and the memory of everything it starts.

What is cloned is the last commit. Packages come from the machine's warm cache. Memory is PSS, so that shared pages
count once: the supervisor with all its parts, the sandbox, PostgreSQL and Valkey.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench import buyers, results, servers, stage

#: Nothing of the caller's own shop shall reach the clone's.
FOREIGN = (
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "SANDBOX", "SANDBOX_URL", "PUBLIC_BASE_URL", "ALLOWED_HOSTS",
    "MEDIA_ROOT", "LOG_FORMAT", "DJANGO_SETTINGS_MODULE", "MALLOC_ARENA_MAX", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL",
    "MFLAGS",
)  # fmt: skip
#: A part and the word in its command line by which it is known.
PARTS = {
    "sandbox": "sandbox.wsgi", "web": "pimpshop.wsgi", "worker": "pimpshop worker", "beat": "pimpshop beat",
    "sweeper": "manage.py sweep", "PostgreSQL": "postgres", "Valkey": "valkey", "keeper": "pimpshop.keeper",
}  # fmt: skip
PATIENCE = 600.0
SETTLE_SECONDS = 10.0


@dataclass
class Shop:
    """One `make run`."""

    clone: Path
    port: int
    process: subprocess.Popen[bytes]
    seconds: float = 0.0

    def pids(self) -> list[int]:
        """Everything that was started: the supervisor's tree, and the embedded servers' (a session of their own)."""
        keeper = int((self.clone / ".data" / "keeper.lock").read_text())
        return [pid for top in (self.process.pid, keeper) for pid in [top, *servers.children(top)]]

    def memory(self) -> dict[str, float]:
        """PSS in MB by part."""
        parts: dict[str, float] = {}
        for pid in self.pids():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended between the list and the look
            name = next((part for part, word in PARTS.items() if word in command), "supervisor")
            kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            parts[name] = parts.get(name, 0.0) + kilobytes / 1024
        return parts

    def close(self) -> None:
        """Ctrl-C, as a person would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(60)


def start(clone: Path, port: int) -> Shop:
    """`make run`; returns when the shop's first page has answered 200."""
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    started = time.monotonic()
    with (clone.parent / "run.log").open("ab") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env={**env, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    shop = Shop(clone, port, process)
    while not _answers(port):
        if process.poll() is not None or time.monotonic() - started > PATIENCE:
            shop.close()
            raise RuntimeError("make run does not answer:\n" + (clone.parent / "run.log").read_text()[-3000:])
        time.sleep(0.1)
    shop.seconds = time.monotonic() - started
    return shop


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _port_pair() -> int:
    """A free port whose neighbour (the sandbox's) is free too."""
    for _ in range(50):
        port = servers.free_port()
        with servers.socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port
    raise RuntimeError("no two free ports side by side")


def run(ground: stage.Stage) -> list[results.Row]:
    clone = ground.place.home / "clone"
    subprocess.run(["git", "clone", "--quiet", str(servers.PROJECT), str(clone)], check=True)
    port = _port_pair()
    first = start(clone, port)
    first.close()
    again = start(clone, port)
    try:
        time.sleep(SETTLE_SECONDS)
        idle = again.memory()
        warm, bought, full = _buy(again, ground)
    finally:
        again.close()
    # What the first buys load (pictures, fonts, templates, database pages) is no growth; what further ones add is.
    growth = (sum(full.values()) - sum(warm.values())) / max(1, bought)
    return [
        results.at_most("B12", "`make run` on a fresh clone until a page answers", first.seconds, 60, "s"),
        results.at_most("B12", "`make run` from the second time on", again.seconds, 5, "s"),
        results.at_most("B13", "memory (PSS) of everything, idle", sum(idle.values()), 500, "MB", ours=_said(idle)),
        results.at_most(
            "B13", f"memory (PSS) after {bought:,} more buys", sum(full.values()), 500, "MB", ours=_said(full)
        ),
        results.at_most(
            "B13", f"growth over these {bought:,} buys (after the first {buyers.WARM})", 1024 * growth, 20, "KB a buy",
            ours=f"{1024 * growth:,.1f} KB a buy, from {_said(warm)}",
        ),
    ]  # fmt: skip


def _said(parts: dict[str, float]) -> str:
    each = ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(parts.items(), key=lambda item: -item[1]))
    return f"{sum(parts.values()):,.0f} MB ({each})"


def _buy(shop: Shop, ground: stage.Stage) -> tuple[dict[str, float], int, dict[str, float]]:
    """(MB by part after the first few buys, number of further buys, MB after them)."""
    crowd = buyers.Crowd(shop.port)
    crowd.buy(buyers.WARM, seconds=120)
    time.sleep(SETTLE_SECONDS)
    warm = shop.memory()
    bought = crowd.buy(
        1000 if ground.long else 20 if ground.quick else 150, seconds=1500 if ground.long else 120
    )
    time.sleep(SETTLE_SECONDS)
    return warm, bought, shop.memory()
