"""System checks of WeChat Pay's settings: all or none, readable keys, no sandbox secret towards the real host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from payments.gateways import crypto

REQUIRED = (
    "WECHAT_APP_ID",
    "WECHAT_MCH_ID",
    "WECHAT_API_V3_KEY",
    "WECHAT_CERT_SERIAL_NO",
    "WECHAT_PRIVATE_KEY",
)
PAIR = ("WECHAT_PUBLIC_KEY_ID", "WECHAT_PUBLIC_KEY")
SANDBOX_V3_KEY = "sandbox-v3-key-of-thirty-two-byt"
REAL_HOSTS = (".weixin.qq.com", ".wechatpay.cn")


@register(Tags.security)
def check_wechatpay(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """All five of WECHAT_…, or none; then that they can work together."""
    missing = [name for name in REQUIRED if not getattr(settings, name)]
    if len(missing) == len(REQUIRED):
        return []
    if missing:
        hint = f"Set {', '.join(REQUIRED)}, or none of them to switch WeChat Pay off."
        return [_error(f"WeChat Pay is half configured: {', '.join(missing)} missing.", hint, 101)]
    return list(_faults())


def _faults() -> Iterator[CheckMessage]:
    lacking = [name for name in PAIR if not getattr(settings, name)]
    if len(lacking) == 1:
        yield _error(
            f"WeChat Pay: {lacking[0]} is missing.",
            "Set both settings of the public key, or neither: then platform certificates are downloaded.", 102,
        )  # fmt: skip
    if len(settings.WECHAT_API_V3_KEY.encode()) != 32:
        yield _error("WECHAT_API_V3_KEY is not 32 bytes long.", "Copy it again from the merchant site.", 103)
    yield from _unreadable()
    if settings.WECHAT_API_V3_KEY == SANDBOX_V3_KEY and _is_real(settings.WECHAT_GATEWAY):
        yield _error(
            "WECHAT_API_V3_KEY is the sandbox's, but WECHAT_GATEWAY is not.",
            "Set the merchant's own key.",
            105,
        )
    url = settings.WECHAT_NOTIFY_URL
    if "?" in url or "#" in url or len(url) > 255:
        yield _error(
            "WECHAT_NOTIFY_URL must have no query and at most 255 characters.",
            "WeChat Pay posts to the bare address only.", 106,
        )  # fmt: skip


def _unreadable() -> Iterator[CheckMessage]:
    hint = "PEM, PEM with \\n written out, or the bare base64 body; the file of the merchant site, whole."
    try:
        crypto.load_private_key(settings.WECHAT_PRIVATE_KEY)
    except crypto.BadKey:
        yield _error("WECHAT_PRIVATE_KEY is no RSA private key.", hint, 104)
    try:
        if settings.WECHAT_PUBLIC_KEY:
            crypto.load_public_key(settings.WECHAT_PUBLIC_KEY)
    except crypto.BadKey:
        yield _error("WECHAT_PUBLIC_KEY is no RSA public key.", hint, 104)


def _is_real(base_url: str) -> bool:
    return (urlsplit(base_url).hostname or "").endswith(REAL_HOSTS)


def _error(message: str, hint: str, number: int) -> CheckMessage:
    return Error(message, hint=hint, id=f"shop.E{number}")
