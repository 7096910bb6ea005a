"""Money paid back as credits: by staff, with a reason, exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from credits import selectors as credits
from credits.models import CreditAccount, Posting
from payments.models import PaymentIntent, Refund
from payments.services import refund_credits, refunds
from pimpshop.core import invariants
from pimpshop.core.models import AuditEntry
from tests import factories
from tests.support import spending
from tests.support.spending import attempt, money_comes, order, shopper, stands

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    assert [str(v) for v in invariants.violations()] == []


def paid(user: Any = None, **more: Any) -> PaymentIntent:
    intent = attempt(order(user, **more))
    money_comes(intent)
    return PaymentIntent.objects.select_related("order").get(pk=intent.pk)


def as_credits(intent: PaymentIntent, amount: int | None = None, email: str = "") -> Refund:
    return refund_credits.request_refund(
        intent=intent,
        amount_minor=amount,
        actor="finance@example.com",
        reason="she would like credits",
        email=email,
    )


@pytest.mark.parametrize("later", [700, 3000])
def test_both_parts_are_worth_what_the_case_cost_when_it_was_ordered(later: int) -> None:
    alice = shopper(0)
    intent = paid(alice)
    assert as_credits(intent, 1000).metadata == {"credits": 751}
    factories.reprice(later, currency="CREDITS")
    as_credits(intent)
    assert credits.balance(alice.pk) == 1500


def test_a_part_and_then_the_rest_at_the_cases_own_rate() -> None:
    alice = shopper(0)
    intent = paid(alice)
    first = as_credits(intent, 1000)
    assert (first.kind, first.status, first.metadata) == ("credits", "succeeded", {"credits": 751})
    assert (credits.balance(alice.pk), stands(intent.order)[0]) == (751, "paid")
    as_credits(intent)
    intent.refresh_from_db()
    assert (intent.status, intent.refunded_minor, stands(intent.order)[0]) == ("refunded", 1999, "refunded")
    assert credits.balance(alice.pk) == 1500  # rounded up once for all parts
    audit = AuditEntry.objects.filter(action="paid back as credits").first()
    assert audit is not None
    assert (audit.actor, audit.subject, audit.reason) == (
        "finance@example.com", first.out_refund_no, "she would like credits",
    )  # fmt: skip


def test_nothing_is_left_to_pay_back_twice() -> None:
    alice = shopper(0)
    intent = paid(alice)
    as_credits(intent)
    with pytest.raises(refunds.AlreadyRefunded):
        as_credits(intent)
    with pytest.raises(refunds.AlreadyRefunded):
        refunds.request_refund(intent=intent, origin="staff", actor="x", reason="r", source="admin")
    assert (credits.balance(alice.pk), Posting.objects.filter(kind="purchase").count()) == (1500, 1)


def test_a_guest_gets_them_by_the_address_that_staff_type() -> None:
    bob = factories.user("bob@example.com", password=None)
    intent = paid()
    with pytest.raises(refund_credits.NoOwner):
        as_credits(intent)
    assert (Refund.objects.count(), Posting.objects.count()) == (0, 0)
    as_credits(intent, 999, email="Bob@Example.com")
    as_credits(intent, email="nobody-yet@example.com")
    assert credits.balance(bob.pk) == 750
    assert CreditAccount.objects.get(kind="waiting", email="nobody-yet@example.com").balance == 750


def test_what_has_no_rate_is_refused() -> None:
    alice = shopper(0)
    plain = paid(alice, design=factories.frozen_design(factories.sellable_shell()))
    with pytest.raises(refund_credits.NoRate):
        as_credits(plain)
    in_credits = spending.pay_all(order(rich := shopper(), "CREDITS"), rich)
    with pytest.raises(refund_credits.NoRate):
        as_credits(in_credits)
    assert Refund.objects.count() == 0


def test_a_refund_by_hand_is_paid_as_credits_instead() -> None:
    alice = shopper(0)
    intent = paid(alice)
    refund = refunds.request_manual_refund(intent=intent, amount_minor=1999, actor="finance", reason="jammed")
    for again in range(2):
        try:
            refund_credits.pay_manual_refund(refund=refund, actor="finance", reason="as agreed")
        except refunds.RefundNotOpen:
            assert again
    refund.refresh_from_db()
    assert (refund.kind, refund.status, refund.metadata) == ("credits", "succeeded", {"credits": 1500})
    assert (credits.balance(alice.pk), stands(intent.order)[0]) == (1500, "refunded")
