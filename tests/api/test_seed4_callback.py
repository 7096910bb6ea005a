"""Seed 4's callback: only with its token, only a hint; WeChat Pay's word moves, once, and a repeat answers 200."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from credits.models import Posting
from orders.models import Order
from payments.models import PaymentIntent
from pimpshop.core.models import StaffItem
from tests import factories
from tests.api.credit_callers import (
    TOKEN,
    Shopper,
    alice,
    assert_refused,
    balance,
    books,
    callback,
    everything,
)
from tests.support import refusals
from tests.support.online import sweep
from tests.support.wechat_books import WechatBooks

__all__ = ["alice", "books"]
DONE = {"message": "处理支付回调成功"}


@pytest.fixture
def order(alice: Shopper, books: WechatBooks) -> Order:
    """An order whose payment is open."""
    made = alice.order()
    alice.pays(made)
    return made


def told(order: Order, **more: Any) -> dict[str, Any]:
    """The seed's request."""
    return {
        "order_no": order.order_no, "payment_id": "4200001234202307011234567890", "status": "SUCCESS", "amount": 9.9, **more,
    }  # fmt: skip


def test_it_settles_once_and_a_repeat_is_harmless(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no)
    answer = callback(told(order))
    assert (answer.status_code, answer.json()) == (200, DONE)
    order.refresh_from_db()
    assert (order.status, balance(alice.user), len(books.asked("query"))) == ("completed", 100, 1)
    before = everything(books)
    for _ in range(3):
        again = callback(told(order))
        assert (again.status_code, again.json()) == (200, DONE)
    assert everything(books) == before
    assert (
        alice.get(f"/{order.pk}").json()["payment_id"] == "4200001234567890123456789012"
    )  # WeChat Pay's, not theirs
    assert order.events.get(to_status="paid").source == "webhook"


def test_it_speaks_english_to_who_asks_for_it(order: Order, books: WechatBooks) -> None:
    from django.test import Client

    answer = Client().post(
        "/api/orders/callback/", told(order), content_type="application/json",
        headers={"X-Payment-Token": TOKEN, "Accept-Language": "en"},
    )  # fmt: skip
    assert answer.json() == {"message": "The callback was handled"}


@pytest.mark.parametrize(
    "token", [None, "", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "密", f"Bearer {TOKEN}"]
)
def test_without_its_token_nothing_is_even_read(order: Order, books: WechatBooks, token: str | None) -> None:
    books.pays(order.order_no)
    before = everything(books)
    assert_refused(callback(told(order), token), 401)
    assert_refused(callback(b"{", token), 401)
    assert everything(books) == before
    assert Order.objects.get().status == "pending"


def test_an_empty_setting_shuts_the_door(order: Order, books: WechatBooks, settings: Any) -> None:
    books.pays(order.order_no)
    settings.PAYMENT_CALLBACK_TOKEN = ""
    before = everything(books)
    for token in (None, "", TOKEN):
        assert_refused(callback(told(order), token), 401)
    assert everything(books) == before


def test_guessing_is_slow_and_the_right_token_is_not(order: Order, books: WechatBooks) -> None:
    for _ in range(60):
        assert callback(told(order), "guess").status_code == 401
    answer = callback(told(order), "guess")
    assert_refused(answer, 429)
    assert int(answer["Retry-After"]) >= 1
    assert callback(told(order)).status_code == 200


def test_a_shoppers_token_is_none(alice: Shopper, order: Order, books: WechatBooks) -> None:
    assert_refused(alice.post("/callback", told(order)), 401)
    # Nor does it disturb where the right one is.
    odd = Shopper(Authorization="Bearer nonsense").post(
        "/callback", told(order), **{"X-Payment-Token": TOKEN}
    )
    assert odd.status_code == 200


@pytest.mark.parametrize("word", ["NOTPAY", "USERPAYING", "A_NEW_WORD"])
def test_a_success_that_is_none(alice: Shopper, order: Order, books: WechatBooks, word: str) -> None:
    books.pays(order.order_no, word)
    assert callback(told(order)).status_code == 200
    order.refresh_from_db()
    assert (order.status, balance(alice.user), Posting.objects.count()) == ("pending", 0, 0)
    assert len(books.asked("query")) == 1


def test_what_it_says_of_the_status_is_not_believed(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no)
    for word in ("CLOSED", "", None):
        assert callback(told(order, status=word)).status_code == 200
    order.refresh_from_db()
    assert (order.status, balance(alice.user)) == ("completed", 100)


