"""Seed 4, request by request: products, create, pay, payment-status, the lists. WeChat Pay is on the wire."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from catalog.models import CreditPack
from orders.models import Order
from payments.models import PaymentIntent
from pimpshop.core.models import IdempotencyRecord
from tests import factories
from tests.api.credit_callers import OPENID, Shopper, alice, assert_refused, balance, books
from tests.api.wechat_callers import of_user
from tests.support import goods, wechat
from tests.support.wechat_books import WechatBooks

__all__ = ["alice", "books"]
NO = re.compile(r"P20\d{12}[0-9a-f]{8}")
TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TRANSACTION = "4200001234567890123456789012"


def test_products(db: None) -> None:
    call_command("seed_demo", verbosity=0)
    answer = Client().get("/api/products/")
    assert answer.status_code == 200
    found = answer.json()
    assert [one["id"] for one in found] == [1, 2, 11, 12, 13]
    assert [one["price"] for one in found] == [9.9, 39.9, 14.0, 36.0, 86.0]
    assert b'"price":9.9,' in answer.content
    made, changed = found[0].pop("created_at"), found[0].pop("updated_at")
    assert TIME.fullmatch(made)
    assert TIME.fullmatch(changed)
    assert found[0] == {
        "id": 1, "name": "100积分套餐", "description": "购买100积分", "credits": 100, "price": 9.9,
        "image_url": "https://example.com/images/credits-100.png", "is_active": True, "sort_order": 1010,
    }  # fmt: skip
    one = Client().get("/api/products/1").json()
    assert one == {**found[0], "created_at": made, "updated_at": changed}
    english = Client().get("/api/products/1/", headers={"Accept-Language": "en"}).json()
    assert (english["name"], english["description"]) == ("100 credits", "Buy 100 credits")


def test_products_are_paged_in_their_order(db: None) -> None:
    packs = [goods.pack(sort_order=order) for order in (5, 3, 4)]
    goods.pack(sort_order=1, prices={"USD": 100})
    goods.pack(sort_order=2, is_active=False)
    wanted = [packs[n].number for n in (1, 2, 0)]

    def ids(query: str) -> list[int]:
        return [one["id"] for one in Client().get(f"/api/products/{query}").json()]

    assert ids("") == ids("?skip=0&limit=20") == ids("?limit=5000") == wanted
    assert (ids("?skip=1"), ids("?limit=1"), ids("?skip=1&limit=1"), ids("?skip=9")) == (
        wanted[1:], wanted[:1], wanted[1:2], [],
    )  # fmt: skip
    changed = timezone.now() - timedelta(seconds=5)
    CreditPack.objects.filter(pk=packs[1].pk).update(updated_at=changed - timedelta(days=1))
    factories.price(packs[1], amount_minor=990, currency="CNY", starts_at=changed)
    assert Client().get(f"/api/products/{wanted[0]}").json()["updated_at"] == f"{changed:%Y-%m-%dT%H:%M:%SZ}"
    for wrong in ("skip=-1", "limit=0", "limit=-5", "limit=many", "skip=1.5", "skip=%00", f"skip={'9' * 30}"):
        assert_refused(Client().get(f"/api/products/?{wrong}"), 400)


@pytest.mark.parametrize("wanted", ["0", "999999", "-1", "1e3", "x", "%00", "٣", "9" * 30])
def test_unknown_products(db: None, wanted: str) -> None:
    assert_refused(Client().get(f"/api/products/{wanted}"), 404, "商品不存在或已下架")


def test_products_that_are_not_sold_here(db: None) -> None:
    for pack in (goods.pack(is_active=False), goods.pack(prices={"USD": 200})):
        assert_refused(Client().get(f"/api/products/{pack.number}"), 404, "商品不存在或已下架")


def test_create(alice: Shopper, books: WechatBooks) -> None:
    pack = goods.pack(name="100 credits", name_zh="100积分套餐")
    answer = alice.post("/create", {"product_id": pack.number})
    order = Order.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {
        "order_id": order.pk, "order_no": order.order_no, "amount": 9.9, "credits": 100, "message": "订单创建成功",
    }  # fmt: skip
    assert NO.fullmatch(order.order_no)
    assert (order.user, order.kind, order.status) == (alice.user, "credits", "pending")
    assert (order.total_minor, order.currency, order.language) == (990, "CNY", "zh-hans")
    assert order.cancel_at is not None
    assert timedelta(minutes=59) < order.cancel_at - timezone.now() <= timedelta(hours=1)
    assert (PaymentIntent.objects.count(), books.calls) == (0, [])
    english = alice.post("/create", {"product_id": pack.number}, **{"Accept-Language": "en-GB"}).json()
    assert english["message"] == "Order created"
    assert english["order_id"] != order.pk


def test_a_repeat_of_create_with_its_key_is_one_order(alice: Shopper, books: WechatBooks) -> None:
    number = goods.pack().number
    key = {"Idempotency-Key": "create-1"}
    first = alice.post("/create", {"product_id": number}, **key)
    again = alice.post("/create", {"product_id": number}, **key)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert_refused(alice.post("/create", {"product_id": goods.pack().number}, **key), 409)
    assert Order.objects.count() == 1


def test_a_repeat_whose_first_answer_was_lost_is_the_same_order(alice: Shopper, books: WechatBooks) -> None:
    """The process was killed after the order was made."""
    number = goods.pack().number
    key = {"Idempotency-Key": "create-2"}
    first = alice.post("/create", {"product_id": number}, **key).json()
    IdempotencyRecord.objects.all().delete()
    again = alice.post("/create", {"product_id": number}, **key)
    assert again.json() == first
    assert "Idempotent-Replayed" not in again
    assert Order.objects.count() == 1


def test_another_door_does_not_take_over_an_order_that_ends(alice: Shopper, books: WechatBooks) -> None:
    pack = goods.pack()
    order = alice.order(pack)
    sent = {
        "userId": str(alice.user.pk),
        "contentId": f"pack:{pack.number}",
        "amount": 9.9,
        "subject": "Credits",
    }
    number = of_user(alice.user).post("/native", sent).json()["data"]["outTradeNo"]
    assert number != order.order_no
    assert Order.objects.get(order_no=number).cancel_at is None


def _verify(data: dict[str, Any]) -> None:
    """The signature is the merchant's, over what wx.requestPayment is given."""
    signed = "".join(f"{data[name]}\n" for name in ("appId", "timeStamp", "nonceStr", "package")).encode()
    key = wechat.key_pair("merchant").public_key()
    key.verify(base64.b64decode(data["paySign"]), signed, padding.PKCS1v15(), hashes.SHA256())


