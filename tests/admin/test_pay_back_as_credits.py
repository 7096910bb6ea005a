"""The desk pays money back as credits: from the payment's page and from a refund that waits for a hand."""

from __future__ import annotations

from typing import Any

import pytest

from credits import selectors as credits
from payments.models import PaymentIntent, Refund
from payments.services import refunds
from tests import factories
from tests.support.spending import attempt, money_comes, order, shopper

pytestmark = pytest.mark.django_db


def paid(user: Any = None) -> PaymentIntent:
    intent = attempt(order(user))
    money_comes(intent)
    intent.refresh_from_db()
    return intent


def send(admin: Any, row: Any, act: str, **typed: str) -> Any:
    return admin.send(f"{row._meta.app_label}_{row._meta.model_name}", row, act, **typed)


def test_a_payment_is_paid_back_as_credits_once(admin: Any) -> None:
    alice = shopper(0)
    intent = paid(alice)
    assert "Pay back as credits" in admin.page("payments_paymentintent", intent).content.decode()
    sent = {"reason": "she would like credits", "amount": "10.00", "once": "the same form"}
    first = send(admin, intent, "pay-back-as-credits", **sent)
    assert "751 credits instead of £10.00" in admin.said(first)[0]
    send(admin, intent, "pay-back-as-credits", **sent)
    refund = Refund.objects.get()
    assert (refund.metadata, refund.actor, refund.reason) == (
        {"credits": 751}, "boss@example.com", "she would like credits",
    )  # fmt: skip
    assert credits.balance(alice.pk) == 751


def test_without_a_reason_nothing_happens(admin: Any) -> None:
    alice = shopper(0)
    intent = paid(alice)
    assert send(admin, intent, "pay-back-as-credits", amount="10.00").status_code == 200
    assert (Refund.objects.count(), credits.balance(alice.pk)) == (0, 0)


def test_a_refund_by_hand_goes_to_the_address_that_is_typed(admin: Any) -> None:
    bob = factories.user("bob@example.com", password=None)
    refund = refunds.request_manual_refund(intent=paid(), amount_minor=1999, actor="finance", reason="jammed")
    nobody = send(admin, refund, "pay-as-credits", reason="as agreed")
    assert "e-mail address" in admin.said(nobody)[0]
    assert send(admin, refund, "pay-as-credits", reason="as agreed", person="no address").status_code == 200
    send(admin, refund, "pay-as-credits", reason="as agreed", person="bob@example.com")
    assert credits.balance(bob.pk) == 1500


def test_what_has_no_price_in_credits_is_not_offered(admin: Any) -> None:
    intent = factories.intent(status="succeeded", captured_minor=1999, settles_order=True)
    assert "Pay back as credits" not in admin.page("payments_paymentintent", intent).content.decode()
