"""Our gateway against the running simulator: pages, cards, posts with their signature and faults, refunds, pages in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
import requests

from payments.gateways import base, stripe
from pimpshop.core.money import Money
from tests.sandbox.conftest import StandInShop, stated
from tests.support.stripe_sandbox import StripeSandbox

STATUS = base.PaymentStatus
POST = "/api/stripe/webhook"
Found = TypeVar("Found")


@pytest.fixture
def gateway(stripe_sandbox: StripeSandbox) -> stripe.StripeGateway:
    return stripe_sandbox.gateway()


def request(amount: str = "19.99 GBP", **changes: Any) -> base.PaymentRequest:
    value, currency = amount.split()
    values: dict[str, Any] = {
        "intent_id": "pay_1", "out_trade_no": "P1", "order_no": "P1", "amount": Money.parse(value, currency),
        "method": "checkout", "description": "A case", "idempotency_key": "P1:1:create",
        "return_url": "https://shop.example/orders/1/?a=1",
    }  # fmt: skip
    return base.PaymentRequest(**(values | changes))


def ref(made: base.PaymentResult, **changes: Any) -> base.PaymentRef:
    values: dict[str, Any] = {
        "intent_id": "pay_1", "out_trade_no": "P1", "amount": request().amount, "provider_ref": made.provider_ref,
        "idempotency_key": "P1:1:create",
    }  # fmt: skip
    return base.PaymentRef(**(values | changes))


def card(number: str) -> base.Card:
    return base.Card(number=number, exp_month=12, exp_year=2034, cvc="123", name="Alice")


def pay(gateway: stripe.StripeGateway, instrument: base.Instrument, **changes: Any) -> base.PaymentResult:
    """Both steps of a card payment."""
    values = {"method": "token", "instrument": instrument} | changes
    made = gateway.create_payment(request(**values))
    assert made.status == STATUS.CREATED
    return gateway.confirm_payment(request(**values, provider_ref=made.provider_ref))


def wait(find: Callable[[], Found], seconds: float = 30) -> Found:
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def heard(shop: StandInShop, gateway: stripe.StripeGateway) -> list[base.WebhookEvent]:
    """Every post so far, read as our webhook door would."""
    found = []
    for _, path, headers, body in list(shop.seen):
        if path == POST:
            post = base.WebhookRequest(body=body, headers=headers, received_at=datetime.now(UTC))
            found += gateway.read_webhook(post)
    return found


@pytest.mark.parametrize("amount", ["19.99 GBP", "0.31 GBP", "500 JPY", "1.230 KWD", "9.90 CNY"])
def test_a_page_from_its_making_to_the_refund(gateway, stripe_sandbox, amount):
    asked = request(amount)
    made = gateway.create_payment(asked)
    assert made.provider_ref.startswith("cs_test_")
    assert gateway.create_payment(asked).provider_ref == made.provider_ref
    assert gateway.query_payment(ref(made)).status == STATUS.REQUIRES_ACTION
    stripe_sandbox.pay(made.provider_ref)
    paid = gateway.query_payment(ref(made))
    assert (paid.status, paid.amount, paid.captured) == (STATUS.SUCCEEDED, asked.amount, asked.amount)
    assert (paid.method_details.last_four, paid.transaction_ref[:3]) == ("4242", "pi_")
    assert stripe.seed3_status(paid.provider_status) == "paid"
    assert requests.get(paid.receipt_url, timeout=9).status_code == 200
    back = base.RefundRequest(
        refund_id="r", out_refund_no="P1_R1", out_trade_no="P1", amount=asked.amount, total=asked.amount,
        idempotency_key="P1_R1", provider_ref=made.provider_ref,
    )  # fmt: skip
    assert gateway.create_refund(back).status == base.RefundStatus.SUCCEEDED
    assert gateway.query_refund(back).amount == asked.amount
    assert gateway.query_payment(ref(made)).refunded == asked.amount


def test_posts_are_signed_and_tell_what_happened(gateway, stripe_sandbox, stand_in_shop):
    made = gateway.create_payment(request())
    stripe_sandbox.pay(made.provider_ref)
    wait(lambda: len(heard(stand_in_shop, gateway)) >= 4)
    events = {event.kind: event for event in heard(stand_in_shop, gateway)}
    done = events["checkout.session.completed"]
    assert (done.status, done.out_trade_no, done.payment.amount) == (STATUS.SUCCEEDED, "P1", request().amount)
    paid = events["payment_intent.succeeded"]
    assert (paid.status, paid.out_trade_no, paid.payment.provider_ref) == (STATUS.SUCCEEDED, "P1", "")
    assert events["charge.succeeded"].payment.receipt_url
    wait(lambda: all(post["acknowledged"] for post in stripe_sandbox.books()["posts"]))


def test_a_post_is_repeated_until_it_is_answered(gateway, stripe_sandbox, stand_in_shop):
    stand_in_shop.answers[POST] = (500, {})
    gateway.create_payment(request(method="token"))
    wait(lambda: len(stand_in_shop.posts(POST)) >= 2)
    del stand_in_shop.answers[POST]
    wait(lambda: all(post["acknowledged"] for post in stripe_sandbox.books()["posts"]))
    assert len({event.event_id for event in heard(stand_in_shop, gateway)}) == 1


def test_faults_of_posts(gateway, stripe_sandbox, stand_in_shop):
    kind = "payment_intent.succeeded"
    stripe_sandbox.fault("duplicate_webhook", count=1, seconds=0, target=kind)
    stripe_sandbox.fault("wrong_amount", count=1, target="charge.succeeded")
    stripe_sandbox.fault("lost_webhook", count=1, target="payment_intent.created")
    pay(gateway, base.Token(value="pm_card_visa"))
    wait(lambda: len(stand_in_shop.posts(POST)) == 3)
    events = heard(stand_in_shop, gateway)
    assert sorted(event.kind for event in events) == ["charge.succeeded", kind, kind]
    assert len({event.event_id for event in events if event.kind == kind}) == 1
    told = next(event for event in events if event.kind == "charge.succeeded")
    assert told.disagrees_with(request().amount)


def test_a_post_with_another_signature_is_rejected(gateway, stripe_sandbox, stand_in_shop):
    stripe_sandbox.fault("wrong_signature", count=1)
    gateway.create_payment(request(method="token"))
    wait(lambda: stand_in_shop.posts(POST))
    with pytest.raises(base.WebhookRejected) as caught:
        heard(stand_in_shop, gateway)
    assert caught.value.code == "bad_signature"


@pytest.mark.parametrize(
    ("number", "code", "retry"),
    [
        ("4000000000000002", "card_declined", True), ("4000000000009995", "insufficient_funds", True),
        ("4000000000000069", "expired_card", True), ("4000000000000127", "incorrect_cvc", True),
        ("4000000000000119", "processing_error", True), ("4100000000000019", "card_declined", False),
    ],
)  # fmt: skip
def test_declined_cards(gateway, number, code, retry):
    result = pay(gateway, card(number), method="card")
    assert (result.status, result.error.code) == (STATUS.FAILED, code)
    assert stripe.may_retry(result.error.provider_code) is retry
    assert gateway.query_payment(ref(result, method="card")).error.code == code


def test_the_sandboxs_own_cards(gateway, stripe_sandbox):
    with pytest.raises(base.GatewayDeclined) as caught:
        pay(gateway, card("4000000000000010"), method="card")
    assert caught.value.code == "currency_unsupported"
    waiting = pay(gateway, card("4000000000003089"), method="card", idempotency_key="P1:2", out_trade_no="P1")
    assert waiting.status == STATUS.PROCESSING
    wait(lambda: gateway.query_payment(ref(waiting)).status == STATUS.SUCCEEDED)


@pytest.mark.parametrize(("number", "approve", "status", "code"), [
    ("4000000000003220", True, STATUS.SUCCEEDED, None),
    ("4000000000003063", False, STATUS.FAILED, "authentication_failed"),
    ("4000008400001629", True, STATUS.FAILED, "card_declined"),
])  # fmt: skip
def test_three_d_secure(gateway, stripe_sandbox, number, approve, status, code):
    result = pay(gateway, card(number), method="card")
    assert result.status == STATUS.REQUIRES_ACTION
    assert result.next_action.url == f"{stripe_sandbox.api_base}/3ds/{result.provider_ref}"
    stripe_sandbox.authenticate(result.provider_ref, approve=approve)
    seen = gateway.query_payment(ref(result))
    assert (seen.status, seen.error.code if seen.error else None) == (status, code)


def test_hold_capture_void_and_a_kept_card(gateway, stripe_sandbox):
    customer = base.Customer(customer_id="u1", email="alice@example.com")
    values = {"capture": False, "save_method": True, "customer": customer}
    held = pay(gateway, base.Token(value="pm_card_visa"), **values)
    assert (held.status, held.customer_ref[:4], held.saved_ref[:3]) == (STATUS.AUTHORIZED, "cus_", "pm_")
    part = Money.parse("5.00", "GBP")
    assert gateway.capture_payment(ref(held), part).captured == part
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway.capture_payment(ref(held), request().amount)
    assert caught.value.code == "already_captured"
    assert gateway.close_payment(ref(held)).status == STATUS.SUCCEEDED
    kept = base.SavedMethod(method_ref=held.saved_ref, customer_ref=held.customer_ref)
    again = pay(gateway, kept, method="saved_card", idempotency_key="P1:2", out_trade_no="P1")
    assert again.status == STATUS.SUCCEEDED
    gateway.delete_method(kept)
    gateway.delete_method(kept)
    with pytest.raises(base.GatewayError):
        pay(gateway, kept, method="saved_card", idempotency_key="P1:3", out_trade_no="P1")
    asked = base.SaveMethodRequest(
        customer=base.Customer(customer_id="u1", provider_ref=held.customer_ref), idempotency_key="S1",
        instrument=card("4000002500003155"), return_url="https://shop.example/account/",
    )  # fmt: skip
    setup = gateway.save_method(asked)
    assert setup.status == STATUS.REQUIRES_ACTION
    stripe_sandbox.authenticate(setup.setup_ref)
    saved = gateway.query_saved_method(setup.setup_ref)
    assert (saved.status, saved.details.last_four) == (STATUS.SUCCEEDED, "3155")


def test_a_bank_transfer(gateway):
    bank = base.BankAccount(
        account_number="000123456789", routing_number="110000000", account_holder_name="Alice"
    )
    result = pay(gateway, bank, method="bank_transfer", amount="19.99 USD")
    assert result.status == STATUS.PROCESSING
    seen = wait(lambda: (q := gateway.query_payment(ref(result))).status == STATUS.SUCCEEDED and q)
    assert (seen.method_details.method_type, seen.method_details.last_four) == ("us_bank_account", "6789")


def test_an_answer_that_was_lost_charges_once(gateway, stripe_sandbox):
    stripe_sandbox.fault("answer_lost_after_accepting", count=1, target="payment_intents.confirm")
    made = gateway.create_payment(request(method="token"))
    confirm = request(
        method="token", instrument=base.Token(value="pm_card_visa"), provider_ref=made.provider_ref
    )
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.confirm_payment(confirm)
    assert caught.value.not_sent is False
    assert gateway.query_payment(ref(made)).status == STATUS.SUCCEEDED
    stripe_sandbox.fault("answer_lost_after_accepting", count=1, target="checkout.sessions.create")
    with pytest.raises(base.GatewayUnavailable):
        gateway.create_payment(request(idempotency_key="P1:2"))
    found = gateway.create_payment(request(idempotency_key="P1:2", resend=True))
    assert [item["id"] for item in stripe_sandbox.books()["checkout.session"]] == [found.provider_ref]
    assert len(stripe_sandbox.books()["charge"]) == 1


def test_disputes_and_refunds_made_at_stripe(gateway, stripe_sandbox, stand_in_shop):
    paid = pay(gateway, base.Token(value="pm_card_visa"))
    assert stripe_sandbox.post(f"intents/{paid.provider_ref}/refund", amount=500).ok
    dispute = stripe_sandbox.post(
        f"intents/{paid.provider_ref}/dispute", reason="product_not_received"
    ).json()
    assert stripe_sandbox.post(f"disputes/{dispute['id']}/decide", won=True).json()["status"] == "won"
    told = {"refund.created", "charge.dispute.created", "charge.dispute.closed"}
    wait(lambda: told <= {event.kind for event in heard(stand_in_shop, gateway)})
    events = {event.kind: event for event in heard(stand_in_shop, gateway)}
    back = events["refund.created"].refund
    assert (back.out_refund_no, back.payment_ref, back.amount.amount_minor) == ("", paid.provider_ref, 500)
    assert events["charge.dispute.created"].dispute.reason == "product_not_received"
    assert events["charge.dispute.closed"].dispute.status == base.DisputeStatus.WON


def test_the_statement_of_today(gateway):
    paid = pay(gateway, base.Token(value="pm_card_visa"))
    back = base.RefundRequest(
        refund_id="r", out_refund_no="P1_R1", out_trade_no="P1", amount=Money(500, "GBP"), total=request().amount,
        idempotency_key="P1_R1", provider_ref=paid.provider_ref,
    )  # fmt: skip
    gateway.create_refund(back)
    lines = {line.kind: line for line in stated(gateway, UTC)}
    assert (lines["payment"].amount, lines["payment"].out_trade_no) == (request().amount, "P1")
    assert lines["payment"].fee == Money(1999 * 29 // 1000 + 30, "GBP")
    assert (lines["refund"].amount, lines["refund"].out_refund_no) == (Money(500, "GBP"), "P1_R1")


# --- pages, as a browser without a script ---


def submit(web: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    return web.post(page.url, data={"csrfmiddlewaretoken": token} | fields, timeout=9)


def test_the_page_declines_asks_for_3ds_and_leads_back(gateway, stripe_sandbox):
    made = gateway.create_payment(request(cancel_url="https://shop.example/cart/"))
    web = requests.Session()
    page = web.get(made.next_action.url + "?card=4000000000000002", timeout=9)
    assert "19.99 GBP" in page.text
    assert "no money moves" in page.text
    assert 'href="https://shop.example/cart/"' in page.text
    assert "4000 0000 0000 0002" in page.text
    assert "style=" not in page.text
    fields = {"email": "alice@example.com", "expiry": "12 / 34", "cvc": "123", "name": "Alice"}
    refused = submit(web, page, number="4000 0000 0000 0002", **fields)
    assert (refused.status_code, "Your card was declined." in refused.text) == (402, True)
    asked = submit(web, refused, number="4000 0000 0000 3220", **fields)
    assert "/stripe/3ds/pi_" in asked.url
    left = submit(web, asked, answer="approve")
    where = f"https://shop.example/orders/1/?a=1&amp;session_id={made.provider_ref}"
    assert f'content="1;url={where}"' in left.text
    assert gateway.query_payment(ref(made)).status == STATUS.SUCCEEDED
    assert web.get(f"{stripe_sandbox.api_base}/c/pay/{made.provider_ref}", timeout=9).url.endswith("/back")


def test_3ds_of_a_card_leads_back_with_what_stripe_appends(gateway, stripe_sandbox):
    result = pay(gateway, base.Token(value="pm_card_threeDSecure2Required"))
    web = requests.Session()
    left = submit(web, web.get(result.next_action.url + "?lang=zh", timeout=9), answer="fail")
    assert f"a=1&amp;payment_intent={result.provider_ref}&amp;payment_intent_client_secret=" in left.text
    assert "redirect_status=failed" in left.text


def test_the_index_lists_it_and_its_payments(gateway, stripe_sandbox):
    gateway.create_payment(request())
    index = requests.get(f"{stripe_sandbox.sandbox.base_url}/sandbox/", timeout=9).text
    assert 'href="/stripe/payments/"' in index
    shown = requests.get(f"{stripe_sandbox.api_base}/payments/?lang=zh", timeout=9).text
    assert "19.99 GBP" in shown
    assert "price_1QlYNRHVMy0i1BlJA1y0DxB2" in shown
    assert requests.get(f"{stripe_sandbox.api_base}/c/pay/cs_test_nope", timeout=9).status_code == 404


def test_the_price_list(gateway, stripe_sandbox):
    """What a price id costs, as the comparison of the catalogue asks it."""
    starter = "price_1QlYNRHVMy0i1BlJA1y0DxB2"
    assert gateway.price(starter) == stripe.ListedPrice(Money(500, "USD"), "USD", "", True)
    stripe_sandbox.sdk().v1.prices.update(starter, params={"active": False})
    assert gateway.price(starter) == stripe.ListedPrice(Money(500, "USD"), "USD", "", False)
    assert gateway.price("price_1Nobody") is None
    assert gateway.price("../../account") is None
