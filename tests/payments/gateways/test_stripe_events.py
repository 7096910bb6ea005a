"""Stripe: signatures and what each event says; refunds, disputes, kept methods, statements."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from urllib.parse import unquote

import pytest
import responses

from payments.gateways import base
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW
from tests.payments.gateways.test_stripe import form
from tests.support import stripe as sample
from tests.support.stripe import API, CHARGE, INTENT, NUMBER, SESSION, gateway, post, signed

STATUS = base.PaymentStatus
AT = int(NOW.timestamp())
BODY = json.dumps(sample.event("payment_intent.succeeded", sample.intent())).encode()


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


def read(kind, thing, **changes) -> base.WebhookEvent:
    (event,) = gateway().read_webhook(post(kind, thing, **changes))
    return event


def rejected(request: base.WebhookRequest, **config) -> str:
    with pytest.raises(base.WebhookRejected) as caught:
        gateway(**config).read_webhook(request)
    return caught.value.code


# --- signatures ---


@pytest.mark.parametrize("secret", [sample.SECRET, sample.OLD_SECRET])
def test_each_of_our_secrets_counts(secret):
    assert gateway().read_webhook(signed(BODY, secret=secret))[0].event_id == "evt_1TEST"


def test_any_v1_counts_and_other_schemes_do_not():
    good = signed(BODY).headers["stripe-signature"]
    stamp, mac = good.split(",")
    assert gateway().read_webhook(signed(BODY, header=f"{stamp},v1={'0' * 64},{mac},v0=x"))
    assert rejected(signed(BODY, header=f"{stamp},{mac.replace('v1', 'v0')}")) == "bad_signature"


@pytest.mark.parametrize(("at", "good"), [(-299, True), (299, True), (-301, False), (301, False)])
def test_the_clock_may_differ_by_five_minutes_either_way(at, good):
    request = signed(BODY, at=AT + at)
    if good:
        assert gateway().read_webhook(request)
    else:
        assert rejected(request) == "stale"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=00",
        "t=x,v1=" + "0" * 64,
        f"t={AT},v1=ä",
        f"t={AT},v1=" + "A" * 64,
        "t=²,v1=" + "0" * 64,
    ],
)
def test_a_signature_that_is_none_is_rejected(header):
    post_ = base.WebhookRequest(
        body=BODY, received_at=NOW, headers={"Stripe-Signature": header} if header else {}
    )
    assert rejected(post_) == "bad_signature"


def test_no_secret_accepts_nothing():
    assert rejected(signed(BODY), webhook_secrets=()) == "bad_signature"
    assert rejected(signed(BODY, secret=""), webhook_secrets=("",)) == "bad_signature"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[]", b"{}", b'{"object": "event"}', b"[" * 99_999, b"null"])
def test_a_signed_body_that_is_no_event_is_rejected(body):
    assert rejected(signed(body)) == "bad_body"


def test_live_and_foreign_events_are_rejected():
    assert rejected(post("charge.succeeded", sample.charge(), livemode=True)) == "foreign"
    assert rejected(post("charge.succeeded", sample.charge(), livemode=None)) == "foreign"
    assert rejected(post("charge.succeeded", sample.charge(), account="acct_2")) == "foreign"
    mine = post("charge.succeeded", sample.charge(), account="acct_2")
    assert gateway(account="acct_2").read_webhook(mine)[0].account == "acct_2"


# --- what events say ---


@pytest.mark.parametrize(
    ("kind", "word", "status"),
    [
        ("checkout.session.completed", "complete/paid", STATUS.SUCCEEDED),
        ("checkout.session.completed", "complete/no_payment_required", STATUS.SUCCEEDED),
        ("checkout.session.completed", "complete/unpaid", STATUS.PROCESSING),
        ("checkout.session.async_payment_succeeded", "complete/paid", STATUS.SUCCEEDED),
        ("checkout.session.async_payment_failed", "complete/unpaid", STATUS.FAILED),
        ("checkout.session.expired", "expired/unpaid", STATUS.EXPIRED),
    ],
)
def test_events_of_a_checkout_page(kind, word, status):
    event = read(kind, sample.session(word))
    assert event.confirmed
    assert (event.kind, event.status, event.out_trade_no) == (kind, status, NUMBER)
    assert event.payment.provider_ref == event.provider_ref == SESSION
    assert event.payment.amount == Money.parse("19.99", "GBP")
    facts = base.unpack(json.loads(json.dumps(base.pack(event))))
    assert (facts.payment.status, facts.payment.amount) == (status, event.payment.amount)


@pytest.mark.parametrize(
    ("kind", "intent", "status"),
    [
        ("payment_intent.succeeded", sample.intent(), STATUS.SUCCEEDED),
        ("payment_intent.processing", sample.intent("processing"), STATUS.PROCESSING),
        ("payment_intent.requires_action", sample.intent("requires_action"), STATUS.REQUIRES_ACTION),
        ("payment_intent.payment_failed", sample.declined(), STATUS.FAILED),
        ("payment_intent.canceled", sample.intent("canceled"), STATUS.CANCELED),
        ("payment_intent.amount_capturable_updated", sample.intent("requires_capture"), STATUS.AUTHORIZED),
    ],
)
def test_events_of_a_payment(kind, intent, status):
    event = read(kind, intent)
    assert (event.status, event.provider_ref, event.out_trade_no) == (status, INTENT, NUMBER)


def test_a_decline_on_an_open_page_ends_nothing():
    via = {"out_trade_no": NUMBER, "via": "checkout"}
    event = read("payment_intent.payment_failed", sample.declined() | {"metadata": via})
    assert event.status == STATUS.REQUIRES_ACTION
    assert event.payment.provider_ref == ""
    assert (event.payment.transaction_ref, event.payment.error.code) == (INTENT, "card_declined")
    paid = read("payment_intent.succeeded", sample.intent(metadata=via))
    assert (paid.status, paid.payment.provider_ref) == (STATUS.SUCCEEDED, "")


def test_a_success_that_keeps_the_card_is_asked_about():
    saves = {"out_trade_no": NUMBER, "saves": "1"}
    assert read("payment_intent.succeeded", sample.intent(metadata=saves)).status == STATUS.PROCESSING
    done = read("checkout.session.completed", sample.session("complete/paid", metadata=saves))
    assert (done.status, done.payment.status) == (STATUS.PROCESSING, STATUS.PROCESSING)


def test_another_amount_is_told_as_it_is():
    event = read("payment_intent.succeeded", sample.intent(amount=1, amount_received=1))
    assert event.disagrees_with(Money.parse("19.99", "GBP"))
    assert event.payment.amount == Money(1, "GBP")


def test_a_charge_tells_the_receipt_but_is_no_proof_of_a_payment():
    event = read("charge.succeeded", sample.charge(captured=False))
    assert event.status == STATUS.PROCESSING
    assert event.payment.receipt_url == "https://pay.stripe.example/receipts/1"
    assert event.payment.method_details.last_four == "4242"
    assert read("charge.failed", sample.charge(status="failed")).status == STATUS.PROCESSING
    back = read("charge.refunded", sample.charge(amount_refunded=500))
    assert (back.status, back.payment.refunded) == (STATUS.SUCCEEDED, Money(500, "GBP"))


@pytest.mark.parametrize(
    ("word", "status"),
    [("pending", "pending"), ("requires_action", "pending"), ("succeeded", "succeeded"), ("failed", "failed"),
     ("canceled", "failed"), ("a_new_word", "pending")],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
def test_refund_events(kind, word, status):
    event = read(kind, sample.refund(word, failure_reason="lost_or_stolen_card"))
    assert event.refund.status == status
    assert (event.refund.out_refund_no, event.refund.provider_ref) == ("R1", "re_3TESTback")
    assert (event.refund.payment_ref, event.refund.amount) == (INTENT, Money(500, "GBP"))
    assert (event.refund.error is not None) is (status == "failed")
    assert event.payment is None


def test_a_refund_made_at_stripe_has_no_number_of_ours():
    assert read("refund.created", sample.refund(metadata={})).refund.out_refund_no == ""


@pytest.mark.parametrize(
    ("word", "status", "moved"),
    [
        ("warning_needs_response", "opened", False), ("warning_under_review", "under_review", False),
        ("warning_closed", "closed", False), ("needs_response", "opened", True), ("won", "won", True),
        ("under_review", "under_review", True), ("lost", "lost", True), ("a_new_word", "under_review", True),
    ],
)  # fmt: skip
def test_dispute_events(word, status, moved):
    dispute = {
        "id": "dp_1TEST", "object": "dispute", "amount": 1999, "currency": "gbp", "status": word, "charge": CHARGE,
        "payment_intent": INTENT, "reason": "fraudulent", "evidence_details": {"due_by": AT}, "metadata": {},
    }  # fmt: skip
    event = read("charge.dispute.created", dispute)
    assert event.dispute == base.DisputeNotice(
        provider_ref="dp_1TEST", status=base.DisputeStatus(status), amount=Money(1999, "GBP"), payment_ref=INTENT,
        reason="fraudulent", deadline=NOW, money_moved=moved, provider_status=word,
    )  # fmt: skip
    assert event.provider_ref == INTENT


def test_an_unknown_event_is_an_event_about_nothing():
    event = read("invoice.paid", {"id": "in_1", "object": "invoice"})
    assert (event.kind, event.payment, event.refund, event.dispute) == ("invoice.paid", None, None, None)
    assert (event.out_trade_no, event.status) == ("", None)


def test_the_inbox_never_sees_a_secret():
    event = read("payment_intent.succeeded", sample.intent(receipt_email="alice@example.com"))
    stored = json.dumps([base.pack(event), dict(event.payload)])
    assert [s for s in (sample.CLIENT_SECRET, "alice@example.com") if s in stored] == []


# --- refunds ---
REFUND = base.RefundRequest(
    refund_id="ref_1", out_refund_no="R1", out_trade_no=NUMBER, amount=Money.parse("5.00", "GBP"),
    total=Money.parse("19.99", "GBP"), idempotency_key="R1:refund", provider_ref=SESSION, transaction_ref=INTENT,
    reason="requested_by_customer",
)  # fmt: skip


def changed(request, **changes):
    return type(request)(**{f: getattr(request, f) for f in request.__dataclass_fields__} | changes)


def test_a_refund_carries_our_number_and_key(wire):
    wire.add("POST", f"{API}/v1/refunds", json=sample.refund("pending"))
    result = gateway().create_refund(REFUND)
    assert form(wire.calls[0].request) == {
        "payment_intent": INTENT, "amount": "500", "reason": "requested_by_customer",
        "metadata[out_refund_no]": "R1", "metadata[out_trade_no]": NUMBER,
    }  # fmt: skip
    assert wire.calls[0].request.headers["Idempotency-Key"] == "R1:refund"
    assert (result.status, result.provider_ref) == (base.RefundStatus.PENDING, "re_3TESTback")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"code": "charge_already_refunded"}, "already_refunded"),
        ({"param": "amount", "message": "Refund amount (£20.00) is greater than unrefunded amount"}, "refund_amount_invalid"),
        ({"code": "charge_disputed"}, "method_unavailable"),
    ],
)  # fmt: skip
def test_refused_refunds(wire, fields, code):
    wire.add("POST", f"{API}/v1/refunds", **sample.error(400, **fields))
    with pytest.raises(base.GatewayDeclined) as caught:
        gateway().create_refund(REFUND)
    assert caught.value.code == code


def test_a_refund_is_looked_for_before_it_is_sent_again(wire):
    others = {"object": "list", "data": [sample.refund(id="re_9", metadata={})], "has_more": True}
    mine = {"object": "list", "data": [sample.refund()], "has_more": False}
    wire.add("GET", f"{API}/v1/refunds", json=others)
    wire.add("GET", f"{API}/v1/refunds", json=mine)
    result = gateway().create_refund(changed(REFUND, resend=True))
    assert (result.status, len(wire.calls)) == ("succeeded", 2)
    assert "starting_after=re_9" in wire.calls[1].request.url


def test_a_refund_is_asked_about_by_its_id_or_our_number(wire):
    wire.add("GET", f"{API}/v1/refunds/re_3TESTback", json=sample.refund("failed", failure_reason="declined"))
    known = gateway().query_refund(changed(REFUND, refund_ref="re_3TESTback"))
    assert (known.status, known.error.provider_code) == ("failed", "declined")
    wire.add("GET", f"{API}/v1/refunds", json={"object": "list", "data": [], "has_more": False})
    assert gateway().query_refund(REFUND).flags == (base.Flag.NOT_FOUND,)


# --- kept methods ---


def test_a_method_is_kept_for_a_customer_perhaps_after_3ds(wire):
    customer = base.Customer(customer_id="u1", email="alice@example.com", provider_ref="cus_1")
    asked = base.SaveMethodRequest(
        customer=customer, idempotency_key="S1", instrument=base.Token(value="pm_card_visa"),
        return_url="https://shop.example/account/",
    )  # fmt: skip
    method = {"id": "pm_1KEPT", "object": "payment_method", "type": "card",
              "card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}}  # fmt: skip
    setup = {"id": "seti_1TEST", "object": "setup_intent", "customer": "cus_1", "payment_method": method}
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.example/3ds"}}
    wire.add(
        "POST", f"{API}/v1/setup_intents", json=setup | {"status": "requires_action", "next_action": action}
    )
    first = gateway().save_method(asked)
    assert (first.status, first.method_ref, first.setup_ref) == (STATUS.REQUIRES_ACTION, "", "seti_1TEST")
    assert first.next_action == base.Redirect(url="https://hooks.stripe.example/3ds")
    wire.add("GET", f"{API}/v1/setup_intents/seti_1TEST", json=setup | {"status": "succeeded"})
    done = gateway().query_saved_method("seti_1TEST")
    assert (done.status, done.method_ref, done.customer_ref) == (STATUS.SUCCEEDED, "pm_1KEPT", "cus_1")
    assert (done.details.last_four, done.details.card_brand) == ("4242", "visa")
    assert "pm_1KEPT" not in repr(done)


def test_deleting_detaches_and_twice_is_no_error(wire):
    kept = base.SavedMethod(method_ref="pm_1KEPT")
    url = f"{API}/v1/payment_methods/pm_1KEPT/detach"
    wire.add("POST", url, json={"id": "pm_1KEPT", "object": "payment_method"})
    gateway().delete_method(kept)
    wire.replace("POST", url, **sample.error(400, message="The payment method you provided is not attached"))
    gateway().delete_method(kept)


# --- the statement ---


def test_a_statement_is_one_utc_day_line_by_line(wire):
    def entry(ident, kind, source, **more):
        return {"id": ident, "object": "balance_transaction", "type": kind, "created": AT, "currency": "gbp",
                "amount": 1999, "source": source} | more  # fmt: skip

    data = [
        entry("txn_1", "charge", sample.charge(), fee=58),
        entry("txn_2", "refund", sample.refund(), amount=-500, fee=0),
        entry(
            "txn_3",
            "adjustment",
            {"id": "dp_1", "amount": 1999, "currency": "gbp"},
            reporting_category="dispute",
        ),
        entry("txn_4", "payout", None),
    ]
    wire.add(
        "GET", f"{API}/v1/balance_transactions", json={"object": "list", "data": data, "has_more": False}
    )
    lines = gateway().statement(date(2025, 8, 30))
    start = int(datetime(2025, 8, 30, tzinfo=UTC).timestamp())
    assert f"created[gte]={start}&created[lt]={start + 86400}" in unquote(wire.calls[0].request.url)
    assert [(line.kind, line.amount, line.provider_ref) for line in lines] == [
        ("payment", Money(1999, "GBP"), INTENT),
        ("refund", Money(500, "GBP"), "re_3TESTback"),
        ("dispute", Money(1999, "GBP"), "dp_1"),
    ]
    assert (lines[0].fee, lines[0].out_trade_no, lines[1].out_refund_no) == (Money(58, "GBP"), NUMBER, "R1")
