"""Seed 3, request by request: the page is opened once, its status told in the seed's seven words. Stripe is on the wire."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
import time_machine
from django.test import Client

from accounts.services import tokens
from orders.models import Order
from payments.models import PaymentIntent
from tests import factories
from tests.support import checkout_books, goods
from tests.support import stripe as sample
from tests.support.checkout_books import CheckoutBooks

CREATE, STATUS = "/api/create-checkout-session", "/api/check-payment-status/"


@pytest.fixture
def books(transactional_db: None, settings: Any) -> Iterator[CheckoutBooks]:
    checkout_books.put_on(settings)
    settings.REDIRECT_ALLOWED_HOSTS = ["photosong.example"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield CheckoutBooks(mock)


@pytest.fixture
def price_id(books: CheckoutBooks) -> str:
    """A pack for 2.00 USD, known to Stripe too."""
    pack = goods.pack(credits=800)
    books.prices[pack.stripe_price_id] = (200, "usd")
    return str(pack.stripe_price_id)


def create(
    price_id: Any, client: Client | None = None, headers: dict[str, str] | None = None, **more: Any
) -> Any:
    body = json.dumps({"priceId": price_id, **more})
    return (client or Client()).post(CREATE, body, content_type="application/json", headers=headers)


def bearer(user: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.issue(user)[0]}"}


def status(session_id: str) -> str:
    answer = Client().get(STATUS + session_id)
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"status"}
    word: str = answer.json()["status"]
    return word


def test_create(books: CheckoutBooks, price_id: str) -> None:
    answer = create(price_id)
    assert answer.status_code == 200, answer.content
    (session_id,) = books.sessions
    assert answer.json() == {
        "url": f"https://checkout.stripe.example/c/pay/{session_id}", "sessionId": session_id,
    }  # fmt: skip
    order, intent = Order.objects.get(), PaymentIntent.objects.get()
    assert (order.kind, order.currency, order.total_minor, order.user, order.email) == (
        "credits",
        "USD",
        200,
        None,
        "",
    )
    assert order.lines.get().snapshot["credits"] == 800
    (sent,) = books.created()
    assert (sent["line_items[0][price]"], sent["mode"]) == (price_id, "payment")
    assert (sent["client_reference_id"], sent["metadata[out_trade_no]"]) == (intent.out_trade_no,) * 2
    assert "session_id={CHECKOUT_SESSION_ID}" in sent["success_url"]


def test_a_plan(books: CheckoutBooks) -> None:
    plan = goods.plan()
    books.prices[plan.stripe_price_id] = (500, "usd")
    assert create(plan.stripe_price_id).status_code == 200
    line = Order.objects.get(kind="plan").lines.get().snapshot
    assert (line["points"], line["term_days"], line["stripe_price_id"]) == (2000, 30, plan.stripe_price_id)


def test_the_newer_clients_fields(books: CheckoutBooks, price_id: str) -> None:
    answer = create(
        price_id, metadata={"song": "7"}, paymentMethodTypes=["card"], successUrl="https://photosong.example/ok?a=1",
        cancelUrl="https://photosong.example/no", customerEmail="Buyer@Example.com", allowPromotionCodes=True, locale="zh",
    )  # fmt: skip
    session_id = answer.json()["sessionId"]
    intent = PaymentIntent.objects.get()
    assert intent.order.email == "buyer@example.com"
    (sent,) = books.created()
    assert (sent["customer_email"], sent["locale"]) == ("buyer@example.com", "zh")
    assert "allow_promotion_codes" not in sent
    back = Client().get(sent["cancel_url"].removeprefix("http://127.0.0.1:8000"))
    assert back["Location"] == (
        f"https://photosong.example/no?payment_id={intent.payment_id}&session_id={session_id}"
    )
    books.pays(session_id)
    PaymentIntent.objects.update(last_query_at=None)
    back = Client().get(sent["success_url"].removeprefix("http://127.0.0.1:8000"))
    assert back["Location"] == (
        f"https://photosong.example/ok?a=1&payment_id={intent.payment_id}&session_id={session_id}"
    )
    assert status(session_id) == "paid"


WORDS = {
    "open/unpaid": "unpaid",
    "open/unpaid/requires_payment_method": "unpaid",
    "open/no_payment_required": "unpaid",
    "complete/paid/succeeded": "paid",
    "complete/unpaid": "processing",
    "complete/unpaid/processing": "processing",
    "complete/unpaid/requires_action": "processing",
    "complete/unpaid/requires_payment_method": "failed",
    "complete/unpaid/canceled": "canceled",
    "expired/unpaid": "expired",
}


@pytest.mark.parametrize(("word", "told"), WORDS.items())
def test_every_status(books: CheckoutBooks, price_id: str, word: str, told: str) -> None:
    session_id = create(price_id).json()["sessionId"]
    books.becomes(session_id, word)
    assert status(session_id) == told
    assert Order.objects.get().status == (
        "completed" if told == "paid" and _completed() else "paid" if told == "paid" else "pending"
    )


def _completed() -> bool:
    return Order.objects.filter(status="completed").exists()


def test_stripe_is_asked_at_most_once_in_three_seconds(books: CheckoutBooks, price_id: str) -> None:
    session_id = create(price_id).json()["sessionId"]
    with time_machine.travel(datetime.now(UTC), tick=False):  # five requests, however long they take
        assert [status(session_id) for _ in range(5)] == ["unpaid"] * 5
    assert books.asked() == 1


def test_a_paid_session_is_not_asked_about(books: CheckoutBooks, price_id: str) -> None:
    session_id = create(price_id).json()["sessionId"]
    books.pays(session_id)
    assert status(session_id) == "paid"
    PaymentIntent.objects.update(last_query_at=None)
    assert status(session_id) == "paid"
    assert books.asked() == 1


@pytest.mark.parametrize("who", ["user", "email"])
def test_the_same_buyer_gets_the_open_page_again(books: CheckoutBooks, price_id: str, who: str) -> None:
    headers = bearer(factories.user()) if who == "user" else {}
    more = {"customerEmail": "one@example.com"} if who == "email" else {}
    first = create(price_id, headers=headers, **more).json()
    assert create(price_id, headers=headers, **more).json() == first
    assert len(books.sessions) == Order.objects.count() == 1
    if who == "email":
        assert create(price_id, customerEmail="two@example.com").json() != first
    else:
        assert create(price_id, headers=bearer(factories.user())).json() != first


def test_nobody_is_known_by_their_address(books: CheckoutBooks, price_id: str) -> None:
    first, second = create(price_id).json(), create(price_id).json()
    assert first["sessionId"] != second["sessionId"]


def test_another_way_back_is_another_page(books: CheckoutBooks, price_id: str) -> None:
    mine = bearer(factories.user())
    first = create(price_id, headers=mine).json()
    other = create(price_id, headers=mine, successUrl="https://photosong.example/ok").json()
    assert other["sessionId"] != first["sessionId"]
    assert create(price_id, headers=mine, successUrl="https://photosong.example/ok").json() == other


def test_a_paid_page_is_not_opened_again(books: CheckoutBooks, price_id: str) -> None:
    mine = bearer(factories.user())
    first = create(price_id, headers=mine).json()["sessionId"]
    books.pays(first)
    assert status(first) == "paid"
    assert create(price_id, headers=mine).json()["sessionId"] != first


@pytest.mark.race
def test_two_clicks_at_once_give_one_page(
    books: CheckoutBooks, price_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection

    from payments.services import intents

    monkeypatch.setattr(intents, "WAIT_FOR_OTHER", 60.0)  # the first may take longer on a busy machine
    mine = bearer(factories.user())
    answers: list[Any] = []

    def click() -> None:
        answers.append(create(price_id, headers=mine))
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join(120)
    assert [answer.status_code for answer in answers] == [200, 200], [a.content for a in answers]
    assert answers[0].json() == answers[1].json()
    assert len(books.sessions) == Order.objects.count() == PaymentIntent.objects.count() == 1


def test_a_guests_purchase_belongs_to_the_address_that_stripe_reports(
    books: CheckoutBooks, price_id: str, settings: Any
) -> None:
    """By a poll, and by a webhook: the event is stored without it, so Stripe is asked."""
    polled = create(price_id).json()["sessionId"]
    books.pays(polled)
    assert status(polled) == "paid"
    assert Order.objects.get().email == "buyer@example.com"
    told = create(price_id).json()["sessionId"]
    books.pays(told)
    books.email = "other@example.com"
    post = sample.signed(
        json.dumps(sample.event("checkout.session.completed", books.session(told))).encode(),
        at=int(time.time()),
    )
    answer = Client().post(
        "/api/stripe/webhook", post.body, content_type="application/json", headers=dict(post.headers)
    )
    assert answer.status_code == 200
    from payments.models import WebhookEvent
    from payments.services import inbox

    assert "other@example.com" not in json.dumps(list(WebhookEvent.objects.values_list("payload", flat=True)))
    for event in inbox.due():
        inbox.process(event)
    assert PaymentIntent.objects.get(provider_ref=told).order.email == "other@example.com"


def test_logged_in_on_a_page(books: CheckoutBooks, price_id: str) -> None:
    """No CSRF token is needed for JSON, and the purchase is theirs."""
    user = factories.user()
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert create(price_id, client).status_code == 200
    assert Order.objects.get().user == user
