"""The seeds' own client code, run in Node against a live server; only the address, the log-in and wx are shimmed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import responses

from accounts.services import tokens
from orders.models import Order
from payments.models import PaymentIntent
from tests import factories
from tests.support import checkout_books, goods, wechat, wechat_books

SNIPPETS = Path(__file__).parent / "snippets"


def run(name: str, live_server: Any, given: dict[str, Any], token: str = "") -> dict[str, Any]:
    """What the snippet told; its words go to stderr."""
    node = shutil.which("node")
    assert node, "node is needed for the seeds' snippets"
    env = {
        "PATH": os.environ["PATH"], "SHOP_URL": live_server.url, "NEXT_PUBLIC_API_URL": f"{live_server.url}/api",
        "TOKEN": token, "GIVEN": json.dumps(given),
    }  # fmt: skip
    done = subprocess.run(
        [node, str(SNIPPETS / f"{name}.mjs")],
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture
def mock() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_seed2s_page_shows_a_code(live_server: Any, settings: Any, mock: Any) -> None:
    wechat_books.put_on(settings)
    wechat_books.WechatBooks(mock)
    user, pack = factories.user(), goods.pack()
    content = {"id": f"pack:{pack.number}", "price": 9.9, "title": pack.name}
    token = tokens.issue(user)[0]
    told = run(
        "seed2_native", live_server, {"currentUser": {"id": str(user.public_id)}, "content": content}, token
    )
    number = PaymentIntent.objects.get().out_trade_no
    assert told["data"]["outTradeNo"] == number
    assert told["qrCodeDataUrl"].endswith(f"bizpayurl%3Fpr%3D{number}")


def test_seed2s_mini_program_pays(live_server: Any, settings: Any, mock: Any) -> None:
    wechat_books.put_on(settings)
    wechat_books.WechatBooks(mock)
    user, pack = factories.user(), goods.pack()
    app = {"globalData": {"userId": str(user.public_id), "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}
    given = {"app": app, "contentId": f"pack:{pack.number}", "price": 9.9, "title": pack.name}
    told = run("seed2_mini", live_server, given, tokens.issue(user)[0])
    assert told["said"] == [["Payment successful", {"errMsg": "requestPayment:ok"}]]


def test_seed4s_mini_program_orders_and_pays(live_server: Any, settings: Any, mock: Any) -> None:
    wechat_books.put_on(settings)
    wechat_books.WechatBooks(mock)
    user, pack = factories.user(), goods.pack()
    factories.wechat_identity(user, app_id=wechat.MINI_APP_ID)
    told = run("seed4", live_server, {"productId": pack.number}, tokens.issue(user)[0])
    order = Order.objects.get()
    assert told["order"] == {
        "order_id": order.pk, "order_no": order.order_no, "amount": 9.9, "credits": 100, "message": "订单创建成功",
    }  # fmt: skip
    assert told["paid"] is True
    assert told["said"] == [["支付成功", {"errMsg": "requestPayment:ok"}]]
    assert (told["noProduct"], told["noOrder"]) == ("商品不存在或已下架", "订单不存在")
    assert PaymentIntent.objects.get().out_trade_no == order.order_no


def test_seed3s_client(live_server: Any, settings: Any, mock: Any) -> None:
    checkout_books.put_on(settings)
    books = checkout_books.CheckoutBooks(mock)
    pack = goods.pack()
    books.prices[pack.stripe_price_id] = (200, "usd")
    told = run("seed3", live_server, {"priceId": pack.stripe_price_id})
    assert told["sessionId"] in books.sessions
    assert told["url"] == f"https://checkout.stripe.example/c/pay/{told['sessionId']}"
    assert told["status"] == {"status": "unpaid"}
    assert told["noPrice"]
    assert told["noSession"]
    assert told["noPrice"] != told["noSession"]