def test_pay(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order(goods.pack(name="100 credits", name_zh="100积分套餐"))
    answer = alice.post(f"/pay/{order.pk}")
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert set(told) == {"payment_data", "message"}
    assert told["message"] == "创建支付成功"
    data = told["payment_data"]
    package = f"prepay_id=wx{order.order_no}"
    assert set(data) == {
        "appId", "timeStamp", "nonceStr", "packageValue", "package", "signType", "paySign", "outTradeNo",
    }  # fmt: skip
    assert (data["appId"], data["signType"], data["outTradeNo"]) == (
        wechat.MINI_APP_ID,
        "RSA",
        order.order_no,
    )
    assert data["packageValue"] == data["package"] == package
    assert re.fullmatch(r"\d{10}", data["timeStamp"])
    _verify(data)
    (sent,) = books.asked("jsapi")
    assert (sent["appid"], sent["payer"]) == (wechat.MINI_APP_ID, {"openid": OPENID})
    assert (sent["amount"], sent["description"]) == ({"total": 990, "currency": "CNY"}, "100积分套餐")
    assert sent["notify_url"] == "http://127.0.0.1:8000/api/v1/payments/wechat/notify"
    assert (order.payment_intents.get().status, Order.objects.get().status) == ("requires_action", "pending")


def test_pay_again_answers_the_open_payment(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    first, again = alice.pays(order), alice.pays(order)
    assert (again["package"], again["outTradeNo"]) == (first["package"], first["outTradeNo"])
    assert (PaymentIntent.objects.count(), len(books.asked("jsapi"))) == (1, 1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", ""), (b"", "application/json"), (b"{}", "application/json"), (b'{"order_id": 7}', "application/json"),
     (b"", "application/x-www-form-urlencoded"), (b"a=1", "application/x-www-form-urlencoded"), (b"x", "text/plain"),
     (b"--x--\r\n", "multipart/form-data; boundary=x")],
)  # fmt: skip
def test_pay_needs_no_body(alice: Shopper, books: WechatBooks, body: bytes, kind: str) -> None:
    order = alice.order()
    answer = alice.client.generic("POST", f"/api/orders/pay/{order.pk}", body, kind, headers=alice.headers)
    assert answer.status_code == 200, answer.content
    assert answer.json()["payment_data"]["outTradeNo"] == order.order_no


def test_a_repeat_is_signed_anew(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    alice.pays(order)
    intent = PaymentIntent.objects.get()
    old = {**intent.next_action["params"], "timeStamp": "1627436982", "paySign": "c3RhbGU="}
    PaymentIntent.objects.update(next_action={**intent.next_action, "params": old})
    again = alice.pays(order)
    assert abs(int(again["timeStamp"]) - timezone.now().timestamp()) < 60
    _verify(again)
    assert again["package"] == f"prepay_id=wx{order.order_no}"
    assert len(books.asked("jsapi")) == 1


def test_pay_after_the_payment_ran_out_is_a_new_one(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    alice.pays(order)
    PaymentIntent.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    data = alice.pays(order)
    assert data["outTradeNo"] == f"{order.order_no}_2"
    assert books.orders[order.order_no]["word"] == "CLOSED"
    states = PaymentIntent.objects.order_by("attempt").values_list("status", flat=True)
    assert list(states) == ["canceled", "requires_action"]


def test_a_payment_keeps_its_order_waiting(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    Order.objects.update(cancel_at=timezone.now() + timedelta(minutes=5))
    alice.pays(order)
    order.refresh_from_db()
    expires = PaymentIntent.objects.get().expires_at
    assert expires is not None
    assert order.cancel_at == expires + timedelta(seconds=30)


def test_payment_status(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    pending = {"order_id": order.pk, "status": "pending", "paid": False}
    assert alice.asks(order) == {**pending, "message": "支付进行中，状态: NOTPAY"}
    assert books.calls == []
    alice.pays(order)
    assert alice.asks(order) == {**pending, "message": "支付进行中，状态: NOTPAY"}
    books.pays(order.order_no, "USERPAYING")
    assert alice.asks(order) == {**pending, "message": "支付进行中，状态: USERPAYING"}
    books.pays(order.order_no)
    paid = {"order_id": order.pk, "status": "completed", "paid": True, "message": "支付成功"}
    assert [alice.asks(order), alice.asks(order)] == [paid, paid]
    assert len(books.asked("query")) == 3
    assert balance(alice.user) == 100
    english = alice.get(f"/payment-status/{order.pk}/", **{"Accept-Language": "en"}).json()
    assert english == {**paid, "message": "Payment successful"}


def test_payment_status_asks_at_most_once_in_three_seconds(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    alice.pays(order)
    for _ in range(5):
        assert alice.get(f"/payment-status/{order.pk}").json()["paid"] is False
    assert len(books.asked("query")) == 1


def test_the_lists(alice: Shopper, books: WechatBooks) -> None:
    pack = CreditPack.objects.get(pk=goods.pack(name="100 credits", name_zh="100积分套餐", description="Buy 100 credits",
        description_zh="购买100积分", image_url="https://example.com/images/credits-100.png").pk)  # fmt: skip
    first, second = alice.order(pack), alice.order(goods.pack(prices={"CNY": 3990}, credits=500))
    alice.pays(first)
    books.pays(first.order_no)
    alice.asks(first)
    newest, oldest = alice.get("/").json()
    times = [oldest.pop(name) for name in ("payment_time", "created_at", "updated_at")]
    assert all(TIME.fullmatch(time) for time in times)
    stands = {
        "amount": 9.9, "credits": 100, "status": "completed", "payment_id": TRANSACTION, "refund_time": None, "remark": None,
    }  # fmt: skip
    names = {"id": first.pk, "order_no": first.order_no}
    assert oldest == {**names, "user_id": alice.user.pk, "product_id": pack.number, **stands}
    assert {name: newest[name] for name in ("id", "amount", "credits", "status")} == {
        "id": second.pk, "amount": 39.9, "credits": 500, "status": "pending",
    }  # fmt: skip
    assert [newest[name] for name in ("payment_id", "payment_time", "refund_time", "remark")] == [None] * 4
    CreditPack.objects.update(name_zh="别的", image_url="")  # what was shown when it was ordered counts
    details = alice.get(f"/{first.pk}").json()
    assert [details.pop(name) for name in ("payment_time", "created_at", "updated_at")] == times
    assert details == {
        **names, **stands, "product_name": "100积分套餐", "product_description": "购买100积分",
        "product_image_url": "https://example.com/images/credits-100.png",
    }  # fmt: skip


def test_the_list_is_paged(alice: Shopper, books: WechatBooks) -> None:
    pack = goods.pack()
    numbers = [alice.order(pack).pk for _ in range(3)][::-1]
    factories.created(factories.order(user=alice.user))  # a case
    factories.created(factories.order(user=alice.user, kind="credits", currency="USD", total_minor=200))

    def ids(query: str) -> list[int]:
        return [one["id"] for one in alice.get(f"/{query}").json()]

    assert ids("") == ids("?limit=5000") == numbers
    assert (ids("?skip=1"), ids("?limit=2"), ids("?skip=2&limit=2")) == (
        numbers[1:],
        numbers[:2],
        numbers[2:],
    )
    for wrong in ("skip=-1", "limit=0", "limit=x"):
        assert_refused(alice.get(f"/?{wrong}"), 400)


def test_no_list_is_longer_than_a_hundred(alice: Shopper, books: WechatBooks) -> None:
    for _ in range(101):
        factories.created(factories.order(user=alice.user, kind="credits", currency="CNY", total_minor=990))
    assert len(alice.get("/?limit=5000").json()) == 100
    assert len(alice.get("/").json()) == 20


def test_both_slash_forms(alice: Shopper, books: WechatBooks) -> None:
    number = goods.pack().number
    for slash in ("", "/"):
        assert Client().get(f"/api/products{slash}").status_code == 200
        assert Client().get(f"/api/products/{number}{slash}").status_code == 200
        made = alice.post(f"/create{slash}", {"product_id": number})
        order = Order.objects.get(pk=made.json()["order_id"])
        assert alice.post(f"/pay/{order.pk}{slash}").status_code == 200
        assert alice.get(f"/payment-status/{order.pk}{slash}").status_code == 200
        assert alice.get(f"/{order.pk}{slash}").status_code == 200
        assert alice.get(slash).status_code == 200


def test_every_operation_is_a_line_in_the_log(alice: Shopper, books: WechatBooks) -> None:
    from structlog.testing import capture_logs

    with capture_logs() as lines:
        order = alice.order()
        alice.pays(order)
        alice.get("/payment-status/999999")
    told: list[Any] = [
        (line["operation"], line["user"], line["amount"], line["status"], line["error"])
        for line in lines
        if line["event"] == "payment_operation"
    ]
    assert told == [
        ("credit_order", alice.user.pk, "9.90 CNY", "pending", ""),
        ("credit_pay", alice.user.pk, "9.90 CNY", "requires_action", ""),
        ("credit_status", alice.user.pk, "", "refused", "order_unknown"),
    ]
    assert OPENID not in str(lines)
