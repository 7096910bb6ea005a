"""Seed 3: every error code in the seed's envelope, bad input by the table, limits; and that nothing happened then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
import time_machine
from django.test import Client

from orders.models import Order
from payments.models import PaymentIntent
from tests.support import checkout_books, goods, refusals
from tests.support import stripe as sample
from tests.support.checkout_books import CheckoutBooks

CREATE, STATUS = "/api/create-checkout-session", "/api/check-payment-status/"


@pytest.fixture
def books(transactional_db: None, settings: Any) -> Iterator[CheckoutBooks]:
    checkout_books.put_on(settings)
    settings.REDIRECT_ALLOWED_HOSTS = ["photosong.example", "dev.example:3000"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield CheckoutBooks(mock)


@pytest.fixture
def price_id(books: CheckoutBooks) -> str:
    pack = goods.pack()
    books.prices[pack.stripe_price_id] = (200, "usd")
    return str(pack.stripe_price_id)


@pytest.fixture
def nothing_happens(books: CheckoutBooks) -> Iterator[Callable[[], None]]:
    def rows() -> list[int]:
        return [Order.objects.count(), PaymentIntent.objects.count(), len(books.calls)]

    before: list[Any] = []
    yield lambda: before.append(rows())
    assert rows() == before[0]


def create(body: Any, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(CREATE, raw, content_type="application/json", headers=headers)


def assert_refused(answer: Any, status: int, code: str, kind: str = "invalid_request_error") -> str:
    """The seed's envelope and nothing else in it; answers the message."""
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "type"}
    assert (body["error"]["code"], body["error"]["type"]) == (code, kind)
    assert body["error"]["message"]
    return str(body["error"]["message"])


