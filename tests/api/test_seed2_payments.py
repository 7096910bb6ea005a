"""Seed 2, request by request: native, jsapi, query, refund, close, payment. WeChat Pay is on the wire."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
import time_machine
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.test import Client

from orders.models import Order
from payments.models import PaymentIntent, Refund
from payments.services import links
from tests import factories
from tests.api.wechat_callers import ApiClient, assert_refused, of_user, with_key
from tests.support import goods, wechat, wechat_books
from tests.support.wechat_books import WechatBooks


@pytest.fixture
def books(transactional_db: None, settings: Any) -> Iterator[WechatBooks]:
    wechat_books.put_on(settings)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield WechatBooks(mock)


@pytest.fixture
def alice(books: WechatBooks) -> Any:
    return factories.user("alice@example.com")


def body(user: Any, content: str = "", **more: Any) -> dict[str, Any]:
    """The seed's request."""
    return {
        "userId": str(user.public_id), "contentId": content, "amount": 9.9, "subject": "Premium Content Purchase",
        "body": "Detailed description", "metadata": {"custom": "data"}, **more,
    }  # fmt: skip


def native(user: Any, **more: Any) -> dict[str, Any]:
    """A started payment of a pack: the answer's data."""
    content = more.pop("content", None) or f"pack:{goods.pack().number}"
    answer = of_user(user).post("/native", body(user, content, **more))
    assert answer.status_code == 200, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_native(alice: Any, books: WechatBooks) -> None:
    pack = goods.pack()
    answer = of_user(alice).post("/native", body(alice, f"pack:{pack.number}"))
    intent = PaymentIntent.objects.get()
    number = intent.out_trade_no
    assert answer.json() == {
        "success": True,
        "data": {
            "paymentId": f"pay_{intent.public_id}",
            "codeUrl": f"weixin://wxpay/bizpayurl?pr={number}",
            "outTradeNo": number,
            "amount": 9.9,
            "currency": "CNY",
        },
    }
    order = Order.objects.get()
    assert (order.user, order.kind, order.total_minor, order.order_no) == (alice, "credits", 990, number)
    line = order.lines.get().snapshot
    assert (line["name"], line["sku"], line["credits"]) == (pack.name, pack.sku, 100)
    (sent,) = books.asked("native")
    assert (sent["description"], sent["amount"]) == (
        "Premium Content Purchase",
        {"total": 990, "currency": "CNY"},
    )
    assert sent["notify_url"] == "http://127.0.0.1:8000/api/v1/payments/wechat/notify"


