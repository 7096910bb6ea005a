"""Seed 4 after the payment: money that goes back, credits that cannot be given, and limits."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from credits.services import ledger
from orders.models import Order
from orders.services import granting
from payments.api import credit_orders as door
from payments.api import doors
from payments.models import PaymentIntent
from payments.services import refund_steps, refunds
from pimpshop.core import throttles
from pimpshop.core.models import StaffItem
from tests import factories
from tests.api.credit_callers import Shopper, alice, assert_refused, balance, books, callback
from tests.support import goods
from tests.support.online import sweep
from tests.support.wechat_books import WechatBooks

__all__ = ["alice", "books"]
NOISE, HONEST = "203.0.113.7", "198.51.100.9"


def bought(alice: Shopper, books: WechatBooks) -> Order:
    order = alice.order()
    alice.pays(order)
    books.pays(order.order_no)
    assert alice.asks(order)["status"] == "completed"
    return order


def give_back(books: WechatBooks, minor: int | None = None) -> None:
    books.refund_word = "SUCCESS"
    made = refunds.request_refund(
        intent=PaymentIntent.objects.get(), amount_minor=minor, origin="staff", actor="ada", reason="requested",
        source="admin",
    )  # fmt: skip
    refund_steps.send(made.pk)


def test_money_back(alice: Shopper, books: WechatBooks) -> None:
    order = bought(alice, books)
    give_back(books)
    for told in (alice.get(f"/{order.pk}").json(), alice.get("/").json()[0]):
        assert told["status"] == "refunded"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["refund_time"])
        assert told["refund_time"] >= told["payment_time"]
        assert (told["credits"], told["amount"]) == (100, 9.9)
        assert told["payment_id"] == "4200001234567890123456789012"
    assert alice.asks(order) == {
        "order_id": order.pk, "status": "refunded", "paid": False, "message": "订单已退款",
    }  # fmt: skip
    assert_refused(alice.post(f"/pay/{order.pk}"), 400, "订单已退款")
    assert callback({"order_no": order.order_no, "amount": 9.9}).status_code == 200
    assert (Order.objects.get().status, balance(alice.user)) == ("refunded", 0)


def test_a_part_of_the_money_back(alice: Shopper, books: WechatBooks) -> None:
    order = bought(alice, books)
    give_back(books, 495)
    told = alice.get(f"/{order.pk}").json()
    assert (told["status"], told["refund_time"], told["credits"]) == ("completed", None, 100)
    assert balance(alice.user) == 50


def test_credits_that_cannot_be_given_do_not_undo_the_payment(
    alice: Shopper, books: WechatBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever paid is told so; staff know, and it is tried again."""

    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("the ledger is away")

    order = alice.order()
    alice.pays(order)
    books.pays(order.order_no)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "grant", broken)
        told = alice.asks(order)
        assert told == {"order_id": order.pk, "status": "paid", "paid": True, "message": "支付成功"}
        assert_refused(alice.post(f"/pay/{order.pk}"), 400, "订单已支付")
    assert StaffItem.objects.get().kind == granting.FAILED_KIND
    assert balance(alice.user) == 0
    sweep()
    assert alice.asks(order)["status"] == "completed"
    assert balance(alice.user) == 100


def test_remark_is_told(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    Order.objects.update(remark="给客服的话")
    assert alice.get(f"/{order.pk}").json()["remark"] == alice.get("/").json()[0]["remark"] == "给客服的话"


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """Lower a limit to `count`; callers are told apart by X-Forwarded-For."""
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]

    def lower(module: Any, name: str, count: int) -> None:
        monkeypatch.setattr(module, name, throttles.Limit(getattr(module, name).name, count, 3600))

    return lower


def test_products_are_limited_per_address(db: None, low: Any) -> None:
    low(door, "PRODUCTS_PER_ADDRESS", 2)
    noise, honest = (Client(headers={"X-Forwarded-For": who}) for who in (NOISE, HONEST))
    answers = [noise.get(path) for path in ("/api/products/", "/api/products/1", "/api/products")]
    assert [answer.status_code for answer in answers] == [200, 404, 429]
    assert_refused(answers[-1], 429)
    assert honest.get("/api/products/").status_code == 200


def test_reading_is_limited_per_person(alice: Shopper, books: WechatBooks, low: Any) -> None:
    low(doors, "READ_PER_PERSON", 3)
    order = alice.order()
    paths = ["/", f"/{order.pk}", f"/payment-status/{order.pk}", "/"]
    assert [alice.get(path).status_code for path in paths] == [200, 200, 200, 429]
    assert Shopper(factories.user()).get("/").status_code == 200


def test_strangers_are_limited_per_address(books: WechatBooks, low: Any) -> None:
    low(doors, "PER_ADDRESS", 2)
    body = {"product_id": goods.pack().number}
    noise = Shopper(**{"X-Forwarded-For": NOISE})
    assert [noise.post("/create", body).status_code for _ in range(3)] == [401, 401, 429]
    assert Shopper(**{"X-Forwarded-For": HONEST}).post("/create", body).status_code == 401


def test_guesses_of_the_callbacks_token_are_limited_per_address(books: WechatBooks, low: Any) -> None:
    low(door, "GUESSES_PER_ADDRESS", 2)
    noise = Shopper(**{"X-Forwarded-For": NOISE, "X-Payment-Token": "guess"})
    assert [noise.post("/callback", {}).status_code for _ in range(3)] == [401, 401, 429]
    assert callback({"order_no": "P1"}).status_code == 404
