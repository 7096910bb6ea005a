"""The embedded default: a private PostgreSQL and a private Valkey for whoever sets no DATABASE_URL and REDIS_URL.

Here: where the pair lives (`urls`, pure), who uses it (`start` gives a lease) and its end (`Lease.close`, `stop`).
Not here: starting, watching and stopping the two servers. `pimpshop.keeper` does that in a process of its own.
Guarantees: standard library only and no Django, so settings and the supervisor may import it. Any number of
processes may start at once, one pair results. A lease is a shared file lock, so the kernel gives it back even after
`kill -9`; the keeper ends the pair when no lease is left. Data lies under the home, sockets under /tmp.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO

PROJECT = Path(__file__).resolve().parent.parent
ROLE = DATABASE = "pimpshop"
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class EmbeddedServersError(RuntimeError):
    """The pair cannot run here; the message says why and what to do."""


# --- Where it lives ---------------------------------------------------------------------------------------------------
def runtime_dir(home: Path | str) -> Path:
    """The directory of the sockets. Under /tmp and short, because a socket's path ends at 107 bytes."""
    digest = hashlib.sha256(str(Path(home).resolve()).encode()).hexdigest()[:12]
    return Path("/tmp") / f"pimpshop-{digest}"  # noqa: S108  (made 0700 and its owner checked by private_dir)


def urls(home: Path | str) -> tuple[str, str]:
    """(DATABASE_URL, REDIS_URL) of the pair that belongs to a home. Pure: starts nothing, touches nothing."""
    run = runtime_dir(home)
    return f"postgres://{ROLE}@/{DATABASE}?host={run}", f"unix://{run}/valkey.sock?db=0"


def celery_url(redis_url: str) -> str:
    """A Redis URL as Celery's broker wants it: its word for `unix://` is `redis+socket://`, for `db` `virtual_host`."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return re.sub(r"([?&])db=", r"\1virtual_host=", "redis+socket://" + redis_url.removeprefix("unix://"))


def is_set(name: str, project: Path = PROJECT) -> bool:
    """Whether a setting has a value, its own or a file's, in the environment or in `.env`."""
    dotenv = project / ".env"
    text = dotenv.read_text() if dotenv.exists() else ""
    line = rf"^\s*(?:export\s+)?{name}(?:_FILE)?\s*=\s*['\"]?[^\s'\"#]"
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE") or re.search(line, text, re.MULTILINE))


def wanted(project: Path = PROJECT) -> bool:
    """Whether DATABASE_URL or REDIS_URL is unset, so that the pair has to run."""
    return not (is_set("DATABASE_URL", project) and is_set("REDIS_URL", project))


def private_dir(path: Path) -> Path:
    """Make a directory that only we can enter; refuse one that somebody else has put there before us."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedServersError(f"{path} belongs to another user. Start as that user, or remove it.")
    return path


def own_secret_key(home: Path) -> None:
    """Give a local shop its own SECRET_KEY file (mode 0600), once. Settings read it when SECRET_KEY is unset."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "secret_key"
    with contextlib.suppress(FileExistsError):
        draft = home / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # all or nothing: two starters never read half a key or two keys
        finally:
            draft.unlink()


# --- Who uses it ------------------------------------------------------------------------------------------------------
class Lease:
    """One user's claim on the pair: it keeps running while any lease lives. Ends with `close`, `with` or the process."""

    def __init__(self, home: Path) -> None:
        self.home, self.owner = home, os.getpid()
        home.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] | None = (home / "users.lock").open("a")
        fcntl.flock(self._file, fcntl.LOCK_SH)  # waits while a keeper is ending the pair

    def close(self) -> None:
        """Give the claim back; whoever leaves last ends the pair and returns when it has ended.

        In a forked child it only lets go of its copy: the claim is the parent's.
        """
        if self._file is None:
            return
        file, self._file = self._file, None
        if self.owner != os.getpid():
            file.close()
            return
        with file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused: others still use it
            stop(self.home)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def start(home: Path | str, *, fast: bool = False) -> Lease:
    """Make sure the pair of this home runs and answers, and claim it.

    `fast` leaves out fsync: for tests only. Guarantees: idempotent, any number of processes at once; about 1 s the
    first time, 0.3 s later. Raises EmbeddedServersError when it cannot run here or does not answer within a minute.
    """
    home = Path(home).resolve()
    lease = Lease(home)
    try:
        private_dir(runtime_dir(home))  # before anything is believed that is said there
        if not (_keeper(home) and answers(home)):
            with (home / "start.lock").open("a") as queue:
                fcntl.flock(queue, fcntl.LOCK_EX)
                if not (_keeper(home) and answers(home)):
                    _spawn_keeper(home, fast=fast)
    except BaseException:
        lease.close()
        raise
    return lease


def _spawn_keeper(home: Path, *, fast: bool) -> None:
    """Start the keeper detached, in a session of its own: a Ctrl-C at the terminal is not its business."""
    log = home / "keeper.log"
    command = [sys.executable, "-m", "pimpshop.keeper", str(home), *(["--fast"] if fast else [])]
    with log.open("wb") as out:
        keeper = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=PROJECT
        )
    end = time.monotonic() + START_SECONDS
    while not (_keeper(home) and answers(home)):
        if keeper.poll() or time.monotonic() > end:
            raise EmbeddedServersError(
                f"The embedded PostgreSQL and Valkey do not start (logs: {home}/*.log).\n{log.read_text()[-2000:]}\n"
                "Set DATABASE_URL and REDIS_URL to use servers of your own."
            )
        time.sleep(0.02)
    keeper.returncode = keeper.returncode or 0  # it outlives us on purpose: no warning about a running child


def stop(home: Path | str) -> None:
    """End the pair of this home, whoever uses it, and return when it has ended. Does nothing when it is not running."""
    home = Path(home).resolve()
    end = time.monotonic() + STOP_SECONDS
    asked = 0
    while (keeper := _keeper(home)) is not None:
        if keeper and keeper != asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGTERM)
            asked = keeper
        if time.monotonic() > end:
            raise EmbeddedServersError(f"The embedded servers of {home} do not end (keeper {keeper}).")
        time.sleep(0.02)


def _keeper(home: Path) -> int | None:
    """The process id of the living keeper, None without one; 0 while it still clears away what a killed one left."""
    try:
        with (home / "keeper.lock").open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0)
    except FileNotFoundError:
        pass
    return None


# --- Whether it answers -----------------------------------------------------------------------------------------------
def answers(home: Path | str) -> bool:
    """Whether both servers accept work (not only connections)."""
    run = runtime_dir(home)
    start_up = b"user\0" + ROLE.encode() + b"\0database\0" + DATABASE.encode() + b"\0\0"
    hello = struct.pack("!ii", len(start_up) + 8, 3 << 16) + start_up  # protocol 3.0; `R`: come in
    return _says(run / ".s.PGSQL.5432", hello, b"R", bye=b"X\0\0\0\4") and _says(
        run / "valkey.sock", b"PING\r\n", b"+PONG"
    )


def _says(path: Path, question: bytes, answer: bytes, bye: bytes = b"") -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(3)
        connection.connect(str(path))
        connection.sendall(question)
        said = connection.recv(len(answer))
        if said == answer:
            connection.sendall(bye)
            return True
    return False
