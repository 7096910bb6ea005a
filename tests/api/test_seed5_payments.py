"""Seed 5, POST and GET /api/v1/payments: its own requests and answers, field by field, at the real Stripe gateway."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from orders.models import Order
from payments.models import PaymentIntent
from tests import factories
from tests.support import seed5
from tests.support.seed5 import PAYMENTS, assert_error
from tests.support.stripe_books import StripeBooks

pytestmark = pytest.mark.django_db
PAYMENT_ID = re.compile(r"pay_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
USED = {
    "method_type": "card", "last_four": "4242", "card_brand": "visa", "exp_month": "12", "exp_year": "2035",
    "cardholder_name": "John Doe", "token": None,
}  # fmt: skip


def test_the_seeds_card_payment(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    order_id = str(uuid.uuid4())
    answer = server.pay(order_id=order_id)
    intent = PaymentIntent.objects.get()
    told = answer.json()
    assert answer.status_code == 200, told
    assert re.fullmatch(r"shop_cs_[\w-]{43}", told.pop("client_secret"))
    assert told == {
        "type": "success",
        "payment_id": f"pay_{intent.public_id}",
        "transaction_id": intent.provider_ref,
        "payment_status": "succeeded",
        "payment_method": USED,
        "receipt_url": "https://pay.stripe.example/receipts/1",
    }
    assert answer["Cache-Control"] == "no-store"
    order = Order.objects.get()
    assert (order.kind, str(order.public_id), order.status) == ("merchant", order_id, "completed")
    assert (order.total_minor, order.currency, order.email) == (9999, "USD", "customer@example.com")
    sent = stripe_books.sent("create")[0]
    assert (sent["amount"], sent["currency"], sent["metadata[order_number]"]) == ("9999", "usd", "1001")
    assert (sent["description"], stripe_books.sent("method")[0]["card[number]"]) == ("订单 #1001", "4242" * 4)


def test_the_seeds_status(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    payment_id = server.pay().json()["payment_id"]
    answer = server.get(f"{PAYMENTS}/{payment_id}")
    intent = PaymentIntent.objects.get()
    told = answer.json()
    times = [told.pop(name) for name in ("created_at", "completed_at")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    assert (answer.status_code, told) == (200, {
        "payment_id": payment_id, "status": "succeeded", "amount": "99.99", "currency": "USD", "gateway": "stripe",
        "transaction_id": intent.provider_ref,
        "payment_method": {"method_type": "card", "last_four": "4242", "card_brand": "visa"},
    })  # fmt: skip


@pytest.mark.parametrize(("number", "code"), [
    ("4000000000000002", "CARD_DECLINED"), ("4000000000009995", "INSUFFICIENT_FUNDS"),
    ("4000000000000069", "EXPIRED_CARD"), ("4000000000000127", "INCORRECT_CVC"),
    ("4000000000000119", "PROCESSING_ERROR"),
])  # fmt: skip
def test_the_seeds_decline(stripe_books: StripeBooks, number: str, code: str) -> None:
    answer = seed5.server().pay(number)
    told = answer.json()
    intent = PaymentIntent.objects.get()
    message = told["error_message"]
    assert (answer.status_code, told.pop("client_secret")[:8]) == (402, "shop_cs_")
    assert told == {
        "type": "failed", "payment_id": intent.payment_id, "error_code": code.lower(), "error_message": message,
        "retry_allowed": True, "error": {"code": code, "message": message},
    }  # fmt: skip
    assert number not in answer.content.decode()
    assert (intent.status, intent.order.status) == ("failed", "pending")


def test_a_stolen_card_is_declined_like_any_other_but_not_to_be_tried_again(
    stripe_books: StripeBooks,
) -> None:
    told = seed5.server().pay("4000000000009979").json()
    assert (told["error_code"], told["retry_allowed"]) == ("card_declined", False)
    assert "stolen" not in str(told).lower()


def test_the_seeds_3ds_and_its_completion(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    told = server.pay("4000002500003155", return_url="http://127.0.0.1:8000/done").json()
    intent = PaymentIntent.objects.get()
    url = f"https://hooks.stripe.example/3d_secure/{intent.provider_ref}"
    told.pop("client_secret")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.pop("expires_at"))
    assert told == {
        "type": "requires_action", "payment_id": intent.payment_id, "action_type": "three_d_secure",
        "action_data": {
            "type": "use_stripe_sdk", "stripe_js": {"type": "three_d_secure_redirect", "stripe_js": url},
            "redirect_url": url, "method": "GET", "fields": {},
        },
    }  # fmt: skip
    stripe_books.passes(intent.provider_ref)
    body = {
        "action_type": "three_d_secure",
        "action_data": {
            "payment_intent": intent.provider_ref,
            "payment_intent_client_secret": "pi_x_secret_y",
        },
    }
    done = server.post(f"{PAYMENTS}/{intent.payment_id}/complete", body)
    assert (done.status_code, done.json()) == (200, {
        "type": "success", "payment_id": intent.payment_id, "transaction_id": intent.provider_ref,
        "payment_status": "succeeded", "payment_method": {**USED, "last_four": "3155"},
        "receipt_url": "https://pay.stripe.example/receipts/1",
    })  # fmt: skip
    assert server.post(f"{PAYMENTS}/{intent.payment_id}/complete", body).json() == done.json()


def test_a_bank_check_that_fails_is_a_decline(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    payment_id = server.pay("4000002500003155").json()["payment_id"]
    stripe_books.fails_bank(PaymentIntent.objects.get().provider_ref)
    done = server.post(
        f"{PAYMENTS}/{payment_id}/complete", {"action_type": "three_d_secure", "action_data": {}}
    )
    assert_error(done, 402, "CARD_DECLINED")
    assert (done.json()["type"], done.json()["error_code"]) == ("failed", "authentication_failed")


def test_another_payments_reference_settles_nothing(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    payment_id = server.pay("4000002500003155").json()["payment_id"]
    paid = server.pay().json()
    body: dict[str, Any] = {"action_data": {"payment_intent": paid["transaction_id"]}}
    asked = stripe_books.count("read")
    assert_error(server.post(f"{PAYMENTS}/{payment_id}/complete", body), 400, "INVALID_REQUEST")
    assert stripe_books.count("read") == asked
    assert server.get(f"{PAYMENTS}/{payment_id}").json()["status"] == "requires_action"


def test_started_without_means_and_confirmed_by_the_page(stripe_books: StripeBooks) -> None:
    started = seed5.server().pay(payment_method=None)
    told = started.json()
    secret, payment_id = told.pop("client_secret"), told["payment_id"]
    told.pop("expires_at")
    assert (started.status_code, told) == (200, {
        "type": "requires_action", "payment_id": payment_id, "action_type": "client_params",
        "action_data": {"type": "confirm", "confirm_url": f"{PAYMENTS}/{payment_id}/confirm"},
    })  # fmt: skip
    page = seed5.page()
    body = {"payment_method": {"type": "token", "token": "pm_card_visa"}}
    assert_error(page.post(f"{PAYMENTS}/{payment_id}/confirm", body), 404, "PAYMENT_NOT_FOUND")
    page.headers["X-Payment-Client-Secret"] = secret
    paid = page.post(f"{PAYMENTS}/{payment_id}/confirm", body)
    assert (paid.status_code, paid.json()["type"], "client_secret" in paid.json()) == (200, "success", False)
    assert page.get(f"{PAYMENTS}/{payment_id}").json()["status"] == "succeeded"
    assert_error(page.post(f"{PAYMENTS}/{payment_id}/confirm", body), 409, "ALREADY_PAID")
    assert_error(page.post(f"{PAYMENTS}/{payment_id}/refund", {}), 403, "FORBIDDEN")
    assert stripe_books.count("confirm") == 1


def test_an_order_of_ours_is_paid_by_its_owner(stripe_books: StripeBooks) -> None:
    alice = factories.user()
    order = factories.order(kind="merchant", user=alice, total_minor=1999, currency="GBP")
    mine = {"order_id": str(order.public_id), "amount": "19.99", "currency": "GBP"}
    told = seed5.shopper(alice).pay(**mine, customer_id=str(alice.public_id))
    assert (told.status_code, told.json()["payment_status"]) == (200, "succeeded"), told.content
    order.refresh_from_db()
    assert order.status == "completed"
    assert_error(seed5.shopper(alice).pay(**mine), 409, "ALREADY_PAID")


@pytest.mark.parametrize("path", [
    "/api/v1/payments", "/api/v1/payments/", "/api/v2/payments", "/api/v2/payments/", "/v2/payments", "/v2/payments/",
])  # fmt: skip
def test_every_form_of_the_address_answers(stripe_books: StripeBooks, path: str) -> None:
    server = seed5.server()
    payment_id = server.post(path, seed5.create()).json()["payment_id"]
    assert PAYMENT_ID.fullmatch(payment_id)
    assert server.get(f"{path.rstrip('/')}/{payment_id}/").status_code == 200
    methods = server.post(f"{path.rstrip('/')}/methods", {"currency": "USD", "amount": "1"})
    assert (methods.status_code, methods.json()[0]["gateway_id"] != "") == (200, True)
