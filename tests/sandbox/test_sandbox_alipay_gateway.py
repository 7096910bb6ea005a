"""The shop's own gateway against the simulated Alipay over HTTP: each way to pay, from the first call to the bill."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from payments.gateways import alipay, base
from payments.gateways.alipay.wire import BEIJING
from pimpshop.core.money import Money
from tests.sandbox.conftest import StandInShop, stated
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.sandbox
AMOUNT = Money.parse("19.99", "CNY")
NUMBER = "P20250830075329AB12CD34"
S = base.PaymentStatus


@pytest.fixture
def shop(sandbox_client: Sandbox, stand_in_shop: StandInShop) -> StandInShop:
    stand_in_shop.text_answers["/alipay/notify"] = (200, b"success")
    return stand_in_shop


@pytest.fixture
def gateway(sandbox_client: Sandbox, shop: StandInShop) -> alipay.AlipayGateway:
    folder = Path(os.environ["SANDBOX_KEYS_DIR"])
    return alipay.AlipayGateway(
        alipay.Config(
            app_id="2021000000000001",
            seller_id="2088000000000001",
            private_key=(folder / "alipay_app.private.pem").read_text(),
            public_key=(folder / "alipay_platform.public.pem").read_text(),
            gateway_url=f"{sandbox_client.base_url}/alipay/gateway.do",
        )
    )


def request(shop: StandInShop, method: str, **changes: Any) -> base.PaymentRequest:
    values: dict[str, Any] = {
        "intent_id": "pay_1", "out_trade_no": NUMBER, "order_no": NUMBER, "amount": AMOUNT, "method": method,
        "description": "iPhone 15 Pro 壳", "idempotency_key": "k", "notify_url": f"{shop.url}/alipay/notify",
        "return_url": f"{shop.url}/back?o=1", "expires_at": datetime.now(UTC) + timedelta(minutes=30),
    }  # fmt: skip
    return base.PaymentRequest(**(values | changes))


def ref() -> base.PaymentRef:
    return base.PaymentRef(intent_id="pay_1", out_trade_no=NUMBER, amount=AMOUNT, order_no=NUMBER)


def refund(number: str, amount: str, **changes: Any) -> base.RefundRequest:
    values: dict[str, Any] = {
        "refund_id": number, "out_refund_no": number, "out_trade_no": NUMBER, "amount": Money.parse(amount, "CNY"),
        "total": AMOUNT, "idempotency_key": number,
    }  # fmt: skip
    return base.RefundRequest(**(values | changes))


def heard(gateway: alipay.AlipayGateway, shop: StandInShop, count: int) -> list[base.WebhookEvent]:
    """So many notices, each read and believed by the gateway."""
    deadline = time.monotonic() + 30
    while len(shop.posts("/alipay/notify")) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    posts = [
        base.WebhookRequest(body=body, received_at=datetime.now(UTC)) for body in shop.posts("/alipay/notify")
    ]
    return [event for post in posts for event in gateway.read_webhook(post)]


def pay(sandbox: Sandbox) -> None:
    sandbox._post(f"alipay/trades/{NUMBER}/pay", {})


def open_it(sandbox: Sandbox, action: base.NextAction | None) -> None:
    """Open it as the shopper's browser or app does."""
    if isinstance(action, base.Redirect):
        answer = requests.get(action.url, timeout=10)
        assert 'data-amount="19.99"' in answer.text
    elif isinstance(action, base.ClientParams):
        sandbox._post("alipay/open", {"order": action.params["order_string"]})


@pytest.mark.parametrize("method", ["page", "wap", "app", "precreate"])
def test_each_way_is_paid_asked_about_noticed_and_given_back(sandbox_client, gateway, shop, method):
    made = gateway.create_payment(request(shop, method))
    assert made.status == S.REQUIRES_ACTION
    assert gateway.query_payment(ref()).flags == (base.Flag.NOT_FOUND,)
    open_it(sandbox_client, made.next_action)
    pay(sandbox_client)
    found = gateway.query_payment(ref())
    assert (found.status, found.amount, found.account) == (S.SUCCEEDED, AMOUNT, "2021000000000001")
    (event,) = heard(gateway, shop, 1)
    assert event.payment is not None
    assert (event.payment.status, event.payment.provider_ref) == (S.SUCCEEDED, found.provider_ref)
    assert gateway.close_payment(ref()).status == S.SUCCEEDED

    part = gateway.create_refund(refund("R1", "5.00"))
    assert (part.status, part.amount) == (base.RefundStatus.SUCCEEDED, Money.parse("5.00", "CNY"))
    assert gateway.create_refund(refund("R1", "5.00")).status == base.RefundStatus.SUCCEEDED
    assert gateway.query_refund(refund("R1", "5.00")).status == base.RefundStatus.SUCCEEDED
    assert gateway.query_refund(refund("R2", "14.99")).flags == (base.Flag.NOT_FOUND,)
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.create_refund(refund("R2", "15.00"))
    assert caught.value.code == "refund_amount_invalid"
    gateway.create_refund(refund("R3", "14.99"))
    assert gateway.query_payment(ref()).status == S.REFUNDED
    told = {(e.payment.status, e.payment.refunded) for e in heard(gateway, shop, 3) if e.payment}
    assert told == {
        (S.SUCCEEDED, None), (S.SUCCEEDED, Money.parse("5.00", "CNY")), (S.REFUNDED, AMOUNT),
    }  # fmt: skip


