"""Airwallex's calls: the log-in that all processes share, the pinned version, one `send` that maps every failure.

Lives here: `Config`, headers, renewal of the token on 401 (once), reading answers and errors, pages of lists. Not here:
what is sent and what an object means. Guarantees: one CallRecord per call without card, token or secret; nothing is
ever sent twice but a call that was refused for its token; every failure is a GatewayError.
Source: "Payment Acceptance", hosts and log-in, errors; API version 2025-06-30.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from payments.gateways.airwallex import wire, words
from payments.gateways.base import ErrorCode, GatewayError, GatewayMisuse, GatewayUnavailable
from pimpshop.core import http, redaction

PROVIDER = "airwallex"
API_VERSION = "2025-06-30"
LOGIN = "api/v1/authentication/login"
PAGE_SIZE, MOST_PAGES = 100, 50


class TokenStore(Protocol):
    """`single_flight` renews `stale` once for everybody who saw it fail; the others get the new token."""

    def get(self) -> str | None: ...
    def single_flight(self, refresh: Callable[[], str], stale: str | None) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Config:
    """`base_url` is the host, without /api. `webhook_secrets`: each is accepted (rotation). `account_id` empty: events
    are not compared with it. `raw_cards`: card numbers may pass through us (PCI SAQ D). Times are seconds."""

    base_url: str
    client_id: str
    api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    token_store: TokenStore = field(repr=False)
    account_id: str = ""
    live: bool = False
    raw_cards: bool = False
    recorder: http.Recorder | None = None
    timeout: tuple[float, float] = (3.0, 20.0)
    deadline: float = 25.0
    session: Any = None
    clock: Callable[[], datetime] | None = None


class Client:
    """The calls about one `subject` (an order_no, for the records); `hidden` are texts that no record may show."""

    def __init__(self, config: Config, *, subject: str = "", hidden: tuple[str, ...] = ()) -> None:
        self._config = config
        self._subject = subject
        self._hidden = (config.api_key, *config.webhook_secrets, *hidden)
        self._token = ""
        self._http = http.Client(
            config.base_url,
            provider=PROVIDER,
            timeout=config.timeout,
            deadline=config.deadline,
            session=config.session,
            recorder=self._record if config.recorder else None,
            inspect=_inspect,
            secrets=lambda: (*self._hidden, self._token),
            clock=config.clock,
        )

    def _record(self, call: http.CallRecord) -> None:
        if self._config.recorder:
            shown = replace(
                call, request=_without_cards(call.request), response=_without_cards(call.response)
            )
            self._config.recorder(shown)

    def get(self, path: str, **params: str) -> Mapping[str, Any]:
        """Read an object. Raises GatewayError (code not_found when there is none)."""
        return self._call("GET", path, params=params or None)

    def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change something; `body` carries its request_id. Raises GatewayError (`words.asks_for_a_look` tells which)."""
        return self._call("POST", path, body=wire.dumps(body))

    def items(self, path: str, **params: str) -> Iterator[Mapping[str, Any]]:
        """Every object of a list, page by page. Raises GatewayError."""
        for number in range(MOST_PAGES):
            page = self.get(path, **params, page_num=str(number), page_size=str(PAGE_SIZE))
            found = page.get("items")
            if not isinstance(found, list):
                raise GatewayUnavailable("a list without items", code=ErrorCode.BAD_ANSWER)
            yield from (item for item in found if isinstance(item, Mapping))
            if page.get("has_more") is not True:
                return
        raise GatewayUnavailable("a list without an end", code=ErrorCode.BAD_ANSWER)

    # --- how a call is made ---

    def login(self) -> str:
        """A new token, good for about half an hour. Everybody but the token store goes through `_fresh_token`."""
        headers = {"x-client-id": self._config.client_id, "x-api-key": self._config.api_key}
        answer = self._exchange("POST", LOGIN, headers=headers, body=b"")
        data = self._read(answer)
        self._token = wire.text(data.get("token"), 8192)
        if not self._token:
            raise GatewayUnavailable("no token in the answer", code=ErrorCode.BAD_ANSWER, not_sent=True)
        return self._token

    def _fresh_token(self, stale: str | None) -> str:
        """Whatever goes wrong with a log-in, the call itself was not sent."""
        try:
            return self._config.token_store.single_flight(self.login, stale)
        except TimeoutError as exc:
            raise GatewayUnavailable(str(exc), not_sent=True) from exc
        except GatewayMisuse as exc:
            raise GatewayMisuse(exc.message, code=ErrorCode.CREDENTIALS, not_sent=True) from exc
        except GatewayUnavailable as exc:
            raise GatewayUnavailable(exc.message, code=exc.code, not_sent=True) from exc

    def _call(
        self, method: str, path: str, *, body: bytes | None = None, params: dict[str, str] | None = None
    ) -> Mapping[str, Any]:
        path = f"api/v1/pa/{path}"
        token = self._config.token_store.get() or self._fresh_token(None)
        answer = self._exchange(method, path, headers=self._headers(token), body=body, params=params)
        if answer.status == 401:  # refused at the door, so it may be sent again
            token = self._fresh_token(token)
            answer = self._exchange(method, path, headers=self._headers(token), body=body, params=params)
        return self._read(answer)

    def _headers(self, token: str) -> dict[str, str]:
        self._token = token
        return {"Authorization": f"Bearer {token}", "x-api-version": API_VERSION}

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        body: bytes | None,
        params: dict[str, str] | None = None,
    ) -> http.Answer:
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            return self._http.request(
                method,
                path,
                name=_name(path),
                headers=headers,
                body=body,
                params=params,
                subject=self._subject,
            )
        except http.HttpError as exc:
            why = self._clean(f"{type(exc).__name__}: {exc}")
            raise GatewayUnavailable(why, not_sent=not exc.maybe_sent) from exc

    def _read(self, answer: http.Answer) -> Mapping[str, Any]:
        try:
            data = answer.json()
        except http.HttpBadBody as exc:
            if answer.status in (200, 201):
                raise GatewayUnavailable("no JSON", code=ErrorCode.BAD_ANSWER) from exc
            data = {}
        told = wire.row(data)
        if answer.status in (200, 201):
            if not told:
                raise GatewayUnavailable("no object", code=ErrorCode.BAD_ANSWER)
            return told
        raise self._refusal(answer.status, told)

    def _refusal(self, status: int, told: Mapping[str, Any]) -> GatewayError:
        details = wire.row(told.get("details"))
        issuer = told.get("provider_original_response_code") or details.get("provider_original_response_code")
        return words.refusal(
            status, wire.text(told.get("code"), 60), source=wire.text(told.get("source")), issuer=wire.text(issuer, 20),
            message=self._clean(wire.text(told.get("message"))), trace_id=wire.text(told.get("trace_id"), 120),
        )  # fmt: skip

    def _clean(self, text: str) -> str:
        return redaction.scrub_text(text, secrets=(*self._hidden, self._token), max_bytes=200)


def _without_cards(shown: Any) -> Any:
    """Of a card only brand and last four digits are recorded, of a billing address nothing: no name, no expiry."""
    if isinstance(shown, list):
        return [_without_cards(item) for item in shown]
    if not isinstance(shown, Mapping):
        return shown
    found = {name: _without_cards(item) for name, item in shown.items() if name not in ("card", "billing")}
    card = shown.get("card")
    if isinstance(card, Mapping):  # `payment_method_options` has a card of its own: what it says stays
        found["card"] = {name: card[name] for name in ("brand", "last4", "auto_capture") if name in card}
    return found


def _name(path: str) -> str:
    """What the records call it: the path without its ids."""
    parts = path.removeprefix("api/v1/").removeprefix("pa/").split("/")
    return "/".join("{id}" if "_" in part and any(c.isdigit() for c in part) else part for part in parts)


def _inspect(answer: http.Answer) -> tuple[str, str]:
    try:
        told = wire.row(answer.json())
    except http.HttpBadBody:
        return "", ""
    return wire.text(told.get("code") or told.get("status"), 60), wire.text(told.get("trace_id"), 120)
