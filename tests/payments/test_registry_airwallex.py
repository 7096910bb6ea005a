"""Airwallex in the registry: off without its settings, live only where it is."""

from __future__ import annotations

from typing import Any

import pytest

from payments import registry


@pytest.mark.parametrize("name", ["AIRWALLEX_CLIENT_ID", "AIRWALLEX_API_KEY", "AIRWALLEX_WEBHOOK_SECRETS"])
def test_without_a_setting_it_is_off(settings: Any, name: str) -> None:
    setattr(settings, name, type(getattr(settings, name))())
    assert "airwallex" not in registry.configured()
    with pytest.raises(registry.GatewayUnknown):
        registry.get("airwallex")


@pytest.mark.parametrize(
    ("sandbox", "base", "live"),
    [
        (True, "http://127.0.0.1:8001/airwallex", False),
        (False, "https://api-demo.airwallex.com", False),
        (False, "https://api.sandbox.airwallex.com", False),
        (False, "https://api.airwallex.com", True),
    ],
)
def test_only_the_real_host_is_live(settings: Any, sandbox: bool, base: str, live: bool) -> None:
    settings.SANDBOX, settings.AIRWALLEX_API_BASE, settings.AIRWALLEX_ACCOUNT_ID = sandbox, base, "acct_1"
    gateway = registry.get("airwallex")
    assert (gateway.key, gateway.live, gateway.account) == ("airwallex", live, "acct_1")
