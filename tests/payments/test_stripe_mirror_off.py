"""The mirror of Stripe's objects while it is off, as in the rest of the suite; and what holds either way."""

from __future__ import annotations

import pytest
from django.conf import settings as shop
from django.utils import timezone

from payments.gateways import stripe
from payments.models import WebhookEvent
from payments.services import inbox, stripe_mirror
from tests import factories
from tests.support.stripe_sandbox import KEY


def test_off_is_without_a_trace(db):
    assert not stripe_mirror.is_on()
    event = factories.webhook_event(gateway="stripe", payload={"object": "charge", "id": "ch_1TESTpaid"})
    assert stripe_mirror.wanted(event) == {}
    inbox.process(event.pk)
    event.refresh_from_db()
    assert (event.status, event.mirror_due_at) == ("ignored", None)
    WebhookEvent.objects.update(mirror_due_at=timezone.now())
    assert stripe_mirror.due() == []
    assert stripe_mirror.mirror_prices() == 0


@pytest.mark.parametrize("ident", ["", "../v1/account", "pi_1?x=1", "pi_" + "1" * 300])
def test_only_ids_are_asked_for(ident):
    gateway = stripe.StripeGateway(stripe.Config(secret_key=KEY, api_base="http://127.0.0.1:9/stripe"))
    with pytest.raises(ValueError, match="no id"):
        gateway.fetch("payment_intent", ident)


def test_the_version_is_the_gateways():
    assert shop.STRIPE_API_VERSION == stripe.API_VERSION
    assert set(stripe_mirror.MODELS) == set(stripe.PATHS)
