"""What WeChat is told about deliveries: when, what, how often, and what happens when it does not listen."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from django.conf import settings as shop
from django.test import Client
from django.utils import timezone

from orders.models import Order, OrderLine
from payments.models import PaymentIntent, ShippingNotice
from payments.services import shipping
from pimpshop.core.models import OutboundCall, StaffItem
from pimpshop.core.tokens import SharedTokenStore
from tests import factories
from tests.accounts.wechat_answers import OPENID, add

pytestmark = pytest.mark.django_db
TOKEN, SHIP = (
    f"{shop.WECHAT_LOGIN_BASE}/cgi-bin/stable_token",
    f"{shop.WECHAT_LOGIN_BASE}/wxa/sec/order/upload_shipping_info",
)
OK = {"errcode": 0, "errmsg": "ok"}
ACCESS = {"access_token": "ACCESS-TOKEN-of-the-test", "expires_in": 7200}


def paid(*, kind: str = "credits", status: str = "completed", **more: Any) -> PaymentIntent:
    """A pack of credits (or a case), paid in the mini program and delivered."""
    order = factories.order(
        lines=0, kind=kind, currency="CNY", total_minor=990, status=status, paid_at=timezone.now()
    )
    snapshot = (
        {"name": "100 credits", "name_zh": "100积分套餐"} if kind == "credits" else {"model": "iPhone 15 Pro"}
    )
    OrderLine.objects.create(order=order, unit_minor=990, snapshot=snapshot)
    values = {
        "gateway": "wechatpay", "method": "mini", "status": "succeeded", "captured_minor": 990, "settles_order": True,
        "succeeded_at": timezone.now(), "metadata": {"payer_ref": OPENID}, "account": "1900000109",
    }  # fmt: skip
    return factories.intent(order, **{**values, **more})


def told(*answers: Any, token: Any = ACCESS, sends: int | None = None) -> list[dict[str, Any]]:
    """Walk once with these answers of WeChat; the bodies that it got."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for one in token if isinstance(token, list) else [token]:
            add(wire, one, TOKEN, responses.POST)
        for one in answers:
            add(wire, one, SHIP, responses.POST)
        shipping.plan_due()
        for pk in shipping.due():
            shipping.send(pk)
        return [json.loads(call.request.body) for call in wire.calls if call.request.url.startswith(SHIP)]


def due_now() -> None:
    ShippingNotice.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=timezone.now())


@pytest.mark.parametrize(
    ("kind", "logistics", "described"), [("credits", 3, "100积分套餐 × 1"), ("case", 4, "iPhone 15 Pro × 1")]
)
def test_a_delivery_is_told_once(kind: str, logistics: int, described: str) -> None:
    intent = paid(kind=kind)
    sent = told(OK)
    stamp = sent[0].pop("upload_time")
    assert sent == [
        {
            "order_key": {"order_number_type": 1, "mchid": "1900000109", "out_trade_no": intent.out_trade_no},
            "logistics_type": logistics,
            "delivery_mode": 1,
            "shipping_list": [{"item_desc": described}],
            "payer": {"openid": OPENID},
        }
    ]
    assert stamp.endswith("+08:00")
    notice = ShippingNotice.objects.get()
    assert (notice.attempts, notice.next_attempt_at, notice.ended_at, notice.last_error) == (
        1,
        None,
        None,
        "",
    )
    assert notice.told_at is not None
    assert told(OK) == []
    assert ShippingNotice.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"gateway": "alipay"},
        {"method": "native"},
        {"settles_order": False, "is_surplus": True},
        {"succeeded_at": timezone.now() - timedelta(days=46)},
        {"status": "paid"},
        {"status": "refunded"},
    ],
)
def test_what_is_not_told(changes: dict[str, Any]) -> None:
    order_status = changes.pop("status", "completed")
    paid(status=order_status, **changes)
    assert told(OK) == []
    assert ShippingNotice.objects.count() == 0


def test_a_case_is_told_when_it_is_printed() -> None:
    intent = paid(kind="case", status="paid")
    assert told(OK) == []
    Order.objects.filter(pk=intent.order_id).update(status="completed")
    assert len(told(OK)) == 1


