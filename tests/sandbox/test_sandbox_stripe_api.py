"""The simulated Stripe, driven end to end by Stripe's own SDK."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests
import stripe as sdk

from tests.support.stripe_sandbox import KEY, StripeSandbox

PRICES = {
    "price_1QlYNRHVMy0i1BlJA1y0DxB2": ("Starter Plan", 500),
    "price_1QlYO1HVMy0i1BlJyDD3GlsN": ("Advanced Plan", 1500),
    "price_1QlYOaHVMy0i1BlJ1ZpdOMAO": ("Professional Plan", 9900),
    "price_1QlYOrHVMy0i1BlJDHxIswM7": ("Lifetime Plan", 40000),
    "price_1Qme87HVMy0i1BlJR1PRWOgz": ("Small Points Pack", 200),
    "price_1Qme9BHVMy0i1BlJwFyjwZwj": ("Medium Points Pack", 500),
    "price_1QmeA6HVMy0i1BlJQD5dc34Z": ("Large Points Pack", 1200),
}
STARTER = "price_1QlYNRHVMy0i1BlJA1y0DxB2"
BACK = "https://shop.example/back"


@pytest.fixture
def client(stripe_sandbox: StripeSandbox) -> sdk.StripeClient:
    return stripe_sandbox.sdk()


def new_intent(client: sdk.StripeClient, **params: Any) -> sdk.PaymentIntent:
    values: dict[str, Any] = {"amount": 1999, "currency": "gbp", "payment_method_types": ["card"]}
    return client.v1.payment_intents.create(params=values | params)


def paid(client: sdk.StripeClient, token: str = "pm_card_visa", **params: Any) -> sdk.PaymentIntent:
    return new_intent(client, payment_method=token, confirm=True, return_url=BACK, **params)


def wait(find, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_the_prices_of_seed_3_stand_in_the_account(client):
    found = client.v1.prices.list(params={"limit": 100, "expand": ["data.product"]})
    assert {price.id: (price.product.name, price.unit_amount) for price in found.data} == PRICES
    assert {price.currency for price in found.data} == {"usd"}
    assert len(client.v1.products.list(params={"active": True, "limit": 3}).data) == 3
    assert client.v1.accounts.retrieve_current().id.startswith("acct_")


def test_a_session_from_a_price_is_paid_on_its_page(client, stripe_sandbox):
    made = client.v1.checkout.sessions.create(
        params={
            "mode": "payment", "line_items": [{"price": STARTER, "quantity": 2}], "success_url": BACK,
            "payment_intent_data": {"metadata": {"a": "b"}}, "client_reference_id": "R1",
        }
    )  # fmt: skip
    assert (made.status, made.payment_status, made.amount_total, made.payment_intent) == (
        "open",
        "unpaid",
        1000,
        None,
    )
    assert made.url == f"{stripe_sandbox.api_base}/c/pay/{made.id}"
    stripe_sandbox.pay(made.id, email="alice@example.com")
    expand = {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    done = client.v1.checkout.sessions.retrieve(made.id, params=expand)
    assert (done.status, done.payment_status) == ("complete", "paid")
    intent = done.payment_intent
    assert (intent.status, intent.amount_received, intent.metadata["a"]) == ("succeeded", 1000, "b")
    assert intent.latest_charge.metadata["a"] == "b"
    assert intent.latest_charge.balance_transaction.net == 1000 - 29 - 30
    kinds = [event["type"] for event in stripe_sandbox.books()["event"]]
    assert kinds == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({"price": "price_nope", "quantity": 1}, "resource_missing", "line_items[0][price]"),
        ({"price_data": {"currency": "xxx", "unit_amount": 500, "product_data": {"name": "a"}}}, None, "currency"),
        ({"price_data": {"currency": "usd", "unit_amount": 49, "product_data": {"name": "a"}}}, "amount_too_small", None),
    ],
)  # fmt: skip
def test_what_a_page_refuses(client, item, code, param):
    with pytest.raises(sdk.InvalidRequestError) as caught:
        client.v1.checkout.sessions.create(
            params={"mode": "payment", "line_items": [item], "success_url": BACK}
        )
    assert (caught.value.code, caught.value.param) == (code, param)


def test_an_inactive_price_is_refused(client):
    client.v1.prices.update(STARTER, params={"active": False})
    with pytest.raises(sdk.InvalidRequestError, match="inactive"):
        client.v1.checkout.sessions.create(
            params={"mode": "payment", "line_items": [{"price": STARTER, "quantity": 1}], "success_url": BACK}
        )


def test_a_declined_card_leaves_the_page_open_and_an_expired_page_takes_nothing(client, stripe_sandbox):
    line = {
        "price_data": {"currency": "jpy", "unit_amount": 500, "product_data": {"name": "a"}},
        "quantity": 1,
    }
    made = client.v1.checkout.sessions.create(
        params={"mode": "payment", "line_items": [line], "success_url": BACK}
    )
    with pytest.raises(requests.HTTPError):
        stripe_sandbox.pay(made.id, "4000000000000002")
    seen = client.v1.checkout.sessions.retrieve(made.id, params={"expand": ["payment_intent"]})
    assert (seen.status, seen.payment_intent.status) == ("open", "requires_payment_method")
    gone = client.v1.checkout.sessions.expire(made.id)
    assert (gone.status, gone.url) == ("expired", None)
    assert client.v1.payment_intents.retrieve(seen.payment_intent.id).status == "canceled"
    with pytest.raises(sdk.InvalidRequestError, match="can be expired"):
        client.v1.checkout.sessions.expire(made.id)
    with pytest.raises(requests.HTTPError):
        stripe_sandbox.pay(made.id)


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000000069", "expired_card", "expired_card"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
        ("4000000000000119", "processing_error", "processing_error"),
        ("4100000000000019", "card_declined", "fraudulent"),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
    ],
)
def test_a_declined_card_is_a_402_with_its_payment(client, number, code, reason):
    card = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = client.v1.payment_methods.create(params={"type": "card", "card": card})
    with pytest.raises(sdk.CardError) as caught:
        paid(client, method.id)
    error = caught.value.error
    assert (caught.value.http_status, error.type, error.code, error.decline_code) == (
        402,
        "card_error",
        code,
        reason,
    )
    kept = client.v1.payment_intents.retrieve(error.payment_intent.id, params={"expand": ["latest_charge"]})
    assert (kept.status, kept.last_payment_error.code) == ("requires_payment_method", code)
    assert (kept.latest_charge.status, kept.latest_charge.paid) == ("failed", False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 2020}, "invalid_expiry_year"),
        ({"cvc": "1"}, "invalid_cvc"),
    ],
)
def test_a_card_that_is_no_card(client, stripe_sandbox, change, code):
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"} | change
    with pytest.raises(sdk.CardError) as caught:
        client.v1.payment_methods.create(params={"type": "card", "card": card})
    assert caught.value.code == code
    assert stripe_sandbox.books()["payment_method"] == []
    text = str(stripe_sandbox.sandbox.calls())
    assert str(card["number"]) not in text


@pytest.mark.parametrize(("approve", "status"), [(True, "succeeded"), (False, "requires_payment_method")])
def test_three_d_secure_waits_for_the_shopper(client, stripe_sandbox, approve, status):
    intent = paid(client, "pm_card_threeDSecure2Required")
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.url == f"{stripe_sandbox.api_base}/3ds/{intent.id}"
    stripe_sandbox.authenticate(intent.id, approve=approve)
    stripe_sandbox.authenticate(intent.id, approve=not approve)  # too late
    seen = client.v1.payment_intents.retrieve(intent.id)
    assert seen.status == status
    if not approve:
        assert seen.last_payment_error.code == "payment_intent_authentication_failure"


def test_a_saved_card_is_not_asked_twice_and_a_detached_one_is_gone(client, stripe_sandbox):
    customer = client.v1.customers.create(params={"email": "alice@example.com"})
    setup = client.v1.setup_intents.create(
        params={"customer": customer.id, "payment_method": "pm_card_authenticationRequired", "confirm": True,
                "return_url": BACK}
    )  # fmt: skip
    assert setup.status == "requires_action"
    stripe_sandbox.authenticate(setup.id)
    kept = client.v1.customers.payment_methods.list(customer.id).data
    assert [method.card.last4 for method in kept] == ["3155"]
    assert paid(client, kept[0].id, customer=customer.id).status == "succeeded"
    with pytest.raises(sdk.InvalidRequestError):
        paid(client, kept[0].id)
    client.v1.payment_methods.detach(kept[0].id)
    with pytest.raises(sdk.InvalidRequestError):
        paid(client, kept[0].id, customer=customer.id)


def test_capture_cancel_and_their_refusals(client):
    held = paid(client, capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 1999)
    taken = client.v1.payment_intents.capture(held.id, params={"amount_to_capture": 500})
    assert (taken.status, taken.amount_received) == ("succeeded", 500)
    for verb in (client.v1.payment_intents.capture, client.v1.payment_intents.cancel):
        with pytest.raises(sdk.InvalidRequestError) as caught:
            verb(held.id)
        assert caught.value.code == "payment_intent_unexpected_state"
    assert client.v1.payment_intents.cancel(paid(client, capture_method="manual").id).status == "canceled"


def test_refunds_never_exceed_the_charge(client):
    intent = paid(client)
    first = client.v1.refunds.create(
        params={"payment_intent": intent.id, "amount": 1500, "metadata": {"n": "R1"}}
    )
    assert (first.status, first.metadata["n"]) == ("succeeded", "R1")
    with pytest.raises(sdk.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 500})
    client.v1.refunds.create(params={"payment_intent": intent.id})
    with pytest.raises(sdk.InvalidRequestError) as caught:
        client.v1.refunds.create(params={"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (1999, True)


def test_slow_and_failing_refunds_and_a_dispute(client, stripe_sandbox):
    slow = client.v1.refunds.create(params={"payment_intent": paid(client, "pm_card_pendingRefund").id})
    failing = client.v1.refunds.create(params={"payment_intent": paid(client, "pm_card_refundFail").id})
    assert (slow.status, failing.status) == ("pending", "succeeded")
    disputed = paid(client, "pm_card_createDispute")
    wait(lambda: client.v1.refunds.retrieve(slow.id).status == "succeeded")
    wait(lambda: client.v1.refunds.retrieve(failing.id).status == "failed")
    dispute = wait(lambda: client.v1.disputes.list(params={"payment_intent": disputed.id}).data)[0]
    assert (dispute.status, dispute.amount, dispute.reason) == ("needs_response", 1999, "fraudulent")
    with pytest.raises(sdk.InvalidRequestError) as caught:
        client.v1.refunds.create(params={"payment_intent": disputed.id})
    assert caught.value.code == "charge_disputed"
    evidence = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert client.v1.disputes.update(dispute.id, params=evidence).status == "won"


@pytest.mark.parametrize(
    ("account", "status"), [("000123456789", "succeeded"), ("000111111116", "requires_payment_method")]
)
def test_a_bank_transfer_takes_its_days(client, account, status):
    bank = {"account_number": account, "routing_number": "110000000", "account_holder_type": "individual"}
    method = client.v1.payment_methods.create(
        params={"type": "us_bank_account", "us_bank_account": bank, "billing_details": {"name": "Alice"}}
    )
    intent = paid(
        client, method.id, currency="usd", payment_method_types=["us_bank_account"],
        mandate_data={"customer_acceptance": {"type": "offline"}},
    )  # fmt: skip
    assert intent.status == "processing"
    wait(lambda: client.v1.payment_intents.retrieve(intent.id).status == status)


# --- idempotency, lists, transport ---


def test_a_key_is_one_payment_and_its_answer_is_kept(client, stripe_sandbox):
    params, options = {"amount": 500, "currency": "usd"}, {"idempotency_key": "K1"}
    first = client.v1.payment_intents.create(params=params, options=options)
    again = client.v1.payment_intents.create(params=params, options=options)
    assert first.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(sdk.IdempotencyError):
        client.v1.payment_intents.create(params=params | {"amount": 501}, options=options)
    with pytest.raises(sdk.InvalidRequestError):
        client.v1.payment_intents.create(
            params={"amount": 1, "currency": "usd"}, options={"idempotency_key": "K2"}
        )
    assert client.v1.payment_intents.create(params=params, options={"idempotency_key": "K2"}).amount == 500
    stripe_sandbox.fault("error_after_accepting", count=1)
    for _ in range(2):  # a 500 is kept too
        with pytest.raises(sdk.APIError):
            client.v1.payment_intents.create(params=params, options={"idempotency_key": "K3"})
    assert len(stripe_sandbox.books()["payment_intent"]) == 3


def test_the_same_key_at_the_same_time_is_409(client, stripe_sandbox):
    stripe_sandbox.fault("slow", count=1, seconds=2)
    params, options = {"amount": 500, "currency": "usd"}, {"idempotency_key": "K1"}
    first = threading.Thread(target=lambda: client.v1.payment_intents.create(params=params, options=options))
    first.start()
    wait(lambda: stripe_sandbox.books()["faults"][0]["strokes"] == 1)  # it is at work, and has its key
    with pytest.raises(sdk.StripeError) as caught:
        client.v1.payment_intents.create(params=params, options=options)
    first.join()
    assert caught.value.http_status == 409
    assert len(stripe_sandbox.books()["payment_intent"]) == 1


def test_lists_are_newest_first_and_paged(client):
    made = [new_intent(client, amount=1000 + n).id for n in range(5)]
    page = client.v1.payment_intents.list(params={"limit": 2})
    assert ([item.id for item in page.data], page.has_more) == ([made[4], made[3]], True)
    assert [item.id for item in page.auto_paging_iter()] == made[::-1]
    last = client.v1.payment_intents.list(params={"limit": 2, "ending_before": made[0]})
    assert [item.id for item in last.data] == [made[2], made[1]]
    future = {"created": {"gt": int(time.time()) + 5}}
    assert client.v1.payment_intents.list(params=future).data == []


def test_keys_unknown_ids_and_versions(stripe_sandbox):
    url = f"{stripe_sandbox.api_base}/v1/payment_intents/pi_nope"
    assert requests.get(url, timeout=9).status_code == 401
    assert (
        requests.get(url, headers={"Authorization": "Bearer sk_live_" + "x" * 24}, timeout=9).status_code
        == 401
    )
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2024-04-10"}
    answer = requests.get(url, headers=headers, timeout=9)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    assert answer.headers["Stripe-Version"] == "2024-04-10"
    assert answer.headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("down", sdk.APIError, 0), ("rate_limited", sdk.RateLimitError, 0), ("dropped", sdk.APIConnectionError, 0),
        ("answer_lost_after_accepting", sdk.APIConnectionError, 1), ("error_after_accepting", sdk.APIError, 1),
    ],
)  # fmt: skip
def test_faults_of_the_transport(client, stripe_sandbox, fault, error, made):
    stripe_sandbox.fault(fault, count=1, target="payment_intents.create")
    with pytest.raises(error):
        new_intent(client)
    assert len(stripe_sandbox.books()["payment_intent"]) == made
