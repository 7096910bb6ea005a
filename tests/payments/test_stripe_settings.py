"""Stripe's settings: all or none, the right shapes, and nothing mixed; and the gateway that they build."""

from __future__ import annotations

import pytest

from payments import registry
from payments.checks import stripe as checks

TEST, LIVE = "sk_test_" + "x7" * 14, "sk_live_" + "x7" * 14
PUBLIC, PUBLIC_LIVE = "pk_test_" + "y8" * 14, "pk_live_" + "y8" * 14
SECRET = "whsec_" + "z9" * 14
REAL, NEAR = "https://api.stripe.com", "http://127.0.0.1:8001/stripe"


@pytest.fixture
def configure(settings):
    def configure(secret=TEST, public=PUBLIC, hooks=(SECRET,), api_base=REAL):
        settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = secret, public
        settings.STRIPE_WEBHOOK_SECRETS, settings.STRIPE_API_BASE = list(hooks), api_base
        found = checks.check_stripe(None)
        assert all(message.hint for message in found)
        assert [value for value in (secret, public, *hooks) if value and value in repr(found)] == []
        return [message.id for message in found]

    return configure


def test_the_sandbox_is_good_as_it_stands():
    assert checks.check_stripe(None) == []
    gateway = registry.get("stripe")
    assert (gateway.key, gateway.live) == ("stripe", False)
    assert "stripe" in set(registry.configured())


def test_all_three_or_none(configure):
    assert configure() == []
    assert configure(secret=LIVE, public=PUBLIC_LIVE) == []
    assert configure(secret="", public="", hooks=()) == []
    assert configure(hooks=()) == ["stripe.E001"]
    assert configure(secret="") == ["stripe.E001"]
    assert configure(public="") == ["stripe.E001"]


def test_off_without_a_key(configure):
    configure(secret="", public="", hooks=())
    assert "stripe" not in set(registry.configured())
    with pytest.raises(registry.GatewayUnknown):
        registry.get("stripe")


def test_shapes_and_modes(configure):
    assert configure(secret="sk_test_short") == ["stripe.E002"]
    assert configure(secret=PUBLIC) == ["stripe.E002"]
    assert configure(public=TEST) == ["stripe.E003"]
    assert configure(public=PUBLIC_LIVE) == ["stripe.E004"]
    assert configure(hooks=(SECRET, "plain-words")) == ["stripe.E005"]


def test_places(configure):
    known = "sandbox" * 4
    assert configure(api_base=NEAR) == []
    assert configure(secret=LIVE, public=PUBLIC_LIVE, api_base=NEAR) == ["stripe.E006"]
    assert configure(secret=LIVE, public=PUBLIC_LIVE, api_base="http://api.stripe.com") == ["stripe.E006"]
    assert configure(secret=f"sk_test_{known}") == ["stripe.E007"]
    assert configure(hooks=(f"whsec_{known}",)) == ["stripe.E007"]
    assert configure(secret=f"sk_test_{known}", api_base=NEAR) == []
