"""WeChat Pay simulated: refunds to their end, the bill, and what goes wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from payments.gateways import base, wechatpay
from pimpshop.core.money import Money
from tests.sandbox import wechat_shop
from tests.sandbox.conftest import StandInShop, stated
from tests.sandbox.wechat_shop import NOTIFY
from tests.support.sandbox import Sandbox

CHINA = timedelta(hours=8)
CHINA_TIME = timezone(CHINA)


@pytest.fixture
def shop(stand_in_shop: StandInShop) -> StandInShop:
    stand_in_shop.answers[NOTIFY] = (200, {"code": "SUCCESS", "message": "Success"})
    return stand_in_shop


@pytest.fixture
def gateway(sandbox_client: Sandbox, shop: StandInShop) -> wechatpay.WeChatPayGateway:
    return wechat_shop.gateway(sandbox_client, shop.url)


@pytest.fixture
def paid(sandbox_client: Sandbox, gateway: wechatpay.WeChatPayGateway) -> str:
    gateway.create_payment(wechat_shop.request("PAID000001"))
    wechat_shop.pay(sandbox_client, "PAID000001")
    return "PAID000001"


def until(find: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := find()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def notices(sandbox: Sandbox, kind: str) -> list[dict[str, Any]]:
    return [one for one in wechat_shop.books(sandbox)["notices"] if one["kind"] == kind]


def event(gateway: wechatpay.WeChatPayGateway, shop: StandInShop, kind: str) -> base.WebhookEvent:
    """The first event of that kind that the shop was told and believes."""

    def find() -> base.WebhookEvent | None:
        for _, path, headers, body in list(shop.seen):
            if path == NOTIFY:
                post = base.WebhookRequest(headers=headers, body=body, received_at=datetime.now(UTC))
                for one in gateway.read_webhook(post):
                    if one.kind == kind:
                        return one
        return None

    return until(find)


def test_a_refund_goes_from_processing_to_success(sandbox_client, gateway, shop, paid):
    first = gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00"))
    assert (first.status, first.amount) == (base.RefundStatus.PENDING, Money(500, "CNY"))
    told = event(gateway, shop, "REFUND.SUCCESS").refund
    assert told is not None
    assert (told.status, told.amount, told.out_refund_no) == (
        base.RefundStatus.SUCCEEDED,
        Money(500, "CNY"),
        "R1",
    )
    assert told.provider_ref == first.provider_ref
    asked = gateway.query_refund(wechat_shop.refund(paid, "R1", "5.00"))
    assert (asked.status, asked.provider_ref) == (base.RefundStatus.SUCCEEDED, first.provider_ref)
    order = gateway.query_payment(wechat_shop.ref(paid))
    assert (order.status, order.provider_status) == (base.PaymentStatus.SUCCEEDED, "REFUND")
    again = gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00"))
    assert (again.status, len(wechat_shop.books(sandbox_client)["refunds"])) == (
        base.RefundStatus.SUCCEEDED,
        1,
    )


def test_refunds_never_exceed_what_was_paid(sandbox_client, gateway, paid):
    gateway.create_refund(wechat_shop.refund(paid, "R1", "15.00"))
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.create_refund(wechat_shop.refund(paid, "R2", "5.00"))
    assert caught.value.code == "refund_amount_invalid"
    gateway.create_refund(wechat_shop.refund(paid, "R2", "4.99"))
    assert [one["refund"] for one in wechat_shop.books(sandbox_client)["refunds"]] == [1500, 499]


@pytest.mark.parametrize(
    ("fault", "status", "flags"),
    [
        ("refund_abnormal", base.RefundStatus.PENDING, (base.Flag.ABNORMAL,)),
        ("refund_closed", base.RefundStatus.FAILED, ()),
    ],
)
def test_a_refund_may_end_badly(sandbox_client, gateway, shop, paid, fault, status, flags):
    wechat_shop.fault(sandbox_client, fault)
    gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00"))
    word = fault.removeprefix("refund_").upper()
    assert event(gateway, shop, f"REFUND.{word}").refund.status == status
    found = gateway.query_refund(wechat_shop.refund(paid, "R1", "5.00"))
    assert (found.status, found.flags) == (status, flags)


def test_an_empty_balance_keeps_the_refund_for_later(sandbox_client, gateway, paid):
    wechat_shop.fault(sandbox_client, "not_enough", count=1)
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00"))
    assert caught.value.code == "insufficient_funds"
    assert wechat_shop.books(sandbox_client)["refunds"] == []
    later = gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00", resend=True))
    assert later.status == base.RefundStatus.PENDING


@pytest.mark.parametrize("fault", ["answer_lost_after_accepting", "error_after_accepting"])
def test_done_and_the_answer_lost(sandbox_client, gateway, paid, fault):
    wechat_shop.fault(sandbox_client, fault, count=1, target="native")
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(wechat_shop.request("LOST000001"))
    assert not caught.value.not_sent
    again = gateway.create_payment(wechat_shop.request("LOST000001", resend=True))
    assert isinstance(again.next_action, base.QrCode)
    wechat_shop.fault(sandbox_client, fault, count=1, target="refund")
    with pytest.raises(base.GatewayUnavailable):
        gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00"))
    gateway.create_refund(wechat_shop.refund(paid, "R1", "5.00", resend=True))
    assert len(wechat_shop.books(sandbox_client)["refunds"]) == 1


@pytest.mark.parametrize(
    ("fault", "code"), [("rate_limited", "rate_limited"), ("down", "unavailable"), ("dropped", "unavailable")]
)
def test_nothing_is_done_and_nobody_knows(sandbox_client, gateway, fault, code):
    wechat_shop.fault(sandbox_client, fault, count=1)
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(wechat_shop.request("DOWN000001"))
    assert (caught.value.code, wechat_shop.books(sandbox_client)["orders"]) == (code, [])


@pytest.mark.parametrize("fault", ["bad_signature", "signtest", "stale_answer"])
def test_a_bad_answer_is_asked_for_again(sandbox_client, gateway, fault):
    wechat_shop.fault(sandbox_client, fault, count=1, target="native")
    assert gateway.create_payment(wechat_shop.request("SIGN000001")).next_action is not None
    assert len(sandbox_client.calls("native")) == 2
    wechat_shop.fault(sandbox_client, fault, target="native")
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(wechat_shop.request("SIGN000002"))
    assert caught.value.code == "bad_signature"


def test_a_state_that_nobody_knows_is_processing(sandbox_client, gateway, paid):
    wechat_shop.fault(sandbox_client, "unknown_status", count=1)
    found = gateway.query_payment(wechat_shop.ref(paid))
    assert (found.status, found.flags) == (base.PaymentStatus.PROCESSING, (base.Flag.UNKNOWN_STATUS,))


@pytest.mark.parametrize("fault", ["notice_bad_signature", "notice_signtest"])
def test_a_badly_signed_notice_is_refused(sandbox_client, gateway, shop, fault):
    wechat_shop.fault(sandbox_client, fault)
    gateway.create_payment(wechat_shop.request("NOTE000001"))
    wechat_shop.pay(sandbox_client, "NOTE000001")
    _, _, headers, body = until(lambda: [one for one in shop.seen if one[1] == NOTIFY])[0]
    with pytest.raises(base.WebhookRejected) as caught:
        gateway.read_webhook(base.WebhookRequest(headers=headers, body=body, received_at=datetime.now(UTC)))
    assert (caught.value.code, caught.value.http_status) == ("bad_signature", 401)


def test_notices_are_repeated_doubled_and_lost(sandbox_client, gateway, shop):
    shop.answers[NOTIFY] = (500, {"code": "FAIL", "message": "later"})
    gateway.create_payment(wechat_shop.request("REPEAT0001"))
    wechat_shop.pay(sandbox_client, "REPEAT0001")
    until(lambda: notices(sandbox_client, "post/payment")[0]["attempts"] >= 3)
    shop.answers[NOTIFY] = (204, "")
    until(lambda: notices(sandbox_client, "post/payment")[0]["acknowledged"])
    shop.seen.clear()
    wechat_shop.fault(sandbox_client, "duplicate_webhook", count=1, seconds=0.1)
    gateway.create_payment(wechat_shop.request("REPEAT0002"))
    wechat_shop.pay(sandbox_client, "REPEAT0002")
    until(lambda: notices(sandbox_client, "post/payment")[1]["attempts"] == 2)
    wechat_shop.fault(sandbox_client, "lost_webhook", count=1)
    gateway.create_payment(wechat_shop.request("REPEAT0003"))
    wechat_shop.pay(sandbox_client, "REPEAT0003")
    time.sleep(0.4)
    lost = notices(sandbox_client, "post/payment")[2]
    assert (lost["lost"], lost["attempts"]) == (1, 0)


def test_a_wrong_amount_is_told_as_it_stands(sandbox_client, gateway, shop):
    wechat_shop.fault(sandbox_client, "wrong_amount", count=1)
    gateway.create_payment(wechat_shop.request("WRONG00001"))
    wechat_shop.pay(sandbox_client, "WRONG00001")
    assert event(gateway, shop, "TRANSACTION.SUCCESS").payment.amount == Money(2000, "CNY")
    assert gateway.query_payment(wechat_shop.ref("WRONG00001")).amount == Money(1999, "CNY")


def test_the_bill_of_the_day(sandbox_client, gateway, paid):
    today = (datetime.now(UTC) + CHINA).date()
    with pytest.raises(base.GatewayMisuse):
        gateway.statement(today + timedelta(days=1))
    sandbox_client.knobs(wechat_early_bills="1")
    gateway.create_refund(wechat_shop.refund(paid, "R1", "0.29"))
    lines = stated(gateway, CHINA_TIME)
    assert [(line.kind, line.amount, line.out_trade_no, line.out_refund_no) for line in lines] == [
        ("payment", Money(1999, "CNY"), paid, ""), ("refund", Money(29, "CNY"), paid, "R1"),
    ]  # fmt: skip
    assert [line.fee for line in lines] == [Money(12, "CNY"), Money(0, "CNY")]
    assert gateway.statement(today - timedelta(days=9)) == ()


def test_an_unknown_path_and_an_unsigned_call(sandbox_client):
    base_url = f"{sandbox_client.base_url}/wechatpay/v3"
    nothing = requests.get(f"{base_url}/nothing", timeout=10)
    assert (nothing.status_code, nothing.content) == (404, b"")
    refused = requests.get(f"{base_url}/certificates", timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (401, "SIGN_ERROR")
    assert "Wechatpay-Signature" not in refused.headers
