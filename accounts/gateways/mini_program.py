"""The mini program's own API at api.weixin.qq.com: log-in, delivery notices, content checks.

Pages (developers.weixin.qq.com/miniprogram/dev): api-login `code2Session` and `getStableAccessToken`,
`uploadShippingInfo` (order management), `msgSecCheck` version 2 and `imgSecCheck` (sec-center). Seen November 2026.
Lives here: the calls, what their errcodes mean. Not here: people and rows (services), settings (registry).

Guarantees: nothing is sent twice, but for one call after an access token that had ended (WeChat did nothing then); the
token is shared by all processes and renewed by one of them; code, secret, session_key, openid, token and
the texts that are looked at are in no record and no message; the session_key of a log-in is dropped where it is read. Never
inside a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pimpshop.core import http

PROVIDER = "wechat"
#: The access token was replaced or has run out.
_TOKEN_ENDED = {40001, 40014, 42001}
#: -1 busy, 45009 and 45011 too often, 61010 too old.
_BUSY = {-1, 45009, 45011, 10060012, 268485216}
#: 40029 no such code (or older than five minutes), 40163 used, 41008 none, 40226 WeChat blocks that person.
_CODE_REFUSED = {40029, 40163, 41008, 40226}
_RISKY = 87014
#: 40003 no such person here, 61010 not within two hours.
_NOT_SEEN_LATELY = {40003, 61010}
#: 10060002 delivery was told and is complete, 10060023 told before with the same content.
_SHIPPED_ALREADY = {10060002, 10060023}
#: WeChat does not know the payment yet: its books follow WeChat Pay's within minutes.
_NOT_YET_KNOWN = {10060001}


class TokenStore(Protocol):
    """`single_flight` renews `stale` once for everybody who saw it fail; the others get the new token."""

    def get(self) -> str | None: ...
    def single_flight(self, refresh: Callable[[], str], stale: str | None) -> str: ...


class WeChatError(Exception):
    """A call did not give what was asked. `errcode` is WeChat's, 0 when it said none."""

    def __init__(self, message: str = "", *, errcode: int = 0) -> None:
        super().__init__(message)
        self.errcode = errcode


class WeChatUnavailable(WeChatError):
    """WeChat did not answer, answered nonsense, or is busy: ask again later."""


class CodeRefused(WeChatError):
    """The code of wx.login is unknown, too old or was used."""


class WeChatMisuse(WeChatError):
    """Our app id, secret or request is wrong: nothing will change by itself."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """`base_url` without a path at its end. `timeout` (connect, read) and `deadline` are seconds: somebody waits."""

    app_id: str
    app_secret: str = field(repr=False)
    base_url: str
    token_store: TokenStore = field(repr=False)
    recorder: http.Recorder | None = None
    timeout: tuple[float, float] = (2.0, 5.0)
    deadline: float = 8.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who a code stands for. `unionid` is "" unless the app is tied to an open-platform account."""

    openid: str = field(repr=False)
    unionid: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shipment:
    """What is told about a delivery. `logistics_type`: 3 virtual goods, 4 picked up. `told_at` is RFC 3339."""

    mch_id: str
    out_trade_no: str
    openid: str = field(repr=False)
    logistics_type: int
    description: str
    told_at: str


