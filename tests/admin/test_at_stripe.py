"""Plans and packs at the desk: what they grant, whether they are sold, and their price at Stripe beside ours."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog.models import PriceAtStripe
from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry, StaffItem
from tests import factories
from tests.support import goods

pytestmark = pytest.mark.django_db
PLAN, PACK = "catalog_plan", "catalog_creditpack"


def answered(product: Any, **changes: Any) -> PriceAtStripe:
    """As Stripe answered seven minutes ago."""
    return PriceAtStripe.objects.create(
        **{
            "product_id": product.pk, "price_id": product.stripe_price_id, "is_found": True, "is_active": True,
            "amount_minor": 500, "currency": "USD", "checked_at": timezone.now() - timedelta(minutes=7),
            "due_at": timezone.now() + timedelta(hours=5), **changes,
        }
    )  # fmt: skip


def column(desk: Any, model: str, name: str) -> list[str]:
    """The texts of one column, by row."""
    page = desk.list(model).content.decode()
    cells = re.findall(rf'<td[^>]*class="[^"]*field-{name}[^"]*"[^>]*>(.*?)</td>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in cells]


def test_the_list_of_plans(admin: Any) -> None:
    same, other, never = (goods.plan(prices={"USD": 500}, sort_order=n, points=1000 * n) for n in (1, 2, 3))
    goods.plan(is_active=False, sort_order=4)
    answered(same)
    answered(other, amount_minor=600)
    assert [text.split()[-1] for text in column(admin, PLAN, "compared")] == ["same", "differs", "–", "–"]
    assert column(admin, PLAN, "grants")[0].endswith("1,000 points, 30 days")
    assert [text.split()[-2:] for text in column(admin, PLAN, "sale")] == [["on", "sale"]] * 3 + [
        ["on", "sale"]
    ]
    assert admin.rows(PLAN, show="differs") == [other]
    assert admin.rows(PLAN, show="sold") == [same, other, never]
    assert len(admin.rows(PLAN, show="hidden")) == 1


def test_the_list_asks_as_often_for_many_as_for_one(admin: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert admin.list(PLAN).status_code == 200
        return len(seen)

    answered(goods.plan())
    asked()
    one = asked()
    for _n in range(4):
        answered(goods.plan())
    assert asked() == one


def test_the_page_shows_what_differs_and_how_old_it_is(admin: Any) -> None:
    plan = goods.plan(prices={"USD": 700})
    answered(plan, is_active=False, interval="1 month")
    page = admin.page(PLAN, plan)
    shown = page.context["at_stripe"]
    assert shown["differences"] == [
        "It is not active at Stripe.", "At Stripe it is paid again every 1 month; here it is paid once.",
        "At Stripe it costs $5.00, here $7.00.",
    ]  # fmt: skip
    assert (shown["age"], shown["is_stale"]) == ("7\xa0minutes ago", False)
    assert "answered 7" in page.content.decode()


def test_an_old_answer_is_marked(admin: Any) -> None:
    plan = goods.plan(prices={"USD": 500})
    answered(plan, checked_at=timezone.now() - timedelta(hours=25))
    assert admin.page(PLAN, plan).context["at_stripe"]["is_stale"] is True
    assert column(admin, PLAN, "compared")[0].endswith("the same, 1 day ago")


def test_an_answer_about_another_id_is_not_shown(admin: Any) -> None:
    plan = goods.plan(prices={"USD": 500})
    answered(plan, price_id="price_old", amount_minor=1)
    assert admin.page(PLAN, plan).context["at_stripe"]["facts"] == []
    assert column(admin, PLAN, "compared")[0].endswith("–")


def test_a_new_price_warns_of_the_one_at_stripe(admin: Any) -> None:
    plan = goods.plan(prices={"USD": 500})
    answered(plan)
    lines = admin.shown(PLAN, plan, "set-price", choice="USD", amount="6")
    assert lines[2].startswith("At Stripe it costs $5.00. A price there is never changed")
    assert len(admin.shown(PLAN, plan, "set-price", choice="CNY", amount="6")) == 2


def test_comparing_now_only_says_that_it_is_due(admin: Any) -> None:
    plan = goods.plan()
    row = answered(plan)
    answer = admin.act(PLAN, plan, "compare-now")
    assert admin.said(answer) == [
        f"{plan}: Compare with Stripe now: Stripe is asked; the page shows how old its answer is."
    ]
    row.refresh_from_db()
    assert row.due_at <= timezone.now()
    assert AuditEntry.objects.get().action == "compare now"


@pytest.mark.parametrize(("role", "may"), [("finance", True), ("operator", False), ("support", False), ("developer", False)])  # fmt: skip
def test_who_compares(member: Any, role: str, may: bool) -> None:
    plan = goods.plan()
    row = answered(plan)
    desk = member(role)
    assert desk.list(PLAN).status_code == 200
    assert desk.page(PLAN, plan).context["at_stripe"]["facts"] != []
    desk.act(PLAN, plan, "compare-now")
    before = row.due_at
    row.refresh_from_db()
    assert (row.due_at != before) is may


def test_the_item_leads_to_the_plan(admin: Any) -> None:
    plan = goods.plan()
    staff_items.open_item(kind="stripe_price_differs", subject=plan.sku, title="t")
    page = admin.page("core_staffitem", StaffItem.objects.get())
    assert [step.title for step in page.context["steps"]] == [
        f"Open {plan.sku}", "Set a price", "Compare with Stripe now",
    ]  # fmt: skip
    found = admin.client.get(reverse("admin:find"), {"q": plan.sku})
    assert found["Location"] == reverse("admin:catalog_plan_change", args=[plan.pk])


def test_a_pack_without_an_id_has_nothing_at_stripe(admin: Any) -> None:
    pack = goods.pack(stripe_price_id=None)
    page = admin.page(PACK, pack)
    assert page.context["at_stripe"] is None
    assert "compare-now" not in page.content.decode()
    assert column(admin, PACK, "grants")[0].endswith("100 credits")
    case = factories.product()
    assert "at_stripe" not in admin.page("catalog_caseproduct", case).context
