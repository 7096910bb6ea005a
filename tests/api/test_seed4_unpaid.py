"""Seed 4's orders that nobody pays: closed at WeChat Pay first, then cancelled; money that comes all the same is honoured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments.models import PaymentIntent
from payments.services import unpaid_orders
from pimpshop.core import sweeper
from tests import factories
from tests.api.credit_callers import Shopper, alice, assert_refused, balance, books, callback, everything
from tests.api.wechat_callers import of_user
from tests.support import wechat
from tests.support.online import sweep
from tests.support.wechat_books import WechatBooks

__all__ = ["alice", "books"]
CANCELLED = {"status": "cancelled", "paid": False, "message": "支付失败或已取消"}
COMPLETED = {"status": "completed", "paid": True, "message": "支付成功"}


@pytest.fixture
def order(alice: Shopper, books: WechatBooks) -> Order:
    """An order whose payment is open."""
    made = alice.order()
    alice.pays(made)
    return made


def hours_pass() -> None:
    """Two hours later, with the sweeper at work."""
    for model, names in (
        (Order, ["cancel_at"]),
        (PaymentIntent, ["expires_at", "next_query_at", "last_query_at", "created_at"]),
    ):
        for row in model.objects.all():  # type: ignore[attr-defined]
            times = {name: getattr(row, name) for name in names}
            model.objects.filter(pk=row.pk).update(  # type: ignore[attr-defined]
                **{name: time - timedelta(hours=2) for name, time in times.items() if time}
            )
    closing_round()


def closing_round() -> int:
    return sweeper.each(unpaid_orders.due(), unpaid_orders.close_due)


def stands(order: Order) -> tuple[str, list[str]]:
    order.refresh_from_db()
    return order.status, list(order.payment_intents.order_by("attempt").values_list("status", flat=True))


def test_the_sweeper_walks_it() -> None:
    assert "unpaid orders to cancel" in sweeper.names()


def test_an_order_that_was_never_paid_ends(alice: Shopper, books: WechatBooks) -> None:
    made = alice.order()
    assert closing_round() == 0
    hours_pass()
    assert stands(made) == ("cancelled", [])
    assert books.calls == []
    assert alice.asks(made) == {"order_id": made.pk, **CANCELLED}
    event = made.events.get(to_status="cancelled")
    assert (event.source, event.reason) == ("sweeper", "not paid in time")
    before = everything(books)
    assert_refused(alice.post(f"/pay/{made.pk}"), 400, "订单已取消")
    assert everything(books) == before


def test_its_payment_is_closed_at_wechat_pay_first(alice: Shopper, order: Order, books: WechatBooks) -> None:
    hours_pass()
    assert stands(order) == ("cancelled", ["expired"])
    assert books.orders[order.order_no]["word"] == "CLOSED"
    assert len(books.asked("close")) == 1
    assert alice.get("/").json()[0]["status"] == "cancelled"
    assert closing_round() == 0


def test_while_wechat_pay_does_not_answer_it_waits(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.silent.update({"close", "query"})
    hours_pass()
    assert stands(order) == ("pending", ["expiring"])
    assert closing_round() == 0  # a minute from now
    assert order.cancel_at is not None
    assert timezone.now() < order.cancel_at <= timezone.now() + timedelta(minutes=1)
    Order.objects.update(cancel_at=timezone.now())
    assert closing_round() == 0
    assert len(books.asked("close")) == 1  # the sweeper of payments goes on with it
    books.silent.clear()
    PaymentIntent.objects.update(next_query_at=timezone.now(), last_query_at=None)
    sweep()
    assert stands(order) == ("pending", ["expired"])
    Order.objects.update(cancel_at=timezone.now())
    assert closing_round() == 1
    assert stands(order) == ("cancelled", ["expired"])


def test_money_that_was_faster_settles(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no)
    hours_pass()
    assert stands(order) == ("completed", ["succeeded"])
    assert (balance(alice.user), Order.objects.filter(status="cancelled").count()) == (100, 0)


def test_who_is_just_paying_is_waited_for(alice: Shopper, order: Order, books: WechatBooks) -> None:
    """WeChat Pay does not close it while the shopper types the password."""
    books.pays(order.order_no, "USERPAYING")
    books.refuse["close"] = (400, "USERPAYING")
    hours_pass()
    assert stands(order)[0] == "pending"
    books.pays(order.order_no)
    assert alice.asks(order) == {"order_id": order.pk, **COMPLETED}


def test_a_payment_that_is_still_open_keeps_it(alice: Shopper, order: Order, books: WechatBooks) -> None:
    """Begun at another door, which knows nothing of the order's end."""
    Order.objects.update(cancel_at=timezone.now() - timedelta(seconds=1))
    calls = len(books.calls)
    assert closing_round() == 0
    assert stands(order) == ("pending", ["requires_action"])
    expires = PaymentIntent.objects.get().expires_at
    assert expires is not None
    assert order.cancel_at == expires + timedelta(seconds=30)
    assert len(books.calls) == calls


