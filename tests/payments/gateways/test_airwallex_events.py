"""Airwallex's signed posts: who may speak, how old it may be, and what each kind of event says."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from payments.gateways import base
from pimpshop.core.money import Money
from tests.payments.gateways import airwallex_answers as awx
from tests.payments.gateways.contract import NOW

PAID = awx.intent("SUCCEEDED", latest_payment_attempt=awx.attempt("SETTLED"))


def read(post, **config):
    return awx.make(**config).read_webhook(post)


@pytest.mark.parametrize("secret", [awx.SECRET, awx.OLD_SECRET])
def test_each_of_several_secrets_counts(secret):
    (event,) = read(awx.post("payment_intent.succeeded", PAID, secret=secret))
    assert (event.event_id, event.kind, event.confirmed) == ("evt_1", "payment_intent.succeeded", True)


def test_a_success_carries_its_facts_and_survives_the_inbox():
    (event,) = read(awx.post("payment_intent.succeeded", PAID))
    assert (event.out_trade_no, event.provider_ref, event.live) == (awx.NUMBER, awx.INTENT, False)
    facts = base.unpack(json.loads(json.dumps(base.pack(event)))).payment
    assert (facts.status, facts.amount, facts.account) == ("succeeded", Money(1999, "GBP"), awx.ACCOUNT)
    assert facts.method_details.last_four == "1003"
    assert "awx-client-secret-1" not in repr(event)


@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_five_minutes_either_way_are_fresh(minutes):
    assert read(awx.post("payment_intent.succeeded", PAID, at=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
def test_older_or_newer_is_refused(seconds):
    with pytest.raises(base.WebhookRejected) as caught:
        read(awx.post("payment_intent.succeeded", PAID, at=NOW + timedelta(seconds=seconds)))
    assert (caught.value.code, caught.value.http_status) == ("stale", 400)


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1.5", "9" * 15])
def test_a_time_that_is_none_is_refused(stamp):
    post = awx.post("payment_intent.succeeded", PAID)
    signature = awx.airwallex.sign(stamp, post.body, awx.SECRET)
    headers = {"X-Timestamp": stamp, "X-Signature": signature}
    with pytest.raises(base.WebhookRejected) as caught:
        read(dataclasses.replace(post, headers=headers))
    assert caught.value.code == "stale"


@pytest.mark.parametrize("secrets", [(), ("",), ("another",)])
def test_without_the_right_secret_nothing_is_believed(secrets):
    post = awx.post(
        "payment_intent.succeeded", PAID, secret=secrets[0] if secrets and not secrets[0] else awx.SECRET
    )
    with pytest.raises(base.WebhookRejected) as caught:
        read(post, webhook_secrets=secrets)
    assert (caught.value.code, caught.value.http_status) == ("bad_signature", 401)


def test_the_signature_of_another_body_or_time_is_refused():
    post, other = awx.post("payment_intent.succeeded", PAID), awx.post("payment_intent.created", awx.intent())
    for headers in (
        {**post.headers, "x-signature": other.headers["x-signature"]},
        {**post.headers, "x-timestamp": str(int(post.headers["x-timestamp"]) + 1)},
        {"x-timestamp": post.headers["x-timestamp"]},
        {**post.headers, "x-signature": "ключ"},
    ):
        with pytest.raises(base.WebhookRejected) as caught:
            read(dataclasses.replace(post, headers=headers))
        assert caught.value.code == "bad_signature"


def test_another_account_is_refused_unless_none_is_configured():
    post = awx.post("payment_intent.succeeded", PAID, account_id="acct_other")
    with pytest.raises(base.WebhookRejected) as caught:
        read(post)
    assert (caught.value.code, caught.value.http_status) == ("foreign", 403)
    assert read(post, account_id="")[0].account == ""


@pytest.mark.parametrize(
    ("name", "thing", "status"),
    [
        ("payment_intent.created", awx.intent(), "created"),
        ("payment_intent.requires_customer_action", awx.intent("REQUIRES_CUSTOMER_ACTION"), "requires_action"),
        ("payment_intent.requires_capture", awx.intent("REQUIRES_CAPTURE"), "authorized"),
        ("payment_intent.pending", awx.intent("PENDING"), "processing"),
        ("payment_intent.cancelled", awx.intent("CANCELLED"), "canceled"),
        ("payment_intent.requires_payment_method", awx.intent(latest_payment_attempt=awx.attempt("FAILED")), "failed"),
    ],
)  # fmt: skip
def test_other_intent_events(name, thing, status):
    (event,) = read(awx.post(name, thing))
    assert (event.status, event.payment.status, event.out_trade_no) == (status, status, awx.NUMBER)


@pytest.mark.parametrize(
    ("word", "status"),
    [("RECEIVED", "processing"), ("AUTHENTICATION_REDIRECTED", "requires_action"), ("PENDING_AUTHORIZATION", "processing"),
     ("AUTHORIZED", "authorized"), ("CAPTURE_REQUESTED", "succeeded"), ("SETTLED", "succeeded"), ("PAID", "succeeded"),
     ("CANCELLED", "canceled"), ("EXPIRED", "expired"), ("FAILED", "failed"), ("NEW_WORD", "processing")],
)  # fmt: skip
def test_an_attempt_only_makes_us_ask(word, status):
    thing = awx.attempt(word, payment_intent_id=awx.INTENT, merchant_order_id=awx.NUMBER)
    (event,) = read(awx.post("payment_attempt.received", thing))
    assert (event.status, event.provider_ref, event.out_trade_no) == (status, awx.INTENT, awx.NUMBER)
    assert (event.payment, base.pack(event)) == (None, {})


def test_a_refund_event_names_our_refund():
    (event,) = read(awx.post("refund.settled", awx.refund("SETTLED")))
    assert event.refund == base.RefundNotice(
        status=base.RefundStatus.SUCCEEDED, provider_ref="rfd_1", out_refund_no="R1", out_trade_no=awx.NUMBER,
        payment_ref=awx.INTENT, amount=Money(500, "GBP"), provider_status="SETTLED",
    )  # fmt: skip
    (foreign,) = read(awx.post("refund.accepted", awx.refund("ACCEPTED", metadata=None)))
    assert (foreign.refund.out_refund_no, foreign.provider_ref) == ("", awx.INTENT)


@pytest.mark.parametrize(
    ("word", "status"),
    [("REQUIRES_RESPONSE", "opened"), ("CHALLENGED", "under_review"), ("PENDING_DECISION", "under_review"),
     ("WON", "won"), ("REVERSED", "won"), ("LOST", "lost"), ("ACCEPTED", "lost"), ("EXPIRED", "lost"),
     ("CLOSED", "closed"), ("NEW_WORD", "under_review")],
)  # fmt: skip
def test_a_dispute_event(word, status):
    thing = {
        "id": "dsp_1", "payment_intent_id": awx.INTENT, "merchant_order_id": awx.NUMBER, "amount": 19.99, "currency": "GBP",
        "status": word, "stage": "RFI", "reason": {"code": "10.4"}, "due_at": "2025-09-09T00:00:00+0000",
    }  # fmt: skip
    (event,) = read(awx.post("payment_dispute.updated", thing))
    assert event.dispute == base.DisputeNotice(
        provider_ref="dsp_1", status=base.DisputeStatus(status), amount=Money(1999, "GBP"), out_trade_no=awx.NUMBER,
        payment_ref=awx.INTENT, reason="10.4", deadline=datetime(2025, 9, 9, tzinfo=UTC), money_moved=False,
        provider_status=word,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["customer.created", "payment_consent.verified", "payment_method.created"])
def test_what_names_no_payment_is_no_event(name):
    assert list(read(awx.post(name, {"id": "x_1", "status": "VERIFIED"}))) == []


@pytest.mark.parametrize("thing", [{}, {"id": awx.INTENT}, {"status": "SUCCEEDED"}])
def test_a_signed_post_without_a_payment_is_refused(thing):
    with pytest.raises(base.WebhookRejected):
        read(awx.post("payment_intent.succeeded", thing))


@pytest.mark.parametrize("amount", [None, "much", True, 19.999, float("inf")])
def test_an_amount_that_cannot_be_read_is_no_proof(amount):
    thing = awx.intent("SUCCEEDED", amount=amount)
    if amount == float("inf"):
        with pytest.raises(base.WebhookRejected):
            read(awx.post("payment_intent.succeeded", thing))
        return
    (event,) = read(awx.post("payment_intent.succeeded", thing))
    assert (event.payment, event.amount_told, event.status) == (None, None, "succeeded")
