"""Seed 4: what is refused, in the seed's words, and that nothing happened then."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import WeChatIdentity
from orders.models import Order
from payments.models import PaymentIntent
from tests import factories
from tests.api.credit_callers import (
    Shopper,
    alice,
    assert_refused,
    balance,
    books,
    everything,
    in_mini_program,
)
from tests.api.wechat_callers import with_key
from tests.support import goods, refusals
from tests.support.wechat_books import WechatBooks

__all__ = ["alice", "books"]


def with_a_key(**more: Any) -> Shopper:
    return Shopper(**with_key(**more).headers)


def test_products_that_cannot_be_ordered(alice: Shopper, books: WechatBooks) -> None:
    gone, dollars = goods.pack(is_active=False), goods.pack(prices={"USD": 200})
    for number in (gone.number, dollars.number, 0, -1, 999999, 2**31, 10**30):
        assert_refused(alice.post("/create", {"product_id": number}), 400, "商品不存在或已下架")
    english = alice.post("/create", {"product_id": 999999}, **{"Accept-Language": "en"})
    assert_refused(english, 400, "There is no such product, or it is not sold any more")
    assert Order.objects.count() == 0


@pytest.mark.parametrize("wrong", [None, "1", 1.5, True, [1], {}, "一"])
def test_product_ids_that_are_none(alice: Shopper, books: WechatBooks, wrong: Any) -> None:
    assert_refused(alice.post("/create", {"product_id": wrong}), 400)
    assert_refused(alice.post("/create", {"product": 1}), 400)
    assert Order.objects.count() == 0


def test_bodies_that_are_none(alice: Shopper, books: WechatBooks) -> None:
    for why, (raw, content_type, status) in refusals.BROKEN.items():
        if why == "huge":
            raw = b'{"product_id": "' + b"x" * 300_000 + b'"}'
        answer = alice.client.post(
            "/api/orders/create", raw, content_type=content_type, headers=alice.headers
        )
        assert_refused(answer, status)
    assert Order.objects.count() == 0


@pytest.mark.parametrize("wanted", ["0", "999999", "-1", "1e3", "x", "%00", "٣", "9" * 30, "1.0"])
def test_orders_that_are_not_there(alice: Shopper, books: WechatBooks, wanted: str) -> None:
    assert_refused(alice.get(f"/{wanted}"), 404, "订单不存在")
    assert_refused(alice.get(f"/payment-status/{wanted}"), 404, "订单不存在")
    assert_refused(alice.post(f"/pay/{wanted}"), 404, "订单不存在")
    english = alice.get("/999999", **{"Accept-Language": "en"})
    assert_refused(english, 404, "There is no such order")
    assert books.calls == []


def test_other_peoples_orders(alice: Shopper, books: WechatBooks) -> None:
    bob = in_mini_program("bob@example.com", "oMini_bob")
    order = alice.order()
    alice.pays(order)
    before = everything(books)
    staff = Shopper(factories.staff())
    for thief in (bob, staff, with_a_key(user=bob.user)):
        assert_refused(thief.get(f"/{order.pk}"), 404, "订单不存在")
        assert_refused(thief.get(f"/payment-status/{order.pk}"), 404, "订单不存在")
        assert_refused(thief.post(f"/pay/{order.pk}"), 404, "订单不存在")
        assert thief.get("/").json() == []
    assert everything(books) == before


def test_what_is_no_order_of_a_pack_in_yuan(alice: Shopper, books: WechatBooks) -> None:
    others = [
        factories.order(user=alice.user, kind=kind, currency=currency, total_minor=990)
        for kind, currency in (("case", "CNY"), ("plan", "CNY"), ("credits", "USD"), ("merchant", "CNY"))
    ]
    for order in others:
        factories.created(order)
        assert_refused(alice.get(f"/{order.pk}"), 404, "订单不存在")
        assert_refused(alice.post(f"/pay/{order.pk}"), 404, "订单不存在")
    assert alice.get("/").json() == []
    assert not PaymentIntent.objects.exists()


def test_without_a_token(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    before = everything(books)
    for client in (
        Shopper(),
        Shopper(Authorization="Bearer nonsense"),
        Shopper(Authorization="Bearer sk_" + "x" * 40),
    ):
        for answer in (
            client.post("/create", {"product_id": 1}), client.post(f"/pay/{order.pk}"), client.get("/"),
            client.get(f"/{order.pk}"), client.get(f"/payment-status/{order.pk}"),
        ):  # fmt: skip
            assert_refused(answer, 401)
            assert answer["WWW-Authenticate"] == "Bearer"
    assert everything(books) == before


def test_keys_that_act_for_nobody(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    before = everything(books)
    page = with_a_key(kind="publishable", user=alice.user)
    for client in (
        with_a_key(),
        page,
        with_a_key(kind="restricted", scopes=["payments:read"], user=alice.user),
    ):
        assert_refused(client.post("/create", {"product_id": 1}), 403)
        assert_refused(client.post(f"/pay/{order.pk}"), 403)
        assert_refused(client.get("/"), 403)
    assert everything(books) == before


def test_an_owners_key_acts_for_its_owner(alice: Shopper, books: WechatBooks) -> None:
    server = with_a_key(user=alice.user)
    order = server.order()
    assert order.user == alice.user
    assert server.pays(order)["outTradeNo"] == order.order_no
    assert [one["id"] for one in alice.get("/").json()] == [order.pk]


def test_who_never_logged_in_through_the_mini_program(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    WeChatIdentity.objects.update(app_id="wxanotherapp")
    before = everything(books)
    assert_refused(alice.post(f"/pay/{order.pk}"), 400)
    assert everything(books) == before


def test_there_is_no_mini_program(alice: Shopper, books: WechatBooks, settings: Any) -> None:
    order = alice.order()
    settings.WECHAT_MINI_APP_ID = ""
    before = everything(books)
    assert_refused(alice.post(f"/pay/{order.pk}"), 400)
    assert everything(books) == before


def test_wechat_pay_is_not_set_up(alice: Shopper, books: WechatBooks, settings: Any) -> None:
    """Not 404: the order is there."""
    order = alice.order()
    settings.WECHAT_MCH_ID = ""
    before = everything(books)
    assert_refused(alice.post(f"/pay/{order.pk}"), 503)
    assert everything(books) == before


def test_a_paid_order_is_not_paid_again(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    alice.pays(order)
    books.pays(order.order_no)
    alice.asks(order)
    before = everything(books)
    assert_refused(alice.post(f"/pay/{order.pk}"), 400, "订单已支付")
    english = alice.post(f"/pay/{order.pk}", **{"Accept-Language": "en"})
    assert_refused(english, 400, "The order is paid already")
    assert everything(books) == before
    assert balance(alice.user) == 100


def test_pay_finds_that_it_was_paid_meanwhile(alice: Shopper, books: WechatBooks) -> None:
    """The open payment has too little time left, and closing it finds the money."""
    from django.utils import timezone

    order = alice.order()
    alice.pays(order)
    PaymentIntent.objects.update(expires_at=timezone.now())
    books.pays(order.order_no)
    assert_refused(alice.post(f"/pay/{order.pk}"), 400, "订单已支付")
    assert (Order.objects.get().status, PaymentIntent.objects.count()) == ("completed", 1)


def test_what_wechat_refuses(alice: Shopper, books: WechatBooks) -> None:
    for theirs in ((401, "SIGN_ERROR"), (400, "PARAM_ERROR"), (403, "RULE_LIMIT")):
        books.refuse["jsapi"] = theirs
        assert_refused(alice.post(f"/pay/{alice.order().pk}"), 502)
    assert not PaymentIntent.objects.filter(status="requires_action").exists()
    books.refuse.clear()
    order = Order.objects.latest("pk")
    assert alice.asks(order)["status"] == "pending"  # a refused request ends no order
    assert alice.pays(order)["outTradeNo"] == f"{order.order_no}_2"


def test_no_answer_is_not_a_failure(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    books.silent.add("jsapi")
    answer = alice.post(f"/pay/{order.pk}")
    assert_refused(answer, 503)
    assert int(answer["Retry-After"]) >= 1
    books.silent.clear()
    assert alice.pays(order)["outTradeNo"] == order.order_no
    assert PaymentIntent.objects.count() == 1


def test_the_limit_says_when_to_come_back(alice: Shopper, books: WechatBooks) -> None:
    number = goods.pack().number
    for _ in range(60):
        alice.post("/create", {"product_id": 0})
    answer = alice.post("/create", {"product_id": number})
    assert_refused(answer, 429)
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert not Order.objects.exists()
    assert Shopper(factories.user()).post("/create", {"product_id": number}).status_code == 200


def test_wrong_methods(alice: Shopper, books: WechatBooks) -> None:
    assert_refused(alice.get("/create"), 405)
    assert_refused(alice.get("/callback"), 405)
    assert_refused(alice.post("/", {}), 405)
