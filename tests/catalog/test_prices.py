"""What counts at a moment: selected by time, written once, never changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from catalog import selectors
from catalog.models import Price
from catalog.services import prices
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import Money
from tests import factories
from tests.support import goods

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def of(product: Any, currency: str = "GBP", at: datetime | None = None) -> int | None:
    """What counts, in minor units."""
    rows = Price.objects.counting(at).filter(product=product, currency=currency)
    return rows.values_list("amount_minor", flat=True).first()


def wanted(product: Any, amount: str, when: datetime | None = None, currency: str = "GBP") -> prices.Change:
    return prices.change(product=product, currency=currency, amount=amount, starts_at=when)


def say(product: Any, amount: str, when: datetime | None = None, currency: str = "GBP") -> Price:
    return prices.set_price(wanted(product, amount, when, currency), actor="f@example.com", reason="spring")


def test_the_price_of_a_moment() -> None:
    with time_machine.travel(NOON, tick=False):
        product = factories.price(amount_minor=1000).product
        say(product, "12.00", NOON + timedelta(hours=1))
        say(product, "15.00", NOON + timedelta(hours=3))
        assert [of(product, at=NOON + timedelta(hours=h)) for h in (0, 1, 2, 3, 99)] == [
            1000,
            1200,
            1200,
            1500,
            1500,
        ]
        assert of(product, at=datetime(2019, 12, 31, tzinfo=UTC)) is None
        assert of(product) == 1000
    with time_machine.travel(NOON + timedelta(hours=1, microseconds=-1), tick=False):
        assert of(product) == 1000
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert of(product) == 1200


def test_two_at_the_same_moment_the_later_word_counts() -> None:
    with time_machine.travel(NOON, tick=False):
        product = factories.price(amount_minor=1000).product
        say(product, "12.00", NOON + timedelta(hours=1))
        change = wanted(product, "13.00", NOON + timedelta(hours=1))
        assert change.replaces is not None
        assert (change.replaces.amount_minor, change.before) == (1200, Money(1000, "GBP"))
        prices.set_price(change, actor="f@example.com", reason="")
        assert of(product, at=NOON + timedelta(hours=1)) == 1300


def test_taken_off_sale_in_a_currency() -> None:
    shell = factories.sellable_shell()
    product = shell.model.product
    say(product, "30.00", currency="USD")
    say(product, "")
    assert (of(product), of(product, "USD")) == (None, 3000)
    assert selectors.case_currencies(shell) == ["USD"]
    with pytest.raises(selectors.NotSold):
        selectors.case_price(shell, "GBP")
    assert selectors.offers("GBP") == []
    say(product, "18.00")
    assert selectors.case_price(shell, "GBP") == Money(1800, "GBP")


def test_every_selector_reads_what_counts() -> None:
    shell = factories.sellable_shell(amount_minor=1000)
    pack = goods.pack(prices={"USD": 200})
    plan = goods.plan(prices={"USD": 500})
    for product in (shell.model.product, pack, plan):
        for code in ("GBP", "USD"):
            if of(product, code):
                say(product, "7.00", currency=code)
                say(product, "9.00", datetime.now(UTC) + timedelta(days=1), currency=code)
    seven = 700
    assert selectors.case_price(shell, "GBP").amount_minor == seven
    assert [offer.price.amount_minor for offer in selectors.offers("GBP")] == [seven]
    assert selectors.lowest_case_price("GBP") == Money(seven, "GBP")
    assert selectors.product_price(pack, "USD").amount_minor == seven
    assert [money.amount_minor for _one, money in [*selectors.packs("USD"), *selectors.plans("USD")]] == [
        seven
    ] * 2
    assert selectors.pack_offer(pack.number, "USD")[1].amount_minor == seven
    assert [price.amount_minor for _one, price in selectors.pack_offers("USD")] == [seven]
    assert selectors.currencies_of(type(pack)) == ["USD"]


def test_a_long_history_costs_no_further_statement() -> None:
    shells = [factories.sellable_shell() for _n in range(3)]
    with CaptureQueriesContext(connection) as before:
        assert len(selectors.offers("GBP")) == 3
    for shell in shells:
        for amount in range(1, 20):
            factories.price(shell.model.product, amount_minor=amount)
    with CaptureQueriesContext(connection) as after:
        assert {offer.price.amount_minor for offer in selectors.offers("GBP")} == {19}
    assert (len(before), len(after)) == (2, 2)


@pytest.mark.parametrize("amount", ["19.999", "0", "-1", "1e3", "NaN", "x", "0.00"])
def test_what_is_no_price_is_refused(amount: str) -> None:
    product = factories.price(amount_minor=1000).product
    with pytest.raises(prices.Refused):
        say(product, amount)
    assert (Price.objects.count(), AuditEntry.objects.count()) == (1, 0)


@pytest.mark.parametrize(("currency", "amount", "minor"), [("JPY", "500", 500), ("KWD", "1.234", 1234), ("CREDITS", "1500", 1500)])  # fmt: skip
def test_amounts_are_exact_in_every_currency(currency: str, amount: str, minor: int) -> None:
    product = factories.product()
    say(product, amount, currency=currency)
    assert of(product, currency) == minor


def test_nothing_starts_in_the_past_or_in_another_age() -> None:
    product = factories.price(amount_minor=1000).product
    now = datetime.now(UTC)
    for when in (now - timedelta(minutes=11), now + timedelta(days=731)):
        with pytest.raises(prices.Refused):
            say(product, "12.00", when)
    assert of(product) == 1000
    say(product, "12.00", now - timedelta(minutes=9))  # it was ahead when the page was opened
    assert Price.objects.order_by("-pk")[0].starts_at >= now
    assert of(product, at=now) == 1000


def test_the_same_price_is_no_new_one() -> None:
    product = factories.price(amount_minor=1000).product
    with pytest.raises(prices.Refused):
        say(product, "10.00")
    with pytest.raises(prices.Refused):
        say(product, "", currency="USD")
    assert Price.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "absurd"),
    [("99.99", False), ("100.00", True), ("1.01", False), ("1.00", True), ("0.01", True), ("", False)],
)
def test_an_absurd_price(amount: str, absurd: bool) -> None:
    assert wanted(factories.price(amount_minor=1000).product, amount).is_absurd is absurd


def test_credits_buy_cases_only() -> None:
    assert "CREDITS" in prices.currencies(factories.product())
    assert "CREDITS" not in prices.currencies(goods.pack())
    with pytest.raises(prices.Refused):
        say(goods.plan(), "100", currency="CREDITS")


def test_what_has_not_started_is_called_off_once() -> None:
    product = factories.price(amount_minor=1000).product
    soon = datetime.now(UTC) + timedelta(hours=1)
    planned = say(product, "12.00", soon)
    prices.call_off(price=planned, actor="g@example.com", reason="not now")
    assert of(product, at=soon) == 1000
    planned.refresh_from_db()
    assert (planned.amount_minor, planned.called_off_by) == (1200, "g@example.com")
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "subject", "reason")) == [
        ("set price", product.sku, "spring"), ("call off price", product.sku, "not now"),
    ]  # fmt: skip
    with pytest.raises(prices.Refused):
        prices.call_off(price=planned, actor="h@example.com", reason="again")
    with pytest.raises(prices.Refused):
        prices.call_off(price=Price.objects.get(amount_minor=1000), actor="h@example.com", reason="too late")
    assert AuditEntry.objects.count() == 2


def test_the_database_keeps_every_price() -> None:
    product = factories.price(amount_minor=1000).product
    planned = say(product, "12.00", datetime.now(UTC) + timedelta(hours=1))
    rows = Price.objects.filter(product=product)
    for change in (
        lambda: rows.filter(amount_minor=1000).update(amount_minor=1),
        lambda: rows.filter(amount_minor=1000).update(starts_at=datetime.now(UTC) + timedelta(days=1)),
        lambda: rows.filter(amount_minor=1000).update(called_off_at=datetime.now(UTC)),
        lambda: rows.filter(pk=planned.pk).update(amount_minor=1),
        lambda: rows.filter(pk=planned.pk).update(amount_minor=1, called_off_at=datetime.now(UTC)),
        lambda: rows.filter(pk=planned.pk).update(reason="another"),
        lambda: rows.delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    prices.call_off(price=planned, actor="g@example.com", reason="")
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.filter(pk=planned.pk).update(called_off_at=None)
    with pytest.raises(ProtectedError):
        product.delete()
    assert list(rows.order_by("pk").values_list("amount_minor", flat=True)) == [1000, 1200]


def test_an_order_keeps_its_price() -> None:
    from orders.services import goods_orders

    pack = goods.pack(prices={"USD": 200})
    buyer = goods_orders.Buyer(user=factories.user(), email="a@example.com", language="en")
    order = goods_orders.order_pack(pack=pack, currency="USD", buyer=buyer, source="page")
    say(pack, "3.00", currency="USD")
    order.refresh_from_db()
    assert (order.total_minor, order.lines.get().unit_minor) == (200, 200)
    again = goods_orders.order_pack(pack=pack, currency="USD", buyer=buyer, source="page")
    assert (again.pk != order.pk, again.total_minor) == (True, 300)