def test_only_the_number_is_needed(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.pays(order.order_no)
    assert callback({"order_no": order.order_no}).json() == DONE
    assert balance(alice.user) == 100


@pytest.mark.parametrize("amount", [9.89, 9.91, 0, -9.9, 990, 0.01, 9.901, "39.90"])
def test_another_amount(order: Order, books: WechatBooks, amount: Any) -> None:
    books.pays(order.order_no)
    before = everything(books)
    assert_refused(callback(told(order, amount=amount)), 400)
    assert everything(books) == before
    assert callback(told(order, amount="9.90")).json() == DONE


def test_another_amount_at_wechat_pay(alice: Shopper, order: Order, books: WechatBooks) -> None:
    """Nothing moves, and staff decide."""
    books.pays(order.order_no)
    books.orders[order.order_no]["fen"] = 1
    assert callback(told(order)).json() == DONE
    order.refresh_from_db()
    assert (order.status, balance(alice.user)) == ("pending", 0)
    assert StaffItem.objects.get().kind == "payment_mismatch"


def test_unknown_orders(alice: Shopper, books: WechatBooks) -> None:
    dollars = factories.order(user=alice.user, kind="credits", currency="USD", total_minor=990)
    case = factories.order(user=alice.user, currency="CNY", total_minor=990)
    for made in (dollars, case):
        factories.created(made)
    numbers = ["P20251120101112ffffffff", "x", dollars.order_no, case.order_no]
    for number in numbers:
        assert_refused(callback({"order_no": number, "amount": 9.9}), 404, "订单不存在")
    assert books.calls == []


def test_an_order_without_a_payment(alice: Shopper, books: WechatBooks) -> None:
    made = alice.order()
    before = everything(books)
    assert_refused(callback(told(made)), 400)
    assert everything(books) == before


@pytest.mark.parametrize(
    "change",
    [{"order_no": wrong} for wrong in (None, 1, "", "x" * 65, [], {})]
    + [{"amount": wrong} for wrong in (True, "free", [9.9], {}, "1e3")]
    + [{"payment_id": wrong} for wrong in (1, [], "x" * 129)]
    + [{"status": wrong} for wrong in (1, {}, "x" * 65)],
    ids=str,
)
def test_bad_fields(order: Order, books: WechatBooks, change: dict[str, Any]) -> None:
    before = everything(books)
    assert_refused(callback(told(order, **change)), 400)
    assert everything(books) == before


def test_bodies_that_are_none(order: Order, books: WechatBooks) -> None:
    before = everything(books)
    for why, (raw, content_type, status) in refusals.BROKEN.items():
        if why == "huge":
            raw = b'{"order_no": "' + b"x" * 300_000 + b'"}'
        client = Shopper().client
        answer = client.post(
            "/api/orders/callback", raw, content_type=content_type, headers={"X-Payment-Token": TOKEN}
        )
        assert_refused(answer, status)
    assert everything(books) == before


def test_no_answer_is_asked_for_again_without_them(alice: Shopper, order: Order, books: WechatBooks) -> None:
    books.silent.add("query")
    answer = callback(told(order))
    assert_refused(answer, 503)
    assert answer["Retry-After"] == "3"
    books.silent.clear()
    books.pays(order.order_no)
    PaymentIntent.objects.update(last_query_at=None, next_query_at=order.created_at)
    sweep()
    order.refresh_from_db()
    assert (order.status, balance(alice.user)) == ("completed", 100)


def test_it_makes_the_sweeper_ask_when_somebody_asked_just_now(
    alice: Shopper, order: Order, books: WechatBooks
) -> None:
    alice.get(f"/payment-status/{order.pk}")
    books.pays(order.order_no)
    assert callback(told(order)).json() == DONE
    assert (Order.objects.get().status, len(books.asked("query"))) == ("pending", 1)
    PaymentIntent.objects.update(last_query_at=None)
    sweep()
    assert (Order.objects.get().status, balance(alice.user)) == ("completed", 100)


def test_it_finds_the_payment_after_the_first(alice: Shopper, order: Order, books: WechatBooks) -> None:
    """By the order's number and by the payment's own."""
    PaymentIntent.objects.update(expires_at=timezone.now())
    second = alice.pays(order)["outTradeNo"]
    assert second == f"{order.order_no}_2"
    books.pays(second)
    assert callback(told(order)).json() == DONE
    order.refresh_from_db()
    assert (order.status, balance(alice.user)) == ("completed", 100)
    assert callback(told(order, order_no=second)).json() == DONE
