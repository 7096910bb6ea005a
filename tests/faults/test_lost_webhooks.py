"""The manufacturer's post never comes, comes late, or comes for a payment that was given up.

GUARANTEES 2, 3, 25.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments.models import PaymentIntent, WebhookEvent
from payments.services import machine_payments, progress, sync
from pimpshop.core.states import advance
from tests.support.shop import Paying, Shop, later, sweep
from vending.models import PrintJob, VendingSession
from vending.services import sessions


def post(third_id: str, status: int = 3) -> None:
    answer = Client().post(
        "/api/chinese/order/payStatus",
        {"third_id": third_id, "status": status},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (200, 200)


def assert_fulfilled(shop: Shop, one: Paying) -> None:
    """Page, machine's answer, event and database tell the same."""
    one.refresh()
    assert (one.intent.status, one.order.status, one.session.status) == (
        "succeeded",
        "paid",
        "payment_completed",
    )
    job = one.job()
    assert job.status == "accepted"
    assert list(shop.manufacturer.orders) == [job.third_order_id]
    page = Client().get(f"/api/vending/session/{one.session.session_id}/status").json()
    assert (page["status"], page["queue_number"]) == ("payment_completed", job.queue_no)
    machine = Client().get(f"/api/chinese/payment/{one.third_id}/status").json()
    assert (machine["status"], machine["polling_complete"], machine["order_id"]) == (
        3,
        True,
        job.third_order_id,
    )
    assert progress.order_progress(one.order)["state"] == "queued"
    assert one.intent.events.filter(to_status="succeeded").count() == 1
    assert one.order.events.filter(to_status="paid").count() == 1
    assert one.session.events.filter(to_status="payment_completed").count() == 1


@pytest.mark.parametrize(
    "door", ["/api/vending/session/{session}/status", "/api/chinese/payment/{third_id}/status"]
)
def test_a_status_read_settles(shop: Shop, door: str) -> None:
    one = shop.taken()
    answer = Client().get(door.format(session=one.session.session_id, third_id=one.third_id)).json()
    assert answer["status"] in ("payment_completed", 3)
    sweep()
    assert_fulfilled(shop, one)


def test_nobody_looks_and_the_sweeper_settles_within_two_minutes(shop: Shop) -> None:
    """Paid at whatever moment of the first quarter of an hour: the next query is less than two minutes away."""
    one = shop.paying()
    moment = timezone.now()
    for _ in range(80):
        one.intent.refresh_from_db()
        assert one.intent.next_query_at is not None
        assert one.intent.next_query_at - moment < timedelta(minutes=2)
        moment = max(one.intent.next_query_at, moment)
        with later(seconds=(moment - timezone.now()).total_seconds() + 0.01):
            sweep()
            moment = timezone.now()
    assert moment - one.intent.created_at > timedelta(minutes=10)
    shop.manufacturer.pays(one.third_id)
    with later(seconds=(moment - timezone.now()).total_seconds() + 120):
        sweep()
        assert_fulfilled(shop, one)


def test_it_goes_on_asking_for_three_days_and_not_for_ever(shop: Shop) -> None:
    shop.paying()
    for hours in (1, 5, 20, 50, 71):
        with later(hours=hours):
            sweep()
            assert PaymentIntent.objects.get().next_query_at is not None
    with later(hours=73):
        sweep()
        intent = PaymentIntent.objects.get()
        assert (intent.status, intent.next_query_at) == ("expired", None)
        asked = shop.manufacturer.asked()
    with later(hours=80):
        sweep()
    assert shop.manufacturer.asked() == asked


