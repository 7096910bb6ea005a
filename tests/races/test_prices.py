"""Many set a price, call one off, or bring in a sheet at the same moment: what was shown is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.admin import prices as desk
from catalog.models import PhoneBrand, Price
from catalog.services import importing, prices
from catalog.services.sheet_columns import BRANDS
from pimpshop.core import errors
from pimpshop.core.admin import acts, doing
from pimpshop.core.models import AuditEntry
from tests import factories
from tests.support import threads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
SET = desk.ACTS[0]


@pytest.mark.parametrize("_round", range(3))
def test_of_many_who_set_a_price_one_sees_it_through(_round: int) -> None:
    """The others are shown what it costs now, instead of setting a price against one that they never saw."""
    product = factories.price(amount_minor=1000).product.caseproduct
    people = [factories.staff() for _ in range(4)]
    said = [
        acts.Doing(actor=str(one), reason="r", choice="GBP", amount=f"{12 + n}")
        for n, one in enumerate(people)
    ]
    seen = [acts.fingerprint(SET, product, what, acts.plain_preview(SET, product, what)) for what in said]

    def work(number: int) -> bool:
        outcome = doing.do(
            act=SET, obj=product, doing=said[number], user=people[number], subject="", seen=seen[number]
        )
        return outcome.changed

    assert sorted(threads.together(4, work)) == [False, True, True, True]
    assert (Price.objects.count(), AuditEntry.objects.count()) == (2, 1)


def test_a_price_is_called_off_once() -> None:
    price = factories.price(starts_at=timezone.now() + timedelta(hours=1))

    def work(number: int) -> str:
        try:
            prices.call_off(price=price, actor=f"{number}", reason="r")
        except errors.ShopError as refusal:
            return refusal.code
        return "done"

    assert sorted(threads.together(5, work)) == ["done", *["price_refused"] * 4]
    assert AuditEntry.objects.count() == 1


def test_a_sheet_is_brought_in_once() -> None:
    factories.brand(manufacturer_id="BR1", name="Apple")
    table = importing.read(b"manufacturer_id,name,slug\nBR1,Pear,\nBR2,Plum,plum\n", BRANDS)
    seen = importing.run(BRANDS, table, actor="a").fingerprint

    def work(_number: int) -> bool:
        return importing.run(BRANDS, table, actor="a", reason="r", seen=seen).done

    answers: list[Any] = threads.together(4, work)
    assert sorted(answers) == [False, False, False, True]
    assert (PhoneBrand.objects.count(), AuditEntry.objects.count()) == (2, 2)
