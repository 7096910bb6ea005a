"""Processes run side by side in the foreground: prefixed output, restart with back-off, one end for all.

Here: nothing of this shop, only processes. Not here: which parts there are (`pimpshop.run`).
A part is a command, or a function of a program that this process has already loaded: forked, such parts share its
memory and start at once. Guarantees: every part is in a session of its own and ended with all it started; a part that
dies is said so and started again after 1, 2, 4 … 30 s; when this process is killed, the kernel sends each part SIGTERM
(Linux). One thread only: what runs after a fork is safe, and so is the kernel's death signal, which is per thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pimpshop import embedded

GRACE_SECONDS = 10.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0  # who lived so long starts again at the shortest pause
TRIES_BEFORE_READY = 3
PR_SET_PDEATHSIG = 1
COLOURS = (36, 35, 32, 33, 34, 31)
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody asked us to end (Ctrl-C, SIGTERM, the terminal closed)."""


class PartFailed(Exception):
    """A part that runs once ended with an error."""


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the process that started us dies. Nothing where there is no prctl."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def set_title(title: str) -> None:
    """Show in `ps` what a forked process is: its command line is overwritten in place, as far as there is room."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, proc(5)
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            memory.seek(start)
            memory.write(title.encode()[: end - start - 1].ljust(end - start, b"\0"))


@dataclass
class Part:
    """One process to keep running: a `command` as for exec, or a `call` to run in a fork, with a `title` for `ps`."""

    name: str
    command: list[str] = field(default_factory=list)
    call: Callable[[], int | None] | None = None
    title: str = ""
    pid: int = 0  # 0: not running
    output: int = -1  # the reading end of its output
    born: float = 0.0
    due: float = 0.0  # monotonic seconds; when to start it (again)
    failures: int = 0
    rest: bytes = field(default=b"", repr=False)  # a line not yet finished


class Supervisor:
    """Runs parts until told to end. `lease`, when set, is closed last."""

    def __init__(self) -> None:
        self.lease: embedded.Lease | None = None
        self.parts: list[Part] = []
        self.selector = selectors.DefaultSelector()
        self.width = 7
        self.colourful = sys.stdout.isatty()

    def end_on_signals(self) -> None:
        """Turn the signals that mean "end" into `Ended`, once; later ones are ignored: the end is under way."""

        def end(number: int, frame: FrameType | None) -> None:
            for each in END_SIGNALS:
                signal.signal(each, signal.SIG_IGN)
            raise Ended

        for number in END_SIGNALS:
            signal.signal(number, end)

    def run_once(self, part: Part) -> None:
        """Run one part to its end. Raises PartFailed when its exit status is not 0."""
        self.parts.append(part)
        self._start(part)
        code = None
        while code is None:
            self._pump(0.1)
            code = self._ended(part)
        self.parts.remove(part)
        if code:
            raise PartFailed(f"{part.name} failed ({_how(code)}).")

    def run(self, parts: list[Part], ready: Callable[[], bool]) -> int:
        """Keep the parts running; ask `ready` a few times a second until it says yes. Returns 1 when it never could.

        Raises Ended from the signal handler; the caller then calls `close`.
        """
        self.parts += parts
        self.width = max(len(part.name) for part in parts)
        is_ready, next_look = False, 0.0
        while True:
            for part in self.parts:
                self._watch(part)
                if not is_ready and part.failures >= TRIES_BEFORE_READY:
                    self._say(part, f"does not start: ended {part.failures} times. Giving up.")
                    return 1
            self._pump(1.0 if is_ready else 0.1)
            if not is_ready and time.monotonic() > next_look:
                is_ready, next_look = ready(), time.monotonic() + 0.2

    def close(self) -> None:
        """End every part and what it started: politely, after ten seconds by force; then give the servers back."""
        for part in self.parts:
            self._signal(part, signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        while living := [part for part in self.parts if part.pid]:
            for part in living:
                if self._ended(part) is None and time.monotonic() > end:
                    self._signal(part, signal.SIGKILL)
            self._pump(0.05)
        if self.lease:
            self.lease.close()

    # --- one part -----------------------------------------------------------------------------------------------------
    def _start(self, part: Part) -> None:
        parent = os.getpid()
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become(part, parent, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        self.selector.register(reading, selectors.EVENT_READ, part)
        part.pid, part.output, part.born = pid, reading, time.monotonic()

    def _become(self, part: Part, parent: int, output: int) -> None:
        """The forked child's whole life: never returns."""
        code = 1
        try:
            os.setsid()  # the terminal's Ctrl-C reaches only the supervisor: the order of ending is its business
            die_with_parent()
            for number in END_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            if os.getppid() != parent:  # it was killed before we asked to be told
                os._exit(1)
            for key in list(self.selector.get_map().values()):
                os.close(key.fd)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            if part.call is None:
                os.execvp(part.command[0], part.command)  # noqa: S606
            set_title(part.title or part.name)
            code = part.call() or 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _watch(self, part: Part) -> None:
        """Start a part that is due; notice one that has died."""
        now = time.monotonic()
        if not part.pid:
            if now >= part.due:
                self._start(part)
            return
        code = self._ended(part)
        if code is None:
            return
        part.failures = 1 if now - part.born > STEADY_SECONDS else part.failures + 1
        pause = min(2.0 ** (part.failures - 1), LONGEST_PAUSE)
        part.due = now + pause
        self._say(part, f"ended ({_how(code)}); starting it again in {pause:.0f} s")

    def _ended(self, part: Part) -> int | None:
        """The exit status (minus the signal) of a part that has ended, with its orphans; None while it runs."""
        pid, status = os.waitpid(part.pid, os.WNOHANG)
        if not pid:
            return None
        self._signal(part, signal.SIGKILL)  # children that outlived it
        self._drain(part)
        part.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _signal(self, part: Part, number: signal.Signals) -> None:
        if part.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(part.pid, number)

    # --- output -------------------------------------------------------------------------------------------------------
    def _pump(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            self._read(key.data)

    def _read(self, part: Part) -> bool:
        """Print the whole lines that have arrived; False at the end of the output or when there is none now."""
        try:
            data = os.read(part.output, 65536)
        except BlockingIOError:
            return False
        if not data:
            self._hang_up(part)
            return False
        *lines, part.rest = (part.rest + data).split(b"\n")
        for line in lines:
            self._say(part, line.decode(errors="replace"))
        return True

    def _drain(self, part: Part) -> None:
        while part.output >= 0 and self._read(part):
            pass
        self._hang_up(part)

    def _hang_up(self, part: Part) -> None:
        if part.output >= 0:
            self.selector.unregister(part.output)
            os.close(part.output)
            part.output = -1
        if part.rest:
            self._say(part, part.rest.decode(errors="replace"))
            part.rest = b""

    def _say(self, part: Part, line: str) -> None:
        label = f"{part.name:<{self.width}} |"
        if self.colourful:
            colour = COLOURS[sum(map(ord, part.name)) % len(COLOURS)]
            label = f"\033[{colour}m{label}\033[0m"
        with contextlib.suppress(OSError):  # whoever read our output is gone: not a reason to leave orphans
            print(label, line, flush=True)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"
