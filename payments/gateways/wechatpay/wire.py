"""One signed call to WeChat Pay and its verified answer; every failure as an error of the port.

Lives here: the exact bytes and path that are signed and sent, checking 2xx answers, HTTP status and code to our errors.
Not here: what a call means (`gateway`), whose key it is (`keys`).

Guarantees: the body is serialised once and the path is the one that goes out, percent-encoding included; an answer whose
signature does not hold (a probe, a stale one, a proxy's page) is thrown away and the call made once more, which is safe:
every call of WeChat Pay may be repeated under its own number. 4xx and 5xx are never signed and are not believed further
than that the call failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from payments.gateways import crypto
from payments.gateways.base import ErrorCode, GatewayError, GatewayMisuse, GatewayUnavailable
from payments.gateways.wechatpay import keys, signing, words
from payments.gateways.wechatpay.config import Config
from pimpshop.core import http, redaction

BILL_BYTES = 64 * 1024 * 1024
NO_CERTIFICATES = b'{"data":[]}'


class Refused(Exception):
    """WeChat Pay refused a call for a reason that leaves the outcome to a query. `code` is theirs, as they spell it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def mapped(self, table: Mapping[str, tuple[type[GatewayError], ErrorCode]]) -> GatewayError:
        """As an error of the port; what the table lacks is our misuse, and staff are told."""
        kind, code = table.get(words.plain(self.code), (GatewayMisuse, ErrorCode.INVALID_REQUEST))
        return kind(self.message, code=code, provider_code=self.code)


class Wire:
    """Calls for one merchant."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.private_key = crypto.load_private_key(config.private_key)
        self._client = self._new_client(http.wire.MAX_BYTES)
        self.ring = keys.KeyRing(config, self._certificates)

    def _new_client(self, max_bytes: int) -> http.Client:
        config = self._config
        return http.Client(
            config.base_url, provider="wechatpay", timeout=config.timeout, deadline=config.deadline,
            max_bytes=max_bytes, session=config.session, recorder=config.recorder, inspect=_inspect,
            secrets=config.secrets, clock=config.clock,
        )  # fmt: skip

    def call(
        self, method: str, path: str, *, name: str, subject: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make the call; the answer's object, {} for 204. `path` is percent-encoded and holds the query.

        Raises Refused (4xx that a query must explain), GatewayUnavailable, GatewayMisuse.
        """
        for _ in range(2):
            answer = self._send(self._client, method, path, name, subject, _bytes(body))
            if answer.status < 300 and not self._is_theirs(answer):
                continue
            return _object(answer)
        raise GatewayUnavailable("an answer without a good signature", code=ErrorCode.BAD_SIGNATURE)

    def download(self, url: str, *, name: str, subject: str) -> bytes:
        """A file from the address that an answer named, below our base URL; such answers are not signed.

        Raises GatewayUnavailable, GatewayMisuse.
        """
        if not url.startswith(f"{self._client.base_url}/"):
            raise GatewayUnavailable("a file at an address of somebody else", code=ErrorCode.BAD_ANSWER)
        answer = self._send(self._new_client(BILL_BYTES), "GET", url, name, subject, b"")
        if answer.status != 200:
            raise GatewayUnavailable(f"no file: {answer.status}", code=ErrorCode.BAD_ANSWER)
        return answer.body

    def _certificates(self) -> bytes:
        """The answer of /v3/certificates; its contents are sealed, so they prove themselves. Merchants in public key
        mode have none (404)."""
        path = "/v3/certificates"
        answer = self._send(self._client, "GET", path, "certificates", "certificates", b"")
        if answer.status == 404 and words.plain(_code(answer)[0]) == "RESOURCENOTEXISTS":
            return NO_CERTIFICATES
        _object(answer)
        return answer.body

    def _send(
        self, client: http.Client, method: str, path: str, name: str, subject: str, body: bytes
    ) -> http.Answer:
        config = self._config
        url = path if path.startswith(f"{client.base_url}/") else f"{client.base_url}{path}"
        # What requests makes of the address is what is signed: it has its own mind about percent signs.
        on_wire = requests.Request(method, url).prepare().path_url
        headers = {
            "Accept": "application/json",
            "Authorization": signing.authorization(
                self.private_key, mch_id=config.mch_id, serial_no=config.serial_no, method=method, path=on_wire,
                body=body, now=config.clock(),
            ),
        }  # fmt: skip
        if body:
            headers["Content-Type"] = "application/json"
        if config.public_key_id:
            headers["Wechatpay-Serial"] = config.public_key_id  # the key that the answer shall be signed with
        try:
            return client.request(method, url, name=name, headers=headers, body=body or None, subject=subject)
        except http.HttpError as exc:
            code, _ = _code(exc.answer)
            raise GatewayUnavailable(str(exc), provider_code=code, not_sent=not exc.maybe_sent) from exc

    def _is_theirs(self, answer: http.Answer) -> bool:
        stamp = answer.headers.get("wechatpay-timestamp", "")
        return signing.is_fresh(stamp, self._config.clock()) and self.ring.verify(answer.headers, answer.body)


def _bytes(body: Mapping[str, Any] | None) -> bytes:
    """The JSON that is signed and sent: the same request is the same bytes."""
    if body is None:
        return b""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _object(answer: http.Answer) -> dict[str, Any]:
    """The answer of a call that was done. Raises Refused, GatewayUnavailable, GatewayMisuse."""
    if answer.status == 204:
        return {}
    if answer.status == 202:
        raise GatewayUnavailable("accepted, to be sent again", provider_code="ACCEPTED")
    if answer.status >= 300:
        raise _refusal(answer)
    try:
        found = answer.json()
    except http.HttpBadBody as exc:
        raise GatewayUnavailable(str(exc), code=ErrorCode.BAD_ANSWER) from exc
    if not isinstance(found, dict):
        raise GatewayUnavailable("the answer is no object", code=ErrorCode.BAD_ANSWER)
    return found


def _refusal(answer: http.Answer) -> Exception:
    """A 4xx as an error. Judged by HTTP status and code alone: messages change."""
    code, message = _code(answer)
    if answer.status == 429:
        return GatewayUnavailable(message, code=ErrorCode.RATE_LIMITED, provider_code=code)
    if answer.status == 401:
        return GatewayMisuse(message, code=ErrorCode.CREDENTIALS, provider_code=code)
    kind = words.ERRORS.get(words.plain(code))
    if kind is not None:
        return kind[0](message, code=kind[1], provider_code=code)
    if not code:  # the router's own 404 or 405
        return GatewayMisuse(f"answered {answer.status} without a code", code=ErrorCode.INVALID_REQUEST)
    return Refused(answer.status, code, message)


def _code(answer: http.Answer | None) -> tuple[str, str]:
    """(code, redacted message) of a refusal; empty where it is none of theirs."""
    try:
        told = answer.json() if answer else {}
    except http.HttpBadBody:
        told = {}
    if not isinstance(told, dict):
        return "", ""
    message = redaction.scrub_text(str(told.get("message") or ""), max_bytes=200)
    return redaction.scrub_text(str(told.get("code") or ""), max_bytes=60), message


def _inspect(answer: http.Answer) -> tuple[str, str]:
    """(code, trace id) for the record of a call."""
    return (_code(answer)[0] if answer.status >= 300 else ""), answer.headers.get("request-id", "")
