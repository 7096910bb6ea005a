"""WeChat Pay's settings: off, half there, unreadable, the sandbox's towards the real host; and the gateway they build."""

from __future__ import annotations

from typing import Any

import pytest

from payments import registry
from payments.checks import wechatpay as checks
from pimpshop.core.models import SharedToken
from tests.support import wechat

OFF = dict.fromkeys((*checks.REQUIRED, *checks.PAIR), "")


@pytest.fixture
def given(settings: Any) -> Any:
    """Set a real merchant's settings in public key mode, with changes; the ids of what `check` finds."""

    def set_(**changes: Any) -> list[str]:
        values: dict[str, Any] = {
            "WECHAT_APP_ID": wechat.APP_ID, "WECHAT_MCH_ID": wechat.MCH_ID, "WECHAT_API_V3_KEY": wechat.V3_KEY,
            "WECHAT_CERT_SERIAL_NO": wechat.SERIAL, "WECHAT_PRIVATE_KEY": wechat.private_pem("merchant"),
            "WECHAT_PUBLIC_KEY_ID": wechat.PUBLIC_KEY_ID, "WECHAT_PUBLIC_KEY": wechat.public_pem("platform"),
            "WECHAT_GATEWAY": wechat.BASE, "WECHAT_NOTIFY_URL": "", "WECHAT_MINI_APP_ID": "", "SANDBOX": False,
        }  # fmt: skip
        for name, value in (values | changes).items():
            setattr(settings, name, value)
        return [message.id for message in checks.check_wechatpay(None)]

    return set_


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (OFF, []),
        ({"WECHAT_PUBLIC_KEY_ID": "", "WECHAT_PUBLIC_KEY": ""}, []),
        ({"WECHAT_MCH_ID": ""}, ["shop.E101"]),
        (OFF | {"WECHAT_APP_ID": "wx1"}, ["shop.E101"]),
        ({"WECHAT_PUBLIC_KEY_ID": ""}, ["shop.E102"]),
        ({"WECHAT_API_V3_KEY": "short"}, ["shop.E103"]),
        ({"WECHAT_PRIVATE_KEY": "no key"}, ["shop.E104"]),
        ({"WECHAT_PUBLIC_KEY": "no key"}, ["shop.E104"]),
        ({"WECHAT_API_V3_KEY": checks.SANDBOX_V3_KEY}, ["shop.E105"]),
        (
            {
                "WECHAT_API_V3_KEY": checks.SANDBOX_V3_KEY,
                "WECHAT_GATEWAY": "http://127.0.0.1:8001/wechatpay",
            },
            [],
        ),
        ({"WECHAT_NOTIFY_URL": "https://shop.example/notify?a=b"}, ["shop.E106"]),
    ],
)
def test_check(given, changes, expected):
    assert given(**changes) == expected


def test_the_hint_names_settings_and_no_value(given):
    given(WECHAT_PRIVATE_KEY="")
    (error,) = checks.check_wechatpay(None)
    assert error.msg == "WeChat Pay is half configured: WECHAT_PRIVATE_KEY missing."
    assert wechat.V3_KEY not in error.msg + error.hint


def test_the_registry_builds_it_or_has_none(given, settings):
    given()
    gateway = registry.get("wechatpay")
    assert (gateway.key, gateway.account, gateway.live) == ("wechatpay", wechat.MCH_ID, True)
    given(**OFF)
    with pytest.raises(registry.GatewayUnknown):
        registry.get("wechatpay")


@pytest.mark.django_db(transaction=True)
def test_certificates_are_shared_and_replaced():
    store = registry._WeChatCertificates(wechat.MCH_ID)
    assert store.load() is None
    for text in ("first", "second"):
        store.save(text)
        assert store.load() == text
    assert SharedToken.objects.filter(name=f"wechatpay:{wechat.MCH_ID}").count() == 1
