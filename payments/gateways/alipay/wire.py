"""One call to gateway.do: common parameters, our signature, theirs, refusals as the port's errors.

Lives here: `Config` and `Wire`. Not here: what a call is for (`gateway`), the text that is signed (`signing`).

Guarantees: the timestamp is Beijing's whatever this machine's zone; every call gives one redacted record; an answer
without a signature, or with one that does not verify, is unknown (GatewayUnavailable, bad_signature), never a success
and never a refusal; nothing is sent twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode, urlsplit

from payments.gateways import crypto
from payments.gateways.alipay import signing, words
from payments.gateways.base import ErrorCode, GatewayError, GatewayUnavailable
from pimpshop.core import http, redaction

PROVIDER = "alipay"
BEIJING = timezone(timedelta(hours=8))
FORM = "application/x-www-form-urlencoded;charset=utf-8"
_MAX_FILE = 64 * 1024 * 1024


def local(at: datetime) -> str:
    """A time as Alipay writes it: Beijing's, to the second."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, kw_only=True)
class Config:
    """One application at Alipay. Keys and certificates as PEM, PEM with `\\n` written out, or the bare base64 body.

    Key mode: `public_key` is Alipay's. Certificate mode: all three certificates, `public_key` is not looked at.
    """

    app_id: str
    private_key: str = field(repr=False)
    public_key: str = field(default="", repr=False)
    seller_id: str = ""
    gateway_url: str = "https://openapi.alipay.com/gateway.do"
    app_cert: str = field(default="", repr=False)
    public_cert: str = field(default="", repr=False)
    root_cert: str = field(default="", repr=False)
    live: bool = False
    recorder: http.Recorder | None = None
    session: Any = None
    clock: Callable[[], datetime] | None = None