def test_a_qr_code_that_nobody_scanned_is_not_yet_and_one_that_was_is_closed(sandbox_client, gateway, shop):
    made = gateway.create_payment(request(shop, "precreate"))
    assert isinstance(made.next_action, base.QrCode)
    assert made.next_action.content.startswith("https://qr.alipay.com/")
    assert gateway.close_payment(ref()).flags == (base.Flag.NOT_FOUND,)
    token = made.next_action.content.removeprefix("https://qr.alipay.com/bax")
    requests.get(f"{sandbox_client.base_url}/alipay/cashier/{token}/", timeout=10)
    assert gateway.query_payment(ref()).status == S.REQUIRES_ACTION
    assert gateway.close_payment(ref()).status == S.CANCELED
    assert gateway.query_payment(ref()).status == S.CANCELED


def test_the_way_back_is_verified_for_display(sandbox_client, gateway, shop):
    made = gateway.create_payment(request(shop, "page"))
    open_it(sandbox_client, made.next_action)
    pay(sandbox_client)
    (trade,) = sandbox_client._get("books", provider="alipay")["trades"]
    result = requests.get(
        f"{sandbox_client.base_url}/alipay/cashier/{trade['token']}/result/", timeout=10
    ).text
    back = result.split('href="')[-1].split('" data-back')[0].replace("&amp;", "&")
    found = gateway.read_return(urlsplit(back).query)
    assert (found.out_trade_no, found.trade_no, found.amount) == (NUMBER, trade["trade_no"], AMOUNT)


@pytest.mark.parametrize("fault", ["answer_lost_after_accepting", "error_after_accepting", "system_error"])
@pytest.mark.fault
def test_a_lost_answer_is_asked_about_and_nothing_happens_twice(sandbox_client, gateway, shop, fault):
    def lose() -> None:
        sandbox_client.fault(fault, provider="alipay", count=1)

    lose()
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(request(shop, "precreate"))
    assert caught.value.outcome == base.Outcome.UNKNOWN
    again = gateway.create_payment(request(shop, "precreate", resend=True))
    assert isinstance(again.next_action, base.QrCode)
    pay(sandbox_client)
    lose()
    with pytest.raises(base.GatewayUnavailable):
        gateway.create_refund(refund("R1", "5.00"))
    assert gateway.create_refund(refund("R1", "5.00", resend=True)).status == base.RefundStatus.SUCCEEDED
    books = sandbox_client._get("books", provider="alipay")
    assert [(trade["fen"], trade["refunded"]) for trade in books["trades"]] == [(1999, 500)]


@pytest.mark.parametrize("fault", ["down", "dropped", "unsigned_answer", "wrong_answer_signature"])
@pytest.mark.fault
def test_an_answer_that_is_none_is_unknown(sandbox_client, gateway, shop, fault):
    gateway.create_payment(request(shop, "precreate"))
    pay(sandbox_client)
    sandbox_client.fault(fault, provider="alipay", count=1)
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.query_payment(ref())
    assert caught.value.outcome == base.Outcome.UNKNOWN
    assert gateway.query_payment(ref()).status == S.SUCCEEDED


@pytest.mark.fault
def test_a_notice_with_a_wrong_signature_is_refused_and_one_with_another_amount_tells_it(
    sandbox_client, gateway, shop
):
    sandbox_client.fault("wrong_signature", provider="alipay", count=1)
    gateway.create_payment(request(shop, "precreate"))
    pay(sandbox_client)
    with pytest.raises(base.WebhookRejected) as caught:
        heard(gateway, shop, 1)
    assert caught.value.code == "bad_signature"
    shop.seen.clear()
    sandbox_client.fault("wrong_amount", provider="alipay", count=1)
    gateway.create_refund(refund("R1", "5.00"))
    (event,) = heard(gateway, shop, 1)
    assert event.disagrees_with(AMOUNT)


def test_a_refund_at_the_console_is_heard_of(sandbox_client, gateway, shop):
    gateway.create_payment(request(shop, "precreate"))
    pay(sandbox_client)
    heard(gateway, shop, 1)
    shop.seen.clear()
    sandbox_client._post(f"alipay/trades/{NUMBER}/refund", {"amount": "1.00"})
    (event,) = heard(gateway, shop, 1)
    assert event.payment is not None
    assert (event.payment.status, event.payment.refunded) == (
        S.SUCCEEDED,
        Money.parse("1.00", "CNY"),
    )


def test_the_bill_of_today_has_both_lines(sandbox_client, gateway, shop):
    today = datetime.now(BEIJING).date()
    with pytest.raises(base.GatewayUnavailable):
        gateway.statement(today)
    assert list(gateway.statement(today - timedelta(days=9))) == []
    gateway.create_payment(request(shop, "precreate"))
    pay(sandbox_client)
    gateway.create_refund(refund("R1", "5.00"))
    lines = stated(gateway, BEIJING)
    assert [(line.kind, line.amount, line.out_trade_no, line.out_refund_no) for line in lines] == [
        ("payment", AMOUNT, NUMBER, ""), ("refund", Money.parse("5.00", "CNY"), NUMBER, "R1"),
    ]  # fmt: skip
    assert lines[0].fee == Money.parse("0.12", "CNY")