def test_an_order_of_another_door_waits_for_ever(alice: Shopper, books: WechatBooks) -> None:
    made = factories.order(user=alice.user, kind="credits", currency="CNY", total_minor=990)
    factories.created(made)
    hours_pass()
    assert stands(made) == ("pending", [])


# --- What WeChat Pay says -----------------------------------------------------------------------------------------------
def test_closed_at_wechat_pay_cancels(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no, "CLOSED")
    assert alice.asks(order) == {"order_id": order.pk, **CANCELLED}
    assert stands(order) == ("cancelled", ["canceled"])
    assert books.asked("close") == []
    english = alice.get(f"/payment-status/{order.pk}", **{"Accept-Language": "en"}).json()
    assert english["message"] == "The payment failed or was cancelled"


@pytest.mark.parametrize("word", ["REVOKED", "PAYERROR"])
def test_other_ends_are_closed_there_before_they_count(
    alice: Shopper, order: Order, books: WechatBooks, word: str
) -> None:
    books.pays(order.order_no, word)
    books.silent.add("close")
    assert alice.asks(order) == {
        "order_id": order.pk, "status": "pending", "paid": False, "message": f"支付进行中，状态: {word}",
    }  # fmt: skip
    assert stands(order)[0] == "pending"
    books.silent.clear()
    assert alice.asks(order) == {"order_id": order.pk, **CANCELLED}
    assert books.orders[order.order_no]["word"] == "CLOSED"
    assert len(books.asked("close")) == 2


@pytest.mark.parametrize("word", ["REVOKED", "PAYERROR"])
def test_a_success_behind_a_failure_counts(
    alice: Shopper, order: Order, books: WechatBooks, word: str
) -> None:
    """Closing finds that it was paid after all."""
    books.pays(order.order_no, word)
    books.silent.add("close")
    alice.asks(order)
    books.silent.clear()
    books.pays(order.order_no)
    assert alice.asks(order) == {"order_id": order.pk, **COMPLETED}
    assert balance(alice.user) == 100


def test_the_sweeper_closes_a_failed_try_too(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no, "PAYERROR")
    books.silent.add("close")
    alice.asks(order)
    books.silent.clear()
    hours_pass()
    assert stands(order) == ("cancelled", ["failed"])
    assert books.orders[order.order_no]["word"] == "CLOSED"


def test_the_sweeper_finds_money_behind_a_failed_try(
    alice: Shopper, order: Order, books: WechatBooks
) -> None:
    """Closing is refused, for it was paid."""
    books.pays(order.order_no, "PAYERROR")
    books.silent.add("close")
    alice.asks(order)
    books.silent.clear()
    books.pays(order.order_no)
    hours_pass()
    assert stands(order) == ("completed", ["succeeded"])
    assert balance(alice.user) == 100


def test_an_order_of_another_door_does_not_follow(alice: Shopper, books: WechatBooks) -> None:
    """Its buyer may choose another way to pay there."""
    made = alice.order()
    Order.objects.update(cancel_at=None)
    alice.pays(made)
    books.pays(made.order_no, "CLOSED")
    assert alice.asks(made)["message"] == "支付进行中，状态: CLOSED"
    assert stands(made) == ("pending", ["canceled"])


def test_a_failed_try_may_be_followed_by_another(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no, "PAYERROR")
    books.silent.add("close")
    alice.asks(order)
    assert alice.pays(order)["outTradeNo"] == f"{order.order_no}_2"
    assert alice.asks(order)["message"] == "支付进行中，状态: NOTPAY"
    assert stands(order)[0] == "pending"


