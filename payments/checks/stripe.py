"""System checks of Stripe's settings: all or none, keys of one mode, no live key elsewhere, no sandbox value at Stripe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

_STRIPE_KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9]{24,}", re.ASCII)
_STRIPE_PUBLISHABLE = re.compile(r"pk_(test|live)_[A-Za-z0-9]{24,}", re.ASCII)
_STRIPE_HOST = "api.stripe.com"
_OF_THE_SANDBOX = "sandbox" * 4


@register(Tags.security)
def check_stripe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Stripe's settings are all there or none; test, live and sandbox do not mix. Names no value."""
    wanted = {
        "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
        "STRIPE_PUBLISHABLE_KEY": settings.STRIPE_PUBLISHABLE_KEY,
        "STRIPE_WEBHOOK_SECRETS": "".join(settings.STRIPE_WEBHOOK_SECRETS),
    }
    missing = [name for name, value in wanted.items() if not value]
    if len(missing) == len(wanted):
        return []
    if missing:
        return [Error(f"Stripe is half configured: {', '.join(missing)} missing.",
                      hint="Set all three, or none to switch Stripe off.", id="stripe.E001")]  # fmt: skip
    return [*_stripe_shapes(), *_stripe_places(wanted)]


def _stripe_shapes() -> Iterator[CheckMessage]:
    """Every key has the shape of its kind, and both are of one mode."""
    secret = _STRIPE_KEY.fullmatch(settings.STRIPE_SECRET_KEY)
    public = _STRIPE_PUBLISHABLE.fullmatch(settings.STRIPE_PUBLISHABLE_KEY)
    if not secret:
        yield Error("STRIPE_SECRET_KEY is no secret key of Stripe's.",
                    hint="It begins with sk_test_, sk_live_, rk_test_ or rk_live_.", id="stripe.E002")  # fmt: skip
    if not public:
        yield Error("STRIPE_PUBLISHABLE_KEY is no publishable key of Stripe's.",
                    hint="It begins with pk_test_ or pk_live_.", id="stripe.E003")  # fmt: skip
    if secret and public and secret[2] != public[1]:
        yield Error("STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY mix test and live.", id="stripe.E004",
                    hint="Take both from the same page of Stripe's dashboard.")  # fmt: skip
    if not all(secret.startswith("whsec_") for secret in settings.STRIPE_WEBHOOK_SECRETS):
        yield Error("STRIPE_WEBHOOK_SECRETS holds something else.", id="stripe.E005",
                    hint="A signing secret begins with whsec_; several are separated by commas.")  # fmt: skip


def _stripe_places(wanted: dict[str, str]) -> Iterator[CheckMessage]:
    """A live key goes to Stripe alone, and Stripe gets no secret that everybody knows."""
    there = urlsplit(settings.STRIPE_API_BASE)
    real = there.scheme == "https" and there.hostname == _STRIPE_HOST
    if not real and settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_")):
        yield Error("STRIPE_SECRET_KEY is live, but STRIPE_API_BASE is not Stripe.", id="stripe.E006",
                    hint=f"Set STRIPE_API_BASE=https://{_STRIPE_HOST}, or use a test key.")  # fmt: skip
    known = [name for name, value in wanted.items() if _OF_THE_SANDBOX in value]
    if real and known:
        yield Error(f"{', '.join(known)}: the sandbox's, but STRIPE_API_BASE is Stripe.",
                    hint="Set your account's own.", id="stripe.E007")  # fmt: skip
