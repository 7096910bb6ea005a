"""Who owes credits is an item, until nothing is owed."""

from __future__ import annotations

import pytest

from credits.models import CreditAccount
from credits.services import staff_kinds
from pimpshop.core.models import StaffItem
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_debt_is_an_item_until_it_is_paid() -> None:
    person = factories.user()
    account = CreditAccount.objects.create(kind="debt", user=person, balance=-30)
    CreditAccount.objects.create(kind="debt", user=factories.user(), balance=0)
    assert (staff_kinds.tell_of_debts(), staff_kinds.tell_of_debts()) == (1, 0)
    item = StaffItem.objects.get()
    assert (item.kind, item.subject) == ("credits_owed", f"account {account.pk}")
    assert item.data == {"minor": 30, "currency": "CREDITS"}
    CreditAccount.objects.filter(pk=account.pk).update(balance=0)
    assert staff_kinds.tell_of_debts() == 1
    item.refresh_from_db()
    assert item.resolution == "nothing is owed any more"
