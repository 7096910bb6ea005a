"""Prices at the desk: what customers will pay and from when is shown first; who may say so; the history of a product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Price
from pimpshop.core.models import AuditEntry
from tests import factories
from tests.support import goods

pytestmark = pytest.mark.django_db
CASE, PLAN, PACK = "catalog_caseproduct", "catalog_plan", "catalog_creditpack"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def product() -> Any:
    return factories.price(amount_minor=1000).product.caseproduct


def amounts(product: Any) -> list[int | None]:
    return list(Price.objects.filter(product=product).order_by("pk").values_list("amount_minor", flat=True))


def test_a_price_from_now_on(admin: Any, product: Any) -> None:
    shown = admin.shown(CASE, product, "set-price", choice="GBP", amount="12.50")
    assert shown == [
        "From now on customers pay £12.50 instead of £10.00.", "Orders that were made before keep their price.",
    ]  # fmt: skip
    answer = admin.send(CASE, product, "set-price", choice="GBP", amount="12.50", reason="spring")
    assert admin.said(answer) == ["Case: Set a price: £12.50"]
    price = Price.objects.order_by("-pk")[0]
    assert (price.amount_minor, price.actor, price.reason) == (1250, "boss@example.com", "spring")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.reason) == ("set price", product.sku, "spring")
    assert entry.data["changes"] == [{"field": "price GBP", "before": "10.00 GBP", "after": "12.50 GBP"}]


def test_a_price_from_a_later_moment(admin: Any, product: Any) -> None:
    with time_machine.travel(NOON, tick=False):
        product = factories.price(amount_minor=1000).product.caseproduct
        typed = {"choice": "GBP", "amount": "12", "when": "2026-12-01T00:00"}
        start = "2026-12-01 00:00 UTC (2026-12-01 08:00 Asia/Shanghai)"
        assert admin.shown(CASE, product, "set-price", **typed)[0] == (
            f"From {start} customers pay £12.00 instead of £10.00."
        )
        answer = admin.send(CASE, product, "set-price", reason="winter", **typed)
        assert admin.said(answer) == [f"Case: Set a price: £12.00 from {start}"]
        assert Price.objects.counting().get(product=product).amount_minor == 1000
        [row] = admin.rows(CASE, q=product.sku)
        assert [price.amount_minor for price in row.prices_planned] == [1200]
        assert admin.shown(CASE, product, "set-price", choice="GBP", amount="11")[2] == (
            f"Planned afterwards: £12.00 from {start}."
        )
    with time_machine.travel(NOON + timedelta(hours=12), tick=False):
        assert Price.objects.counting().get(product=product).amount_minor == 1200


def test_what_is_sent_without_a_look_changes_nothing(admin: Any, product: Any) -> None:
    page = reverse(f"admin:{CASE}_act", args=[product.pk, "set-price"])
    answer = admin.client.post(page, {"choice": "GBP", "amount": "12", "reason": "r", "seen": ""})
    assert answer.status_code == 200
    assert answer.context["shown"].lines[0] == "From now on customers pay £12.00 instead of £10.00."
    assert (amounts(product), AuditEntry.objects.count()) == ([1000], 0)


def test_a_price_that_changed_meanwhile_is_shown_again(admin: Any, product: Any) -> None:
    typed = {"choice": "GBP", "amount": "12"}
    seen = admin.seen(CASE, product, "set-price", **typed)
    factories.price(product, amount_minor=1100)
    page = reverse(f"admin:{CASE}_act", args=[product.pk, "set-price"])
    answer = admin.client.post(page, {**typed, "reason": "r", "seen": seen})
    assert answer.context["shown"].lines[0] == "From now on customers pay £12.00 instead of £11.00."
    assert amounts(product) == [1000, 1100]


@pytest.mark.parametrize("amount", ["100.00", "1.00", ""])
def test_an_absurd_price_is_ticked(admin: Any, product: Any, amount: str) -> None:
    page = reverse(f"admin:{CASE}_act", args=[product.pk, "set-price"])
    typed = {"choice": "GBP", "amount": amount, "reason": "sale"}
    seen = admin.seen(CASE, product, "set-price", **typed)
    assert "sure" in admin.client.post(page, {**typed, "seen": seen}).context["form"].fields
    assert amounts(product) == [1000]
    assert admin.client.post(page, {**typed, "seen": seen, "sure": "on"}).status_code == 302
    assert amounts(product) == [1000, {"100.00": 10000, "1.00": 100, "": None}[amount]]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"choice": "GBP", "amount": "19.999"}, "This is no exact amount of that currency, such as 19.99."),
        ({"choice": "GBP", "amount": "19,99"}, "Decimals come after a point, such as 12.50;"),
        ({"choice": "GBP", "amount": "1e3"}, "This is no exact amount of that currency, such as 19.99."),
        ({"choice": "JPY", "amount": "1.000"}, "This is no exact amount of that currency, such as 19.99."),
        ({"choice": "GBP", "amount": "0"}, "A price is more than nothing."),
        ({"choice": "GBP", "amount": "10.00"}, "It is the same already. Nothing was changed."),
        ({"choice": "GBP", "amount": "9", "when": "2020-01-01T00:00"}, "That moment has passed."),
        ({"choice": "GBP", "amount": "9", "when": "2999-01-01T00:00"}, "That is more than two years away."),
    ],
)
def test_what_cannot_be_is_said(admin: Any, product: Any, typed: dict[str, str], told: str) -> None:
    page = reverse(f"admin:{CASE}_act", args=[product.pk, "set-price"])
    assert admin.client.post(page, {"show": "1", **typed}).context["trouble"].startswith(told)
    admin.send(CASE, product, "set-price", reason="r", **typed)
    assert (amounts(product), AuditEntry.objects.count()) == ([1000], 0)


def test_a_double_click_sets_one_price(admin: Any, product: Any) -> None:
    page = reverse(f"admin:{CASE}_act", args=[product.pk, "set-price"])
    typed = {"choice": "GBP", "amount": "12", "reason": "r", "once": "the-same-form"}
    typed["seen"] = admin.seen(CASE, product, "set-price", **typed)
    assert [admin.client.post(page, typed).status_code for _n in range(2)] == [302, 302]
    assert amounts(product) == [1000, 1200]


def test_a_planned_price_is_called_off(admin: Any, product: Any) -> None:
    typed = {
        "choice": "GBP",
        "amount": "12",
        "when": f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}",
    }
    admin.send(CASE, product, "set-price", reason="r", **typed)
    planned = Price.objects.get(amount_minor=1200)
    answer = admin.send(CASE, product, "call-off-price", choice=str(planned.pk), reason="no")
    assert answer.status_code == 302
    planned.refresh_from_db()
    assert planned.called_off_by == "boss@example.com"
    page = admin.page(CASE, product)
    assert "call-off-price" not in page.content.decode()
    assert [row["who"] for row in page.context["price_rows"]] == [
        "boss@example.com · called off by boss@example.com", "–",
    ]  # fmt: skip


def test_the_history_stands_on_the_page(admin: Any, product: Any) -> None:
    admin.send(CASE, product, "set-price", choice="GBP", amount="12", reason="spring")
    rows = admin.page(CASE, product).context["price_rows"]
    assert [(row["price"], row["who"], row["why"]) for row in rows] == [
        ("£12.00", "boss@example.com", "spring"), ("£10.00", "–", "–"),
    ]  # fmt: skip
    assert ["counts now" in row["state"] for row in rows] == [True, False]
    assert ["over" in row["state"] for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("role", "may"), [("finance", True), ("operator", False), ("support", False), ("developer", False)]
)
def test_who_says_what_it_costs(member: Any, product: Any, role: str, may: bool) -> None:
    desk = member(role)
    page = reverse(f"admin:{CASE}_act", args=[product.pk, "set-price"])
    assert desk.client.get(page).status_code == (200 if may else 403)
    assert (page in desk.page(CASE, product).content.decode()) is may
    desk.send(CASE, product, "set-price", choice="GBP", amount="12", reason="r")
    assert amounts(product) == ([1000, 1200] if may else [1000])


@pytest.mark.parametrize("model", [PLAN, PACK])
def test_plans_and_packs_too(admin: Any, model: str) -> None:
    product = goods.plan() if model == PLAN else goods.pack()
    answer = admin.send(model, product, "set-price", choice="USD", amount="6", reason="r")
    assert answer.status_code == 302
    assert Price.objects.counting().get(product=product, currency="USD").amount_minor == 600


def test_a_list_asks_as_often_for_many_as_for_one(admin: Any, product: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert admin.list(CASE).status_code == 200
        return len(seen)

    asked()
    one = asked()
    for _n in range(5):
        other = factories.price(amount_minor=1000).product
        factories.price(other, amount_minor=1200)
        factories.price(other, amount_minor=1300, starts_at=datetime.now(UTC) + timedelta(days=1))
    assert asked() == one
