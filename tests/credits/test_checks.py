"""Each invariant of the ledger finds a row that breaks it (behind the backs of services and triggers)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from credits.models import CreditAccount, Lot, PlanTerm
from credits.services import ledger, terms
from pimpshop.core import invariants
from tests import factories

pytestmark = pytest.mark.django_db


def _unprotected(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def _found() -> set[str]:
    return {
        v.check for v in invariants.violations() if v.check.startswith(("3 a", "3 e", "3 n", "4 e", "4 pl"))
    }


@pytest.fixture(autouse=True)
def _the_books_balance() -> None:
    """Not here: these tests break them."""


DANGLING = "3 a posting is between accounts, a lot has both, a change its lot and posting"


@pytest.mark.parametrize(("damage", "checks"), [
    (lambda: CreditAccount.objects.filter(kind="user").update(balance=99),
     {"3 a balance is the sum of its postings", "3 a balance is the sum of its lots"}),
    (lambda: Lot.objects.update(remaining=99),
     {"3 a balance is the sum of its lots", "3 a lot is the sum of its changes and reversals"}),
    (lambda: Lot.objects.update(remaining=99, reversed=1),
     {"3 a balance is the sum of its lots", "3 a lot is the sum of its changes and reversals"}),
    (lambda: _unprotected("UPDATE credits_posting SET destination_after = 1 WHERE kind = 'purchase'"),
     {"3 every balance after a posting is the sum up to it"}),
    (lambda: _unprotected("UPDATE credits_lotchange SET amount = 98 WHERE amount = 100"),
     {"3 a lot is the sum of its changes and reversals", "3 a posting changes lots by its amount"}),
    (lambda: _unprotected("UPDATE credits_posting SET source_id = 0"), {DANGLING}),
    (lambda: _unprotected("UPDATE credits_lot SET posting_id = 0"),
     {DANGLING, "4 every grant of credits has its lot"}),
    (lambda: _unprotected("UPDATE credits_lotchange SET lot_id = 0"),
     {DANGLING, "3 a lot is the sum of its changes and reversals"}),
    (lambda: PlanTerm.objects.filter(reference="T1").update(duration=timedelta(days=31)),
     {"4 plan terms last as long as was bought and do not overlap"}),
])  # fmt: skip
def test_a_row_that_lies_is_found(damage: Callable[[], object], checks: set[str]) -> None:
    user = factories.user()
    ledger.grant(user_id=user.pk, amount=100, reference="P1/1")
    terms.grant_term(user_id=user.pk, plan_sku="starter", days=30, reference="T1")
    assert _found() == set()
    damage()
    assert _found() == checks
