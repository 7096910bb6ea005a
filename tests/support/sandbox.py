"""The sandbox for tests: a process of its own on a free port, and a small client for its control API.

`sandbox_server` runs once per test process; `sandbox_client` is the same, emptied and made quick for each test. A test
file gets them by `from tests.support.sandbox import sandbox_client, sandbox_server` in its conftest.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
QUICK = {
    "print_seconds": 0.3,
    "step_seconds": 0.1,
    "card_seconds": 0.2,
    "repeat_seconds": 0.2,
    "echo_seconds": 0.2,
    "order_repeat_seconds": 0.2,
    "poll_seconds": 0.2,
    "session_poll_seconds": 0.2,
    "picture_gap_seconds": 0.1,
    "alipay_repeat_seconds": 0.2,
    "airwallex_repeat_seconds": 0.2,
    "airwallex_settle_seconds": 0.3,
    "wechat_refund_seconds": 0.2,
    "wechat_first_repeat_seconds": 0.2,
    "stripe_post_seconds": 0,
    "stripe_repeat_seconds": 0.2,
    "stripe_settle_seconds": 0.2,
    "stripe_dispute_seconds": 0.1,
}
Found = TypeVar("Found")


class Sandbox:
    """A client of the control API at `base_url`. Errors of the API raise requests.HTTPError."""

    ACCOUNT, PASSWORD, SIGN_KEY = "pimpshop", "sandbox-password", "TESTFIXEDKEY"

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def manufacturer_url(self) -> str:
        """The base URL of the manufacturer's API, as the shop's setting wants it."""
        return f"{self.base_url}/manufacturer/mobileShell/en"

    def fault(
        self,
        name: str,
        *,
        on: bool = True,
        count: int | None = None,
        seconds: float | None = None,
        target: str = "",
        provider: str = "manufacturer",
    ) -> None:
        """Switch a fault; `target` is a call or post by name ("order/payData", "post/payStatus")."""
        body = {
            "name": name,
            "on": on,
            "count": count,
            "seconds": seconds,
            "target": target,
            "provider": provider,
        }
        self._post("faults", body)

    def knobs(self, **values: object) -> dict[str, str]:
        """Turn knobs (shop_url, print_seconds, …) until the next reset; all knobs in force."""
        return self._post("knobs", values)["knobs"]

    def books(self, provider: str = "manufacturer") -> dict[str, Any]:
        """A provider's books; the manufacturer's: payments, orders, fetches, posts, stock, devices, calls (counts),
        faults."""
        return self._get("books", provider=provider)

    def calls(self, name: str = "", direction: str = "") -> list[dict[str, Any]]:
        """The recorded calls, newest first."""
        return self._get("calls", name=name, direction=direction)["calls"]

    def add_machine(self, device_id: str, **body: object) -> dict[str, Any]:
        """Put up a machine (name=…, stock={shell id: n})."""
        return self._post(f"machine/{device_id}", body)["device"]

    def start_session(self, device_id: str) -> dict[str, Any]:
        """Let the machine ask the shop for a session now; the machine's row with session_id and qr_url."""
        return self._post(f"machine/{device_id}/session", {})["device"]

    def pay(self, device_id: str, *, third_id: str = "", method: str = "card") -> dict[str, Any]:
        """Pay at the machine: card | cash | declined | abnormal; the payment."""
        return self._post(f"machine/{device_id}/pay", {"third_id": third_id, "method": method})["payment"]

    def reset(self) -> None:
        """Forget everything, knobs too."""
        self._post("reset", {})

    def wait_for(
        self,
        find: Callable[[dict[str, Any]], Found | None],
        *,
        seconds: float = 30,
        provider: str = "manufacturer",
    ) -> Found:
        """What `find` sees in the books once it is neither None nor False nor empty; AssertionError when time is over."""
        deadline = time.monotonic() + seconds
        while True:
            books = self.books(provider)
            found = find(books)
            if found:
                return found
            assert time.monotonic() < deadline, f"not seen in {seconds} s; the books: {books}"
            time.sleep(0.05)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One call of a provider's part of the control API."""
        return self._post(path, body)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.post(f"{self.base_url}/sandbox/api/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._session.get(f"{self.base_url}/sandbox/api/{path}", params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()


class SandboxProcess:
    """The sandbox's process: it can be killed and started again over the same books. Its port is listened on from here,
    so that nobody else takes it, neither before the process has come up nor between its lives."""

    def __init__(self, data: Path, shop_url: str = "http://127.0.0.1:9") -> None:
        self._door = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port: int = self._door.getsockname()[1]
        self.data, self.shop_url = data, shop_url
        self.client = Sandbox(f"http://127.0.0.1:{self.port}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Sandbox:
        """Start it and wait until it answers."""
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "DJANGO_"))
        }
        env = clean | {
            "SANDBOX_DATA": str(self.data),
            "SANDBOX_SHOP_URL": self.shop_url,
            "SANDBOX_KEYS_DIR": os.environ["SANDBOX_KEYS_DIR"],
        }
        command = [
            sys.executable, "-m", "gunicorn", "sandbox.wsgi", "-w", "1", "--threads", "16",
            "--no-control-socket", "--header-map", "dangerous", "-b", f"fd://{self._door.fileno()}", "--log-level", "warning",
        ]  # fmt: skip
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True,
                pass_fds=[self._door.fileno()],
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.client.base_url}/healthz", timeout=2).ok:
                    return self.client
            except (requests.ConnectionError, requests.Timeout):
                pass
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise RuntimeError("the sandbox did not start: " + (self.data / "server.log").read_text()[-2000:])

    def stop(self) -> None:
        """Kill it, master and worker at once: its books must survive that."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def close(self) -> None:
        """Kill it for good and give its port back."""
        self.stop()
        self._door.close()


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the whole run of this test process."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process.start()
    process.close()


@pytest.fixture
def sandbox_client(sandbox_server: Sandbox) -> Sandbox:
    """The sandbox with empty books and quick knobs."""
    sandbox_server.reset()
    sandbox_server.knobs(**QUICK)
    return sandbox_server
