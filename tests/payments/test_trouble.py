"""Demo trouble: each kind once, the invariants hold with it, and hold again when the desk has put everything right."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.services import seeding as people
from catalog.services import seeding as catalogue
from credits.services import staff_kinds as credit_kinds
from orders.models import Order
from payments.services import staff_kinds as money_kinds
from payments.services import trouble, watching
from pimpshop.core import invariants, staff_kinds
from pimpshop.core.models import StaffItem
from vending.services import seeding as machines
from vending.services import watching as machine_watching

pytestmark = pytest.mark.django_db

KINDS = {
    "surplus_payment", "paid_late", "payment_unknown", "payment_mismatch", "external_refund", "refund_failed",
    "dispute_open", "dispute_due", "credits_owed", "inbox_parked", "reconcile_difference", "webhook_endpoint_off",
    "message_not_sent", "gateway_resting", "print_stuck", "machine_offline", "case_not_received",
}  # fmt: skip


@pytest.fixture
def made(settings: Any) -> list[str]:
    settings.SANDBOX = True
    catalogue.seed()
    machines.seed()
    people.seed(fixed_passwords=True)
    names = trouble.seed()
    watching.look_around(), machine_watching.tell_of_silent_machines(), credit_kinds.tell_of_debts()
    return names


def test_each_kind_of_trouble_is_there_once_and_the_books_are_right(made: list[str]) -> None:
    items = list(StaffItem.objects.filter(resolved_at=None).values_list("kind", flat=True))
    assert KINDS - set(items) == set()
    assert [kind for kind in items if not staff_kinds.is_known(kind)] == []
    assert [str(violation) for violation in invariants.violations()] == []
    orders = Order.objects.count()
    assert (trouble.seed(), Order.objects.count()) == ([], orders)
    assert money_kinds.UNKNOWN_KIND in items


def test_no_trouble_is_made_on_a_real_shop(settings: Any) -> None:
    settings.SANDBOX = False
    with pytest.raises(CommandError, match="no money moves"):
        call_command("seed_demo", trouble=True)
    assert (Order.objects.count(), StaffItem.objects.count()) == (0, 0)
