"""Stripe: the contract with the hosted Checkout page, and Checkout itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
import responses

from payments.gateways import base, stripe
from payments.gateways.stripe import checkout
from pimpshop.core.money import Money
from tests.payments.gateways.contract import GatewayContract
from tests.support import stripe as sample
from tests.support.stripe import API, INTENT, SESSION, gateway

STATUS = base.PaymentStatus
SESSIONS = f"{API}/v1/checkout/sessions"
REFUSED = {
    "key": sample.error(401, message="Invalid API Key provided: sk_test_****"),
    "permission": sample.error(403),
    "price": sample.error(400, code="resource_missing", param="line_items[0][price]"),
    "price_inactive": sample.error(400, message="The price specified is inactive.", param="line_items[0][price]"),
    "currency": sample.error(400, message="Invalid currency: xxx", param="currency"),
    "small": sample.error(400, code="amount_too_small"),
    "large": sample.error(400, code="amount_too_large"),
    "parameter": sample.error(400, message="Received unknown parameter", param="foo"),
    "reused": sample.error(400, type="idempotency_error", message="Keys for idempotent requests"),
    "raw": sample.error(402, message="Sending credit card numbers directly to the Stripe API is generally unsafe"),
    "rate": sample.error(429, code="rate_limit"),
    "busy": sample.error(409, type="idempotency_error", code="idempotency_key_in_use"),
}  # fmt: skip


def form(sent) -> dict[str, str]:
    """What a call sent, one value a name."""
    return {name: values[0] for name, values in parse_qs(sent.body.decode()).items()}


class TestContract(GatewayContract):
    KEY = "stripe"
    METHOD = "checkout"
    PROVIDER_REF = SESSION
    ACTION = base.Redirect
    STATUSES = {
        "open/unpaid": STATUS.REQUIRES_ACTION,
        "open/no_payment_required": STATUS.REQUIRES_ACTION,
        "open/unpaid/requires_payment_method": STATUS.REQUIRES_ACTION,
        "complete/paid/succeeded": STATUS.SUCCEEDED,
        "complete/no_payment_required": STATUS.SUCCEEDED,
        "complete/unpaid": STATUS.PROCESSING,
        "complete/unpaid/processing": STATUS.PROCESSING,
        "complete/unpaid/requires_action": STATUS.PROCESSING,
        "complete/unpaid/requires_capture": STATUS.AUTHORIZED,
        "complete/unpaid/requires_payment_method": STATUS.FAILED,
        "complete/unpaid/canceled": STATUS.CANCELED,
        "expired/unpaid": STATUS.EXPIRED,
    }
    REFUSALS = {
        "key": (base.GatewayMisuse, "credentials"),
        "permission": (base.GatewayMisuse, "credentials"),
        "price": (base.GatewayDeclined, "price_not_found"),
        "price_inactive": (base.GatewayDeclined, "price_not_found"),
        "currency": (base.GatewayDeclined, "currency_unsupported"),
        "small": (base.GatewayDeclined, "amount_too_small"),
        "large": (base.GatewayDeclined, "amount_too_large"),
        "parameter": (base.GatewayMisuse, "invalid_request"),
        "reused": (base.GatewayMisuse, "duplicate_reference"),
        "raw": (base.GatewayMisuse, "credentials"),
        "rate": (base.GatewayUnavailable, "rate_limited"),
        "busy": (base.GatewayUnavailable, "unavailable"),
    }
    SECRETS = (sample.KEY, sample.SECRET, sample.OLD_SECRET, sample.CLIENT_SECRET)
    ACKNOWLEDGEMENT = '{"success": true, "gateway": "stripe", "message": "Webhook 已处理"}'.encode()
    PATHS = {
        "create": ("POST", SESSIONS),
        "query": ("GET", f"{SESSIONS}/{SESSION}"),
        "close": ("POST", f"{SESSIONS}/{SESSION}/expire"),
        "capture": ("POST", f"{API}/v1/payment_intents/{INTENT}/capture"),
        "refund": ("POST", f"{API}/v1/refunds"),
    }

    def make(self, recorder=None):
        return gateway(recorder)

    def stub(self, wire, verb, case):
        if case in REFUSED:
            self.break_wire(wire, verb, **REFUSED[case])
        elif case == "unknown_id":
            self.break_wire(wire, verb, **sample.error(404, code="resource_missing", param="session"))
        elif verb == "create":
            self.echo(wire)
        else:
            word = case.removeprefix("status:") if case.startswith("status:") else "open/unpaid"
            changes = {"metadata": {"out_trade_no": "PYEN250830999999"}} if case == "foreign" else {}
            self.break_wire(wire, verb, json=sample.session(word, **changes))

    def echo(self, wire):
        """Stripe answers with the amount that it was asked for."""

        def answer(request):
            line = form(request)
            told = {"amount_total": int(line["line_items[0][price_data][unit_amount]"])}
            return 200, {"Request-Id": "req_TEST2"}, json.dumps(sample.session(**told))

        wire.add_callback("POST", SESSIONS, callback=answer)

    def break_wire(self, wire, verb, **answer):
        if verb in ("capture", "refund"):
            wire.add("GET", f"{SESSIONS}/{SESSION}", json=sample.session("complete/paid/succeeded"))
        wire.add(*self.PATHS[verb], **answer)

    def calls(self, wire, verb):
        method, url = self.PATHS[verb]
        return [
            c.request for c in wire.calls if (c.request.method, c.request.url.split("?")[0]) == (method, url)
        ]

    def wire_amount(self, sent):
        return Decimal(form(sent)["line_items[0][price_data][unit_amount]"]).scaleb(-2)

    def wire_key(self, sent):
        return sent.headers["Idempotency-Key"]

    def post(self, case):
        good = sample.post("checkout.session.completed", sample.session("complete/paid"))
        if case == "tampered":
            return base.WebhookRequest(
                body=good.body.replace(b"1999", b"1"), received_at=good.received_at, headers=good.headers
            )
        if case == "stale":
            return sample.signed(good.body, at=int(good.received_at.timestamp()) - 301)
        if case == "foreign":
            return sample.post(
                "checkout.session.completed", sample.session("complete/paid"), account="acct_1OTHER"
            )
        return good


REQUEST = TestContract().request()


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


def make_session(wire, **changes):
    """(what was sent, the result) of a session made for a changed request."""
    TestContract().echo(wire)
    result = gateway().create_payment(TestContract().request(**changes))
    return form(wire.calls[0].request), result


def test_a_session_says_everything_that_finds_the_payment_again(wire):
    sent, result = make_session(wire, cancel_url="https://shop.example/cart/")
    assert sent == {
        "mode": "payment",
        "payment_method_types[0]": "card",
        "line_items[0][price_data][currency]": "gbp",
        "line_items[0][price_data][unit_amount]": "1999",
        "line_items[0][price_data][product_data][name]": "iPhone 15 Pro case",
        "line_items[0][quantity]": "1",
        "success_url": "https://shop.example/orders/1/?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cart/",
        "client_reference_id": sample.NUMBER,
        "metadata[out_trade_no]": sample.NUMBER,
        "metadata[order_no]": REQUEST.order_no,
        "payment_intent_data[metadata][out_trade_no]": sample.NUMBER,
        "payment_intent_data[metadata][order_no]": REQUEST.order_no,
        "payment_intent_data[metadata][via]": "checkout",
        "payment_intent_data[description]": "iPhone 15 Pro case",
        "locale": "en",
    }
    headers = wire.calls[0].request.headers
    assert headers["Stripe-Version"] == "2026-08-26.dahlia"
    assert headers["Authorization"] == f"Bearer {sample.KEY}"
    assert "X-Stripe-Client-User-Agent" not in headers
    assert result.next_action == base.Redirect(url=f"https://checkout.stripe.example/c/pay/{SESSION}")
    assert (result.out_trade_no, result.live, result.provider_status) == (sample.NUMBER, False, "open/unpaid")


def test_a_price_of_stripes_is_the_line_and_must_be_our_price(wire):
    price = "price_1QlYNRHVMy0i1BlJA1y0DxB2"
    wire.add("POST", SESSIONS, json=sample.session(amount_total=500))
    wire.add("POST", f"{SESSIONS}/{SESSION}/expire", json=sample.session("expired/unpaid"))
    with pytest.raises(base.GatewayMisuse) as caught:
        gateway().create_payment(TestContract().request(price_ref=price))
    assert caught.value.code == "amount_invalid"
    sent = form(wire.calls[0].request)
    assert sent["line_items[0][price]"] == price
    assert not [name for name in sent if "price_data" in name]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://s.example/ok", "https://s.example/ok?session_id={CHECKOUT_SESSION_ID}"),
        ("https://s.example/ok?a=1", "https://s.example/ok?a=1&session_id={CHECKOUT_SESSION_ID}"),
        ("https://s.example/ok?a=1#top", "https://s.example/ok?a=1&session_id={CHECKOUT_SESSION_ID}#top"),
        ("https://s.example/ok?s={CHECKOUT_SESSION_ID}", "https://s.example/ok?s={CHECKOUT_SESSION_ID}"),
    ],
)
def test_the_placeholder_goes_where_a_query_belongs(url, wanted):
    assert checkout.success_url(url) == wanted


@pytest.mark.parametrize(("asked", "least", "most"), [(5, 30, 32), (60, 59, 61), (3000, 23 * 60, 24 * 60)])
def test_the_expiry_fits_what_stripe_takes(wire, asked, least, most):
    now = datetime.now(UTC)
    sent, _ = make_session(wire, expires_at=now + timedelta(minutes=asked))
    minutes = (int(sent["expires_at"]) - now.timestamp()) / 60
    assert least <= minutes <= most


def test_the_buyer_and_what_is_kept(wire):
    customer = base.Customer(customer_id="u1", email="alice@example.com")
    sent, _ = make_session(wire, customer=customer, save_method=True, capture=False, locale="zh-hans")
    assert sent["customer_email"] == "alice@example.com"
    assert sent["customer_creation"] == "always"
    assert sent["payment_intent_data[setup_future_usage]"] == "off_session"
    assert sent["payment_intent_data[capture_method]"] == "manual"
    assert sent["locale"] == "zh"


def test_a_resend_looks_first_and_sends_nothing_when_it_is_there(wire):
    page = {"object": "list", "data": [sample.session(metadata={}), sample.session()], "has_more": False}
    wire.add("GET", SESSIONS, json=page)
    result = gateway().create_payment(TestContract().request(resend=True))
    assert result.provider_ref == SESSION
    assert [call.request.method for call in wire.calls] == ["GET"]


def test_a_paid_session_tells_what_staff_and_shoppers_want_to_know(wire):
    wire.add("GET", f"{SESSIONS}/{SESSION}", json=sample.session("complete/paid/succeeded"))
    result = gateway().query_payment(TestContract().ref())
    gbp = Money.parse("19.99", "GBP")
    assert (result.amount, result.captured, result.refunded) == (gbp, gbp, Money(0, "GBP"))
    assert (result.provider_ref, result.transaction_ref) == (SESSION, INTENT)
    assert result.receipt_url == "https://pay.stripe.example/receipts/1"
    assert result.method_details == base.MethodDetails(
        method_type="card", last_four="4242", card_brand="visa", exp_month="12", exp_year="2034",
        cardholder_name="Alice Example",
    )  # fmt: skip
    assert sample.CLIENT_SECRET not in repr(result)


def test_closing_expires_the_page_and_a_paid_one_says_so(wire):
    wire.add("POST", f"{SESSIONS}/{SESSION}/expire", json=sample.session("expired/unpaid"))
    assert gateway().close_payment(TestContract().ref()).status == STATUS.EXPIRED
    wire.replace("POST", f"{SESSIONS}/{SESSION}/expire", **sample.error(400, message="Only open sessions"))
    wire.add("GET", f"{SESSIONS}/{SESSION}", json=sample.session("complete/paid/succeeded"))
    assert gateway().close_payment(TestContract().ref()).status == STATUS.SUCCEEDED


@pytest.mark.parametrize(
    ("word", "seed"),
    [
        ("open/unpaid", "unpaid"),
        ("open/unpaid/requires_payment_method", "unpaid"),
        ("open/no_payment_required", "unpaid"),
        ("complete/paid/succeeded", "paid"),
        ("complete/no_payment_required", "no_payment_required"),
        ("complete/unpaid", "processing"),
        ("complete/unpaid/processing", "processing"),
        ("complete/unpaid/requires_action", "processing"),
        ("complete/unpaid/requires_payment_method", "failed"),
        ("complete/unpaid/canceled", "canceled"),
        ("expired/unpaid", "expired"),
        ("succeeded", "paid"),
        ("processing", "processing"),
        ("canceled", "canceled"),
    ],
)
def test_seed_3_has_its_seven_words(word, seed):
    assert stripe.seed3_status(word) == seed
    if word.startswith("expired"):
        assert stripe.seed3_status(word, canceled_by_us=True) == "canceled"
