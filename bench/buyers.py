"""People in front of two machines who buy cases through the API and the sandbox, no faster than the shop allows.

Each buy is whole: session, picture, order, payment at the simulated machine, queue number. Too many requests and a
machine at which somebody else is paying are waited out; any other refusal ends the run.
"""

from __future__ import annotations

import base64
import io
import threading
import time
from typing import Any

import requests
from PIL import Image

MACHINES = ("CXYLOGD8OQUK", "VM_TEST_MANUFACTURER")
MODEL, SHELL = "MM020250224000010", "MS102503270003"
PER_MACHINE = 2
WARM = 10


def picture() -> str:
    """A PNG of 600 x 1200 as a data URL."""
    image = Image.effect_noise((150, 300), 60).resize((600, 1200)).convert("RGB")
    data = io.BytesIO()
    image.save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


class Refused(AssertionError):
    """The shop said no where it should not have."""


class Crowd:
    """Buyers at the shop on `port` with its sandbox beside it."""

    def __init__(self, port: int) -> None:
        self.shop, self.sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
        self.picture = picture()
        self._lock = threading.Lock()
        self._left = self._done = 0
        self._trouble: list[BaseException] = []

    def buy(self, count: int, *, seconds: float) -> int:
        """Buy up to `count` cases within about `seconds`. Answers how many were bought."""
        self._left, self._done = count, 0
        knobs = {"print_seconds": 0.3, "step_seconds": 0.1, "card_seconds": 0.1, "picture_gap_seconds": 0.1}
        requests.post(f"{self.sandbox}/sandbox/api/knobs", json=knobs, timeout=30).raise_for_status()
        for machine in MACHINES:
            stock = {"stock": {SHELL: 100_000}}
            requests.post(
                f"{self.sandbox}/sandbox/api/machine/{machine}", json=stock, timeout=30
            ).raise_for_status()
        end = time.monotonic() + seconds
        people = [
            threading.Thread(target=self._stand, args=(machine, end), daemon=True)
            for machine in MACHINES
            for _ in range(PER_MACHINE)
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        if self._trouble:
            raise self._trouble[0]
        return self._done

    def _stand(self, machine: str, end: float) -> None:
        try:
            with requests.Session() as client:
                client.trust_env = False
                while self._next() and time.monotonic() < end:
                    self._one(client, machine)
                    with self._lock:
                        self._done += 1
        except BaseException as trouble:
            self._trouble.append(trouble)

    def _next(self) -> bool:
        with self._lock:
            if self._left <= 0 or self._trouble:
                return False
            self._left -= 1
            return True

    def _one(self, client: requests.Session, machine: str) -> None:
        client.cookies.clear()
        session = self._call(client, "/api/vending/create-session", {"machine_id": machine})["session_id"]
        base = f"/api/vending/session/{session}"
        self._call(client, f"{base}/register-user", {"machine_id": machine, "session_id": session})
        order = {
            "designImage": self.picture, "price": 19.99, "chinese_model_id": MODEL, "mobile_shell_id": SHELL,
            "device_id": machine, "template": "classic",
        }  # fmt: skip
        self._call(client, f"{base}/order-summary", order)
        third_id = self._call(client, f"{base}/init-payment", {})["third_id"]
        told = {"third_id": third_id, "method": "card"}
        requests.post(
            f"{self.sandbox}/sandbox/api/machine/{machine}/pay", json=told, timeout=30
        ).raise_for_status()
        end = time.monotonic() + 90
        while time.monotonic() < end:
            if self._call(client, f"{base}/status").get("queue_number"):
                return
            time.sleep(1.0)
        raise Refused(f"{session}: paid, but no queue number after 90 s")

    def _call(self, client: requests.Session, path: str, body: Any = None) -> dict[str, Any]:
        while True:
            answer = (
                client.get(self.shop + path, timeout=60)
                if body is None
                else client.post(self.shop + path, json=body, timeout=60)
            )
            if answer.status_code == 429:
                time.sleep(min(30, float(answer.headers.get("Retry-After", 5))))
                continue
            if answer.status_code == 503 and answer.json().get("code") == "machine_busy":
                time.sleep(0.5)  # one payment at a time at a machine: the person behind waits
                continue
            if answer.status_code != 200:
                raise Refused(f"{path}: {answer.status_code} {answer.text[:300]}")
            said: dict[str, Any] = answer.json()
            return said
