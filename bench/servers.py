"""What a run needs and leaves nothing of: a PostgreSQL with stock durability, web processes, their CPU and WAL.

Lives here: starting, measuring from outside, ending. Not here: what is measured. Everything listens on loopback or a
socket, lies in a directory of its own, and ends with `Place.close`. BENCH_DATABASE_URL names a server to use instead
(its role may create databases); its fsync and synchronous_commit must be on.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from pimpshop import embedded

PROJECT = Path(__file__).resolve().parents[1]
HOME = PROJECT / ".data" / "bench"
TICK = os.sysconf("SC_CLK_TCK")
WORKERS, THREADS = 2, 4


class NotDurable(RuntimeError):
    """The server acknowledges commits that it may lose: its numbers would flatter everybody."""


def free_port() -> int:
    """A port of loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that living processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def children(pid: int) -> list[int]:
    """The living descendants of a process, children first."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)] if Path(f"/proc/{child}").exists() else []
    return found


@dataclass
class Web:
    """One contender's web processes: two workers of four threads, each on a port of its own.

    One gunicorn with --reuse-port lets chance spread the connections; two spread them evenly, for every contender.
    """

    name: str
    ports: list[int]
    processes: list[subprocess.Popen[bytes]]

    def cpu(self) -> float:
        return cpu_seconds([pid for process in self.processes for pid in children(process.pid)])

    def close(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class Place:
    """One run's ground."""

    home: Path = HOME
    webs: list[Web] = field(default_factory=list)
    lease: embedded.Lease | None = None
    server_url: str = ""
    redis_url: str = ""
    made: list[str] = field(default_factory=list)

    def __enter__(self) -> Place:
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "media").mkdir(parents=True)
        self.lease = embedded.start(self.home, fast=False)
        own, self.redis_url = embedded.urls(self.home)
        self.server_url = os.environ.get("BENCH_DATABASE_URL") or own
        with self.connect() as connection:
            for name in ("fsync", "synchronous_commit"):
                (value,) = connection.execute(f"SHOW {name}").fetchone()
                if value != "on":
                    self.close()
                    raise NotDurable(f"{name} is {value}")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.show_logs()
        self.close()

    def show_logs(self) -> None:
        """What the processes said last, before it is removed."""
        for log in sorted(self.home.glob("*.log")):
            said = log.read_text(errors="replace")
            if "Traceback" in said or "ERROR" in said:
                print(f"--- {log.name}\n{said[-4000:]}", file=sys.stderr)

    def close(self) -> None:
        for web in self.webs:
            web.close()
        self.webs.clear()
        if self.lease is None:
            return
        if os.environ.get("BENCH_DATABASE_URL"):
            for name in self.made:
                with self.connect() as connection:
                    connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.lease.close()
        self.lease = None
        shutil.rmtree(self.home, ignore_errors=True)

    # --- PostgreSQL ---------------------------------------------------------------------------------------------------
    def url(self, database: str = "") -> str:
        """The URL of a database on this run's server; of the server's own when none is named."""
        return (
            urlsplit(self.server_url)._replace(path=f"/{database}").geturl() if database else self.server_url
        )

    def connect(self, database: str = "") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

    def new_database(self, name: str, *, like: str = "") -> str:
        """Make a database, empty or as a copy. Answers its URL."""
        full = f"bench_{name}"
        source = f' TEMPLATE "bench_{like}"' if like else ""
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{full}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{full}"{source}')
        self.made.append(full)
        return self.url(full)

    def wal_position(self, connection: psycopg.Connection[tuple[object, ...]]) -> int:
        """Bytes of WAL written so far by the whole server."""
        row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        return int(row[0])  # type: ignore[index,call-overload]

    # --- web processes ------------------------------------------------------------------------------------------------
    def environment(self, database_url: str, **more: str) -> dict[str, str]:
        """What a contender's processes are told: like production, with the simulators' credentials."""
        return {
            **os.environ,
            "DEBUG": "0",
            "SANDBOX": "1",
            "SECRET_KEY": "for-benchmarks-only-" * 4,
            "PUBLIC_BASE_URL": "http://127.0.0.1:8000",
            "ALLOWED_HOSTS": "127.0.0.1,testserver",
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis_url,
            "MEDIA_ROOT": str(self.home / "media"),
            "LOG_FORMAT": "json",
            "SANDBOX_URL": "http://127.0.0.1:9",
            "MALLOC_ARENA_MAX": "2",
            "STRIPE_WEBHOOK_SECRETS": "whsec_for_benchmarks_only",  # bench.peers.djstripe.stripe_api
            **more,
        }

    def python(self, *words: str, env: dict[str, str]) -> str:
        """Run `python <words>` in the project to its end. Answers its output; raises with it when it failed."""
        done = subprocess.run(
            [sys.executable, *words], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"python {' '.join(words)}:\n{done.stdout}{done.stderr}"[-3000:])
        return done.stdout

    def serve(self, name: str, application: str, env: dict[str, str]) -> Web:
        """Start a contender's web processes and wait until they answer."""
        web = Web(name, [free_port() for _ in range(WORKERS)], [])
        self.webs.append(web)
        for port in web.ports:
            command = [
                sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "-w", "1", "--threads", str(THREADS),
                "--no-control-socket", "--log-level", "warning", "--keep-alive", "30", "-b", f"127.0.0.1:{port}",
                application,
            ]  # fmt: skip
            with (self.home / f"{name}-{port}.log").open("wb") as log:
                web.processes.append(subprocess.Popen(command, cwd=PROJECT, env=env, stdout=log, stderr=log))
        for port, process in zip(web.ports, web.processes, strict=True):
            self._wait_for(port, process, self.home / f"{name}-{port}.log")
        return web

    def _wait_for(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    if children(process.pid):
                        return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{log.stem} does not start:\n{log.read_text()[-3000:]}")
