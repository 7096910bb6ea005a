"""How many statements the online hot paths send; see test_statement_counts for how they are counted."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.services import api_keys
from credits.models import CreditAccount
from orders.models import Order, OrderLine
from payments.models import PaymentIntent, WebhookEvent
from payments.services import inbox
from pimpshop.core import idempotency
from tests import factories
from tests.bench_counts.test_statement_counts import statements
from tests.support import stripe as stripe_objects

DOOR = "/api/stripe/webhook"
SECRET = stripe_objects.SECRET

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _our_secret(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]


def waiting() -> PaymentIntent:
    """100 credits for 19.99 GBP, to be paid with Stripe; the buyer has an account of credits."""
    buyer = factories.user()
    factories.credit_account(buyer)
    order = factories.order(kind="credits", user=buyer, currency="GBP", total_minor=1999)
    OrderLine.objects.filter(order=order).update(
        design_id=None, snapshot={"credits": 100, "name": "100 credits"}
    )
    return factories.intent(
        order,
        gateway="stripe",
        method="card",
        status="requires_action",
        provider_ref=f"pi_{uuid.uuid4().hex}",
    )


def post(
    one: PaymentIntent, *, event_id: str = "evt_1", secret: str = SECRET, status: int = 200
) -> list[str]:
    """The statements of Stripe's post that `one` is paid."""
    paid = stripe_objects.intent(
        id=one.provider_ref, metadata={"out_trade_no": one.out_trade_no}, latest_charge=None
    )
    event = {
        "id": event_id, "object": "event", "type": "payment_intent.succeeded", "livemode": False,
        "data": {"object": paid},
    }  # fmt: skip
    body = json.dumps(event).encode()
    moment = int(time.time())
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()

    def send() -> None:
        headers = {"Stripe-Signature": f"t={moment},v1={mac}"}
        answer = Client().post(DOOR, body, content_type="application/json", headers=headers)
        assert answer.status_code == status, answer.content

    return statements(send)


def test_an_online_confirmation_is_one_statement() -> None:
    """From Stripe's post to the stored event, paid and completed order, credits with posting and lot, all events."""
    one = waiting()
    [only] = post(one)
    assert "payments_take_in" in only
    one.refresh_from_db()
    one.order.refresh_from_db()
    assert (one.status, one.order.status) == ("succeeded", "completed")
    assert CreditAccount.objects.get(user=one.order.user).balance == 200
    event = WebhookEvent.objects.get()
    assert (event.status, event.outcome) == ("processed", "succeeded: settled")


def test_an_event_that_must_wait_is_stored_by_one_statement() -> None:
    """A guest's order: the worker settles it."""
    one = waiting()
    Order.objects.filter(pk=one.order_id).update(user=None, email="guest@example.com")
    assert len(post(one)) == 1
    event = WebhookEvent.objects.get()
    assert event.status == "received"
    sent = statements(lambda: inbox.process(event.pk))
    one.refresh_from_db()
    assert one.status == "succeeded"
    assert len(sent) <= CONFIRMATION, "\n".join(sent)


#: The plain way, BEGIN, COMMIT and savepoints included.
CONFIRMATION = 26


def written_by(sql: str) -> int:
    """Bytes of WAL that this statement writes, and nobody else."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, WAL, FORMAT JSON) {sql}")
        ((plan,),) = cursor.fetchone()
    return int(plan["Plan"]["WAL Bytes"])


def test_a_duplicate_is_one_statement_that_writes_nothing() -> None:
    one = waiting()
    post(one)
    row = WebhookEvent.objects.values().get()
    [sent] = post(one)
    # A row that is read for the first time may leave a mark on its page; a duplicate that wrote would each time.
    assert 0 in [written_by(sent) for _ in range(3)]
    assert WebhookEvent.objects.values().get() == row


def test_a_forged_one_sends_none() -> None:
    one = waiting()
    assert post(one, secret="whsec_" + "x" * 32, status=400) == []
    assert WebhookEvent.objects.count() == 0


def test_a_replay_is_one_statement_beside_authentication() -> None:
    key, _ = api_keys.create(kind="secret", name="a server")
    ask = {"gateway_id": "nobody", "currency": "GBP", "amount": 19.99}

    def send() -> Any:
        return Client().post(
            "/api/v1/payments", ask, content_type="application/json",
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "once"},
        )  # fmt: skip

    first = send()
    assert first.status_code == 404
    answers: list[Any] = []
    sent = statements(lambda: answers.append(send()))
    assert (answers[0].status_code, answers[0].json()) == (404, first.json())
    assert answers[0]["Idempotent-Replayed"] == "true"
    who, replay = sent
    assert "accounts_apikey" in who
    assert replay.strip().startswith(idempotency._BEGIN.split()[0])
