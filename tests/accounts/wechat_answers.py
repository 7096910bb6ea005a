"""WeChat's side of the mini program's log-in for tests: what jscode2session answers, over `responses`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import responses
from django.conf import settings

URL = f"{settings.WECHAT_LOGIN_BASE}/sns/jscode2session"
SESSION_KEY = "tiihtNczf5v6AKRyjwEUhQ=="
OPENID, UNIONID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "o6_bmasdasdsad6_2sgVt7hMZOPfL"


@contextmanager
def wechat(*answers: Any) -> Iterator[responses.RequestsMock]:
    """Answers in this order: a dict (JSON in text/plain, as WeChat does), an exception, or (status, text)."""
    with responses.RequestsMock() as wire:
        for told in answers:
            add(wire, told)
        yield wire


def add(wire: responses.RequestsMock, told: Any, url: str = URL, method: str = responses.GET) -> None:
    if isinstance(told, dict):
        wire.add(responses.Response(method, url, json=told, content_type="text/plain"))
    elif isinstance(told, tuple):
        wire.add(method, url, status=told[0], body=told[1])
    else:
        wire.add(method, url, body=told)


def known(openid: str = OPENID, unionid: str = "") -> dict[str, Any]:
    """A good answer."""
    return {"session_key": SESSION_KEY, "openid": openid} | ({"unionid": unionid} if unionid else {})
