"""From wx.login to the credits: the mini program against the sandbox's WeChat, as `make run` starts it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credits import selectors as credits
from orders.models import Order
from payments.models import PaymentIntent
from payments.services import unpaid_orders
from pimpshop.core import sweeper
from tests.support import goods
from tests.support.online import Online, settle_down, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]


class MiniProgram:
    """A phone with our mini program: it has a code of wx.login, then a token."""

    def __init__(self, online: Online, openid: str = "oMiniFlow0000000000000000001") -> None:
        code = online.control("wechat/code", openid=openid)["code"]
        answer = Client().post("/api/auth/wechat/login", {"code": code}, content_type="application/json")
        assert answer.status_code == 200, answer.content
        told = answer.json()
        self.user_id: int = told["user"]["id"]
        self.client = Client(headers={"Authorization": f"Bearer {told['token']}"})

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.client.post(f"/api/orders{path}", body or {}, content_type="application/json")
        assert answer.status_code == 200, answer.content
        told: dict[str, Any] = answer.json()
        return told

    def status(self, order_id: int) -> dict[str, Any]:
        PaymentIntent.objects.update(last_query_at=None)  # as if three seconds had passed
        told: dict[str, Any] = self.client.get(f"/api/orders/payment-status/{order_id}").json()
        return told


@pytest.fixture
def phone(online: Online, settings: Any) -> MiniProgram:
    settings.WECHAT_LOGIN_BASE = f"{online.sandbox.base_url}/wechat"
    return MiniProgram(online)


def opened(phone: MiniProgram) -> PaymentIntent:
    """An ordered pack whose payment waits for its payer."""
    order = phone.post("/create", {"product_id": goods.pack().number})
    data = phone.post(f"/pay/{order['order_id']}")["payment_data"]
    assert data["outTradeNo"] == order["order_no"]
    return PaymentIntent.objects.get()


def test_a_pack_is_bought(online: Online, phone: MiniProgram) -> None:
    intent = opened(phone)
    assert phone.status(intent.order_id)["message"] == "支付进行中，状态: NOTPAY"
    online.pay(intent)
    assert phone.status(intent.order_id) == {
        "order_id": intent.order_id, "status": "completed", "paid": True, "message": "支付成功",
    }  # fmt: skip
    assert credits.balance(phone.user_id) == 100
    (theirs,) = online.sandbox.books("wechatpay")["orders"]
    told = phone.client.get(f"/api/orders/{intent.order_id}").json()
    assert told["payment_id"] == theirs["transaction_id"]
    assert theirs["appid"] == "wxsandboxminiprogram"
    for post in list(online.box.posts):
        assert post.deliver() in (200, 204)
    settle_down()
    assert credits.balance(phone.user_id) == 100


def test_nobody_looks_and_no_notification_comes(online: Online, phone: MiniProgram) -> None:
    intent = opened(phone)
    online.pay(intent)
    settle_down()
    assert Order.objects.get().status == "completed"
    assert credits.balance(phone.user_id) == 100


def test_what_nobody_pays_can_be_paid_no_more(online: Online, phone: MiniProgram) -> None:
    intent = opened(phone)
    Order.objects.update(cancel_at=timezone.now() - timedelta(seconds=1))
    PaymentIntent.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert sweeper.each(unpaid_orders.due(), unpaid_orders.close_due) == 1
    assert Order.objects.get().status == "cancelled"
    assert not online.can_pay(intent)
    sweep()
    assert phone.status(intent.order_id) == {
        "order_id": intent.order_id, "status": "cancelled", "paid": False, "message": "支付失败或已取消",
    }  # fmt: skip


def test_the_answer_to_pay_is_lost(online: Online, phone: MiniProgram) -> None:
    """The same number again, and one order at WeChat Pay."""
    order = phone.post("/create", {"product_id": goods.pack().number})
    online.fault("wechatpay", "answer_lost_after_accepting", target="jsapi")
    lost = phone.client.post(f"/api/orders/pay/{order['order_id']}")
    assert (lost.status_code, set(lost.json())) == (503, {"detail"})
    online.fault("wechatpay", "answer_lost_after_accepting", on=False)
    again = phone.post(f"/pay/{order['order_id']}")["payment_data"]
    assert again["outTradeNo"] == order["order_no"]
    assert len(online.sandbox.books("wechatpay")["orders"]) == 1
    online.pay(PaymentIntent.objects.get())
    assert phone.status(order["order_id"])["paid"] is True