def test_jsapi_signs_what_wx_takes(alice: Any, books: WechatBooks) -> None:
    plan = goods.plan()
    sent = body(alice, f"plan:{plan.stripe_price_id}", amount=36, openid="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    data = of_user(alice).post("/jsapi", sent).json()["data"]
    number = PaymentIntent.objects.get().out_trade_no
    params = data.pop("paymentParams")
    assert data == {
        "paymentId": PaymentIntent.objects.get().payment_id, "prepayId": f"wx{number}", "outTradeNo": number,
        "amount": 36.0, "currency": "CNY",
    }  # fmt: skip
    assert set(params) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (params["appId"], params["package"], params["signType"]) == (
        wechat.APP_ID,
        f"prepay_id=wx{number}",
        "RSA",
    )
    signed = f"{params['appId']}\n{params['timeStamp']}\n{params['nonceStr']}\n{params['package']}\n".encode()
    key = wechat.key_pair("merchant").public_key()
    key.verify(base64.b64decode(params["paySign"]), signed, padding.PKCS1v15(), hashes.SHA256())
    assert books.asked("jsapi")[0]["payer"] == {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}


@pytest.mark.parametrize("how", ["referer", "body"])
def test_a_mini_program_pays_under_its_own_app_id(alice: Any, books: WechatBooks, how: str) -> None:
    sent = body(alice, f"pack:{goods.pack().number}", openid="oMini1234")
    mini = (
        {"Referer": f"https://servicewechat.com/{wechat.MINI_APP_ID}/12/page-frame.html"}
        if how == "referer"
        else {}
    )
    if how == "body":
        sent["appId"] = wechat.MINI_APP_ID
    data = of_user(alice).post("/jsapi", sent, **mini).json()["data"]
    assert data["paymentParams"]["appId"] == wechat.MINI_APP_ID
    assert books.asked("jsapi")[0]["appid"] == wechat.MINI_APP_ID


def test_query_tells_wechats_words(alice: Any, books: WechatBooks) -> None:
    number = native(alice)["outTradeNo"]
    books.pays(number)
    data = of_user(alice).get(f"/query/{number}").json()["data"]
    when = datetime.fromisoformat(data.pop("successTime"))
    assert when.utcoffset().total_seconds() == 8 * 3600  # type: ignore[union-attr]
    assert data == {
        "outTradeNo": number, "transactionId": "4200001234567890123456789012", "tradeState": "SUCCESS",
        "tradeStateDesc": "Payment successful", "amount": {"total": 990, "currency": "CNY"}, "payer": {"openid": None},
    }  # fmt: skip
    assert Order.objects.get().status in ("paid", "completed")


@pytest.mark.parametrize(
    ("word", "told"),
    [("NOTPAY", "NOTPAY"), ("USERPAYING", "USERPAYING"), ("CLOSED", "CLOSED"), ("PAYERROR", "PAYERROR"),
     ("REVOKED", "CLOSED"), ("A_NEW_WORD", "USERPAYING")],
)  # fmt: skip
def test_every_trade_state(alice: Any, books: WechatBooks, word: str, told: str) -> None:
    number = native(alice)["outTradeNo"]
    books.pays(number, word)
    data = of_user(alice).get(f"/query/{number}").json()["data"]
    assert (data["tradeState"], data["transactionId"], data["successTime"]) == (told, None, None)
    assert Order.objects.get().status == "pending"


def test_a_query_asks_wechat_at_most_once_in_three_seconds(alice: Any, books: WechatBooks) -> None:
    number = native(alice)["outTradeNo"]
    with time_machine.travel(datetime.now(UTC), tick=False):  # five requests, however long they take
        for _ in range(5):
            assert of_user(alice).get(f"/query/{number}").json()["data"]["tradeState"] == "NOTPAY"
    assert len(books.asked("query")) == 1


def test_payment_details(alice: Any, books: WechatBooks) -> None:
    started = native(alice)
    number = started["outTradeNo"]
    intent = PaymentIntent.objects.get()
    books.pays(number)
    notice, headers = books.notification(number)
    answer = Client().post(
        "/api/v1/payments/wechat/notify", notice, content_type="application/json", headers=headers
    )
    assert (answer.status_code, answer.json()) == (200, {"code": "SUCCESS", "message": "Success"})
    of_user(alice).get(f"/query/{number}")
    data = of_user(alice).get(f"/payment/{number}").json()["data"]
    created, completed = data.pop("createdAt"), data.pop("completedAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", created)
    assert completed >= created
    assert data == {
        "id": started["paymentId"], "userId": str(alice.public_id), "contentId": intent.metadata["content_id"],
        "amount": "9.90", "currency": "CNY", "paymentMethod": "wechat", "status": "succeeded",
        "metadata": {
            "custom": "data", "outTradeNo": number, "transactionId": "4200001234567890123456789012",
            "tradeState": "SUCCESS",
        },
    }  # fmt: skip


def paid(user: Any, books: WechatBooks) -> str:
    number: str = native(user)["outTradeNo"]
    books.pays(number)
    of_user(user).get(f"/query/{number}")
    assert PaymentIntent.objects.get(out_trade_no=number).status == "succeeded"
    return number


@pytest.mark.parametrize("word", ["PROCESSING", "SUCCESS", "CLOSED"])
def test_refund_tells_the_real_state(alice: Any, books: WechatBooks, word: str) -> None:
    number = paid(alice, books)
    books.refund_word = word
    told = {"outTradeNo": number, "refundAmount": 5.00, "refundReason": "User requested refund"}
    answer = with_key().post("/refund", told)
    assert answer.json() == {
        "success": True,
        "data": {
            "outTradeNo": number, "outRefundNo": f"{number}_R1", "refundId": "50000001234567890", "refundAmount": 5.0,
            "status": word,
        },
    }  # fmt: skip
    (sent,) = books.asked("refund")
    assert sent["amount"] == {"refund": 500, "total": 990, "currency": "CNY"}
    state = of_user(alice).get(f"/query/{number}").json()["data"]["tradeState"]
    assert state == ("SUCCESS" if word == "CLOSED" else "REFUND")


def test_the_same_key_refunds_once(alice: Any, books: WechatBooks) -> None:
    number = paid(alice, books)
    server = with_key()
    told = {"outTradeNo": number, "refundAmount": 1}
    first = server.post("/refund", told, **{"Idempotency-Key": "refund-1"})
    again = server.post("/refund", told, **{"Idempotency-Key": "refund-1"})
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Refund.objects.count() == len(books.asked("refund")) == 1
    other = server.post("/refund", {**told, "refundAmount": 2}, **{"Idempotency-Key": "refund-1"})
    assert_refused(other, 409, "IDEMPOTENCY_KEY_REUSED")
    assert Refund.objects.count() == 1


def test_staff_may_refund_and_shoppers_may_not(alice: Any, books: WechatBooks) -> None:
    number = paid(alice, books)
    told = {"outTradeNo": number, "refundAmount": 9.9}
    assert_refused(of_user(alice).post("/refund", told), 403, "NOAUTH")
    assert_refused(with_key(kind="publishable").post("/refund", told), 403, "NOAUTH")
    assert not Refund.objects.exists()
    assert of_user(factories.staff()).post("/refund", told).json()["data"]["status"] == "PROCESSING"


def test_close(alice: Any, books: WechatBooks) -> None:
    number = native(alice)["outTradeNo"]
    answer = of_user(alice).post("/close", {"outTradeNo": number})
    assert answer.json() == {"success": True, "data": {"outTradeNo": number, "closed": True}}
    assert (PaymentIntent.objects.get().status, Order.objects.get().status) == ("canceled", "cancelled")
    assert of_user(alice).post("/close", {"outTradeNo": number}).json()["data"]["closed"] is True
    assert of_user(alice).get(f"/query/{number}").json()["data"]["tradeState"] == "CLOSED"
    assert len(books.asked("close")) == 1


def test_the_picture_of_the_code_needs_its_key(alice: Any, books: WechatBooks) -> None:
    native(alice)
    intent = PaymentIntent.objects.get()
    url = links.qr_url(intent)
    answer = Client().get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer.content.startswith(b"<?xml")
    assert b"<svg" in answer.content
    assert Client().get(url[:-1] + "!").status_code == 404
    PaymentIntent.objects.update(status="canceled")
    assert Client().get(url).status_code == 404


@pytest.mark.parametrize("base", ["/api/v1/payments/wechat", "/api/v2/payments/wechat"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_prefixes_and_slash_forms(alice: Any, books: WechatBooks, base: str, slash: str) -> None:
    client: ApiClient = of_user(alice, base=base)
    sent = body(alice, f"pack:{goods.pack().number}")
    number = client.post(f"/native{slash}", sent).json()["data"]["outTradeNo"]
    assert client.get(f"/query/{number}{slash}").json()["success"] is True
    assert client.get(f"/payment/{number}{slash}").json()["success"] is True
    assert client.post(f"/close{slash}", {"outTradeNo": number}).json()["data"]["closed"] is True


def test_every_operation_is_a_line_in_the_log(alice: Any, books: WechatBooks) -> None:
    from structlog.testing import capture_logs

    with capture_logs() as lines:
        number = native(alice)["outTradeNo"]
        of_user(alice).get("/query/P0000000000000000000000")
    done, refused = [line for line in lines if line["event"] == "payment_operation"]
    intent = PaymentIntent.objects.get(out_trade_no=number)
    assert {key: done[key] for key in ("operation", "user", "payment", "amount", "status", "error")} == {
        "operation": "wechat_native", "user": alice.pk, "payment": intent.payment_id, "amount": "9.90 CNY",
        "status": "requires_action", "error": "",
    }  # fmt: skip
    assert (refused["operation"], refused["user"], refused["error"]) == (
        "wechat_query",
        alice.pk,
        "not_found",
    )
    assert "alice@" not in json.dumps(lines, default=str)


def test_an_order_of_the_caller(alice: Any, books: WechatBooks) -> None:
    """The second attempt, after the first was closed, has a number of its own."""
    number = native(alice)["outTradeNo"]
    again = of_user(alice).post("/native", body(alice, number)).json()["data"]
    assert again["outTradeNo"] == number
    books.pays(number, "CLOSED")
    of_user(alice).get(f"/query/{number}")
    second = of_user(alice).post("/native", body(alice, number)).json()["data"]
    assert second["outTradeNo"] == f"{number}_2"
    assert of_user(alice).get(f"/payment/{number}_2").json()["data"]["contentId"] == number


def test_a_case_at_home(alice: Any, books: WechatBooks) -> None:
    """The caller's own design; nobody else's."""
    shell = factories.sellable_shell(amount_minor=12900, currency="CNY")
    design = factories.frozen_design(shell, owner=f"user:{alice.pk}")
    sent = body(alice, f"case:{design.pk}", amount=129)
    number = of_user(alice).post("/native", sent).json()["data"]["outTradeNo"]
    order = Order.objects.get(order_no=number)
    line = order.lines.get()
    assert (order.kind, order.machine_id, line.design_id, line.shell_id) == ("case", "", design.pk, shell.pk)
    assert line.snapshot["third_order_id"].startswith("OREN")
    bob = factories.user()
    assert_refused(of_user(bob).post("/native", {**sent, "userId": str(bob.pk)}), 404, "ORDERNOTEXIST")