class Wire:
    """Signs, posts, verifies. Raises crypto.BadKey or signing.BadCertificate (both ValueError) for unreadable keys."""

    def __init__(self, config: Config) -> None:
        self.app_id, self.url = config.app_id, config.gateway_url
        self.now = config.clock or (lambda: datetime.now(UTC))
        self._private_key = crypto.load_private_key(config.private_key)
        self._certificates: dict[str, str] = {}
        self._their_sn = ""
        if config.app_cert or config.public_cert or config.root_cert:
            self._certificates = {
                "app_cert_sn": signing.cert_sn(config.app_cert),
                "alipay_root_cert_sn": signing.root_cert_sn(config.root_cert),
            }
            self._their_sn = signing.cert_sn(config.public_cert)
        self._public_key = crypto.load_public_key(config.public_cert or config.public_key)
        parts: dict[str, Any] = {
            "session": config.session,
            "recorder": config.recorder,
            "clock": config.clock,
        }
        self._http = http.Client(
            provider=PROVIDER, inspect=_inspect, secrets=(config.private_key,), **parts
        )  # fmt: skip
        self._files = http.Client(provider=PROVIDER, deadline=60.0, max_bytes=_MAX_FILE, **parts)

    def verifies(self, text: bytes, signature: str) -> bool:
        """Whether Alipay signed `text` (SHA256withRSA, whatever the message says of itself)."""
        return crypto.verify(self._public_key, text, signature)

    def signed(self, method: str, biz: Mapping[str, Any], **urls: str) -> dict[str, str]:
        """All parameters of a request with `biz_content` and `sign`; `urls` are notify_url and return_url."""
        params = {
            "app_id": self.app_id, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": signing.SIGN_TYPE,
            "timestamp": local(self.now()), "version": "1.0", **self._certificates,
            **{name: url for name, url in urls.items() if url},
            "biz_content": json.dumps(biz, ensure_ascii=False, separators=(",", ":")),
        }  # fmt: skip
        return params | {"sign": crypto.sign(self._private_key, signing.request_text(params))}

    def address(self, params: Mapping[str, str]) -> str:
        """The signed request as one GET address, for the shopper's browser."""
        return f"{self.url}?{urlencode(params)}"

    def order_string(self, params: Mapping[str, str]) -> str:
        """The signed request as the app's SDK takes it."""
        return urlencode(params)

    def call(
        self, method: str, biz: Mapping[str, Any], *, subject: str, notify_url: str = ""
    ) -> dict[str, Any]:
        """Post once; the response object of code 10000.

        Raises the error of `words.verdict` with Alipay's own code, GatewayUnavailable for whatever is not surely known.
        """
        params = self.signed(method, biz, notify_url=notify_url)
        content = params.pop("biz_content")
        try:
            answer = self._http.request(
                "POST", self.url, name=method, headers={"Content-Type": FORM}, params=params,
                form={"biz_content": content}, subject=subject,
            )  # fmt: skip
        except http.HttpError as exc:
            raise GatewayUnavailable(str(exc), not_sent=not exc.maybe_sent) from exc
        told = self._read(answer, method)
        if told.get("code") != words.OK:
            raise _refusal(told)
        return told

    def _read(self, answer: http.Answer, method: str) -> dict[str, Any]:
        try:
            found = signing.members(answer.body)
        except (ValueError, RecursionError) as exc:
            raise GatewayUnavailable("the answer is no JSON object", code=ErrorCode.BAD_ANSWER) from exc
        name = f"{method.replace('.', '_')}_response"
        told, raw = found.get(name) or found.get("error_response") or (None, b"")
        signature = found.get("sign", ("", b""))[0]
        if not isinstance(signature, str) or not signature or not self.verifies(raw, signature):
            code = _code(told) if isinstance(told, dict) else ""
            raise GatewayUnavailable(
                f"the answer is not signed by Alipay {code}", code=ErrorCode.BAD_SIGNATURE, provider_code=code
            )
        if self._their_sn and found.get("alipay_cert_sn", ("", b""))[0] != self._their_sn:
            raise GatewayUnavailable(
                "Alipay signs with another certificate: download it anew", code=ErrorCode.BAD_SIGNATURE
            )
        if not isinstance(told, dict):
            raise GatewayUnavailable("the answer is about another call", code=ErrorCode.BAD_ANSWER)
        return told

    def download(self, url: str, *, subject: str) -> bytes:
        """A file that a verified answer named. Raises GatewayUnavailable."""
        if urlsplit(url).scheme != "https" and urlsplit(url).netloc != urlsplit(self.url).netloc:
            raise GatewayUnavailable("the address of the bill is not safe", code=ErrorCode.BAD_ANSWER)
        try:
            answer = self._files.request("GET", url, name="bill", subject=subject)
        except http.HttpError as exc:
            raise GatewayUnavailable(str(exc)) from exc
        if answer.status != 200:
            raise GatewayUnavailable(f"the bill answered {answer.status}", code=ErrorCode.BAD_ANSWER)
        return answer.body


def _code(told: Mapping[str, Any]) -> str:
    """Alipay's own code for a refusal: the sub_code where there is one."""
    return redaction.scrub_text(str(told.get("sub_code") or told.get("code") or ""), max_bytes=60)


def _refusal(told: Mapping[str, Any]) -> GatewayError:
    kind, code = words.verdict(str(told.get("code")), str(told.get("sub_code") or ""))
    message = redaction.scrub_text(str(told.get("sub_msg") or told.get("msg") or ""), max_bytes=200)
    # Alipay's front door turned it away: nothing behind it was reached.
    return kind(message, code=code, provider_code=_code(told), not_sent=code == ErrorCode.RATE_LIMITED)


def _inspect(answer: http.Answer) -> tuple[str, str]:
    """For the record: the business code and Alipay's trace id."""
    trace_id = answer.headers.get("trace_id", "")
    try:
        found = [value for value, _ in signing.members(answer.body).values() if isinstance(value, dict)]
    except (ValueError, RecursionError):
        return "", trace_id
    return (_code(found[0]) if found else ""), trace_id
