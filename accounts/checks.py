"""System checks of the mini program's settings: together or not at all, no sandbox secret towards the real host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

_SANDBOX_SECRET = "sandbox-mini-app-secret"  # noqa: S105  (known to everybody: opens only the simulator)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@register(Tags.security)
def check_mini_program(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The app id alone takes payments; the secret is of no use without it."""
    found: list[CheckMessage] = []
    app_id, secret = settings.WECHAT_MINI_APP_ID, settings.WECHAT_MINI_APP_SECRET
    if secret and not app_id:
        found.append(Error("The mini program is half configured: WECHAT_MINI_APP_ID missing.",
                           hint="Set both WECHAT_MINI_APP_ID and WECHAT_MINI_APP_SECRET, or neither.",
                           id="wechat.E120"))  # fmt: skip
    host = urlsplit(settings.WECHAT_LOGIN_BASE).hostname
    if secret == _SANDBOX_SECRET and host not in _LOOPBACK and not settings.SANDBOX:
        found.append(Error("WECHAT_MINI_APP_SECRET is the sandbox's, but WECHAT_LOGIN_BASE is not.",
                           hint="Set the mini program's own secret.", id="wechat.E121"))  # fmt: skip
    if settings.CONTENT_CHECKS not in ("", "wechat"):
        found.append(Error("CONTENT_CHECKS is wechat, or empty.", id="wechat.E122"))
    if settings.CONTENT_CHECKS == "wechat" and not (app_id and secret):
        found.append(Error("CONTENT_CHECKS=wechat needs the mini program.",
                           hint="Set WECHAT_MINI_APP_ID and WECHAT_MINI_APP_SECRET.", id="wechat.E123"))  # fmt: skip
    return found
