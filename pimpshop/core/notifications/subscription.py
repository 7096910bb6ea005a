"""The way out by WeChat: subscription messages of the mini program (subscribeMessage.send).

https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html
Off until WECHAT_MESSAGE_TEMPLATES names a template for a kind and somebody serves access tokens (`serve_tokens`: whoever
keeps the mini program's shared token). A person allows one message per tap in the mini program, so a second one is refused
by WeChat itself. No call inside a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from pimpshop.core import calls, http, money
from pimpshop.core.notifications.kinds import Letter
from pimpshop.core.notifications.mail import NotSent
from pimpshop.core.templatetags import shop

#: errcode -> the access token is not good (any more).
TOKEN_REFUSED = {40001, 40014, 42001}
#: They did not allow it, used it up or took it back.
NOT_WANTED = {43101, 43107, 43108}
BUSY = {-1, 45009, 45011}
#: WeChat's limits by the first letters of a keyword's name; it refuses what is longer.
LONGEST = {
    "thing": 20,
    "character_string": 32,
    "phrase": 5,
    "name": 10,
    "amount": 11,
    "number": 32,
    "date": 20,
    "time": 20,
}


@dataclass(frozen=True)
class Tokens:
    """`current` answers the shared access token, `renewed(stale)` one that is newer than `stale`."""

    current: Callable[[], str]
    renewed: Callable[[str], str]


@dataclass(frozen=True)
class Config:
    """`templates`: kind -> {"id": the template's id, "data": {keyword's name: name of a value of ours}}."""

    base_url: str
    templates: Mapping[str, Mapping[str, Any]]
    tokens: Tokens
    state: str = "formal"  # formal | trial | developer: which edition of the mini program opens


_tokens: Tokens | None = None


def serve_tokens(tokens: Tokens | None) -> None:
    """Name who serves the mini program's access token; None: nobody."""
    global _tokens
    _tokens = tokens


def configured() -> Config | None:
    """The settings as a Config; None while it is off."""
    app = settings.WECHAT_MINI_APP_ID and settings.WECHAT_MINI_APP_SECRET
    if _tokens is None or not app or not settings.WECHAT_MESSAGE_TEMPLATES:
        return None
    return Config(
        base_url=settings.WECHAT_LOGIN_BASE, templates=settings.WECHAT_MESSAGE_TEMPLATES, tokens=_tokens,
        state=settings.WECHAT_MESSAGE_STATE,
    )  # fmt: skip


def speaks_of(kind: str) -> bool:
    """Is there a template for that kind, and WeChat switched on?"""
    config = configured()
    return config is not None and kind in config.templates


def send(kind: str, letter: Letter) -> None:
    """Send one message by the settings' Config. Raises NotSent."""
    config = configured()
    if config is None:
        raise NotSent("WeChat messages are switched off", permanent=True)
    send_by(config, kind, letter)


def send_by(config: Config, kind: str, letter: Letter) -> None:
    """The call: once, and once more with a new token when WeChat refuses ours. Raises NotSent."""
    body = _body(config, kind, letter)
    try:
        token = config.tokens.current()
        code = _post(config, token, body, letter.to.openid)
        if code in TOKEN_REFUSED:
            code = _post(config, config.tokens.renewed(token), body, letter.to.openid)
    except (http.HttpError, OSError) as error:
        raise NotSent(type(error).__name__, unreachable=True) from error
    if code in NOT_WANTED:
        raise NotSent(f"WeChat {code}: not subscribed", permanent=True, wanted=False)
    if code:
        raise NotSent(f"WeChat {code}", permanent=code not in BUSY | TOKEN_REFUSED)


def _body(config: Config, kind: str, letter: Letter) -> bytes:
    template = config.templates[kind]
    said = {
        keyword: {"value": _fitting(keyword, letter.context.get(name, ""))}
        for keyword, name in template.get("data", {}).items()
    }
    content = {
        "touser": letter.to.openid, "template_id": template["id"], "page": letter.page, "data": said,
        "miniprogram_state": config.state, "lang": "zh_CN" if letter.language.startswith("zh") else "en_US",
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False).encode()


def _fitting(keyword: str, value: object) -> str:
    """A value as a keyword of that type takes it; WeChat refuses an empty one."""
    text = shop.money(value) if isinstance(value, money.Money) else " ".join(str(value).split())
    most = LONGEST.get(keyword.rstrip("0123456789"), 20)
    return (text if len(text) <= most else f"{text[: most - 1]}…") or "–"


def _post(config: Config, token: str, body: bytes, openid: str) -> int:
    """WeChat's errcode; 0 is a yes. The record of the call knows neither token nor person."""
    client = http.Client(
        config.base_url, provider="wechat", recorder=calls.record, secrets=(token, openid), inspect=_inspect
    )
    answer = client.request(
        "POST", "/cgi-bin/message/subscribe/send", name="subscribeMessage.send", params={"access_token": token},
        body=body, headers={"Content-Type": "application/json"}, want_json=True,
    )  # fmt: skip
    return _code(answer)


def _code(answer: http.Answer) -> int:
    told = answer.json()
    code = told.get("errcode", -1) if isinstance(told, dict) else -1
    return code if isinstance(code, int) else -1


def _inspect(answer: http.Answer) -> tuple[str, str]:
    code = _code(answer)
    return ("" if code == 0 else str(code)), ""
