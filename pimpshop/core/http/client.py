"""`Client`: calls to one provider, each of them recorded.

Lives here: joining the base URL, JSON in and out, turning 5xx into an error, the redacted record of each call. Not
here: signatures, business codes (they come as `inspect`), where records are kept (they go to `recorder`).

Guarantees: one record per request that was let out, whatever became of it; a recorder that fails is logged and
never breaks the call; nothing is retried.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import structlog

from pimpshop.core import redaction
from pimpshop.core.http import wire

log = structlog.get_logger(__name__)

RECORD_BYTES = 8192


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """One call, redacted and bounded. `at` is aware UTC; `subject` says what it was about (an order_no)."""

    provider: str
    name: str
    method: str
    url: str
    request: Any
    response: Any
    status: int | None
    code: str
    latency_ms: int
    trace_id: str
    error: str
    subject: str
    at: datetime


Recorder = Callable[[CallRecord], object]
#: Reads (business code, trace id) out of an answer, for the record.
Inspect = Callable[[wire.Answer], tuple[str, str]]


class Client:
    """Calls to one provider.

    `base_url` is a setting and trusted; paths are joined to it and cannot leave it. `timeout` is (connect, read) in
    seconds, `deadline` the whole call's. `secrets` are values to remove from every record, or a callable for them.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        provider: str,
        timeout: tuple[float, float] = wire.TIMEOUT,
        deadline: float = wire.DEADLINE,
        max_bytes: int = wire.MAX_BYTES,
        session: Any = None,
        recorder: Recorder | None = None,
        inspect: Inspect | None = None,
        secrets: Iterable[str] | Callable[[], Iterable[str]] = (),
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.provider = provider
        self._timeout, self._deadline, self._max_bytes = timeout, deadline, max_bytes
        self._session, self._recorder, self._inspect = session, recorder, inspect
        self._secrets = secrets
        self._clock = clock or (lambda: datetime.now(UTC))

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        subject: str = "",
        want_json: bool = False,
    ) -> wire.Answer:
        """Send once. With `want_json` the answer was proven to be JSON.

        Raises HttpTimeout, HttpUnavailable (network or 5xx), HttpTooLarge, HttpRedirected, HttpBadBody;
        OpenTransaction inside a transaction. 4xx comes back as an Answer: its meaning is the provider's.
        """
        url = self._url(path)
        wire.assert_no_transaction()
        at, started = self._clock(), time.monotonic()
        answer: wire.Answer | None = None
        error: wire.HttpError | None = None
        try:
            answer = wire.exchange(
                self._session or wire.shared_session(), method, url, timeout=self._timeout,
                deadline=self._deadline, max_bytes=self._max_bytes, headers=dict(headers or {}),
                data=body if body is not None else form, files=files, params=params,
            )  # fmt: skip
            if answer.status >= 500:
                raise wire.HttpUnavailable(f"answered {answer.status}", answer=answer)
            if want_json:
                answer.json()
            return answer
        except wire.HttpError as exc:
            error, answer = exc, exc.answer or answer
            raise
        finally:
            if answer is not None or error is not None:
                latency = round((time.monotonic() - started) * 1000)
                sent = _shown_request(body, form, files, params)
                self._record(name, method, url, sent, answer, error, latency, subject, at)

    def _url(self, path: str) -> str:
        if not self.base_url:
            return path
        if path.startswith(("http://", "https://")):
            if not path.startswith(f"{self.base_url}/"):
                raise ValueError("the address is not below the base URL")
            return path
        return f"{self.base_url}/{path.lstrip('/')}"

    def _record(
        self, name: str, method: str, url: str, sent: Any, answer: wire.Answer | None,
        error: wire.HttpError | None, latency_ms: int, subject: str, at: datetime,
    ) -> None:  # fmt: skip
        if self._recorder is None:
            return
        try:
            secrets = tuple(self._secrets() if callable(self._secrets) else self._secrets)
            code, trace_id = self._inspect(answer) if self._inspect and answer else ("", "")
            scrub = redaction.scrub_text
            self._recorder(
                CallRecord(
                    provider=self.provider,
                    name=name,
                    method=method,
                    url=redaction.scrub_url(url, secrets=secrets, max_bytes=480),
                    request=redaction.scrub(sent, secrets=secrets, max_bytes=RECORD_BYTES),
                    response=redaction.scrub(_shown(answer), secrets=secrets, max_bytes=RECORD_BYTES),
                    status=answer.status if answer else None,
                    code=scrub(str(code), secrets=secrets, max_bytes=60),
                    latency_ms=latency_ms,
                    trace_id=scrub(str(trace_id), secrets=secrets, max_bytes=120),
                    error=scrub(f"{type(error).__name__}: {error}", secrets=secrets, max_bytes=480)
                    if error
                    else "",
                    subject=subject,
                    at=at,
                )
            )
        except Exception:
            log.exception("call_not_recorded", provider=self.provider, call=name, subject=subject)


def _shown_request(
    body: bytes | None, form: Mapping[str, str] | None, files: Mapping[str, Any] | None,
    params: Mapping[str, str] | None,
) -> Any:  # fmt: skip
    """What was sent, in a form whose keys redaction can judge."""
    shown: Any = _shown_body(body) if body is not None else dict(form) if form else None
    if files:
        shown = {**(shown or {}), **{key: _shown_file(value) for key, value in files.items()}}
    return {"params": dict(params), "body": shown} if params else shown


def _shown_file(value: Any) -> str:
    content = value[1] if isinstance(value, tuple) else value
    return f"<{len(content)} bytes>" if isinstance(content, (bytes, bytearray)) else "<file>"


def _shown(answer: wire.Answer | None) -> Any:
    return _shown_body(answer.body) if answer else None


def _shown_body(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    pairs = parse_qsl(text) if "=" in text and "<" not in text and len(text) < RECORD_BYTES else []
    return dict(pairs) if pairs else text
