"""Apps in which a platform's rules forbid to sell credits and plans: every door that sells them refuses, friendly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.services import tokens
from orders.models import Order
from payments.models import PaymentIntent
from pimpshop.core import clients
from tests import factories
from tests.support import goods

pytestmark = pytest.mark.django_db
IOS = {"X-Client": "miniprogram:ios/1.4.0"}
WORDS = "Credits and plans cannot be bought in this app on this device. Nothing was charged."
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0.42"
PAGE = "https://servicewechat.com/wxsandboxminiprogram/7/page-frame.html"


@pytest.fixture(autouse=True)
def _hidden_on_ios(settings: Any) -> None:
    settings.VIRTUAL_GOODS_HIDDEN = ["miniprogram:ios"]


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({}, ("", "")),
        ({"X-Client": "miniprogram:ios"}, ("miniprogram", "ios")),
        ({"X-Client": " MiniProgram:iOS/1.4.0 "}, ("miniprogram", "ios")),
        ({"X-Client": "miniprogram", "User-Agent": PHONE}, ("miniprogram", "ios")),
        ({"X-Client": "app:android/2"}, ("app", "android")),
        ({"X-Client": "what is this?"}, ("", "")),
        ({"X-Client": "x" * 200}, ("", "")),
        ({"Referer": PAGE, "User-Agent": PHONE}, ("miniprogram", "ios")),
        ({"Referer": PAGE, "User-Agent": "Linux; Android 14"}, ("miniprogram", "android")),
        ({"Referer": PAGE}, ("miniprogram", "")),
        ({"Referer": "https://shop.example/", "User-Agent": PHONE}, ("", "")),
    ],
)
def test_who_asks(headers: dict[str, str], client: tuple[str, str]) -> None:
    assert clients.client_of(RequestFactory().get("/", headers=headers)) == clients.Client(*client)


@pytest.mark.parametrize(
    ("hidden", "asks", "answer"),
    [
        (["miniprogram:ios"], "miniprogram:ios", True),
        (["miniprogram:ios"], "miniprogram:android", False),
        (["miniprogram:ios"], "app:ios", False),
        ([" MINIPROGRAM "], "miniprogram:android", True),
        (["app:android", "miniprogram:ios"], "app:android", True),
        ([""], "", False),
        ([":"], "", False),
        ([], "miniprogram:ios", False),
    ],
)
def test_where_it_is_hidden(settings: Any, hidden: list[str], asks: str, answer: bool) -> None:
    settings.VIRTUAL_GOODS_HIDDEN = hidden
    assert clients.hides_virtual_goods(RequestFactory().get("/", headers={"X-Client": asks})) is answer


def _nothing() -> None:
    assert (Order.objects.count(), PaymentIntent.objects.count()) == (0, 0)


def test_the_list_is_empty_there_and_full_elsewhere(client: Client) -> None:
    pack = goods.pack()
    assert client.get("/api/products/", headers=IOS).json() == []
    elsewhere = client.get("/api/products/", headers={"X-Client": "miniprogram:android"}).json()
    assert [one["id"] for one in elsewhere] == [pack.number]
    refused = client.get(f"/api/products/{pack.number}", headers={**IOS, "Accept-Language": "en"})
    assert (refused.status_code, refused.json()) == (403, {"detail": WORDS})


def _post(client: Client, user: Any, path: str, body: Any) -> Any:
    headers = {**IOS, "Authorization": f"Bearer {tokens.issue(user)[0]}", "Accept-Language": "en"}
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_seed_4_makes_no_order_and_starts_no_payment(client: Client) -> None:
    user, pack = factories.user(), goods.pack()
    refused = _post(client, user, "/api/orders/create", {"product_id": pack.number})
    assert (refused.status_code, refused.json()) == (403, {"detail": WORDS})
    _nothing()
    order = factories.order(user=user, kind="credits", currency="CNY", total_minor=990)
    refused = _post(client, user, f"/api/orders/pay/{order.pk}", {})
    assert (refused.status_code, refused.json()) == (403, {"detail": WORDS})
    assert PaymentIntent.objects.count() == 0


@pytest.mark.parametrize("kind", ["pack", "plan"])
@pytest.mark.parametrize("method", ["native", "jsapi"])
def test_seed_2_refuses_before_an_order_is_made(client: Client, kind: str, method: str) -> None:
    user = factories.user()
    content = f"pack:{goods.pack().number}" if kind == "pack" else f"plan:{goods.plan().stripe_price_id}"
    body = {"userId": str(user.pk), "contentId": content, "amount": 9.9, "subject": "x", "openid": "o" * 28}
    refused = _post(client, user, f"/api/v1/payments/wechat/{method}", body)
    assert (refused.status_code, refused.json()["error"]) == (403, WORDS)
    _nothing()


def test_seed_2_and_5_do_not_pay_an_order_of_credits_there(client: Client) -> None:
    user = factories.user()
    order = factories.order(user=user, kind="credits", currency="CNY", total_minor=990)
    body = {"userId": str(user.pk), "contentId": order.order_no, "amount": 9.9, "subject": "x"}
    refused = _post(client, user, "/api/v1/payments/wechat/native", body)
    assert (refused.status_code, refused.json()["error"]) == (403, WORDS)
    unified = {"amount": 9.9, "currency": "CNY", "gateway_id": "wechatpay", "order_id": str(order.public_id),
               "payment_method": {"type": "wechat_pay"}}  # fmt: skip
    refused = _post(client, user, "/api/v1/payments", unified)
    assert (refused.status_code, refused.json()["error"]) == (
        403,
        {"code": "VIRTUAL_GOODS_HIDDEN", "message": WORDS},
    )
    assert PaymentIntent.objects.count() == 0


def test_seed_3_opens_no_page(client: Client) -> None:
    refused = _post(
        client, factories.user(), "/api/create-checkout-session", {"priceId": goods.plan().stripe_price_id}
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "virtual_goods_hidden")
    _nothing()
