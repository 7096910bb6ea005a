"""What is acknowledged is stored; what is stored is worked on, with Redis dead and Celery gone.

GUARANTEES 8 and 24, and rows are the queue: `manage.py sweep` as a real process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import caches
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.test import Client

from payments.models import PaymentIntent, WebhookEvent
from payments.services import inbox
from pimpshop.celery import app
from pimpshop.core import bell
from tests.support import shop as shops
from tests.support import workers
from tests.support.shop import Shop, sweep
from vending.models import PrintJob

NOWHERE = "redis://127.0.0.1:1/0"


def post(third_id: str) -> Any:
    return Client(raise_request_exception=False).post(
        "/api/chinese/order/payStatus", {"third_id": third_id, "status": 3}, content_type="application/json"
    )


@contextmanager
def dead_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cache and broker refuse connections."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOWHERE}}
    monkeypatch.setattr(bell, "_broker_rests_until", 0.0)
    before = app.conf.broker_url
    app.conf.broker_url = app.conf.broker_write_url = NOWHERE
    app.amqp._producer_pool = None
    try:
        yield
    finally:
        app.conf.broker_url = app.conf.broker_write_url = before
        app.amqp._producer_pool = None
        monkeypatch.setattr(bell, "_broker_rests_until", 0.0)


class Broken:
    """A database that fails to store an event, for the connection's execute_wrapper."""

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "payments_store_event" in sql:
            raise OperationalError("disk full")
        return execute(sql, params, many, context)


def test_what_could_not_be_stored_is_not_acknowledged(shop: Shop) -> None:
    one = shop.taken()
    PaymentIntent.objects.update(last_query_at=None)
    with connection.execute_wrapper(Broken()):
        answer = post(one.third_id)
    assert answer.status_code == 500
    assert "操作成功" not in answer.content.decode()
    assert WebhookEvent.objects.count() == 0
    assert post(one.third_id).status_code == 200  # the manufacturer repeats it
    sweep()
    one.refresh()
    assert one.order.status == "paid"


def test_a_dead_redis_costs_nothing(shop: Shop, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    took = []
    for content in ("one", "another", "a third"):
        one = shop.taken(content=content)
        PaymentIntent.objects.update(last_query_at=None)
        with dead_redis(settings, monkeypatch):
            with pytest.raises(Exception, match="Connection refused"):
                caches["default"].get("x")
            start = time.monotonic()
            answer = post(one.third_id)
            took.append(time.monotonic() - start)
            assert (answer.status_code, answer.json()["data"]) == (200, "success")
            assert (
                post("PYEN251120000001").status_code == 200
            )  # not ours: counted in the cache, if there is one
            assert post(one.third_id).status_code == 200  # a repeat: likewise
            assert WebhookEvent.objects.get(subject=one.third_id).status == "received"
            sweep()
            one.refresh()
            assert (one.order.status, one.job().status) == ("paid", "accepted")
            body = Client().get(f"/api/vending/session/{one.session.session_id}/status").json()
            assert body["queue_number"] == one.job().queue_no
    assert min(took) < 2, took  # on a busy machine the quickest says what it costs


def test_the_sweeper_prints_within_two_seconds_without_redis(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The post rings the sweeper by NOTIFY; settled, it goes on with the print job at once."""
    with shops.on_a_port() as (books, base):
        settings.MANUFACTURER_API_BASE, settings.MANUFACTURER_ORDER_DELAY_SECONDS = base, 0
        shop = shops.make_shop(books)
        environment = {
            "MANUFACTURER_API_BASE": base, "MANUFACTURER_ORDER_DELAY_SECONDS": "0", "REDIS_URL": NOWHERE,
        }  # fmt: skip
        took = []
        with workers.sweeper(**environment), dead_redis(settings, monkeypatch):
            workers.wait_for_ears()
            for count, content in enumerate(("one", "another", "a third"), 1):
                one = shop.taken(content=content)
                PaymentIntent.objects.update(last_query_at=None, next_query_at=None)
                start = time.monotonic()
                assert post(one.third_id).status_code == 200
                while len(books.bodies("order/orderData")) < count and time.monotonic() - start < 60:
                    time.sleep(0.02)
                took.append(time.monotonic() - start)
                while one.job().status != "accepted" and time.monotonic() - start < 60:
                    time.sleep(0.05)
                assert one.job().status == "accepted"
        assert min(took) < 2.5, took  # the first is slow anywhere, and any on a busy machine
    shops.assert_invariants()


def test_a_rolled_back_transaction_rings_no_bell(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(bell, "_send", lambda task, args, after: rung.append(task.name))
    one = shop.taken()
    from orders.services import fulfilment

    def settle() -> None:
        with transaction.atomic():
            fulfilment.settle(one.order, payment_third_id=one.third_id, at_machine=True, source="test")
            assert PrintJob.objects.count() == 1
            assert rung == []  # not before the commit either
            raise DatabaseError("rolled back")

    with pytest.raises(DatabaseError, match="rolled back"):
        settle()
    assert rung == []
    assert PrintJob.objects.count() == 0
    one.refresh()
    assert (one.order.status, one.session.status) == ("pending", "payment_pending")


def test_a_task_that_comes_before_the_commit_does_nothing(shop: Shop) -> None:
    """Another connection sees no row yet; afterwards the row itself says what is due."""
    from vending import tasks

    one = shop.taken()
    from orders.services import fulfilment
    from tests.support.threads import together

    with transaction.atomic():
        fulfilment.settle(one.order, payment_third_id=one.third_id, at_machine=True, source="test")
        PaymentIntent.objects.filter(pk=one.intent.pk).update(settles_order=True, captured_minor=1999)
        from pimpshop.core.states import advance

        assert advance(one.intent, "succeeded", source="test", next_query_at=None)
        pk = PrintJob.objects.get().pk
        assert together(2, lambda n: tasks.advance_print_job(pk)) == [False, False]
        assert together(1, lambda n: inbox.process(12345)) == [False]
    assert shop.manufacturer.bodies("order/orderData") == []
    assert sorted(together(4, lambda n: tasks.advance_print_job(pk))) == [False, False, False, True]
    assert len(shop.manufacturer.bodies("order/orderData")) == 1
    connections.close_all()
