"""The mini program's settings: together or not at all, and no sandbox secret towards the real WeChat."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import checks, registry

REAL = {
    "WECHAT_MINI_APP_ID": "wxreal", "WECHAT_MINI_APP_SECRET": "its own secret", "SANDBOX": False,
    "WECHAT_LOGIN_BASE": "https://api.weixin.qq.com", "CONTENT_CHECKS": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"WECHAT_MINI_APP_ID": "", "WECHAT_MINI_APP_SECRET": ""}, []),
        ({"WECHAT_MINI_APP_SECRET": ""}, []),
        ({"WECHAT_MINI_APP_ID": ""}, ["wechat.E120"]),
        ({"WECHAT_MINI_APP_SECRET": "sandbox-mini-app-secret"}, ["wechat.E121"]),
        ({"CONTENT_CHECKS": "wechat"}, []),
        ({"CONTENT_CHECKS": "somebody"}, ["wechat.E122"]),
        ({"CONTENT_CHECKS": "wechat", "WECHAT_MINI_APP_SECRET": ""}, ["wechat.E123"]),
    ],
)
def test_what_check_finds(settings: Any, changes: dict[str, Any], found: list[str]) -> None:
    for name, value in (REAL | changes).items():
        setattr(settings, name, value)
    assert [message.id for message in checks.check_mini_program(None)] == found


def test_the_settings_of_the_tests_are_the_sandboxs(settings: Any) -> None:
    client = registry.get_mini_program()
    assert client is not None
    assert (client.app_id, checks.check_mini_program(None)) == ("wxsandboxminiprogram", [])
    settings.WECHAT_MINI_APP_SECRET = ""
    assert registry.get_mini_program() is None
