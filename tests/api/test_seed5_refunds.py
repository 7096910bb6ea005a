"""Seed 5, refunds, captures and cancels: answers field by field, amounts that do not fit, races on real threads."""

from __future__ import annotations

import re
from typing import Any

import pytest

from payments.models import PaymentIntent, Refund
from tests import factories
from tests.support import seed5, threads
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.shop import assert_invariants
from tests.support.stripe_books import DOWN, LOST, StripeBooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(db: None) -> Caller:
    return seed5.server()


@pytest.fixture
def paid(server: Caller, stripe_books: StripeBooks) -> str:
    """The address of a payment of 99.99 USD."""
    return f"{PAYMENTS}/{server.pay().json()['payment_id']}"


def test_the_seeds_refund(server: Caller, paid: str, stripe_books: StripeBooks) -> None:
    body = {
        "amount": "99.99", "reason": "requested_by_customer", "metadata": {"note": "客户对产品不满意"},
    }  # fmt: skip
    answer = server.post(f"{paid}/refund", body)
    refund = Refund.objects.get()
    told = answer.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.pop("created_at"))
    assert (answer.status_code, told) == (200, {
        "refund_id": f"ref_{refund.public_id}", "payment_id": paid.rsplit("/", 1)[1], "amount": "99.99",
        "currency": "USD", "status": "succeeded", "reason": "requested_by_customer",
    })  # fmt: skip
    assert (refund.metadata, refund.amount_minor) == ({"note": "客户对产品不满意"}, 9999)
    assert [form["amount"] for form in stripe_books.sent("refund")] == ["9999"]
    assert server.get(paid).json()["status"] == "refunded"
    assert_error(server.post(f"{paid}/refund", {"amount": "0.01"}), 409, "ALREADY_REFUNDED")


def test_parts_and_the_rest(server: Caller, paid: str, stripe_books: StripeBooks) -> None:
    assert (
        server.post(f"{paid}/refund", {"amount": "30.00", "reason": "duplicate"}).json()["amount"] == "30.00"
    )
    assert server.get(paid).json()["status"] == "partially_refunded"
    assert_error(server.post(f"{paid}/refund", {"amount": "70.00"}), 400, "REFUND_AMOUNT_INVALID")
    rest = server.post(f"{paid}/refund", {"reason": "fraudulent"}).json()
    assert (rest["amount"], rest["reason"]) == ("69.99", "fraudulent")
    assert sum(int(form["amount"]) for form in stripe_books.sent("refund")) == 9999
    assert_invariants()


@pytest.mark.parametrize(
    "amount", ["0", "-1", "100.00", "1.001", "1e2", "", "abc", True, None, [], {}, "9" * 400]
)
def test_an_amount_that_is_none(server: Caller, paid: str, stripe_books: StripeBooks, amount: Any) -> None:
    error = assert_error(server.post(f"{paid}/refund", {"amount": amount}), 400, "REFUND_AMOUNT_INVALID")
    assert ("more than what is left" in error["message"]) is (amount == "100.00")
    assert (Refund.objects.count(), stripe_books.count("refund")) == (0, 0)


@pytest.mark.parametrize("body", [
    {"reason": "because"}, {"reason": 1}, {"metadata": []}, {"metadata": {"a": {}}}, {"metadata": {"k" * 41: "v"}},
    {"metadata": {"a": "x" * 501}}, {"metadata": {str(n): "v" for n in range(21)}}, {"idempotency_key": 7},
])  # fmt: skip
def test_a_refund_that_is_badly_asked_for(
    server: Caller, paid: str, stripe_books: StripeBooks, body: Any
) -> None:
    assert_error(server.post(f"{paid}/refund", {"amount": "1.00", **body}), 400, "INVALID_REQUEST")
    assert (Refund.objects.count(), stripe_books.count("refund")) == (0, 0)


def test_the_real_status_of_a_slow_bank(server: Caller, paid: str, stripe_books: StripeBooks) -> None:
    stripe_books.refund_status = "pending"
    assert server.post(f"{paid}/refund", {}).json()["status"] == "pending"
    assert server.get(paid).json()["status"] == "succeeded"


@pytest.mark.parametrize("fault", [LOST, DOWN])
def test_a_lost_answer_is_pending_and_the_money_goes_back_once(
    server: Caller, paid: str, stripe_books: StripeBooks, fault: str
) -> None:
    stripe_books.fail("refund", fault)
    assert (
        server.post(f"{paid}/refund", {"amount": "10.00"}, Idempotency_Key="r1").json()["status"] == "pending"
    )
    again = server.post(f"{paid}/refund", {"amount": "10.00"}, Idempotency_Key="r1")
    assert again["Idempotent-Replayed"] == "true"
    assert Refund.objects.count() == 1
    assert len(stripe_books.refunds) == (1 if fault == LOST else 0)


