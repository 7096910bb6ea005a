"""Seed 4's orders with everybody at once: two clicks, callback and poll and notification together, a cancel beside a payment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credits.models import Posting
from orders.models import Order
from payments.models import PaymentIntent
from payments.services import unpaid_orders
from tests.api.credit_callers import Shopper, alice, balance, books, callback
from tests.support import goods
from tests.support.online import sweep
from tests.support.threads import together
from tests.support.wechat_books import WechatBooks

pytestmark = pytest.mark.race
__all__ = ["alice", "books"]


def test_two_clicks_on_pay_open_one_payment(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    answers = together(2, lambda _n: alice.post(f"/pay/{order.pk}"))
    assert [answer.status_code for answer in answers] == [200, 200], [answer.content for answer in answers]
    first, second = (answer.json()["payment_data"] for answer in answers)
    assert (first["package"], first["outTradeNo"]) == (second["package"], second["outTradeNo"])
    assert (PaymentIntent.objects.count(), len(books.asked("jsapi"))) == (1, 1)


def test_two_clicks_on_create_with_one_key_are_one_order(alice: Shopper, books: WechatBooks) -> None:
    number = goods.pack().number
    key = {"Idempotency-Key": "double"}
    answers = together(3, lambda _n: alice.post("/create", {"product_id": number}, **key))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}
    assert Order.objects.count() == 1


def test_callback_poll_notification_and_sweeper_settle_once(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    alice.pays(order)
    books.pays(order.order_no)
    notice, headers = books.notification(order.order_no)
    PaymentIntent.objects.update(next_query_at=timezone.now())
    told = {"order_no": order.order_no, "payment_id": "x", "status": "SUCCESS", "amount": 9.9}

    def confirm(number: int) -> Any:
        if number % 4 == 0:
            return callback(told).status_code
        if number % 4 == 1:
            return alice.get(f"/payment-status/{order.pk}").status_code
        if number % 4 == 2:
            return Client().post(
                "/api/v1/payments/wechat/notify", notice, content_type="application/json", headers=headers
            ).status_code  # fmt: skip
        sweep()
        return 200

    assert together(8, confirm) == [200] * 8
    sweep()
    order.refresh_from_db()
    assert (order.status, balance(alice.user)) == ("completed", 100)
    assert Posting.objects.count() == 1
    assert order.events.filter(to_status="paid").count() == 1
    assert order.events.filter(to_status="completed").count() == 1
    assert len(books.asked("query")) <= 1


def test_a_payment_that_starts_while_the_order_is_being_cancelled(alice: Shopper, books: WechatBooks) -> None:
    """Either somebody may pay it, or it is cancelled: never both."""
    for _ in range(4):
        order = alice.order()
        Order.objects.filter(pk=order.pk).update(cancel_at=timezone.now() - timedelta(seconds=1))
        work = [lambda: alice.post(f"/pay/{order.pk}").status_code, lambda: unpaid_orders.close_due(order.pk)]  # noqa: B023
        paid, cancelled = together(2, lambda n: work[n]())  # noqa: B023
        order.refresh_from_db()
        open_ones = order.payment_intents.filter(status__in=("created", "requires_action")).count()
        assert (paid, cancelled, order.status, open_ones) in (
            (200, False, "pending", 1),
            (400, True, "cancelled", 0),
        )
        if paid == 200:
            assert order.cancel_at is not None
            assert order.cancel_at > timezone.now() + timedelta(minutes=59)


@pytest.mark.parametrize("_time", range(3))
def test_cancelled_and_paid_together_it_is_paid(alice: Shopper, books: WechatBooks, _time: int) -> None:
    order = alice.order()
    alice.pays(order)
    books.pays(order.order_no)
    notice, headers = books.notification(order.order_no)
    PaymentIntent.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    Order.objects.update(cancel_at=timezone.now() - timedelta(seconds=1))

    def work(number: int) -> Any:
        if number == 0:
            return unpaid_orders.close_due(order.pk)
        return Client().post(
            "/api/v1/payments/wechat/notify", notice, content_type="application/json", headers=headers
        )

    together(2, work)
    sweep()
    order.refresh_from_db()
    assert (order.status, balance(alice.user)) == ("completed", 100)
    assert Posting.objects.count() == 1
