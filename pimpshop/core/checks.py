"""System checks of the kernel: secrets and switches that must not reach production.

`manage.py check` refuses half-configured providers (with a hint); `check --deploy` also what is only for development. `refuse_unsafe_start` is what servers and workers call themselves:
nobody has to remember to run `check`.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

_MANUFACTURER = (
    "MANUFACTURER_API_BASE",
    "MANUFACTURER_ACCOUNT",
    "MANUFACTURER_PASSWORD",
    "MANUFACTURER_SIGN_KEY",
)
#: Values of the simulator. They open nothing outside it, and nothing outside it may accept them.
_SANDBOX_VALUES = {
    "MANUFACTURER_PASSWORD": "sandbox-password",
    "MANUFACTURER_SIGN_KEY": "TESTFIXEDKEY",
}
_AIRWALLEX = ("AIRWALLEX_CLIENT_ID", "AIRWALLEX_API_KEY", "AIRWALLEX_WEBHOOK_SECRETS")
_AIRWALLEX_SANDBOX = {"sandbox-airwallex-api-key", "sandbox-airwallex-webhook-secret"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@register(Tags.security)
def check_manufacturer(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """All of the manufacturer's settings or none; no sandbox secret towards a real host."""
    missing = [name for name in _MANUFACTURER if not getattr(settings, name)]
    found: list[CheckMessage] = []
    if missing and len(missing) < len(_MANUFACTURER):
        found.append(Error(f"The manufacturer is half configured: {', '.join(missing)} missing.",
                           hint="Set all four MANUFACTURER_ settings, or none to switch the machine off.",
                           id="shop.E001"))  # fmt: skip
    host = urlsplit(settings.MANUFACTURER_API_BASE).hostname
    if host and host not in _LOOPBACK:
        for name, value in _SANDBOX_VALUES.items():
            if getattr(settings, name) == value:
                found.append(Error(f"{name} is the sandbox's, but MANUFACTURER_API_BASE is not.",
                                   hint="Set the real secret.", id="shop.E002"))  # fmt: skip
    for name in ("TRUSTED_PROXIES", "MANUFACTURER_WEBHOOK_ALLOWED_IPS"):
        wrong = [text for text in getattr(settings, name) if not _is_network(text)]
        if wrong:
            found.append(Error(f"{name}: {', '.join(wrong)} is no address and no network.",
                               hint="Write addresses or CIDR networks: 10.0.0.0/8,192.0.2.7", id="shop.E004"))  # fmt: skip
    if settings.MANUFACTURER_ORDER_ID_KIND not in {"oren", "msor"}:
        found.append(Error("MANUFACTURER_ORDER_ID_KIND is oren or msor.", id="shop.E003"))
    return found


@register(Tags.security)
def check_airwallex(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """All of Airwallex's settings or none; no sandbox secret towards a real host."""
    missing = [name for name in _AIRWALLEX if not getattr(settings, name)]
    found: list[CheckMessage] = []
    if missing and len(missing) < len(_AIRWALLEX):
        found.append(Error(f"Airwallex is half configured: {', '.join(missing)} missing.",
                           hint=f"Set {', '.join(_AIRWALLEX)}, or none to switch Airwallex off.",
                           id="airwallex.E001"))  # fmt: skip
    host = urlsplit(settings.AIRWALLEX_API_BASE).hostname
    known = {settings.AIRWALLEX_API_KEY, *settings.AIRWALLEX_WEBHOOK_SECRETS}
    if host not in _LOOPBACK and known & _AIRWALLEX_SANDBOX:
        found.append(Error("A secret of Airwallex is the sandbox's, but AIRWALLEX_API_BASE is not.",
                           hint="Set the real key and webhook secrets.", id="airwallex.E002"))  # fmt: skip
    return found


@register(Tags.security)
def check_sandbox(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The simulators say that whoever pays has paid, and demo staff have known passwords: never under a public name."""
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname or ""
    if not settings.SANDBOX or settings.DEBUG or _is_nearby(host):
        return []
    hint = "Set SANDBOX=0, or PUBLIC_BASE_URL to an address of your own network."
    return [Error(f"SANDBOX is on for {host}, which others can reach.", hint=hint, id="shop.E005")]


def _is_nearby(host: str) -> bool:
    """A loopback or private address, localhost, or a name that only a local network knows."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".test"))


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def refuse_unsafe_start() -> None:
    """Called where a server or a worker starts: outside DEBUG and tests nothing runs with an Error of the security
    checks or a poor SECRET_KEY. Raises ImproperlyConfigured in words for whoever set it up; names no value.
    """
    if settings.DEBUG or settings.TESTING:
        return
    errors = [m for m in checks.run_checks(tags=[Tags.security]) if m.level >= checks.ERROR]
    errors += [] if _is_good_secret() else [_POOR_SECRET]
    if errors:
        lines = [f"- {m.msg}{f' {m.hint}' if m.hint else ''} ({m.id})" for m in errors]
        raise ImproperlyConfigured("\n".join(["pimpshop refuses to start:", *lines]))


def _is_good_secret() -> bool:
    try:
        text = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's way of saying that it is empty
        return False
    return len(text) >= 50 and len(set(text)) >= 5 and not text.startswith(("insecure-", "django-insecure-"))


_POOR_SECRET = Error(
    "SECRET_KEY is empty, short or a default.", hint="Use 50 random characters.", id="shop.E013"
)


@register(Tags.security, deploy=True)
def check_deploy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What only development may have."""
    found: list[CheckMessage] = []
    if settings.SANDBOX:
        found.append(
            Error(
                "SANDBOX is on: every provider is simulated.",
                hint="Set SANDBOX=0.",
                id="shop.E010",
            )
        )
    if settings.OUTBOUND_ALLOWED_HOSTS:
        found.append(
            Error(
                "OUTBOUND_ALLOWED_HOSTS exempts hosts from the fetch guard.",
                id="shop.E011",
            )
        )
    if settings.DEBUG:
        found.append(Error("DEBUG is on.", id="shop.E012"))
    if not _is_good_secret():
        found.append(_POOR_SECRET)
    if not (settings.MANUFACTURER_WEBHOOK_ALLOWED_IPS or settings.MANUFACTURER_WEBHOOK_SECRET_PATH):
        found.append(
            Warning(
                "The manufacturer's webhook is open to everybody.",
                hint="Harmless (each post is confirmed by getPayStatus), but set MANUFACTURER_WEBHOOK_ALLOWED_IPS.",
                id="shop.W014",
            )
        )
    if settings.SECURE_SSL_REDIRECT and not settings.TRUSTED_PROXIES:
        found.append(
            Warning(
                "TRUSTED_PROXIES is empty, so X-Forwarded-Proto and X-Forwarded-For are not believed.",
                hint="Behind a proxy that ends TLS, name it; else every page redirects for ever and limits count "
                "the proxy as one caller.",
                id="shop.W015",
            )
        )
    return found
