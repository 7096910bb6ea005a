"""WeChat Pay simulated, driven by an independent SDK and by our gateway: orders, payments, notices, closing."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from wechatpayv3 import WeChatPayType

from payments.gateways import base
from pimpshop.core.money import Money
from tests.sandbox import wechat_shop
from tests.sandbox.conftest import StandInShop
from tests.sandbox.wechat_shop import NOTIFY
from tests.support.sandbox import Sandbox
from tests.support.wechat import Store

ACKNOWLEDGED = (200, {"code": "SUCCESS", "message": "Success"})


def heard(shop: StandInShop, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
    """The notices that came, once there are that many."""
    deadline = time.monotonic() + 30
    while True:
        found = [(headers, body) for _, path, headers, body in shop.seen if path == NOTIFY]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, shop.seen
        time.sleep(0.05)


def as_post(notice: tuple[dict[str, str], bytes]) -> base.WebhookRequest:
    return base.WebhookRequest(headers=notice[0], body=notice[1], received_at=datetime.now(UTC))


@pytest.fixture
def shop(stand_in_shop: StandInShop) -> StandInShop:
    stand_in_shop.answers[NOTIFY] = ACKNOWLEDGED
    return stand_in_shop


@pytest.mark.parametrize("public_key_mode", [True, False])
def test_the_sdk_places_looks_pays_refunds_and_closes(
    sandbox_client: Sandbox, shop: StandInShop, public_key_mode: bool
) -> None:
    if not public_key_mode:
        sandbox_client.knobs(wechat_keys="certificate")
    sdk = wechat_shop.sdk(sandbox_client, shop.url, public_key_mode=public_key_mode)
    code, text = sdk.pay(
        description="手机壳", out_trade_no="SDK000001", amount={"total": 1999, "currency": "CNY"}
    )
    assert (code, json.loads(text)["code_url"][:29]) == (200, "weixin://wxpay/bizpayurl?pr=" + text[41])
    wechat_shop.pay(sandbox_client, "SDK000001")
    code, text = sdk.query(out_trade_no="SDK000001")
    paid = json.loads(text)
    assert (code, paid["trade_state"], paid["amount"]["total"]) == (200, "SUCCESS", 1999)
    assert json.loads(sdk.query(transaction_id=paid["transaction_id"])[1]) == paid
    headers, body = heard(shop)[0]
    told = sdk.callback(headers, body)
    assert told["resource"]["out_trade_no"] == "SDK000001"
    amount = {"refund": 500, "total": 1999, "currency": "CNY"}
    code, text = sdk.refund(out_refund_no="R1", out_trade_no="SDK000001", amount=amount)
    assert (code, json.loads(text)["status"]) == (200, "PROCESSING")
    headers, body = heard(shop, 2)[1]
    assert sdk.callback(headers, body)["resource"]["refund_status"] == "SUCCESS"
    assert json.loads(sdk.query_refund("R1")[1])["status"] == "SUCCESS"
    sdk.pay(
        description="手机壳", out_trade_no="SDK000002", amount={"total": 1}, pay_type=WeChatPayType.NATIVE
    )
    assert sdk.close("SDK000002")[0] == 204
    assert sdk.close("SDK000002")[0] == 204
    assert json.loads(sdk.query(out_trade_no="SDK000002")[1])["trade_state"] == "CLOSED"


def test_every_method_of_our_gateway(sandbox_client: Sandbox, shop: StandInShop) -> None:
    gateway = wechat_shop.gateway(sandbox_client, shop.url)
    kinds = {"native": base.QrCode, "jsapi": base.ClientParams, "mini": base.ClientParams, "h5": base.Redirect,
             "app": base.ClientParams}  # fmt: skip
    for method, kind in kinds.items():
        made = wechat_shop.request(f"GW{method}0001", method)
        first, again = gateway.create_payment(made), gateway.create_payment(made)
        assert type(first.next_action) is kind
        if method in ("native", "h5"):
            assert (
                urlsplit(str(getattr(first.next_action, "url", ""))).path
                == urlsplit(str(getattr(again.next_action, "url", ""))).path
            )
    orders = {order["out_trade_no"]: order for order in wechat_shop.books(sandbox_client)["orders"]}
    assert {number: (order["kind"], order["appid"], order["total"]) for number, order in orders.items()} == {
        "GWnative0001": ("native", wechat_shop.APP_ID, 1999),
        "GWjsapi0001": ("jsapi", wechat_shop.APP_ID, 1999),
        "GWmini0001": ("jsapi", wechat_shop.MINI_APP_ID, 1999),
        "GWh50001": ("h5", wechat_shop.APP_ID, 1999),
        "GWapp0001": ("app", wechat_shop.APP_ID, 1999),
    }


@pytest.mark.parametrize("yuan", ["0.01", "0.29", "19.99", "1.10", "98765.43"])
def test_a_payment_is_queried_and_told_exactly(sandbox_client: Sandbox, shop: StandInShop, yuan: str) -> None:
    gateway = wechat_shop.gateway(sandbox_client, shop.url)
    wechat_shop.fault(sandbox_client, "voucher")
    gateway.create_payment(wechat_shop.request("EXACT0001", yuan=yuan))
    before = gateway.query_payment(wechat_shop.ref("EXACT0001", yuan))
    assert (before.status, before.provider_ref) == (base.PaymentStatus.REQUIRES_ACTION, "")
    paid = wechat_shop.pay(sandbox_client, "EXACT0001")
    after = gateway.query_payment(wechat_shop.ref("EXACT0001", yuan))
    assert (after.status, after.amount) == (base.PaymentStatus.SUCCEEDED, Money.parse(yuan, "CNY"))
    assert after.provider_ref == paid["transaction_id"]
    (event,) = gateway.read_webhook(as_post(heard(shop)[0]))
    assert (event.confirmed, event.kind, event.account) == (True, "TRANSACTION.SUCCESS", wechat_shop.MCH_ID)
    assert event.payment is not None
    assert (event.payment.amount, event.payment.provider_ref) == (after.amount, after.provider_ref)
    assert base.unpack(json.loads(json.dumps(base.pack(event)))).payment.amount == after.amount


def test_certificate_mode_downloads_once(sandbox_client: Sandbox, shop: StandInShop) -> None:
    sandbox_client.knobs(wechat_keys="certificate")
    store = Store()
    keys: dict[str, Any] = {"public_key_id": "", "public_key": "", "certificates": store}
    for number in ("CERT000001", "CERT000002"):
        gateway = wechat_shop.gateway(sandbox_client, shop.url, **keys)
        gateway.create_payment(wechat_shop.request(number))
        wechat_shop.pay(sandbox_client, number)
    assert [len(list(gateway.read_webhook(as_post(one)))) for one in heard(shop, 2)] == [1, 1]
    assert (store.saved, len(sandbox_client.calls("certificates"))) == (1, 1)


def test_a_closed_order_is_not_paid_and_a_paid_one_not_closed(
    sandbox_client: Sandbox, shop: StandInShop
) -> None:
    gateway = wechat_shop.gateway(sandbox_client, shop.url)
    gateway.create_payment(wechat_shop.request("CLOSE0001"))
    assert gateway.close_payment(wechat_shop.ref("CLOSE0001")).status == base.PaymentStatus.CANCELED
    assert gateway.close_payment(wechat_shop.ref("CLOSE0001")).status == base.PaymentStatus.CANCELED
    refused = requests.post(f"{sandbox_client.base_url}/sandbox/api/wechatpay/pay", json={"out_trade_no": "CLOSE0001"},
                            timeout=10)  # fmt: skip
    assert refused.status_code == 409
    with pytest.raises(base.GatewayDeclined) as closed:
        gateway.create_payment(wechat_shop.request("CLOSE0001"))
    assert closed.value.code == "payment_closed"
    gateway.create_payment(wechat_shop.request("CLOSE0002"))
    wechat_shop.pay(sandbox_client, "CLOSE0002")
    assert gateway.close_payment(wechat_shop.ref("CLOSE0002")).status == base.PaymentStatus.SUCCEEDED
    assert gateway.create_payment(wechat_shop.request("CLOSE0002")).status == base.PaymentStatus.SUCCEEDED
    unknown = gateway.close_payment(wechat_shop.ref("CLOSE0003"))
    assert (unknown.status, unknown.flags) == (base.PaymentStatus.CREATED, (base.Flag.NOT_FOUND,))


def test_a_number_that_was_used_is_refused(sandbox_client: Sandbox, shop: StandInShop) -> None:
    gateway = wechat_shop.gateway(sandbox_client, shop.url)
    gateway.create_payment(wechat_shop.request("USED000001"))
    with pytest.raises(base.GatewayDeclined) as used:
        gateway.create_payment(wechat_shop.request("USED000001", yuan="20.00"))
    assert used.value.code == "duplicate_reference"
    again = gateway.create_payment(wechat_shop.request("USED000001", yuan="20.00", resend=True))
    assert again.flags == (base.Flag.ACTION_LOST,)
    assert [order["total"] for order in wechat_shop.books(sandbox_client)["orders"]] == [1999]


def test_odd_numbers_are_signed_as_they_go_over_the_wire(sandbox_client: Sandbox, shop: StandInShop) -> None:
    gateway = wechat_shop.gateway(sandbox_client, shop.url)
    gateway.create_payment(wechat_shop.request("A|b*c-d_e"))
    assert gateway.query_payment(wechat_shop.ref("A|b*c-d_e")).status == base.PaymentStatus.REQUIRES_ACTION
    assert gateway.close_payment(wechat_shop.ref("A|b*c-d_e")).status == base.PaymentStatus.CANCELED


def test_a_stranger_is_refused(sandbox_client: Sandbox, shop: StandInShop) -> None:
    for changes in ({"serial_no": "0" * 40}, {"private_key": wechat_shop.key("alipay_app.private.pem")},
                    {"clock": lambda: datetime(2025, 8, 30, tzinfo=UTC)}):  # fmt: skip
        gateway = wechat_shop.gateway(sandbox_client, shop.url, **changes)
        with pytest.raises(base.GatewayMisuse) as caught:
            gateway.create_payment(wechat_shop.request("STRANGER01"))
        assert (caught.value.code, caught.value.provider_code) == ("credentials", "SIGN_ERROR")
    assert wechat_shop.books(sandbox_client)["orders"] == []


def test_the_wallet_pays_and_h5_leads_back(sandbox_client: Sandbox, shop: StandInShop) -> None:
    gateway = wechat_shop.gateway(sandbox_client, shop.url)
    native = gateway.create_payment(wechat_shop.request("PAGE000001")).next_action
    h5 = gateway.create_payment(wechat_shop.request("PAGE000002", "h5")).next_action
    http = requests.Session()
    wallet = http.get(f"{sandbox_client.base_url}/wechatpay/wallet/", timeout=10).text
    assert "¥19.99" in wallet
    assert "PAGE000001" in wallet
    found = http.get(
        f"{sandbox_client.base_url}/wechatpay/wallet/", params={"code": native.content}, timeout=10
    )
    assert "/wechatpay/scan/" in found.url
    assert "Confirm payment" in found.text
    data = {"button": "confirm", "csrfmiddlewaretoken": http.cookies["sandbox_csrftoken"]}
    assert "Paid" in http.post(found.url, data=data, timeout=10).text
    assert gateway.query_payment(wechat_shop.ref("PAGE000001")).status == base.PaymentStatus.SUCCEEDED
    assert parse_qs(urlsplit(h5.url).query)["redirect_url"] == ["https://shop.example/orders/1/?a=b&c=d"]
    page = http.get(h5.url, timeout=10)
    data["csrfmiddlewaretoken"] = http.cookies["sandbox_csrftoken"]
    later = http.post(page.url, data=data | {"button": "later"}, timeout=10).text
    assert "Not paid" in later
    assert "https://shop.example/orders/1/?a=b&amp;c=d" in later
    assert gateway.query_payment(wechat_shop.ref("PAGE000002")).status == base.PaymentStatus.REQUIRES_ACTION
    assert "WeChat wallet" in http.get(f"{sandbox_client.base_url}/sandbox/", timeout=10).text