@pytest.mark.parametrize("setting", [{"WECHAT_SHIPPING_NOTICES": False}, {"WECHAT_MINI_APP_SECRET": ""}])
def test_where_it_is_switched_off_nothing_is_planned(settings: Any, setting: dict[str, Any]) -> None:
    for name, value in setting.items():
        setattr(settings, name, value)
    paid()
    assert told(OK) == []
    assert ShippingNotice.objects.count() == 0


@pytest.mark.parametrize(
    "answer",
    [{"errcode": -1}, {"errcode": 10060001}, {"errcode": 45009}, (500, ""), requests.ReadTimeout("slow")],
)
def test_no_answer_is_tried_again_later(answer: Any) -> None:
    paid()
    told(answer)
    notice = ShippingNotice.objects.get()
    assert (notice.attempts, notice.told_at, notice.ended_at) == (1, None, None)
    assert notice.next_attempt_at is not None
    gap = notice.next_attempt_at - timezone.now()
    assert timedelta(seconds=25) < gap <= timedelta(seconds=30)
    assert told(OK) == []
    due_now()
    assert len(told(OK)) == 1
    assert ShippingNotice.objects.filter(told_at__isnull=False, attempts=2).count() == 1
    assert StaffItem.objects.count() == 0


@pytest.mark.parametrize("errcode", [10060002, 10060023])
def test_what_wechat_knew_is_told(errcode: int) -> None:
    paid()
    told({"errcode": errcode})
    assert ShippingNotice.objects.filter(told_at__isnull=False).count() == 1


@pytest.mark.parametrize(("errcode", "most"), [(-1, shipping.MOST_ATTEMPTS), (48001, shipping.MOST_REFUSALS)])
def test_after_the_limit_staff_are_told_and_may_try_again(client: Client, errcode: int, most: int) -> None:
    intent = paid()
    for _ in range(most + 2):
        told({"errcode": errcode})
        due_now()
    notice = ShippingNotice.objects.get()
    assert (notice.attempts, notice.told_at, notice.next_attempt_at) == (most, None, None)
    assert notice.last_error == f"errcode {errcode}"
    item = StaffItem.objects.get()
    assert (item.kind, item.subject) == ("wechat_delivery_not_told", intent.out_trade_no)
    client.force_login(factories.staff())
    page = client.get(f"/admin/payments/shippingnotice/{notice.pk}/change/")
    assert "Tell WeChat again" in page.content.decode()
    assert shipping.tell_again(notice) is True
    assert shipping.tell_again(notice) is False
    assert len(told(OK)) == 1
    item.refresh_from_db()
    assert item.resolution == "told"


def test_an_order_paid_back_meanwhile_is_not_told() -> None:
    intent = paid()
    shipping.plan_due()
    Order.objects.filter(pk=intent.order_id).update(status="refunded")
    assert told(OK) == []
    notice = ShippingNotice.objects.get()
    assert (notice.told_at, notice.last_error) == (None, "the order was paid back")
    assert StaffItem.objects.count() == 0


def test_the_token_is_shared_and_renewed_once_when_it_ended() -> None:
    paid()
    SharedTokenStore(f"wechat:{shop.WECHAT_MINI_APP_ID}").single_flight(lambda: "OLD-TOKEN", None)
    told({"errcode": 42001}, OK)
    calls = list(OutboundCall.objects.order_by("pk").values_list("name", "code"))
    assert calls == [("upload_shipping_info", "42001"), ("stable_token", ""), ("upload_shipping_info", "")]
    assert SharedTokenStore(f"wechat:{shop.WECHAT_MINI_APP_ID}").get() == ACCESS["access_token"]
    assert ShippingNotice.objects.filter(told_at__isnull=False).count() == 1
    written = str(list(OutboundCall.objects.values()))
    assert [
        word
        for word in (OPENID, "OLD-TOKEN", ACCESS["access_token"], "sandbox-mini-app-secret")
        if word in written
    ] == []


def test_two_sweepers_tell_it_once() -> None:
    paid()
    shipping.plan_due()
    pk = shipping.due()[0]
    with responses.RequestsMock() as wire:
        add(wire, ACCESS, TOKEN, responses.POST)
        add(wire, OK, SHIP, responses.POST)
        assert [shipping.send(pk), shipping.send(pk)] == [True, False]