def expired(one: Paying) -> None:
    VendingSession.objects.filter(pk=one.session.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    assert advance(one.intent, "expired", source="test", next_query_at=None)
    sessions.mark_payment_failed(one.session.session_id, third_id=one.third_id, source="test")
    VendingSession.objects.filter(pk=one.session.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    sweep()
    one.session.refresh_from_db()
    assert one.session.status == "expired"


def cancelled(one: Paying) -> None:
    sessions.cancel_session(session=one.session, source="api")


def failed(one: Paying) -> None:
    PaymentIntent.objects.update(last_query_at=None)
    assert sync.check_now(intent=one.intent, source="poll").provider_status == "4"
    one.session.refresh_from_db()
    assert one.session.status == "payment_failed"


@pytest.mark.parametrize("ended", [expired, cancelled, failed], ids=lambda f: f.__name__)
def test_a_late_success_is_fulfilled_once(shop: Shop, ended: object) -> None:
    one = shop.paying()
    shop.manufacturer.payments[one.third_id] = 4
    ended(one)  # type: ignore[operator]
    shop.manufacturer.pays(one.third_id)
    PaymentIntent.objects.update(last_query_at=None)
    for _ in range(3):
        post(one.third_id)
        sweep()
    assert_fulfilled(shop, one)


def test_a_late_success_of_an_order_that_was_replaced(shop: Shop) -> None:
    """Failed, designed anew, and then the first payment turns out to be paid: the case that was paid for is printed."""
    first = shop.paying()
    shop.manufacturer.payments[first.third_id] = 4
    failed(first)
    second = shop.ordered(session=VendingSession.objects.get(pk=first.session.pk), content="another")
    first.order.refresh_from_db()
    assert first.order.status == "cancelled"
    shop.manufacturer.pays(first.third_id)
    PaymentIntent.objects.update(last_query_at=None)
    post(first.third_id)
    sweep()
    assert_fulfilled(shop, first)
    assert first.job().design_id == first.order.lines.get().design_id
    second.order.refresh_from_db()
    assert second.order.status == "pending"
    again = machine_payments.start_machine_payment(
        VendingSession.objects.get(pk=first.session.pk), source="api"
    )
    assert again.third_id == first.third_id  # the money that came, and no new demand
    assert list(shop.manufacturer.payments) == [first.third_id]
    assert Order.objects.filter(status="paid").count() == 1


def test_a_post_after_three_days_finds_its_order(shop: Shop) -> None:
    one = shop.paying()
    with later(days=3, minutes=5):
        sweep()
        assert PaymentIntent.objects.get().next_query_at is None
        shop.manufacturer.pays(one.third_id)
    with later(days=3, minutes=6):
        post(one.third_id)
        sweep()
        assert_fulfilled(shop, one)
    assert Order.objects.count() == PrintJob.objects.count() == 1


def test_a_post_that_is_ahead_of_the_query_is_asked_about_again(shop: Shop) -> None:
    """After three days nobody polls any more; getPayStatus tells the truth a few seconds after the post."""
    one = shop.paying()
    with later(days=3, minutes=5):
        sweep()
        PaymentIntent.objects.update(last_query_at=None)
        asked = shop.manufacturer.asked()
        post(one.third_id)
        sweep()
        assert shop.manufacturer.asked() - asked == 1
        assert WebhookEvent.objects.get().status == "received"
    shop.manufacturer.pays(one.third_id)
    with later(days=3, minutes=5, seconds=10):
        sweep()
        assert_fulfilled(shop, one)
    assert WebhookEvent.objects.get().status == "processed"


def test_a_true_post_right_after_a_forged_one_counts(shop: Shop) -> None:
    """The forged one had been worked on to its end; the true one says the same a second later."""
    one = shop.paying()
    with later(days=3, minutes=5):
        sweep()
        post(one.third_id)
        WebhookEvent.objects.update(attempts=50)
        PaymentIntent.objects.update(last_query_at=None)
        sweep()
        assert WebhookEvent.objects.get().status == "processed"
        shop.manufacturer.pays(one.third_id)
        post(one.third_id)
    with later(days=3, minutes=5, seconds=5):
        sweep()
        assert_fulfilled(shop, one)


def test_while_the_manufacturer_is_silent_readers_do_not_wait(shop: Shop) -> None:
    """One reader's query fails; for ten seconds the others answer from the rows. The sweeper goes on asking."""
    one = shop.taken()
    shop.manufacturer.down = True
    began = timezone.now()
    for seconds in (0, 4, 7):
        with later(since=began, seconds=seconds):
            body = Client().get(f"/api/vending/session/{one.session.session_id}/status").json()
            assert body["status"] == "payment_pending"
    assert shop.manufacturer.asked() == 1
    with later(seconds=12):
        sweep()
    assert shop.manufacturer.asked() == 2
    shop.manufacturer.down = False
    with later(seconds=30):
        sweep()
        assert_fulfilled(shop, one)
