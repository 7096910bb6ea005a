"""The invariants of credits that pay find a row that lies: holds, what they paid, what is back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from credits.models import Hold
from orders.models import CreditPart, Order
from payments.models import PaymentIntent
from payments.services import credit_payments
from pimpshop.core import invariants
from tests.support.spending import attempt, money_comes, order, pay_all, shopper

pytestmark = pytest.mark.django_db

POSTINGS = "3 a hold is its postings: held once, then spent once or free again"
HELD = "3 what is held in the books is what the holds say"
ENDS = "3 no hold outlives its time"
PAID = "1 a paid order is settled once, by its own total: money, and what credits pay of it"
EXACTLY = "1 credits are spent exactly for what they paid, and back exactly if all of it is back"
EVENTS = "8 every state has the event that made it"


def unprotected(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def found() -> set[str]:
    return {violation.check for violation in invariants.violations()}


def part() -> None:
    """A part that is spent, a part that is held, and a case that credits paid wholly."""
    alice = shopper(9000)
    spent, waits = order(alice), order(alice)
    for one in (spent, waits):
        credit_payments.use(one, user=alice, amount=750, source="page")
    money_comes(attempt(spent))
    pay_all(order(alice, "CREDITS"), alice)


@pytest.mark.parametrize(("damage", "checks"), [
    (lambda: Hold.objects.filter(status="held").update(status="released"), {POSTINGS, HELD, EVENTS}),
    (lambda: Hold.objects.filter(status="committed").update(status="released"), {POSTINGS, PAID, EXACTLY, EVENTS}),
    (lambda: Hold.objects.filter(status="held").update(amount=751), {POSTINGS, HELD}),
    (lambda: unprotected("DELETE FROM credits_posting WHERE kind = 'spend'"), {POSTINGS, HELD}),
    (lambda: Hold.objects.filter(status="held").update(expires_at=timezone.now() - timedelta(hours=2)), {ENDS}),
    (lambda: CreditPart.objects.update(covers_minor=999), {PAID}),
    (lambda: Order.objects.filter(status="paid", currency="GBP").update(total_minor=2000), {PAID}),
    (lambda: Hold.objects.filter(status="committed").update(returned=1), {EXACTLY}),
    (lambda: PaymentIntent.objects.filter(gateway="credits").update(gateway="stripe"), {EXACTLY}),
])  # fmt: skip
def test_a_row_that_lies_is_found(damage: Callable[[], object], checks: set[str]) -> None:
    part()
    assert found() == set()
    damage()
    assert found() == checks