def test_who_may_give_money_back(paid: str, stripe_books: StripeBooks) -> None:
    alice = factories.user()
    assert_error(seed5.shopper(alice).post(f"{paid}/refund", {}), 403, "FORBIDDEN")
    assert_error(seed5.page().post(f"{paid}/refund", {}), 403, "FORBIDDEN")
    assert_error(Caller().post(f"{paid}/refund", {}), 401, "UNAUTHORIZED")
    assert_error(seed5.server(user=alice).post(f"{paid}/refund", {}), 404, "PAYMENT_NOT_FOUND")
    assert Refund.objects.count() == 0
    assert seed5.shopper(factories.staff()).post(f"{paid}/refund", {"amount": "1.00"}).status_code == 200
    assert (Refund.objects.get().actor[:5], Refund.objects.get().origin) == ("user:", "staff")


def test_what_is_not_paid_is_not_given_back(server: Caller, stripe_books: StripeBooks) -> None:
    payment_id = server.pay("4000000000000002").json()["payment_id"]
    assert_error(server.post(f"{PAYMENTS}/{payment_id}/refund", {}), 409, "NOT_PAID")
    assert Refund.objects.count() == 0


# --- Hold, take, withdraw ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [{"capture": False}, {"capture_method": "manual"}])
def test_held_then_taken(server: Caller, stripe_books: StripeBooks, how: dict[str, Any]) -> None:
    told = server.pay(**how).json()
    assert (told["type"], told["payment_status"]) == ("success", "authorized")
    one = f"{PAYMENTS}/{told['payment_id']}"
    assert PaymentIntent.objects.get().order.status == "pending"
    taken = server.post(f"{one}/capture", {})
    assert (taken.status_code, taken.json()["status"]) == (200, "succeeded"), taken.content
    assert PaymentIntent.objects.get().order.status == "completed"
    assert_error(server.post(f"{one}/capture", {}), 409, "ALREADY_CAPTURED")
    assert_error(server.post(f"{one}/cancel", {}), 409, "ALREADY_PAID")
    assert stripe_books.count("capture") == 1


def test_a_part_is_taken_of_another_shops_order(server: Caller, stripe_books: StripeBooks) -> None:
    one = f"{PAYMENTS}/{server.pay(capture=False).json()['payment_id']}"
    for amount in ("100.00", "0", "x", "1.001"):
        assert_error(server.post(f"{one}/capture", {"amount": amount}), 400, "INVALID_AMOUNT")
    assert server.post(f"{one}/capture", {"amount": "50.00"}).json()["status"] == "succeeded"
    assert (PaymentIntent.objects.get().captured_minor, stripe_books.count("capture")) == (5000, 1)
    assert_error(server.post(f"{one}/refund", {"amount": "50.01"}), 400, "REFUND_AMOUNT_INVALID")
    assert_invariants()


def test_withdrawn(server: Caller, stripe_books: StripeBooks) -> None:
    one = f"{PAYMENTS}/{server.pay(capture=False).json()['payment_id']}"
    for _ in range(2):
        told = server.post(f"{one}/cancel", {})
        assert (told.status_code, told.json()["status"]) == (200, "canceled")
    assert stripe_books.count("cancel") == 1
    assert_error(server.post(f"{one}/capture", {}), 409, "ALREADY_CAPTURED")


def test_shoppers_neither_hold_nor_take(server: Caller, stripe_books: StripeBooks) -> None:
    alice = factories.user()
    order = factories.order(kind="merchant", user=alice, total_minor=9999, currency="USD")
    mine = {"order_id": str(order.public_id)}
    assert_error(seed5.shopper(alice).pay(**mine, capture=False), 403, "FORBIDDEN")
    one = f"{PAYMENTS}/{server.pay(**mine, capture=False).json()['payment_id']}"
    for verb in ("capture", "cancel"):
        assert_error(seed5.shopper(alice).post(f"{one}/{verb}", {}), 403, "FORBIDDEN")
    assert stripe_books.count("capture") + stripe_books.count("cancel") == 0


# --- Races ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_twenty_partial_refunds_at_once_never_exceed_the_payment(
    server: Caller, paid: str, stripe_books: StripeBooks
) -> None:
    answers = threads.together(20, lambda n: server.post(f"{paid}/refund", {"amount": "9.00"}))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), codes.count(400)) == (11, 9)
    assert {a.json()["error"]["code"] for a in answers if a.status_code == 400} == {"REFUND_AMOUNT_INVALID"}
    intent = PaymentIntent.objects.get()
    assert (intent.refunded_minor, intent.refund_reserved_minor, Refund.objects.count()) == (9900, 9900, 11)
    assert sum(refund["amount"] for refund in stripe_books.refunds.values()) == 9900
    assert_invariants()


@pytest.mark.django_db(transaction=True)
def test_one_refund_form_posted_eight_times_at_once(
    server: Caller, paid: str, stripe_books: StripeBooks
) -> None:
    body = {"amount": "9.00", "idempotency_key": "form-1"}
    answers = threads.together(8, lambda n: server.post(f"{paid}/refund", body))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (Refund.objects.count(), len(stripe_books.refunds)) == (1, 1)
