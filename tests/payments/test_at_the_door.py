"""A signed success that is settled at the door writes the very rows of the plain way; the unusual is stored for the worker."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credits.models import CreditAccount, Lot, LotChange, Posting
from orders.models import Order, OrderEvent, OrderLine
from payments.models import Dispute, PaymentEvent, PaymentIntent, WebhookEvent, WebhookEventChange
from payments.services import at_the_door, inbox
from pimpshop.core import bell
from pimpshop.core.models import StaffItem
from tests import factories
from tests.support import stripe as stripe_objects
from tests.support.processes import test_database_url

pytestmark = pytest.mark.django_db

SECRET = stripe_objects.SECRET
#: What differs from one purchase to the next.
OWN = {
    "id", "public_id", "order_no", "out_trade_no", "idempotency_key", "reference", "payment_reference", "provider_ref",
    "transaction_ref", "subject", "event_id", "payload", "user_id", "email", "order_id", "intent_id", "source_id",
    "destination_id", "posting_id", "account_id", "lot_id",
}  # fmt: skip
SETTLED = (
    PaymentIntent, PaymentEvent, Order, OrderEvent, OrderLine, CreditAccount, Posting, Lot, LotChange, WebhookEvent,
)  # fmt: skip


@pytest.fixture(autouse=True)
def rung(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bells that rang, one after the other; and our secret."""
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    found: list[str] = []
    monkeypatch.setattr(bell, "ring", lambda task, *_, **__: found.append(task.name))
    return found


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Close the hot path."""
    return lambda: monkeypatch.setattr(at_the_door, "is_usual", lambda *_: False)


def waiting(
    *, method: str = "card", kind: str = "credits", new_buyer: bool = False, **fields: Any
) -> PaymentIntent:
    """100 credits (or another shop's order) for 19.99 GBP, with an attempt that waits at Stripe."""
    buyer = factories.user()
    order = factories.order(lines=0, kind=kind, user=buyer, currency="GBP", total_minor=1999)
    factories.created(order)
    if not new_buyer:
        factories.credit_account(buyer)
    if kind == "credits":
        OrderLine.objects.create(
            order=order, unit_minor=1999, quantity=2, snapshot={"credits": 50, "name": "50 credits"}
        )
    ref = f"{'cs_test' if method == 'checkout' else 'pi'}_{uuid.uuid4().hex}"
    return factories.intent(
        order, gateway="stripe", method=method, status="requires_action", provider_ref=ref, **fields
    )


def paid(one: PaymentIntent, **changes: Any) -> dict[str, Any]:
    """What Stripe says of it: the payment, or for a Checkout session the payment in it."""
    about = {"out_trade_no": one.out_trade_no}
    if one.method == "checkout":
        about["via"] = "checkout"
    ref = one.provider_ref if one.method == "card" else f"pi_{one.pk}"
    return stripe_objects.intent(id=ref, metadata=about, latest_charge=None) | changes


def post(thing: dict[str, Any], event_id: str) -> list[str]:
    """Stripe's post, through the real door; the statements that it took."""
    event = {
        "id": event_id, "object": "event", "type": "payment_intent.succeeded", "livemode": False, "data": {"object": thing},
    }  # fmt: skip
    body, moment = json.dumps(event).encode(), int(time.time())
    mac = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={moment},v1={mac}"}
    with CaptureQueriesContext(connection) as captured:
        answer = Client().post("/api/stripe/webhook", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    return [query["sql"] for query in captured.captured_queries]


def _shape(row: models.Model) -> dict[str, Any]:
    """A row without what is its own; times become whether they are set."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {
        name: isinstance(value, datetime.datetime) or value
        for name, value in values.items()
        if name not in OWN
    }


def _written(seen: dict[Any, set[int]]) -> dict[str, list[dict[str, Any]]]:
    """The rows that are not in `seen`, table by table."""
    return {
        model.__name__: [_shape(row) for row in model.objects.exclude(pk__in=seen[model]).order_by("pk")]
        for model in SETTLED
    }


def _seen() -> dict[Any, set[int]]:
    return {model: set(model.objects.values_list("pk", flat=True)) for model in SETTLED}


def _first_sale() -> None:
    """The shop's own account is made by its first posting."""
    from credits.services import ledger

    ledger.grant(amount=1, reference="first", user_id=factories.user().pk)


@pytest.mark.parametrize(
    "prepare",
    [
        "as usual",
        "cancelled order",
        "expired attempt",
        "checkout",
        "another shop's order",
        "a new buyer",
        "a second attempt",
        "a long name",
    ],
)
def test_both_ways_write_the_same_rows(plainly: Callable[[], None], rung: list[str], prepare: str) -> None:
    def bought() -> PaymentIntent:
        one = waiting(
            method="checkout" if prepare == "checkout" else "card",
            kind="merchant" if prepare == "another shop's order" else "credits",
            new_buyer=prepare == "a new buyer",
            error_code="old",
        )
        if prepare == "cancelled order":
            Order.objects.filter(pk=one.order_id).update(status="cancelled")
        elif prepare == "expired attempt":
            PaymentIntent.objects.filter(pk=one.pk).update(status="expired")
        elif prepare == "a second attempt":
            PaymentIntent.objects.filter(pk=one.pk).update(attempt=2)
            factories.intent(one.order, gateway="stripe", method="card", status="failed")
        elif prepare == "a long name":
            one.order.lines.update(snapshot={"credits": 50, "name": "n" * 400})
        return one

    _first_sale()
    seen = _seen()
    one = bought()
    sent = post(paid(one), "evt_quick")
    assert [sql for sql in sent if "payments_take_in" in sql] == sent
    assert len(sent) == 1
    assert rung == []
    quick = _written(seen)
    assert (
        WebhookEventChange.objects.count() == 0
    )  # it never waited: the row says when it came and what became of it
    one.refresh_from_db()
    one.order.refresh_from_db()
    assert (one.status, one.settles_order, one.order.status) == ("succeeded", True, "completed")
    assert [event.to_status for event in one.order.events.order_by("id")][-2:] == ["paid", "completed"]

    plainly()
    seen = _seen()
    two = bought()
    post(paid(two), "evt_plain")
    assert rung == ["payments.tasks.process_inbox_event"]
    assert inbox.process(WebhookEvent.objects.get(event_id="evt_plain").pk)
    assert _written(seen) == quick
    assert WebhookEventChange.objects.count() == 1
    kept = WebhookEvent.objects.get(event_id="evt_quick").payload
    assert {**WebhookEvent.objects.get(event_id="evt_plain").payload, "facts": 0, "id": 0} == {
        **kept, "facts": 0, "id": 0,
    }  # fmt: skip


def test_told_again_nothing_is_written() -> None:
    _first_sale()
    one = waiting()
    post(paid(one), "evt_1")
    before = {model: list(model.objects.values()) for model in SETTLED}
    assert len(post(paid(one), "evt_1")) == 1
    assert {model: list(model.objects.values()) for model in SETTLED} == before


def test_another_event_about_the_same_success_settles_nothing_twice() -> None:
    _first_sale()
    one = waiting()
    post(paid(one), "evt_1")
    post(paid(one), "evt_2")
    late = WebhookEvent.objects.get(event_id="evt_2")
    assert late.status == "received"
    assert inbox.process(late.pk)
    assert Posting.objects.filter(reference__startswith=one.order.order_no).count() == 1
    assert PaymentEvent.objects.filter(intent=one, to_status="succeeded").count() == 1


def _amount(one: PaymentIntent) -> dict[str, Any]:
    return {"amount": 1, "amount_received": 1}


def _currency(one: PaymentIntent) -> dict[str, Any]:
    return {"currency": "usd"}


def _another_payment(one: PaymentIntent) -> dict[str, Any]:
    return {"id": "pi_another"}


def _saved(one: PaymentIntent) -> dict[str, Any]:
    return {"customer": "cus_1"}


def _account(one: PaymentIntent) -> None:
    PaymentIntent.objects.filter(pk=one.pk).update(account="acct_another")


def _live(one: PaymentIntent) -> None:
    PaymentIntent.objects.filter(pk=one.pk).update(live=True)


def _paid_already(one: PaymentIntent) -> None:
    Order.objects.filter(pk=one.order_id).update(status="paid")


def _refunded(one: PaymentIntent) -> None:
    Order.objects.filter(pk=one.order_id).update(status="refunded")


def _part_refunded(one: PaymentIntent) -> None:
    PaymentIntent.objects.filter(pk=one.pk).update(status="partially_refunded")


def _price_moved(one: PaymentIntent) -> None:
    Order.objects.filter(pk=one.order_id).update(total_minor=2999)


def _guest(one: PaymentIntent) -> None:
    Order.objects.filter(pk=one.order_id).update(user=None, email="guest@example.com")


def _guest_without_address(one: PaymentIntent) -> None:
    """Only the provider's answer names the address that was typed on its page."""
    Order.objects.filter(pk=one.order_id).update(kind="merchant", user=None, email="")
    PaymentIntent.objects.filter(pk=one.pk).update(method="checkout")


def _a_case(one: PaymentIntent) -> None:
    Order.objects.filter(pk=one.order_id).update(kind="case")


def _in_a_session(one: PaymentIntent) -> None:
    Order.objects.filter(pk=one.order_id).update(session_id="M1_1")


def _a_plan(one: PaymentIntent) -> None:
    one.order.lines.update(snapshot={"credits": 100, "term_days": 30, "plan_sku": "starter"})


def _points(one: PaymentIntent) -> None:
    one.order.lines.update(snapshot={"points": 100})


def _damaged(one: PaymentIntent) -> None:
    one.order.lines.update(snapshot={"credits": 0.5})


def _a_debt(one: PaymentIntent) -> None:
    CreditAccount.objects.create(kind="debt", user=one.order.user, balance=-5)


def _granted_before(one: PaymentIntent) -> None:
    from credits.services import ledger

    ledger.grant(amount=3, reference=f"{one.order.order_no}/1", user_id=one.order.user_id)


def _disputed(one: PaymentIntent) -> None:
    """Heard of before the payment: the plain way freezes what it buys."""
    Dispute.objects.create(intent=one, provider_ref="dp_1", amount_minor=1999, currency="GBP")


@pytest.mark.parametrize(
    "unusual",
    [
        _amount, _currency, _another_payment, _saved, _account, _live, _paid_already, _refunded,
        _part_refunded, _price_moved, _guest, _guest_without_address, _a_case, _in_a_session, _a_plan, _points, _damaged, _a_debt, _granted_before,
        _disputed,
    ],
)  # fmt: skip
def test_the_unusual_is_stored_for_the_worker(
    rung: list[str], unusual: Callable[[PaymentIntent], dict[str, Any] | None]
) -> None:
    _first_sale()
    one = waiting()
    changes = unusual(one) or {}
    moved = [model for model in SETTLED if model is not WebhookEvent]
    before = {model: list(model.objects.order_by("pk").values()) for model in moved}
    assert len(post(paid(one, **changes), "evt_1")) == 1
    assert {model: list(model.objects.order_by("pk").values()) for model in moved} == before
    assert StaffItem.objects.count() == 0
    event = WebhookEvent.objects.get()
    assert (event.status, event.attempts, event.subject) == ("received", 0, one.out_trade_no)
    assert event.payload["facts"]["payment"]["status"] == "succeeded"
    assert rung == ["payments.tasks.process_inbox_event"]


@pytest.mark.django_db(transaction=True)
def test_whoever_holds_the_payment_keeps_no_provider_waiting(rung: list[str]) -> None:
    """A session of staff, or a worker that hangs, has the order locked: the event is stored for the worker."""
    _first_sale()
    one = waiting()
    with psycopg.connect(test_database_url()) as somebody:
        somebody.execute("SELECT 1 FROM orders_order WHERE id = %s FOR UPDATE", [one.order_id])
        began = time.monotonic()
        post(paid(one), "evt_1")
        assert 0.9 < time.monotonic() - began < 60  # and not for as long as somebody holds it
    one.refresh_from_db()
    assert (one.status, WebhookEvent.objects.get().status) == ("requires_action", "received")
    assert PaymentEvent.objects.filter(intent=one, to_status="succeeded").count() == 0
    assert rung == ["payments.tasks.process_inbox_event"]
    assert inbox.process(WebhookEvent.objects.get().pk)
    one.refresh_from_db()
    assert one.status == "succeeded"