@pytest.mark.parametrize(
    "price_id",
    [None, "", 1, True, ["price_1"], {}, "price_xxx", "price_", "prod_1Qme87HVMy0i1BlJR1PRWOgz", "price_1'; --", "price_é",
     "price_" + "x" * 75, "PRICE_1"],
)  # fmt: skip
def test_invalid_price_id(price_id: Any, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    assert_refused(create({"priceId": price_id}), 400, "invalid_price_id")


def test_no_price_id(nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    assert_refused(create({}), 400, "invalid_price_id")


def test_price_not_found(books: CheckoutBooks) -> None:
    """Not sold any more here, or not there at Stripe."""
    gone, unknown = goods.pack(is_active=False), goods.pack()
    assert_refused(create({"priceId": gone.stripe_price_id}), 404, "price_not_found")
    assert not books.calls
    assert_refused(create({"priceId": unknown.stripe_price_id}), 404, "price_not_found")
    assert PaymentIntent.objects.get().status == "failed"


def test_currency_not_supported(books: CheckoutBooks, price_id: str) -> None:
    yuan = goods.pack(prices={"CNY": 990})
    assert_refused(create({"priceId": yuan.stripe_price_id}), 400, "currency_not_supported")
    assert not books.calls
    books.refuse = sample.error(400, message="Invalid currency: usd", param="currency")
    assert_refused(create({"priceId": price_id}), 400, "currency_not_supported")


@pytest.mark.parametrize("code", ["amount_too_small", "amount_too_large"])
def test_amounts(books: CheckoutBooks, price_id: str, code: str) -> None:
    books.refuse = sample.error(400, code=code)
    assert_refused(create({"priceId": price_id}), 400, code)
    books.refuse = None
    assert create({"priceId": price_id}).status_code == 200


def test_stripe_is_busy_or_refuses_us(books: CheckoutBooks, price_id: str) -> None:
    books.refuse = sample.error(429, code="rate_limit")
    answer = create({"priceId": price_id})
    assert_refused(answer, 429, "rate_limit_exceeded", "rate_limit_error")
    assert int(answer["Retry-After"]) >= 1
    books.refuse = sample.error(401, message="Invalid API Key provided")
    message = assert_refused(create({"priceId": price_id}), 500, "gateway_not_configured", "api_error")
    assert "sk_test" not in message
    books.refuse = sample.error(400, message="unknown parameter", param="foo")
    assert_refused(create({"priceId": price_id}), 502, "payment_not_started", "api_error")


def test_a_price_at_stripe_that_is_not_ours_is_not_sold(books: CheckoutBooks, price_id: str) -> None:
    books.prices[price_id] = (100, "usd")
    assert_refused(create({"priceId": price_id}), 502, "payment_not_started", "api_error")
    assert [one["word"] for one in books.sessions.values()] == ["expired/unpaid"]


def test_no_answer_is_not_a_failure(books: CheckoutBooks, price_id: str) -> None:
    books.silent = True
    told = {"priceId": price_id, "customerEmail": "one@example.com"}
    answer = create(told)
    assert_refused(answer, 503, "payment_uncertain", "api_error")
    books.silent = False
    session_id = create(told).json()["sessionId"]
    assert PaymentIntent.objects.get().provider_ref == session_id


def test_stripe_is_off(settings: Any, books: CheckoutBooks, price_id: str) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert_refused(create({"priceId": price_id}), 500, "gateway_not_configured", "api_error")
    assert not PaymentIntent.objects.exists()
    assert not books.calls


BAD_FIELDS: list[tuple[str, Any]] = [
    *[("metadata", wrong) for wrong in ("x", ["x"], {"a": {}}, {"a": "x" * 501}, {str(n): 1 for n in range(21)})],
    *[("paymentMethodTypes", wrong) for wrong in ("card", [1], {}, ["x"] * 21)],
    *[("customerEmail", wrong) for wrong in (1, "nobody", "a@b", "x" * 250 + "@example.com", ["a@example.com"])],
    *[("locale", wrong) for wrong in (1, "x" * 17, [])],
    *[(name, wrong) for name in ("successUrl", "cancelUrl") for wrong in (1, [], "https://photosong.example/" + "x" * 500)],
]  # fmt: skip


@pytest.mark.parametrize(("name", "wrong"), BAD_FIELDS)
def test_bad_fields(price_id: str, name: str, wrong: Any, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    assert_refused(create({"priceId": price_id, name: wrong}), 400, "invalid_request")


FOREIGN = [
    "https://evil.example/ok", "https://photosong.example.evil.example/", "//photosong.example/",
    "https://photosong.example@evil.example/", "https://evil.example\\@photosong.example/", "javascript:alert(1)", "/ok",
    "https://photosong.example:8443/ok", "https://user:pw@photosong.example/", "https://photosong.example/\nx", "https://[::1",
]  # fmt: skip


@pytest.mark.parametrize("name", ["successUrl", "cancelUrl"])
def test_addresses_off_the_list(price_id: str, name: str, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    for url in FOREIGN:
        assert_refused(create({"priceId": price_id, name: url}), 400, "redirect_not_allowed")


@pytest.mark.parametrize(
    "url", ["https://photosong.example/ok", "https://PhotoSong.example", "https://dev.example:3000/x", "http://127.0.0.1:8000/y"]
)  # fmt: skip
def test_addresses_on_the_list(price_id: str, url: str) -> None:
    assert create({"priceId": price_id, "successUrl": url}).status_code == 200


def test_bodies_that_are_none(books: CheckoutBooks, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    for why, (raw, content_type, status) in refusals.BROKEN.items():
        if why == "huge":
            raw = b'{"priceId": "' + b"x" * 300_000 + b'"}'
        answer = Client().post(CREATE, raw, content_type=content_type)
        assert answer.status_code == status, (why, answer.content)
        assert set(answer.json()["error"]) == {"code", "message", "type"}, why


@pytest.mark.parametrize(
    "session_id", ["cs_xxx", "cs_test_", "cs_test_a1Unknown", "cs_live_a1Unknown", "pi_3TEST", "cs_test_a1%00", "cs_test_é",
                   "cs_test_" + "a" * 121, "..", "cs_test_a-b", "cs_test_a1%0A"],
)  # fmt: skip
def test_unknown_sessions_cost_no_call(session_id: str, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    assert_refused(Client().get(STATUS + session_id), 404, "session_not_found")


def test_a_bad_token_is_not_anonymous(price_id: str, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    assert_refused(create({"priceId": price_id}, Authorization="Bearer nonsense"), 401, "unauthorized")


def test_a_hundred_a_minute_and_address(price_id: str, books: CheckoutBooks) -> None:
    """Both paths count together; another address is not concerned, and neither is another path."""
    began = datetime(
        2026, 11, 20, 12, 0, 5, tzinfo=UTC
    )  # a hundred requests may take longer than what is left of a minute
    with time_machine.travel(began, tick=False):
        _a_hundred_and_then(price_id, books)


def _a_hundred_and_then(price_id: str, books: CheckoutBooks) -> None:
    for _ in range(100):
        assert Client().get(STATUS + "cs_test_a1Unknown").status_code == 404
    for answer in (create({"priceId": price_id}), Client().get(STATUS + "cs_test_a1Unknown")):
        message = assert_refused(answer, 429, "rate_limit_exceeded", "rate_limit_error")
        assert message == "请求太频繁，请稍等片刻。"
        assert 1 <= int(answer["Retry-After"]) <= 60
    assert not books.calls
    english = create({"priceId": price_id}, **{"Accept-Language": "en"})
    assert english.json()["error"]["message"] == "Too many requests. Please wait a moment."
    other = Client(REMOTE_ADDR="203.0.113.9").get(STATUS + "cs_test_a1Unknown")
    assert other.status_code == 404
