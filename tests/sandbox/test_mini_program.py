"""A mini program that was written from the API's pages alone logs in, buys, pays in the simulated wallet, waits, and sees
its credits: Node against a live shop and the sandbox, with nothing between them. Then WeChat is told of the delivery."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User, UserToken
from credits import selectors
from orders.models import Order
from payments.models import PaymentIntent
from payments.services import shipping
from tests.support import goods
from tests.support.sandbox import Sandbox
from tests.support.shop import assert_invariants

pytestmark = [pytest.mark.sandbox, pytest.mark.django_db(transaction=True)]
APP = Path(__file__).parent / "mini_program" / "app.mjs"
PERSON = "oSbx2AMing00000000000000002X"


@pytest.fixture
def shop(settings: Any, live_server: Any, sandbox_client: Sandbox) -> Any:
    """A shop on a port of its own, whose WeChat is the sandbox, which posts to it."""
    settings.PUBLIC_BASE_URL, settings.WECHAT_NOTIFY_URL = live_server.url, ""
    settings.WECHAT_GATEWAY = f"{sandbox_client.base_url}/wechatpay"
    settings.WECHAT_LOGIN_BASE = f"{sandbox_client.base_url}/wechat"
    sandbox_client.knobs(shop_url=live_server.url)
    yield live_server
    assert_invariants()


def run(shop: Any, sandbox: Sandbox, **more: str) -> dict[str, Any]:
    """What the mini program saw."""
    node = shutil.which("node")
    assert node, "node is needed for the mini program"
    env = {
        "PATH": os.environ["PATH"], "SHOP_URL": shop.url, "SANDBOX_URL": sandbox.base_url, "OPENID": PERSON,
        "APP_ID": "wxsandboxminiprogram", **more,
    }  # fmt: skip
    done = subprocess.run([node, str(APP)], env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_it_logs_in_buys_pays_and_sees_its_credits(shop: Any, sandbox_client: Sandbox) -> None:
    pack = goods.pack(name="100 credits", name_zh="100积分套餐")
    told = run(shop, sandbox_client)
    user, order, intent = User.objects.get(), Order.objects.get(), PaymentIntent.objects.get()
    assert told["user"] == {"id": user.pk, "customer_id": str(user.public_id), "email": None}
    assert [(one["id"], one["price"], one["credits"]) for one in told["products"]] == [
        (pack.number, 9.9, 100)
    ]
    assert (told["before"], told["after"], selectors.available(user.pk)) == (0, 100, 100)
    bought = told["bought"]
    assert bought["order"] == {
        "order_id": order.pk, "order_no": order.order_no, "amount": 9.9, "credits": 100, "message": "订单创建成功",
    }  # fmt: skip
    assert bought["reported"] == "requestPayment:ok"
    assert bought["stands"] == {
        "order_id": order.pk,
        "status": "completed",
        "paid": True,
        "message": "支付成功",
    }
    assert [(one["id"], one["status"]) for one in told["orders"]] == [(order.pk, "completed")]
    assert (intent.status, intent.method, intent.settles_order) == ("succeeded", "mini", True)
    assert [device["current"] for device in told["devices"]] == [True, False]
    assert (told["left"], UserToken.objects.filter(revoked_at=None).count()) == (1, 1)

    assert shipping.plan_due() == 1
    assert [shipping.send(pk) for pk in shipping.due()] == [True]
    shipped = sandbox_client.books("wechat")["shipments"]
    assert [(one["out_trade_no"], one["openid"], one["logistics_type"], one["item_desc"]) for one in shipped] == [
        (intent.out_trade_no, PERSON, 3, "100积分套餐 × 1")
    ]  # fmt: skip
    assert (shipping.plan_due(), shipping.due()) == (0, [])


def test_where_credits_may_not_be_sold_there_is_nothing_to_buy(
    shop: Any, settings: Any, sandbox_client: Sandbox
) -> None:
    settings.VIRTUAL_GOODS_HIDDEN = ["miniprogram:ios"]
    goods.pack()
    told = run(shop, sandbox_client, PLATFORM="ios")
    assert told["products"] == []
    assert told["refused"].strip()
    assert (Order.objects.count(), PaymentIntent.objects.count()) == (0, 0)


def test_wechat_busy_for_a_moment_lets_somebody_in_all_the_same(shop: Any, sandbox_client: Sandbox) -> None:
    sandbox_client.fault("busy", provider="wechat", count=1)
    sandbox_client.fault("code_used", provider="wechat", count=1)
    told = run(shop, sandbox_client)
    assert told["user"]["id"] == User.objects.get().pk
    assert told["products"] == []
