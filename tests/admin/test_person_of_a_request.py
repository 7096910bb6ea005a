"""A customer's address that staff type for a second person lives in one column, goes when the request is over, and goes
with the account that is erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from credits import selectors as credits
from payments.models import PaymentIntent
from payments.services import personal_data
from pimpshop.core import staff_requests
from pimpshop.core.models import StaffLimit, StaffRequest
from tests import factories
from tests.support import everything
from tests.support.spending import attempt, money_comes, order

pytestmark = pytest.mark.django_db
PAYMENT, REQUEST, BOB = "payments_paymentintent", "core_staffrequest", "zoe@example.com"


@pytest.fixture
def bob(db: None) -> Any:
    StaffLimit.objects.create(currency="GBP", at_once_minor=100, per_day_minor=100)
    return factories.user(BOB, password=None)


def ask(desk: Any) -> tuple[PaymentIntent, StaffRequest]:
    """A guest's payment is to become credits of Bob; that is more than one person moves alone."""
    intent = attempt(order(None))
    money_comes(intent)
    intent.refresh_from_db()
    desk.send(PAYMENT, intent, "pay-back-as-credits", reason="he asked", person=BOB)
    return intent, StaffRequest.objects.get()


def where_it_stands() -> list[str]:
    """The tables with a row that names Bob, his own account apart."""
    found = everything.snapshot()
    return [
        table for table, rows in found.items() if any(BOB in row for row in rows) and table != "accounts_user"
    ]


def test_it_stands_in_its_own_column_and_is_used_once(member: Any, bob: Any) -> None:
    _intent, row = ask(member("finance"))
    assert (row.person, row.typed, row.status) == (BOB, {"amount": "", "choice": "", "when": ""}, "asked")
    assert where_it_stands() == ["core_staffrequest"]
    member("finance").act(REQUEST, row, "approve", "looked at it")
    row.refresh_from_db()
    assert (row.person, row.status, credits.balance(bob.pk)) == ("", "done", 1500)
    assert where_it_stands() == []


@pytest.mark.parametrize("how", ["turn-down", "withdraw", "lapse"])
def test_it_goes_when_nothing_comes_of_it(member: Any, bob: Any, how: str) -> None:
    asks, other = member("finance"), member("finance")
    _intent, row = ask(asks)
    if how == "lapse":
        later = timezone.now() + timedelta(hours=25)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(staff_requests.timezone, "now", lambda: later)
            assert staff_requests.lapse_due() == 1
    else:
        (asks if how == "withdraw" else other).act(REQUEST, row, how, "no")
    assert where_it_stands() == []
    assert credits.balance(bob.pk) == 0


def test_erasing_the_account_reaches_it_and_nothing_moves_then(member: Any, bob: Any) -> None:
    intent, row = ask(member("finance"))
    personal_data.erase(bob, actor="bob")
    row.refresh_from_db()
    assert (row.person, row.status, where_it_stands()) == ("", "asked", [])
    said = member("finance").act(REQUEST, row, "approve", "looked at it")
    assert said.status_code in (200, 302)
    row.refresh_from_db()
    intent.refresh_from_db()
    assert row.status in ("asked", "overtaken")
    assert (intent.refund_reserved_minor, credits.balance(bob.pk)) == (0, 0)


def test_erasing_reaches_requests_that_are_over(bob: Any) -> None:
    """Whatever they are, and however the address is spelled."""
    row = StaffRequest.objects.create(
        act="x", model="a.b", object_id="1", subject="s", fingerprint="f", asked_by_id=0, asked_by="a", status="done",
        decided_by_id=1, person="Zoe@Example.com", expires_at=timezone.now(),
    )  # fmt: skip
    personal_data.erase(bob, actor="bob")
    row.refresh_from_db()
    assert row.person == ""
