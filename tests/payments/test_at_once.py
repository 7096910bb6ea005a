"""The hot path of settlement writes the very rows of the plain way, and says no to everything unusual."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order, OrderEvent
from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
from payments.services import at_once, inbox, settlement, sync
from pimpshop.core import bell
from tests.support.shop import Paying, Shop, manufacturer, shop
from vending.models import PrintJob, PrintJobEvent, SessionEvent, VendingSession

__all__ = ["manufacturer", "shop"]

PAY_STATUS = "/api/chinese/order/payStatus"
#: What differs from one purchase to the next.
OWN = {
    "id", "pk", "public_id", "order_no", "session_id", "out_trade_no", "idempotency_key", "third_id", "reference",
    "payment_third_id", "third_order_id", "order_id", "intent_id", "print_job_id", "design_id", "provider_ref",
    "provider_payment_id", "snapshot", "summary", "summary_hash", "next_action",
}  # fmt: skip


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Close the hot path."""
    return lambda: monkeypatch.setattr(at_once, "settle", lambda *_, **__: False)


def _shape(row: Any) -> dict[str, Any]:
    """A row without what is its own; times become whether they are set."""
    found = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.attname in OWN or isinstance(value, uuid.UUID):
            continue
        found[field.attname] = isinstance(value, datetime.datetime) or value
    if isinstance(found.get("data"), dict):
        found["data"] = {
            key: key in ("third_id", "third_order_id") or value for key, value in found["data"].items()
        }
    return found


def _rows(one: Paying) -> dict[str, Any]:
    """Everything that a confirmation writes."""
    job = PrintJob.objects.get(order_no=one.order.order_no)
    return {
        "intent": _shape(PaymentIntent.objects.get(pk=one.intent.pk)),
        "order": _shape(Order.objects.get(pk=one.order.pk)),
        "session": _shape(VendingSession.objects.get(pk=one.session.pk)),
        "job": _shape(job),
        "events": [
            [_shape(event) for event in model.objects.filter(**{link: row}).order_by("id")]
            for model, link, row in (
                (PaymentEvent, "intent", one.intent),
                (OrderEvent, "order", one.order),
                (SessionEvent, "session", one.session),
                (PrintJobEvent, "print_job", job),
            )
        ],
    }


def _settle(one: Paying) -> tuple[settlement.Applied | None, list[str]]:
    with CaptureQueriesContext(connection) as captured:
        applied = sync.check_now(intent=one.intent, source="poll", actor="alice").applied
    return applied, [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("prepare", ["as usual", "cancelled order", "expired attempt", "expired session"])
def test_both_ways_write_the_same_rows(shop: Shop, plainly: Callable[[], None], prepare: str) -> None:
    def taken(content: str) -> Paying:
        one = shop.taken(content=content)
        PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None, error_code="old")
        if prepare == "cancelled order":
            Order.objects.filter(pk=one.order.pk).update(status="cancelled")
        elif prepare == "expired attempt":
            PaymentIntent.objects.filter(pk=one.intent.pk).update(status="expired")
        elif prepare == "expired session":
            VendingSession.objects.filter(pk=one.session.pk).update(status="expired")
        one.intent.refresh_from_db()
        return one

    first = taken("first")
    applied, sent = _settle(first)
    assert applied == "settled"
    assert sum("payments_settle_at_once" in sql for sql in sent) == 1
    assert not any("orders_orderevent" in sql for sql in sent)
    told = (
        first.intent.status,
        first.intent.settles_order,
        first.intent.captured_minor,
        first.intent.error_code,
    )
    assert told == ("succeeded", True, 1999, "")
    quick = _rows(first)

    plainly()
    second = taken("second")
    assert _settle(second)[0] == "settled"
    assert _rows(second) == quick


def test_a_print_job_takes_one_number(shop: Shop) -> None:
    """Its row is made once, not once for each of its columns."""
    jobs = []
    for content in ("first", "second"):
        one = shop.taken(content=content)
        PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None)
        assert _settle(one)[0] == "settled"
        jobs.append(one.job().pk)
    assert jobs[1] - jobs[0] == 1


def _told(one: Paying) -> WebhookEvent:
    """The manufacturer's post, stored."""
    body = {"third_id": one.third_id, "status": 3}
    assert Client().post(PAY_STATUS, body, content_type="application/json").status_code == 200
    PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None)
    return WebhookEvent.objects.get(subject=one.third_id)


def _worked_on(event: WebhookEvent) -> list[Any]:
    """What the work on an event leaves of it and of the plan of questions."""
    assert inbox.process(event.pk)
    event.refresh_from_db()
    kept = {**_shape(event), "payload": 0, "subject": 0, "event_id": 0}
    return [kept, [{**_shape(change), "event_id": 0} for change in event.changes.all()]]


