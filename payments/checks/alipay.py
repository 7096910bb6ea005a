"""System checks of Alipay's settings: one mode or nothing, readable keys, no sandbox value towards the real host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from payments import registry

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_ALIPAY_CERTS = ("ALIPAY_APP_CERT", "ALIPAY_PUBLIC_CERT", "ALIPAY_ROOT_CERT")
#: What the simulator hands out. It opens nothing outside it.
_ALIPAY_SANDBOX = {"ALIPAY_APP_ID": "2021000000000001", "ALIPAY_SELLER_ID": "2088000000000001"}


@register(Tags.security)
def check_alipay(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Key mode or certificate mode, or nothing; keys that can be read; no simulator's account at the real Alipay."""
    basic = ("ALIPAY_APP_ID", "ALIPAY_PRIVATE_KEY")
    given = [
        name for name in (*basic, "ALIPAY_PUBLIC_KEY", "ALIPAY_SELLER_ID", *_ALIPAY_CERTS) if getattr(settings, name)
    ]  # fmt: skip
    if not given:
        return []
    missing = [name for name in basic if name not in given]
    certificates = [name for name in _ALIPAY_CERTS if name in given]
    if certificates:
        missing += [name for name in _ALIPAY_CERTS if name not in given]
    elif "ALIPAY_PUBLIC_KEY" not in given:
        missing.append("ALIPAY_PUBLIC_KEY")
    if missing:
        hint = "Set ALIPAY_APP_ID, ALIPAY_PRIVATE_KEY and ALIPAY_PUBLIC_KEY or all three certificates; or none of them."
        return [Error(f"Alipay is half configured: {', '.join(missing)} missing.", hint=hint, id="shop.E030")]
    return [*_alipay_keys(), *_alipay_values()]


def _alipay_keys() -> list[CheckMessage]:
    try:
        registry.get("alipay")
    except ValueError as error:
        hint = "Paste the PEM text (real or \\n newlines), or its bare base64 body."
        return [Error(f"A key or certificate of Alipay cannot be read: {error}.", hint=hint, id="shop.E031")]
    return []


def _alipay_values() -> list[CheckMessage]:
    if urlsplit(settings.ALIPAY_GATEWAY).hostname in _LOOPBACK:
        return []
    found = [name for name, value in _ALIPAY_SANDBOX.items() if getattr(settings, name) == value]
    file = settings.SANDBOX_KEYS_DIR / "alipay_app.private.pem"
    if file.exists() and file.read_text().split() == settings.ALIPAY_PRIVATE_KEY.split():
        found.append("ALIPAY_PRIVATE_KEY")
    return [
        Error(
            f"{name} is the sandbox's, but ALIPAY_GATEWAY is not.", hint="Set the real one.", id="shop.E032"
        )
        for name in found
    ]
