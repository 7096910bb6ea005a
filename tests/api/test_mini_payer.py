"""Who pays in the mini program is known from its log-in: no client has to know an openid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.test import Client

from accounts.services import tokens
from orders.models import Order
from payments.models import PaymentIntent
from tests import factories
from tests.support import goods, wechat, wechat_books

pytestmark = pytest.mark.django_db(transaction=True)
OPENID = "oMini_tEsT-0123456789abcdefg"
MINI = {"Referer": f"https://servicewechat.com/{wechat.MINI_APP_ID}/7/page-frame.html"}


@pytest.fixture
def books(settings: Any) -> Iterator[wechat_books.WechatBooks]:
    wechat_books.put_on(settings)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield wechat_books.WechatBooks(mock)


def post(user: Any, path: str, body: Any, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {tokens.issue(user)[0]}", **headers}
    return Client().post(path, json.dumps(body), content_type="application/json", headers=sent)


def known() -> Any:
    user = factories.user(None)
    factories.wechat_identity(user, app_id=wechat.MINI_APP_ID, openid=OPENID)
    return user


def seed2(user: Any, **more: Any) -> dict[str, Any]:
    content = {"contentId": f"pack:{goods.pack().number}", "amount": 9.9, "subject": "x"}
    return {"userId": str(user.public_id), **content, **more}


def test_seed_2(books: wechat_books.WechatBooks) -> None:
    user = known()
    answer = post(user, "/api/v1/payments/wechat/jsapi", seed2(user), **MINI)
    assert answer.status_code == 200, answer.content
    assert books.asked("jsapi")[0]["payer"] == {"openid": OPENID}
    assert PaymentIntent.objects.get().method == "mini"


@pytest.mark.parametrize(
    "headers", [{}, {"Referer": "https://servicewechat.com/wxanother/7/page-frame.html"}]
)
def test_seed_2_elsewhere_the_payer_is_asked_for(
    books: wechat_books.WechatBooks, headers: dict[str, str]
) -> None:
    user = known()
    answer = post(user, "/api/v1/payments/wechat/jsapi", seed2(user), **headers)
    assert (answer.status_code, set(answer.json()["details"])) == (400, {"openid"})
    assert (Order.objects.count(), books.calls) == (0, [])


def test_seed_2_nobody_knows_who_never_logged_in_there(books: wechat_books.WechatBooks) -> None:
    user = factories.user()
    answer = post(user, "/api/v1/payments/wechat/jsapi", seed2(user), **MINI)
    assert (answer.status_code, set(answer.json()["details"])) == (400, {"openid"})
    assert (Order.objects.count(), books.calls) == (0, [])


def seed5(order: Order, **more: Any) -> dict[str, Any]:
    means = {"type": "wechat_pay", "wechat_pay": {"flow": "mini", **more}}
    return {"amount": 9.9, "currency": "CNY", "gateway_id": "wechatpay", "order_id": str(order.public_id),
            "payment_method": means}  # fmt: skip


def test_seed_5(books: wechat_books.WechatBooks) -> None:
    user = known()
    order = factories.created(factories.order(user=user, kind="credits", currency="CNY", total_minor=990))
    answer = post(user, "/api/v1/payments", seed5(order))
    assert answer.status_code in (200, 201), answer.content
    assert books.asked("jsapi")[0]["payer"] == {"openid": OPENID}


def test_seed_5_nobody_knows_who_never_logged_in_there(books: wechat_books.WechatBooks) -> None:
    user = factories.user()
    order = factories.created(factories.order(user=user, kind="credits", currency="CNY", total_minor=990))
    answer = post(user, "/api/v1/payments", seed5(order))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYMENT_METHOD")
    assert (PaymentIntent.objects.count(), books.calls) == (0, [])


def test_seed_5_a_server_without_an_order_names_the_payer(books: wechat_books.WechatBooks) -> None:
    from accounts.services import api_keys

    key, _row = api_keys.create(kind="secret", name="k")
    body = {name: value for name, value in seed5(Order()).items() if name != "order_id"}
    answer = Client().post(
        "/api/v1/payments", json.dumps(body), content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYMENT_METHOD")
    assert (Order.objects.count(), books.calls) == (0, [])