@pytest.mark.parametrize("prepare", ["as usual", "expired attempt", "question due"])
def test_both_ways_end_the_event_alike(shop: Shop, plainly: Callable[[], None], prepare: str) -> None:
    def told(content: str) -> tuple[Paying, WebhookEvent]:
        one = shop.taken(content=content)
        event = _told(one)
        row = PaymentIntent.objects.filter(pk=one.intent.pk)
        if prepare == "expired attempt":
            row.update(status="expired", next_query_at=None)
        elif prepare == "question due":
            row.update(next_query_at="2025-01-01T00:00Z")
        return one, event

    first, event = told("first")
    with CaptureQueriesContext(connection) as captured:
        ended = _worked_on(event)
    changes = [sql["sql"] for sql in captured.captured_queries if "payments_webhookeventchange" in sql["sql"]]
    assert [sql.startswith("SELECT") for sql in changes] == [
        True
    ]  # ours, just now: the event ended with the settling
    quick = [_rows(first), ended]

    plainly()
    second, event = told("second")
    ended = _worked_on(event)
    assert [_rows(second), ended] == quick


def test_an_event_is_taken_up_once_and_the_right_to_ask_with_it(shop: Shop) -> None:
    one = shop.taken()
    event = _told(one)
    PaymentIntent.objects.filter(pk=one.intent.pk).update(next_query_at="2100-01-01T00:00Z")
    before = PaymentIntent.objects.values().get()
    found = at_once.take_up(event.pk, lease=inbox.LEASE)
    assert found is not None
    assert found.intent is not None
    assert found.may_ask is True
    row = PaymentIntent.objects.get()
    assert row.last_query_at is not None
    assert PaymentIntent.objects.values().get() == {**before, "last_query_at": row.last_query_at}
    for read, stored in ((found.event, WebhookEvent.objects.get()), (found.intent, row)):
        assert {f.attname: getattr(read, f.attname) for f in read._meta.concrete_fields} == {
            f.attname: getattr(stored, f.attname) for f in read._meta.concrete_fields
        }
    assert (found.intent.order.order_no, found.intent.order.pk) == (one.order.order_no, one.order.pk)
    assert at_once.take_up(event.pk, lease=inbox.LEASE) is None
    assert event.pk not in inbox.due()

    WebhookEvent.objects.update(leased_until="2025-01-01T00:00Z")
    PaymentIntent.objects.update(last_query_at=timezone.now())
    assert inbox.due() == [event.pk]
    again = at_once.take_up(event.pk, lease=inbox.LEASE)
    assert again is not None
    assert again.may_ask is False  # asked within three seconds


def test_the_bell_rings_for_the_new_job_only(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, Any]] = []
    one = shop.taken()
    PaymentIntent.objects.update(last_query_at=None)
    monkeypatch.setattr(bell, "_send", lambda task, args, after: rung.append((task.name, args)))
    assert _settle(one)[0] == "settled"
    assert rung == [("vending.tasks.advance_print_job", (one.job().pk,))]


def _another_gateway(one: Paying) -> None:
    one.intent.gateway = "stripe"


def _settled_already(one: Paying) -> None:
    Order.objects.filter(pk=one.order.pk).update(status="paid")


def _refunded(one: Paying) -> None:
    Order.objects.filter(pk=one.order.pk).update(status="refunded")


def _succeeded_already(one: Paying) -> None:
    PaymentIntent.objects.filter(pk=one.intent.pk).update(status="succeeded")


def _other_goods(one: Paying) -> None:
    Order.objects.filter(pk=one.order.pk).update(kind="credits")


def _price_moved(one: Paying) -> None:
    Order.objects.filter(pk=one.order.pk).update(total_minor=2999)


def _no_machine(one: Paying) -> None:
    Order.objects.filter(pk=one.order.pk).update(machine_id="")


def _no_design(one: Paying) -> None:
    one.order.lines.update(design_id=None)


@pytest.mark.parametrize(
    "unusual",
    [
        _another_gateway,
        _settled_already,
        _refunded,
        _succeeded_already,
        _other_goods,
        _price_moved,
        _no_machine,
        _no_design,
    ],
)
def test_the_unusual_is_left_alone(
    transactional_db: None, manufacturer: Any, unusual: Callable[[Paying], None]
) -> None:
    from payments.gateways import base
    from tests.support import shop as shops

    one = shops.make_shop(manufacturer).taken()
    unusual(one)
    before = (
        PaymentIntent.objects.values().get(), Order.objects.values().get(), VendingSession.objects.values().get(),
        PaymentEvent.objects.count(), OrderEvent.objects.count(), SessionEvent.objects.count(),
    )  # fmt: skip
    result = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED)
    assert at_once.settle(one.intent, result, told={}, source="poll", actor="") is False
    after = (
        PaymentIntent.objects.values().get(), Order.objects.values().get(), VendingSession.objects.values().get(),
        PaymentEvent.objects.count(), OrderEvent.objects.count(), SessionEvent.objects.count(),
    )  # fmt: skip
    assert after == before
    assert PrintJob.objects.count() == 0