class MiniProgram:
    """One mini program. `subject` of the records names what the call was about."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._token, self._text = "", ""  # to be in no record
        self._http = http.Client(
            config.base_url, provider=PROVIDER, timeout=config.timeout, deadline=config.deadline,
            recorder=config.recorder, inspect=_inspect, secrets=lambda: (config.app_secret, self._token, self._text),
        )  # fmt: skip

    @property
    def app_id(self) -> str:
        return self._config.app_id

    # --- log-in ---

    def person_of(self, code: str) -> Person:
        """Who brought the `code` of wx.login: used up by this call. Raises CodeRefused and the others."""
        params = {
            "appid": self._config.app_id, "secret": self._config.app_secret, "js_code": code,
            "grant_type": "authorization_code",
        }  # fmt: skip
        body = self._ask("GET", "sns/jscode2session", params=params)
        openid, unionid = body.get("openid"), body.get("unionid") or ""
        if not (isinstance(openid, str) and 0 < len(openid) <= 128 and isinstance(unionid, str)):
            raise WeChatUnavailable("no openid in the answer")
        return Person(openid=openid, unionid=unionid[:128])

    def access_token(self) -> str:
        """A fresh access token from WeChat: for the token store alone."""
        asked = {
            "grant_type": "client_credential",
            "appid": self._config.app_id,
            "secret": self._config.app_secret,
        }
        body = self._ask("POST", "cgi-bin/stable_token", sent=asked)
        token = body.get("access_token")
        if not (isinstance(token, str) and token):
            raise WeChatUnavailable("no access token in the answer")
        return token

    # --- delivery ---

    def tell_shipment(self, shipment: Shipment) -> bool:
        """Tell WeChat that the goods of a payment are delivered; False when it knew. Raises WeChatUnavailable also while
        WeChat's books do not have the payment yet."""
        body = {
            "order_key": {
                "order_number_type": 1,
                "mchid": shipment.mch_id,
                "out_trade_no": shipment.out_trade_no,
            },
            "logistics_type": shipment.logistics_type,
            "delivery_mode": 1,
            "shipping_list": [{"item_desc": shipment.description[:120]}],
            "upload_time": shipment.told_at,
            "payer": {"openid": shipment.openid},
        }
        try:
            self._call("wxa/sec/order/upload_shipping_info", sent=body, subject=shipment.out_trade_no)
        except WeChatError as error:
            if error.errcode in _SHIPPED_ALREADY:
                return False
            if error.errcode in _NOT_YET_KNOWN:
                raise WeChatUnavailable(str(error), errcode=error.errcode) from error
            raise
        return True

    # --- content ---

    def allows_text(self, text: str, *, openid: str = "", scene: int = 4) -> bool:
        """May `text` (at most 2,500 characters) be shown? Scene 4: what people post. Version 2 wants somebody who used the
        mini program within two hours; without `openid`, or for somebody who did not, the old version 1 is asked."""
        self._text = text
        if not openid:
            return self._allows_plainly(text)
        asked = {"openid": openid, "scene": scene, "version": 2, "content": text[:2500]}
        try:
            found = self._call("wxa/msg_sec_check", sent=asked).get("result")
        except WeChatError as error:
            if error.errcode not in _NOT_SEEN_LATELY:
                raise
            return self._allows_plainly(text)
        suggest = found.get("suggest") if isinstance(found, dict) else None
        if suggest not in ("pass", "review", "risky"):
            raise WeChatUnavailable("no verdict in the answer")
        return bool(suggest != "risky")

    def _allows_plainly(self, text: str) -> bool:
        """Version 1: no person, and a refusal instead of a verdict."""
        try:
            self._call("wxa/msg_sec_check", sent={"content": text[:2500]})
        except WeChatError as error:
            if error.errcode == _RISKY:
                return False
            raise
        return True

    def allows_picture(self, picture: bytes) -> bool:
        """May a JPEG (at most 1 MB and 750 x 1334 pixels) be shown?"""
        try:
            self._call("wxa/img_sec_check", files={"media": ("picture.jpg", picture, "image/jpeg")})
        except WeChatError as error:
            if error.errcode == _RISKY:
                return False
            raise
        return True

    # --- the wire ---

    def shared_token(self, stale: str | None = None) -> str:
        """The access token that all processes share; with `stale` one that is newer. Raises WeChatError."""
        return self._renewed(stale) if stale else self._config.token_store.get() or self._renewed(None)

    def _call(self, path: str, **more: Any) -> dict[str, Any]:
        """A call with the shared access token; once more with a new one when WeChat says that it has ended."""
        token = self.shared_token()
        try:
            return self._ask("POST", path, params={"access_token": self._keep(token)}, **more)
        except WeChatError as error:
            if error.errcode not in _TOKEN_ENDED:
                raise
        token = self._renewed(token)
        return self._ask("POST", path, params={"access_token": self._keep(token)}, **more)

    def _renewed(self, stale: str | None) -> str:
        try:
            return self._config.token_store.single_flight(self.access_token, stale)
        except TimeoutError as error:
            raise WeChatUnavailable(str(error)) from error

    def _keep(self, token: str) -> str:
        self._token = token
        return token

    def _ask(
        self, method: str, path: str, *, params: dict[str, str] | None = None, sent: dict[str, Any] | None = None,
        files: dict[str, Any] | None = None, subject: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """One call; its body when WeChat says that it went well. Answers are JSON in text/plain, always 200."""
        body = None if sent is None else json.dumps(sent, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            answer = self._http.request(
                method, path, name=path.rpartition("/")[2], headers=headers, body=body, files=files,
                params=params, subject=subject, want_json=True,
            )  # fmt: skip
        except http.HttpError as error:
            raise WeChatUnavailable(f"{type(error).__name__}: {error}") from error
        found = answer.json()
        if answer.status != 200 or not isinstance(found, dict):
            raise WeChatUnavailable(f"answered {answer.status} without an object")
        errcode = _errcode(found)
        if errcode:
            raise _refusal(errcode)(f"errcode {errcode}", errcode=errcode)
        return found


def _errcode(found: dict[str, Any]) -> int:
    code = found.get("errcode") or 0
    if not isinstance(code, int):
        raise WeChatUnavailable("an errcode that is no number")
    return code


def _refusal(errcode: int) -> type[WeChatError]:
    if errcode in _BUSY:
        return WeChatUnavailable
    return CodeRefused if errcode in _CODE_REFUSED else WeChatMisuse


def _inspect(answer: http.Answer) -> tuple[str, str]:
    """(errcode, trace id) for the record."""
    found = answer.json()
    return (
        (str(found.get("errcode") or ""), str(found.get("trace_id") or ""))
        if isinstance(found, dict)
        else ("", "")
    )
