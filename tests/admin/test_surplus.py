"""Money that came once too often: given back by hand as before, or kept as credits of the buyer, once, within limits."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Sum

from credits import selectors as credits
from credits.models import Posting
from orders.models import OrderLine
from payments.models import PaymentIntent, Refund
from payments.services import refunds, surplus
from pimpshop.core import invariants, staff_items
from pimpshop.core.models import AuditEntry, StaffItem, StaffMove, StaffRequest
from tests import factories
from tests.support import bought
from tests.support.spending import attempt, fails, money_comes, order, shopper

pytestmark = pytest.mark.django_db
PAYMENT = "payments_paymentintent"


def twice(user: Any = None, **more: Any) -> tuple[PaymentIntent, PaymentIntent]:
    """An order of a case that was paid again after an attempt had failed, whose money came after all: the surplus. Its
    provider has no refunds, so people pay it back."""
    of = order(user, **more)
    late = attempt(of)
    fails(late)
    first = attempt(of)
    PaymentIntent.objects.filter(pk=late.pk).update(gateway="machine")
    assert [money_comes(one) for one in (first, late)] == ["settled", "surplus"]
    for one in (first, late):
        one.refresh_from_db()
    return first, late


def sums(intent: PaymentIntent) -> tuple[str, int, int]:
    intent.refresh_from_db()
    return intent.status, intent.refund_reserved_minor, intent.refunded_minor


def keep(desk: Any, intent: PaymentIntent, **typed: str) -> Any:
    return desk.send(PAYMENT, intent, "keep-surplus", **{"reason": "she takes credits", **typed})


def test_a_surplus_is_kept_as_credits_once(member: Any) -> None:
    alice, desk = shopper(0), member("finance")
    first, second = twice(alice)
    assert desk.shown(PAYMENT, second, "keep-surplus") == [
        f"£19.99 stays with us, and {alice} gets 1,500 credits at once.",
        f"Order {first.order.order_no} and what was bought stay as they are: it was paid by another payment or is over.",
        f"Refund {second.out_trade_no}_R1 ends: nobody pays it back by hand any more.",
    ]
    assert (sums(second), credits.balance(alice.pk)) == (("succeeded", 1999, 0), 0)
    for _ in range(2):
        keep(desk, second, once="this form")
    said = desk.said(keep(desk, second))
    assert "it is back or on its way back. Nothing was changed." in said[-1]
    refund = Refund.objects.get()
    assert (refund.kind, refund.status, refund.metadata["credits"]) == ("credits", "succeeded", 1500)
    assert sums(second) == ("refunded", 1999, 1999)
    assert sums(first) == ("succeeded", 0, 0)
    first.order.refresh_from_db()
    assert (first.order.status, credits.balance(alice.pk)) == ("paid", 1500)
    assert StaffItem.objects.filter(kind="surplus_payment", resolved_at=None).count() == 0
    assert StaffMove.objects.get().amount_minor == 1999
    assert [str(v) for v in invariants.violations()] == []


def test_paid_is_what_settled_less_the_surplus(member: Any) -> None:
    first, second = twice(shopper(0))
    keep(member("finance"), second)
    attempts = first.order.payment_intents.filter(captured_minor__gt=0)
    captured = attempts.aggregate(Sum("captured_minor"))["captured_minor__sum"]
    spare = attempts.filter(is_surplus=True).aggregate(Sum("captured_minor"))["captured_minor__sum"]
    assert captured - spare == first.order.total_minor == 1999


def test_above_the_limit_a_second_person_says_yes(member: Any) -> None:
    alice, desk, other = shopper(0), member("finance"), member("finance")
    _first, second = twice(alice)
    StaffMove.objects.create(
        person_id=desk.user.pk, person="x", act="refund", subject="x", reference="x", amount_minor=49999,
        currency="GBP", day=second.succeeded_at.date(),
    )  # fmt: skip
    keep(desk, second)
    assert (credits.balance(alice.pk), sums(second)) == (0, ("succeeded", 1999, 0))
    other.act("core_staffrequest", StaffRequest.objects.get(), "approve", "asked her")
    assert (credits.balance(alice.pk), sums(second)) == (1500, ("refunded", 1999, 1999))


def test_a_pack_that_was_paid_twice_is_kept_as_its_credits(member: Any) -> None:
    alice = shopper(0)
    first = bought.bought(user=alice)
    second = factories.intent(
        first.order, gateway="machine", attempt=2, account="", out_trade_no=f"{first.order.order_no}_2"
    )
    factories.created(second)
    bought.pay(first)
    second.refresh_from_db()
    assert bought.pay(PaymentIntent.objects.get(pk=second.pk)) == "surplus"
    keep(member("finance"), second)
    assert credits.balance(alice.pk) == 1000
    assert list(
        Posting.objects.filter(reference=f"{second.out_trade_no}_R1").values_list("amount", flat=True)
    ) == [500]
    assert [str(v) for v in invariants.violations()] == []


def test_a_guests_surplus_waits_for_the_address_that_is_typed(member: Any) -> None:
    desk = member("finance")
    _first, second = twice()
    assert "e-mail address" in desk.said(keep(desk, second))[0]
    assert (sums(second), AuditEntry.objects.count()) == (("succeeded", 1999, 0), 0)
    bob = factories.user("zoe@example.com", password=None)
    keep(desk, second, person="zoe@example.com")
    assert credits.balance(bob.pk) == 1500


def test_after_the_providers_refund_failed_it_can_be_kept_too(member: Any) -> None:
    alice, desk = shopper(0), member("finance")
    _first, second = twice(alice)
    refund = Refund.objects.get()
    Refund.objects.filter(pk=refund.pk).update(kind=Refund.Kind.PROVIDER)
    assert surplus.kept(second) is None, "it is on its way back"
    bought.end(refund, "failed")
    second.refresh_from_db()
    keep(desk, second)
    assert (credits.balance(alice.pk), sums(second)) == (1500, ("refunded", 1999, 1999))
    assert not StaffItem.objects.filter(kind="refund_failed", resolved_at=None).exists()


def test_what_paid_its_order_is_no_surplus(member: Any) -> None:
    desk = member("finance")
    first, _second = twice(shopper(0))
    titles = [str(button["title"]) for button in desk.page(PAYMENT, first).context["actions_detail"]]
    assert "Keep the surplus, as credits" not in titles
    assert "Nothing of this payment is surplus" in desk.said(keep(desk, first))[0]
    assert (sums(first), StaffMove.objects.count()) == (("succeeded", 0, 0), 0)


def test_what_is_back_is_not_kept(member: Any) -> None:
    alice, desk = shopper(0), member("finance")
    _first, second = twice(alice)
    refunds.mark_paid_back(refund=Refund.objects.get(), actor="ada", note="cash")
    keep(desk, second)
    assert (credits.balance(alice.pk), sums(second)) == (0, ("refunded", 1999, 1999))


def test_what_has_no_price_in_credits_is_only_given_back(member: Any) -> None:
    desk, of = member("finance"), factories.order(lines=0)
    OrderLine.objects.create(order=of, unit_minor=1999)
    intent = factories.intent(of, status="succeeded", captured_minor=1999, is_surplus=True)
    refunds.give_back_surplus(intent)
    staff_items.resolve_about(kind="surplus_payment", subject=intent.out_trade_no, resolution="x")
    assert "no price in credits" in desk.said(keep(desk, intent))[0]
    assert (sums(intent), Posting.objects.count()) == (("succeeded", 1999, 0), 0)
