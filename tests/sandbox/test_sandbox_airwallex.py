"""Our Airwallex gateway against the simulator's process: pay, 3DS, capture, cancel, refund, save, webhooks, faults."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from payments.gateways import airwallex, base
from pimpshop.core.money import Money
from tests.sandbox.conftest import StandInShop, stated
from tests.support.sandbox import Sandbox
from vending.manufacturer import MemoryTokenStore

API_KEY, SECRET, ACCOUNT = "sandbox-airwallex-api-key", "sandbox-airwallex-webhook-secret", "acct_sandbox"
HOOK = "/api/v2/webhooks/airwallex"
GOOD, THREE_DS, LATE_DECLINE = "4242424242424242", "4000002500003155", "4000008400001629"


def card(number: str, **changes: Any) -> base.Card:
    values = {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "123", "name": "Zoe Tester"}
    return base.Card(**(values | changes))


def request(number: str = "P1", **changes: Any) -> base.PaymentRequest:
    values: dict[str, Any] = {
        "intent_id": f"pay_{number}", "out_trade_no": number, "order_no": number, "amount": Money(1999, "GBP"),
        "method": "card", "description": "iPhone 15 Pro case", "idempotency_key": f"{number}:1:create",
        "return_url": "https://shop.example/orders/1/",
    }  # fmt: skip
    return base.PaymentRequest(**(values | changes))


def ref(result: base.PaymentResult, asked: base.PaymentRequest) -> base.PaymentRef:
    return base.PaymentRef(
        intent_id=asked.intent_id, out_trade_no=asked.out_trade_no, amount=asked.amount, order_no=asked.order_no,
        provider_ref=result.provider_ref, idempotency_key=asked.idempotency_key,
    )  # fmt: skip


@pytest.fixture
def records() -> list:
    return []


@pytest.fixture
def gateway(sandbox_client: Sandbox, records: list) -> airwallex.AirwallexGateway:
    return airwallex.AirwallexGateway(airwallex.Config(
        base_url=f"{sandbox_client.base_url}/airwallex", client_id="sandbox-client", api_key=API_KEY,
        webhook_secrets=(SECRET,), token_store=MemoryTokenStore(), account_id=ACCOUNT, raw_cards=True,
        recorder=records.append,
    ))  # fmt: skip


def pay(gateway: Any, number: str = GOOD, **changes: Any) -> tuple[base.PaymentResult, base.PaymentRequest]:
    """Both steps."""
    asked = request(**changes)
    made = gateway.create_payment(asked)
    assert (made.status, made.amount) == ("created", asked.amount)
    confirm = dataclasses.replace(asked, provider_ref=made.provider_ref, instrument=card(number))
    return gateway.confirm_payment(confirm), confirm


def press(sandbox: Sandbox, url: str, button: str) -> str:
    """What a browser without a script does on the page of 3DS; the address that it is led back to."""
    with requests.Session() as http:
        http.trust_env = False
        shown = http.get(url, timeout=9)
        assert "A simulator, no bank" in shown.text
        assert "form-action 'self'" in shown.headers["Content-Security-Policy"]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown.text)
        body = {"csrfmiddlewaretoken": token[1] if token else "", "result": button}
        after = http.post(url, data=body, timeout=9)
    back = re.search(r'id="back" href="([^"]+)"', after.text)
    assert back
    assert f"url={back[1]}" in after.text
    return back[1]


def events(gateway: Any, shop: StandInShop, sandbox: Sandbox, name: str) -> base.WebhookEvent:
    """The event of that name as our gateway reads it from what arrived."""
    sandbox.wait_for(
        lambda books: [p for p in books["posts"] if p["name"] == name and p["acknowledged"]],
        provider="airwallex",
    )
    for _, path, headers, body in shop.seen:
        if path == HOOK and f'"name":"{name}"'.encode() in body:
            post = base.WebhookRequest(body=body, headers=headers, received_at=datetime.now(UTC))
            return gateway.read_webhook(post)[0]
    raise AssertionError(name)


def test_a_card_pays_and_the_signed_event_says_so(
    gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox
) -> None:
    paid, asked = pay(gateway)
    assert (paid.status, paid.captured, paid.method_details.last_four) == (
        "succeeded",
        Money(1999, "GBP"),
        "4242",
    )
    assert gateway.query_payment(ref(paid, asked)).status == "succeeded"
    event = events(gateway, stand_in_shop, sandbox_client, "payment_intent.succeeded")
    assert (event.confirmed, event.out_trade_no, event.provider_ref) == (True, "P1", paid.provider_ref)
    assert (event.payment.status, event.payment.amount) == ("succeeded", Money(1999, "GBP"))


@pytest.mark.parametrize(
    ("amount", "currency"), [("500", "JPY"), ("1.234", "KWD"), ("20.00", "TWD"), ("0.29", "EUR")]
)
def test_amounts_come_back_exactly(gateway: Any, amount: str, currency: str) -> None:
    paid, _ = pay(gateway, amount=Money.parse(amount, currency))
    assert (paid.status, paid.captured) == ("succeeded", Money.parse(amount, currency))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4000000000000002", "card_declined"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000069", "expired_card"),
        ("4000000000000127", "incorrect_cvc"),
        ("4646464646464644", "card_declined"),
        ("4242424242424241", "invalid_payment_method"),
    ],
)
def test_a_card_is_refused(gateway: Any, number: str, code: str) -> None:
    asked = request()
    made = gateway.create_payment(asked)
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.confirm_payment(
            dataclasses.replace(asked, provider_ref=made.provider_ref, instrument=card(number))
        )
    assert caught.value.code == code
    now = gateway.query_payment(ref(made, asked))
    assert now.provider_status == "REQUIRES_PAYMENT_METHOD"
    assert now.status == ("created" if code == "invalid_payment_method" else "failed")


@pytest.mark.parametrize(("amount", "status"), [("80.59", "declined"), ("80.58", "succeeded")])
def test_the_demo_card_that_declines_an_amount(gateway: Any, amount: str, status: str) -> None:
    try:
        paid, _ = pay(gateway, "4012000300001003", amount=Money.parse(amount, "GBP"))
        assert paid.status == status
    except base.GatewayDeclined:
        assert status == "declined"


@pytest.mark.parametrize(
    ("number", "button", "status", "code"),
    [
        (THREE_DS, "approve", "succeeded", ""),
        (THREE_DS, "fail", "failed", "authentication_failed"),
        (LATE_DECLINE, "approve", "failed", "card_declined"),
    ],
)
def test_3ds(gateway: Any, sandbox_client: Sandbox, number: str, button: str, status: str, code: str) -> None:
    waiting, asked = pay(gateway, number)
    assert waiting.status == "requires_action"
    assert press(sandbox_client, waiting.next_action.url, button) == asked.return_url
    now = gateway.query_payment(ref(waiting, asked))
    assert (now.status, now.error.code if now.error else "") == (status, code)


def test_authorize_capture_a_part_or_cancel(gateway: Any) -> None:
    held, asked = pay(gateway, capture=False)
    assert held.status == "authorized"
    taken = gateway.capture_payment(ref(held, asked), Money(1500, "GBP"))
    assert (taken.status, taken.captured) == ("succeeded", Money(1500, "GBP"))
    assert gateway.capture_payment(ref(held, asked), Money(1500, "GBP")).captured == Money(1500, "GBP")
    assert gateway.close_payment(ref(held, asked)).status == "succeeded"  # too late: it was paid
    other, asked = pay(gateway, number=GOOD, out_trade_no="P2", idempotency_key="P2:1", capture=False)
    assert gateway.close_payment(ref(other, asked)).status == "canceled"
    assert gateway.query_payment(ref(other, asked)).status == "canceled"


def refund(paid: base.PaymentResult, asked: base.PaymentRequest, name: str, minor: int) -> base.RefundRequest:
    return base.RefundRequest(
        refund_id=name, out_refund_no=name, out_trade_no=asked.out_trade_no, amount=Money(minor, "GBP"),
        total=asked.amount, idempotency_key=f"{name}:refund", provider_ref=paid.provider_ref,
    )  # fmt: skip


def test_refund_a_part_then_the_rest_and_no_more(
    gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox
) -> None:
    paid, asked = pay(gateway)
    part = gateway.create_refund(refund(paid, asked, "R1", 500))
    assert (part.status, part.amount) == ("pending", Money(500, "GBP"))
    again = gateway.create_refund(refund(paid, asked, "R1", 500))
    assert again.provider_ref == part.provider_ref
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.create_refund(refund(paid, asked, "R2", 1500))
    assert caught.value.code == "refund_amount_invalid"
    gateway.create_refund(refund(paid, asked, "R3", 1499))
    settled = events(gateway, stand_in_shop, sandbox_client, "refund.settled").refund
    assert (settled.status, settled.out_trade_no, settled.out_refund_no in ("R1", "R3")) == (
        "succeeded",
        "P1",
        True,
    )
    assert gateway.query_payment(ref(paid, asked)).refunded == Money(1999, "GBP")
    assert len(sandbox_client.books("airwallex")["refunds"]) == 2
    day = stated(gateway, UTC)
    assert sorted(str(line.amount) for line in day) == ["14.99 GBP", "19.99 GBP", "5.00 GBP"]


def test_a_refund_that_fails(gateway: Any, sandbox_client: Sandbox) -> None:
    sandbox_client.fault("refund_failed", provider="airwallex", count=1)
    paid, asked = pay(gateway)
    wanted = refund(paid, asked, "R1", 500)
    made = gateway.create_refund(wanted)
    sandbox_client.wait_for(lambda books: books["refunds"][0]["status"] == "FAILED", provider="airwallex")
    now = gateway.query_refund(dataclasses.replace(wanted, refund_ref=made.provider_ref))
    assert (now.status, now.provider_status) == ("failed", "FAILED")


def test_a_saved_card_pays_later_and_is_deleted(gateway: Any, sandbox_client: Sandbox) -> None:
    who = base.Customer(customer_id="0b0c8d5e-1c1f-4a56-9d3e-9f6a3a1d2b3c", email="zoe@example.com")
    wanted = base.SaveMethodRequest(
        customer=who,
        idempotency_key="save-1",
        instrument=card(THREE_DS),
        return_url="https://shop.example/cards/",
    )
    first = gateway.save_method(wanted)
    assert (first.status, first.method_ref) == ("requires_action", "")
    press(sandbox_client, first.next_action.url, "approve")
    kept = gateway.query_saved_method(first.setup_ref)
    assert (kept.status, kept.details.last_four) == ("succeeded", "3155")
    assert gateway.save_method(wanted).method_ref == kept.method_ref  # said again: the same card, once
    saved = base.SavedMethod(method_ref=kept.method_ref, customer_ref=kept.customer_ref)
    asked = request(method="saved_card")
    made = gateway.create_payment(asked)
    paid = gateway.confirm_payment(
        dataclasses.replace(asked, provider_ref=made.provider_ref, instrument=saved)
    )
    assert paid.status == "succeeded"
    for _ in range(2):
        gateway.delete_method(saved)
    assert [c["status"] for c in sandbox_client.books("airwallex")["payment_consents"]] == ["DISABLED"]


def test_paying_may_save_the_card(gateway: Any) -> None:
    paid, _ = pay(gateway, save_method=True, customer=base.Customer(customer_id="c-1"))
    assert paid.saved_ref.startswith("cst_")
    assert gateway.query_saved_method(paid.saved_ref).status == "succeeded"
