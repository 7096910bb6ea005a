"""/credits/ and /plans/: what is shown in which currency, and whose order comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orders import selectors as orders
from orders.models import Order
from tests import factories as make
from tests.support import goods


@pytest.fixture
def pack(db: None) -> Any:
    goods.pack(prices={"GBP": 500})
    return goods.pack(prices={"CNY": 990, "USD": 200})


@pytest.mark.parametrize(
    ("path", "language", "shown"),
    [
        ("/credits/", "zh-CN", "¥9.90"), ("/credits/", "en-US", "$2.00"), ("/credits/", "en-GB,en", "£5.00"),
        ("/credits/?currency=cny", "en", "CN¥9.90"), ("/credits/?currency=XXX", "en", "$2.00"),
    ],
)  # fmt: skip
def test_the_currency_follows_the_choice_then_the_language(
    pack: Any, path: str, language: str, shown: str
) -> None:
    page = Client(headers={"accept-language": language}).get(path).content.decode()
    assert shown in page
    assert page.count("data-card") == 1


def test_a_guest_gives_an_address_and_comes_back_to_the_same_order(pack: Any) -> None:
    path, guest = f"/credits/{pack.sku}/?currency=CNY", Client()
    refused = guest.post(path, {"email": "nobody"})
    assert (refused.status_code, Order.objects.count()) == (400, 0)
    first = guest.post(path, {"email": "Guest@Example.com"})
    order = Order.objects.get()
    assert first["Location"] == orders.pay_path(order)
    assert (order.email, order.user, order.kind, order.total_minor, order.currency) == (
        "guest@example.com", None, "credits", 990, "CNY",
    )  # fmt: skip
    assert guest.post(path, {"email": "guest@example.com"})["Location"] == first["Location"]
    assert Order.objects.count() == 1


def test_a_strangers_browser_is_not_led_to_the_order(pack: Any) -> None:
    path = f"/credits/{pack.sku}/?currency=CNY"
    mine = Client().post(path, {"email": "alice@example.com"})["Location"]
    assert Client().post(path, {"email": "alice@example.com"})["Location"] != mine


def test_whoever_is_logged_in_orders_at_once(pack: Any) -> None:
    alice, client = make.user("alice@example.com"), Client()
    client.force_login(alice)
    plan = goods.plan(prices={"USD": 500})
    answer = client.post(f"/plans/{plan.sku}/?currency=USD")
    order = Order.objects.get()
    assert (answer.status_code, answer["Location"], order.user) == (302, orders.pay_path(order), alice)
    assert client.post(f"/plans/{plan.sku}/?currency=USD")["Location"] == answer["Location"]
    assert "credits" in client.get("/plans/?currency=USD").content.decode()


def test_what_is_not_sold_is_not_there(pack: Any) -> None:
    goods.pack(sku="gone", is_active=False, prices={"CNY": 100})
    assert Client().post("/credits/gone/?currency=CNY", {"email": "a@example.com"}).status_code == 404
    assert Client().get("/plans/no-such-plan/").status_code == 404
    assert Order.objects.count() == 0
