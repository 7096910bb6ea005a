"""HTTP from the simulated world to the shop. Every call is recorded; nothing is retried here.

Guarantees: no proxies, no redirects, a time limit, a size cap; a failure of the network is an answer with status None.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

import requests

from sandbox import calls

TIMEOUT = (3, 15)
LARGEST = 60 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is None when nothing did, then `problem` says why."""

    status: int | None
    body: bytes = b""
    content_type: str = ""
    retry_after: str = ""
    problem: str = ""

    def json(self) -> Any:
        """The parsed body, or None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def send(
    provider: str,
    name: str,
    method: str,
    url: str,
    *,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    note: str = "",
) -> Answer:
    """Make one call and record it. `body` is sent as it is, in UTF-8."""
    started = time.monotonic()
    sent = {"Content-Type": "application/json"} if body is not None else {}
    sent |= headers or {}
    answer = _call(method, url, body, sent)
    readable = answer.content_type.startswith(("application/json", "text/", "application/problem"))
    calls.record(
        provider=provider, direction="out", name=name, method=method, url=url, headers=sent, request=body or "",
        status=answer.status, note=note or answer.problem, started=started,
        answer=answer.body.decode("utf-8", "replace") if readable else f"{len(answer.body)} bytes",
    )  # fmt: skip
    return answer


def _call(method: str, url: str, body: str | None, headers: dict[str, str]) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                method, url, data=body.encode() if body is not None else None, headers=headers,
                timeout=TIMEOUT, allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                content = bytearray()
                for part in response.iter_content(65_536):
                    content += part
                    if len(content) > LARGEST:
                        return Answer(None, problem="the answer is too large")
                return Answer(
                    response.status_code,
                    bytes(content),
                    response.headers.get("Content-Type", ""),
                    response.headers.get("Retry-After", ""),
                )
        except requests.RequestException as error:
            return Answer(None, problem=type(error).__name__)