def test_a_poll_within_three_seconds_closes_nothing(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no, "PAYERROR")
    books.silent.add("close")
    alice.asks(order)
    for _ in range(3):
        assert alice.get(f"/payment-status/{order.pk}").json()["status"] == "pending"
    assert len(books.asked("close")) == 1


def test_without_an_answer_nothing_is_closed(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no, "PAYERROR")
    books.silent.add("close")
    alice.asks(order)
    books.silent.add("query")
    assert alice.asks(order)["status"] == "pending"
    assert (len(books.asked("query")), len(books.asked("close"))) == (2, 1)


def test_a_payment_that_began_meanwhile_keeps_the_order(
    alice: Shopper, order: Order, books: WechatBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at again under the order's lock."""
    monkeypatch.setattr(unpaid_orders, "_still_payable", lambda _order: False)
    monkeypatch.setattr(unpaid_orders, "_all_closed", lambda _order, **_more: True)
    Order.objects.update(cancel_at=timezone.now() - timedelta(seconds=1))
    assert closing_round() == 0
    assert stands(order) == ("pending", ["requires_action"])


def test_closed_through_seed_2s_door_it_follows(alice: Shopper, order: Order, books: WechatBooks) -> None:
    of_user(alice.user).post("/close", {"outTradeNo": order.order_no})
    assert stands(order) == ("pending", ["canceled"])
    assert alice.asks(order) == {"order_id": order.pk, **CANCELLED}


# --- A late success -----------------------------------------------------------------------------------------------------
def late(alice: Shopper, order: Order, books: WechatBooks) -> None:
    hours_pass()
    assert stands(order) == ("cancelled", ["expired"])
    books.pays(order.order_no)


def paid_late(alice: Shopper, order: Order) -> None:
    assert stands(order) == ("completed", ["succeeded"])
    story = list(order.events.order_by("pk").values_list("from_status", "to_status"))
    assert story[1:] == [("pending", "cancelled"), ("cancelled", "paid"), ("paid", "completed")]
    assert balance(alice.user) == 100
    assert alice.asks(order) == {"order_id": order.pk, **COMPLETED}
    assert_refused(alice.post(f"/pay/{order.pk}"), 400, "订单已支付")


def test_a_late_success_by_notification(alice: Shopper, order: Order, books: WechatBooks) -> None:
    late(alice, order, books)
    notice, headers = books.notification(order.order_no)
    answer = Client().post(
        "/api/v1/payments/wechat/notify", notice, content_type="application/json", headers=headers
    )
    assert answer.status_code == 200
    sweep()
    paid_late(alice, order)


def test_a_late_success_by_callback(alice: Shopper, order: Order, books: WechatBooks) -> None:
    late(alice, order, books)
    PaymentIntent.objects.update(last_query_at=None)
    assert callback({"order_no": order.order_no, "status": "SUCCESS", "amount": 9.9}).status_code == 200
    paid_late(alice, order)


def test_a_late_success_by_poll(alice: Shopper, order: Order, books: WechatBooks) -> None:
    late(alice, order, books)
    assert alice.asks(order)["paid"] is True
    paid_late(alice, order)


def test_paid_twice_by_two_numbers_the_second_goes_back(
    alice: Shopper, order: Order, books: WechatBooks
) -> None:
    from payments.models import Refund

    PaymentIntent.objects.update(expires_at=timezone.now())
    second: Any = alice.pays(order)["outTradeNo"]
    books.pays(second)
    assert alice.asks(order)["paid"] is True
    first = wechat.transaction(
        order.order_no, 990, appid=wechat.MINI_APP_ID, transaction_id="4200009876543210"
    )
    notice = wechat.notification(first, id="EV-2")
    headers = wechat.signed_headers(notice, datetime.now(UTC))
    Client().post("/api/v1/payments/wechat/notify", notice, content_type="application/json", headers=headers)
    sweep()
    assert stands(order) == ("completed", ["succeeded", "succeeded"])
    assert balance(alice.user) == 100
    assert Refund.objects.get().intent.out_trade_no == order.order_no
