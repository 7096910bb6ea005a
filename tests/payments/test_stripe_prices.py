"""What Stripe says that plans and packs cost: asked in the background, compared, put before a person, closed by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
import time_machine
from django.utils import timezone

from catalog.models import Plan, Price, PriceAtStripe
from catalog.services import stripe_prices as comparison
from catalog.services.stripe_prices import Differs
from payments import tasks
from payments.services import stripe_prices
from pimpshop.core.models import OutboundCall, StaffItem
from tests import factories
from tests.support import goods
from tests.support.stripe_books import DOWN, StripeBooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(settings: Any) -> Iterator[StripeBooks]:
    settings.STRIPE_SECRET_KEY = "sk_test_" + "x" * 24
    settings.STRIPE_API_BASE = "https://stripe.example"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield StripeBooks(mock)


def listed(stripe: StripeBooks, plan: Plan, **changes: Any) -> None:
    stripe.prices[plan.stripe_price_id] = changes


def walk() -> int:
    """What the sweeper does in a minute."""
    moved: int = tasks._prices()
    return moved


def again() -> None:
    """The next time that Stripe is due."""
    PriceAtStripe.objects.update(due_at=timezone.now())
    walk()


def differs(plan: Plan) -> list[Differs]:
    return [one.what for one in comparison.of([PriceAtStripe.objects.get(product=plan)])[plan.pk]]


def test_the_same_price_is_written_down_with_its_age(stripe: StripeBooks) -> None:
    plan = goods.plan(prices={"USD": 500})
    listed(stripe, plan)
    before = timezone.now()
    walk()
    row = PriceAtStripe.objects.get()
    assert (row.product_id, row.price_id, row.is_found, row.is_active) == (
        plan.pk,
        plan.stripe_price_id,
        True,
        True,
    )
    assert (row.amount_minor, row.currency, row.interval, row.error) == (500, "USD", "", "")
    assert row.checked_at is not None
    assert row.checked_at >= before
    assert row.due_at - row.checked_at == timedelta(hours=6)
    assert differs(plan) == []
    assert StaffItem.objects.count() == 0
    assert (stripe.count("read_price"), walk(), stripe.count("read_price")) == (1, 0, 1)
    assert OutboundCall.objects.get().subject == plan.stripe_price_id


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"unit_amount": 600}, [Differs.AMOUNT]),
        ({"active": False}, [Differs.INACTIVE]),
        ({"recurring": {"interval": "month", "interval_count": 3}}, [Differs.AGAIN]),
        ({"currency": "eur"}, [Differs.NOT_SOLD]),
        ({"currency": "isk"}, [Differs.NO_AMOUNT]),
        ({"unit_amount": None}, [Differs.NO_AMOUNT]),
        ({"active": False, "unit_amount": 1}, [Differs.INACTIVE, Differs.AMOUNT]),
        (None, [Differs.UNKNOWN]),
    ],
)
def test_what_differs(stripe: StripeBooks, changes: dict[str, Any] | None, found: list[Differs]) -> None:
    plan = goods.plan(prices={"USD": 500})
    if changes is not None:
        listed(stripe, plan, **changes)
    walk()
    assert differs(plan) == found
    item = StaffItem.objects.get()
    assert (item.kind, item.subject, item.resolved_at) == ("stripe_price_differs", plan.sku, None)
    again()
    assert StaffItem.objects.count() == 1


def test_how_often_it_is_paid_is_told(stripe: StripeBooks) -> None:
    plan = goods.plan()
    listed(stripe, plan, recurring={"interval": "month", "interval_count": 3})
    walk()
    assert PriceAtStripe.objects.get().interval == "3 month"


def test_the_item_closes_when_stripe_was_put_right(stripe: StripeBooks) -> None:
    plan = goods.plan(prices={"USD": 500})
    listed(stripe, plan, unit_amount=600)
    walk()
    listed(stripe, plan)
    again()
    item = StaffItem.objects.get()
    assert (item.resolved_by, item.resolution) == ("system", "they are the same again")


def test_the_item_follows_our_own_prices_by_time(stripe: StripeBooks) -> None:
    plan = goods.plan(prices={"USD": 500})
    listed(stripe, plan)
    walk()
    planned = factories.price(
        plan, currency="USD", amount_minor=700, starts_at=timezone.now() + timedelta(hours=1)
    )
    walk()
    assert StaffItem.objects.count() == 0
    with time_machine.travel(planned.starts_at, tick=True):
        walk()
        assert StaffItem.objects.get().resolved_at is None
        Price.objects.create(product=plan, currency="USD", amount_minor=500)
        walk()
        assert StaffItem.objects.get().resolved_by == "system"


def test_another_id_is_asked_about_at_once(stripe: StripeBooks) -> None:
    plan = goods.plan(prices={"USD": 500})
    listed(stripe, plan, unit_amount=600)
    walk()
    stripe.prices["price_other1"] = {}
    Plan.objects.filter(pk=plan.pk).update(stripe_price_id="price_other1")
    walk()
    row = PriceAtStripe.objects.get()
    assert (row.price_id, row.amount_minor) == ("price_other1", 500)
    assert StaffItem.objects.get().resolved_by == "system"


def test_what_is_not_sold_is_not_asked_about(stripe: StripeBooks) -> None:
    plan, pack = goods.plan(), goods.pack(stripe_price_id=None)
    Plan.objects.filter(pk=plan.pk).update(is_active=False)
    assert walk() == 0
    assert (PriceAtStripe.objects.count(), stripe.calls) == (0, [])
    assert stripe_prices.ask_soon(pack.pk) is False


def test_no_answer_changes_nothing_that_is_known(stripe: StripeBooks) -> None:
    plan = goods.plan(prices={"USD": 500})
    listed(stripe, plan)
    walk()
    known = PriceAtStripe.objects.values("amount_minor", "is_found", "is_active", "checked_at").get()
    stripe.fail("read_price", DOWN)
    now = timezone.now()
    again()
    row = PriceAtStripe.objects.get()
    assert PriceAtStripe.objects.values(*known).get() == known
    assert row.error.startswith("unavailable")
    assert timedelta(minutes=14) < row.due_at - now < timedelta(minutes=16)
    assert StaffItem.objects.count() == 0
    again()
    assert PriceAtStripe.objects.get().error == ""


def test_one_asks_at_a_time(stripe: StripeBooks) -> None:
    plan = goods.plan()
    listed(stripe, plan)
    stripe_prices.keep_rows()
    [pk] = stripe_prices.due()
    assert stripe_prices._lease(pk) is not None
    assert (stripe_prices.ask(pk), list(stripe_prices.due())) == (False, [])
    assert stripe.count("read_price") == 0


def test_without_stripe_nothing_is_asked(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    goods.plan()
    walk()
    assert list(stripe_prices.due()) == []
    assert StaffItem.objects.count() == 0
    assert OutboundCall.objects.count() == 0
