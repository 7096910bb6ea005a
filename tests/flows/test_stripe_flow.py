"""Stripe through the shop's own services, against the running simulator: paid on the page, by card, kept, refunded, told by post."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from orders.models import Order
from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent, Refund, SavedPaymentMethod, WebhookEvent
from payments.services import inbox, online_payments, refund_steps, refunds, settlement, sync
from pimpshop.core import invariants
from tests import factories
from tests.support import stripe as sample
from tests.support.sandbox import Sandbox, sandbox_client, sandbox_server
from tests.support.stripe_sandbox import SECRET, StripeSandbox

__all__ = ["sandbox_client", "sandbox_server"]

pytestmark = pytest.mark.sandbox


@pytest.fixture
def stripe(db: None, settings: Any, sandbox_client: Sandbox):
    simulated = StripeSandbox(sandbox_client)
    settings.STRIPE_API_BASE = simulated.api_base
    yield simulated
    assert [str(v) for v in invariants.violations()] == []


def start(order: Order, method: str = "checkout", instrument: base.Instrument | None = None, **more: Any):
    choice = online_payments.Choice(
        gateway="stripe", method=method, return_url="https://shop.example/done", **more
    )
    return online_payments.start_payment(order, choice, instrument=instrument, source="api")


def ask(intent: PaymentIntent, seconds: int) -> PaymentIntent:
    with time_machine.travel(datetime.now(UTC).timestamp() + seconds, tick=True):
        sync.check_now(intent=intent)
    intent.refresh_from_db()
    return intent


def merchant_order() -> Order:
    return factories.order(kind=Order.Kind.MERCHANT, lines=0, user=factories.user())


def hear(stripe: StripeSandbox) -> list[WebhookEvent]:
    """Every event of the simulator, posted to our inbox as it would be, oldest first, and worked on."""
    gateway, found = registry.get("stripe"), []
    for event in stripe.books()["event"]:
        now = datetime.now(UTC)
        signed = sample.signed(json.dumps(event).encode(), at=int(now.timestamp()), secret=SECRET)
        inbox.receive(gateway, base.WebhookRequest(body=signed.body, received_at=now, headers=signed.headers))
    for row in WebhookEvent.objects.filter(status="received").order_by("id"):
        inbox.process(row.pk)
        row.refresh_from_db()
        found.append(row)
    return found


def test_paid_on_the_page_and_given_back(stripe):
    order = merchant_order()
    intent = start(order)
    assert (intent.status, intent.provider_ref[:8]) == ("requires_action", "cs_test_")
    assert start(order).pk == intent.pk
    stripe.pay(intent.provider_ref)
    ask(intent, 4)
    assert (intent.status, intent.settles_order, intent.captured_minor) == ("succeeded", True, 1999)
    assert intent.transaction_ref.startswith("pi_")
    assert intent.method_details["last_four"] == "4242"
    order.refresh_from_db()
    assert order.status == "completed"
    refund = refunds.request_refund(
        intent=intent, amount_minor=500, origin=Refund.Origin.STAFF, source="admin", actor="staff",
        reason="requested_by_customer",
    )  # fmt: skip
    refund_steps.send(refund.pk)
    refund.refresh_from_db()
    intent.refresh_from_db()
    assert (refund.status, intent.status, intent.refunded_minor) == ("succeeded", "partially_refunded", 500)


def test_settled_by_the_posts_alone_however_often_they_come(stripe):
    intent = start(merchant_order())
    stripe.pay(intent.provider_ref)
    hear(stripe)
    hear(stripe)
    intent.refresh_from_db()
    assert (intent.status, intent.settles_order, intent.is_surplus) == ("succeeded", True, False)
    assert PaymentIntent.objects.count() == 1


def test_a_declined_card_then_a_good_one_that_is_kept(stripe):
    order = merchant_order()
    first = start(order, "token", base.Token(value="pm_card_chargeDeclined"))
    assert (first.status, first.error_code) == ("failed", "card_declined")
    second = start(order, "token", base.Token(value="pm_card_visa"), save_method=True)
    assert (second.status, second.attempt, second.settles_order) == ("succeeded", 2, True)
    kept = SavedPaymentMethod.objects.get(user=order.user)
    assert (kept.method_ref[:3], kept.details["last_four"]) == ("pm_", "4242")
    assert first.out_trade_no != second.out_trade_no


def test_an_answer_that_was_lost_charges_once(stripe):
    order = merchant_order()
    stripe.fault("answer_lost_after_accepting", count=1, target="payment_intents.confirm")
    intent = start(order, "token", base.Token(value="pm_card_visa"))
    assert intent.status == "processing"
    ask(intent, 4)
    assert (intent.status, intent.settles_order) == ("succeeded", True)
    assert len(stripe.books()["charge"]) == 1


def test_a_refund_in_stripes_dashboard_becomes_a_row(stripe):
    intent = start(merchant_order(), "token", base.Token(value="pm_card_visa"))
    assert intent.status == "succeeded"
    assert stripe.post(f"intents/{intent.provider_ref}/refund", amount=500).ok
    hear(stripe)
    made = Refund.objects.get()
    assert (made.origin, made.amount_minor) == (Refund.Origin.PROVIDER, 500)


def test_a_confirmation_that_never_arrived_is_withdrawn_and_another_way_is_open(stripe):
    order = merchant_order()
    intent = start(order, "token")
    assert (intent.status, intent.provider_ref[:3]) == ("created", "pi_")
    confirmed = base.PaymentResult(
        status=base.PaymentStatus.PROCESSING
    )  # no answer, and it did not get there
    PaymentIntent.objects.filter(pk=intent.pk).update(confirm_count=1)
    settlement.apply_result(intent, confirmed, source="api")
    assert ask(intent, 4).status == "processing"
    assert ask(intent, 70).status == "canceled"
    again = start(order, "token", base.Token(value="pm_card_visa"))
    assert (again.status, again.attempt) == ("succeeded", 2)
