"""The supervisor: everything it started ends with it, whoever ends it and how, and what dies comes back."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pimpshop import embedded, run

PROGRAM = """
import subprocess, sys, time
from pimpshop import supervisor

def forked():
    subprocess.Popen(["sleep", "71.5"])
    print("pid", __import__("os").getpid(), flush=True)  # all that it starts has been started
    time.sleep(600)

watch = supervisor.Supervisor()
watch.end_on_signals()
parts = [
    supervisor.Part("spawned", command=["sh", "-c", "sleep 72.5 & echo pid $$; sleep 600"]),
    supervisor.Part("forked", call=forked, title="a forked part"),
    *([supervisor.Part("broken", call=lambda: 7)] if "broken" in sys.argv else []),
    *([supervisor.Part("deaf", command=["sh", "-c", "trap '' TERM; echo pid $$; while :; do sleep 1; done"])]
      if "deaf" in sys.argv else []),
]
supervisor.GRACE_SECONDS = 1.0
started = time.monotonic()
try:
    code = watch.run(parts, ready=lambda: "broken" not in sys.argv)
except supervisor.Ended:
    code = 0
finally:
    watch.close()
print("closed", flush=True)
sys.exit(code)
"""


class Running:
    """A supervisor program under test and what it has printed so far."""

    def __init__(self, log: Path, *words: str) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words], stdout=out, stderr=out, cwd=embedded.PROJECT
            )

    def wait_for(self, pattern: str, count: int = 1, seconds: float = 60) -> list[str]:
        end = time.monotonic() + seconds
        while len(found := re.findall(pattern, self.log.read_text())) < count:
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.log.read_text()}"
            time.sleep(0.02)
        return found

    def sessions(self, count: int) -> set[int]:
        """The sessions of its parts: each part leads its own, so all that a part starts is in it."""
        return {int(pid) for pid in self.wait_for(r"\| pid (\d+)", count)}


def living(sessions: set[int]) -> list[str]:
    """The processes that are still in one of these sessions."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        fields = text.rpartition(")")[2].split()
        if int(fields[3]) in sessions and fields[0] != "Z":
            left.append(text)
    return left


def eventually_none(sessions: set[int], seconds: float = 60) -> bool:
    """What was killed takes a moment to be gone; the sleepers would stay for more than a minute."""
    end = time.monotonic() + seconds
    while living(sessions):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_every_part_and_what_it_started(log: Path, number: signal.Signals) -> None:
    running = Running(log)
    sessions = running.sessions(2)
    assert len(living(sessions)) >= 4  # two parts with a sleeping child each
    running.process.send_signal(number)
    assert running.process.wait(60) == 0
    assert eventually_none(sessions)
    running.wait_for("closed")


def test_who_does_not_listen_is_ended_by_force(log: Path) -> None:
    running = Running(log, "deaf")
    sessions = running.sessions(3)
    running.process.terminate()
    assert running.process.wait(60) == 0
    assert eventually_none(sessions)


@pytest.mark.fault
def test_killed_with_sigkill_it_leaves_no_part_behind(log: Path) -> None:
    running = Running(log)
    sessions = running.sessions(2)
    running.process.kill()
    running.process.wait()
    leaders = {pid for pid in sessions if Path(f"/proc/{pid}").exists()}
    end = time.monotonic() + 60
    while leaders and time.monotonic() < end:
        leaders = {pid for pid in leaders if Path(f"/proc/{pid}").exists()}
        time.sleep(0.05)
    assert leaders == set()
    for text in living(
        sessions
    ):  # a plain `sleep` has nobody to tell it; the shop's parts end their own children
        assert "(sleep)" in text
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(text.split()[0]), signal.SIGKILL)


@pytest.mark.fault
def test_a_part_that_dies_is_said_so_and_started_again_without_its_orphans(log: Path) -> None:
    running = Running(log)
    sessions = running.sessions(2)
    forked = int(running.wait_for(r"forked +\| pid (\d+)")[0])
    assert Path(f"/proc/{forked}/cmdline").read_bytes().startswith(b"a forked part\0")
    os.kill(forked, signal.SIGKILL)
    running.wait_for(r"forked +\| ended \(signal 9\); starting it again in 1 s")
    assert eventually_none({forked})
    again = int(running.wait_for(r"forked +\| pid (\d+)", 2)[1])
    assert again != forked
    running.process.terminate()
    assert running.process.wait(60) == 0
    assert eventually_none(sessions | {again})


def test_a_part_that_never_starts_ends_the_attempt(log: Path) -> None:
    running = Running(log, "broken")
    sessions = running.sessions(2)
    assert running.process.wait(120) == 1
    running.wait_for(r"broken +\| ended \(exit status 7\); starting it again in 2 s")
    running.wait_for(r"broken +\| does not start: ended 3 times. Giving up.")
    assert eventually_none(sessions)


def test_the_environment_wins_over_the_defaults_of_make_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "PROJECT", tmp_path)
    for name in ("PUBLIC_BASE_URL", "SANDBOX_URL", "DEBUG", "HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "9100")
    monkeypatch.setenv("SANDBOX", "0")
    env = run.environment()
    assert (env["PORT"], env["HOST"], env["DEBUG"]) == ("9100", "127.0.0.1", "0")
    assert (env["PUBLIC_BASE_URL"], env["SANDBOX_URL"]) == ("http://127.0.0.1:9100", "http://127.0.0.1:9101")
    assert env["SANDBOX"] == "0"
    assert [part.name for part in run.parts(env)] == ["web", "worker", "beat", "sweep"]
    assert next(part.name for part in run.parts({**env, "SANDBOX": "1"})) == "sandbox"


def test_a_taken_port_is_found_even_when_it_could_be_shared() -> None:
    import socket

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        env = {"HOST": "127.0.0.1", "PORT": str(port), "SANDBOX": "0"}
        assert run.ports_taken(env) == [port]
    assert run.ports_taken(env) == []
