"""/credits/ and /plans/: what is shown in which currency, and whose order comes of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from credits.services import holds, ledger, terms
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


def standing(client: Client, path: str) -> tuple[str, list[str]]:
    page = client.get(path, headers={"accept-language": "en"}).content.decode()
    return page, re.findall(r'data-standing="(\d+)"', page)


@pytest.mark.parametrize("path", ["/credits/", "/plans/"])
def test_who_is_logged_in_sees_what_they_have(
    pack: Any, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    alice, client = make.user(), Client()
    client.force_login(alice)
    ledger.grant(user_id=alice.pk, amount=100, reference="G1", expires_at=timezone.now() + timedelta(days=9))
    ledger.grant(user_id=alice.pk, amount=1500, reference="G2")
    until = timezone.now() + timedelta(hours=1)
    holds.reserve(user_id=alice.pk, amount=30, reference="H", subject="P", expires_at=until, source="test")
    plan = goods.plan(sku="gold", name="Gold")
    terms.grant_term(user_id=alice.pk, plan_sku=plan.sku, days=30, reference="T1")
    with django_assert_max_num_queries(12):
        page, shown = standing(client, path)
    assert shown == ["1570"]
    assert "You have <b>1,570 credits</b>" in page
    assert "<b>70 credits</b> end on" in page
    assert "<b>Gold</b> until" in page
    assert 'href="/account/"' in page
    other, nothing = standing(Client(), path)
    assert (nothing, "1,570" in other) == ([], False)


def test_a_card_says_what_a_credit_costs(pack: Any) -> None:
    page = Client().get("/credits/?currency=CNY", headers={"accept-language": "zh-CN"}).content.decode()
    assert "¥0.099" in page
    page = Client().get("/credits/?currency=USD", headers={"accept-language": "en"}).content.decode()
    assert "$0.02 a credit" in page


def test_an_empty_shop_says_what_to_do_instead(db: None) -> None:
    page = Client().get("/credits/", headers={"accept-language": "en"}).content.decode()
    assert "Nothing is on sale here just now. Your credits keep working" in page
    assert "Design a case" in page
