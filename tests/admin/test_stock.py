"""Stock at the desk: by machine and by shell, with the age of what the manufacturer reported."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import factories
from vending.models import StockLevel

pytestmark = pytest.mark.django_db
STOCK = "vending_stocklevel"


@pytest.fixture
def levels() -> dict[str, StockLevel]:
    now = timezone.now()
    mall, school = factories.machine(name="Mall"), factories.machine(name="School")
    closed = factories.machine(name="Closed", is_active=False)
    shell, other = factories.shell(), factories.shell()

    def held(machine: Any, of: Any, count: int, minutes: int) -> StockLevel:
        return factories.stock(machine, of, count, seen_at=now - timedelta(minutes=minutes))

    return {
        "fresh": held(mall, shell, 7, 7), "out": held(mall, other, 0, 7), "few": held(school, shell, 2, 11),
        "old": held(school, other, 5, 61), "closed": held(closed, shell, 0, 600),
    }  # fmt: skip


def names(desk: Any, levels: dict[str, StockLevel], **query: Any) -> list[str]:
    by_pk = {level.pk: name for name, level in levels.items()}
    return [by_pk[row.pk] for row in desk.rows(STOCK, **query)]


def labels(desk: Any, **query: Any) -> list[tuple[str, str]]:
    page = desk.list(STOCK, **query).content.decode()
    return re.findall(r'desk-label tone-(\w*)">([^<]*)<', page[page.index("result_list") :])


def test_every_level_with_its_age(admin: Any, levels: dict[str, StockLevel]) -> None:
    assert names(admin, levels) == ["closed", "fresh", "out", "few", "old"]
    assert labels(admin, show="all")[2:8] == [
        ("", "7"), ("success", "reported 7\xa0minutes ago"), ("danger", "out of stock"),
        ("success", "reported 7\xa0minutes ago"), ("warning", "2"), ("warning", "reported 11\xa0minutes ago"),
    ]  # fmt: skip
    assert labels(admin)[9] == ("danger", "reported 1\xa0hour ago")


@pytest.mark.parametrize(
    ("show", "found"),
    [("out", ["out"]), ("few", ["few"]), ("old", ["closed", "old"]), ("unused", ["closed"])],
)
def test_questions(admin: Any, levels: dict[str, StockLevel], show: str, found: list[str]) -> None:
    assert names(admin, levels, show=show) == found


def test_by_machine_and_by_shell(admin: Any, levels: dict[str, StockLevel]) -> None:
    machine, shell = levels["few"].machine, levels["few"].shell
    assert names(admin, levels, machine__id__exact=machine.pk) == ["few", "old"]
    assert names(admin, levels, shell__id__exact=shell.pk) == ["closed", "fresh", "few"]
    assert names(admin, levels, q=shell.manufacturer_id) == ["closed", "fresh", "few"]
    assert names(admin, levels, q=machine.machine_id) == ["few", "old"]


def test_the_page_of_a_shell_and_the_list_of_shells(admin: Any, levels: dict[str, StockLevel]) -> None:
    shell = levels["few"].shell
    rows = admin.page("catalog_shell", shell).context["stock_rows"]
    assert [(row["name"], row["unused"]) for row in rows] == [
        ("School", False),
        ("Mall", False),
        ("Closed", True),
    ]
    never = factories.shell()
    assert admin.page("catalog_shell", never).context["stock_rows"] == []
    assert {row.pk: row.in_stock for row in admin.rows("catalog_shell")} == {
        shell.pk: 9, levels["old"].shell.pk: 5, never.pk: None,
    }  # fmt: skip


def test_the_page_of_a_machine_marks_old_reports(admin: Any, levels: dict[str, StockLevel]) -> None:
    page = admin.page("vending_machine", levels["old"].machine).content.decode()
    assert 'desk-label tone-danger">reported 1\xa0hour ago' in page
    assert 'desk-label tone-warning">reported 11\xa0minutes ago' in page


def test_the_list_asks_as_often_for_many_as_for_one(admin: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert admin.list(STOCK).status_code == 200
        return len(seen)

    machine = factories.machine()
    factories.stock(machine, factories.shell())
    asked()
    one = asked()
    for _n in range(5):
        factories.stock(machine, factories.shell())
    assert asked() == one


@pytest.mark.parametrize("role", ["support", "finance", "operator", "developer"])
def test_everybody_at_the_desk_looks_and_nobody_writes(
    member: Any, levels: dict[str, StockLevel], role: str
) -> None:
    desk = member(role)
    assert desk.list(STOCK).status_code == 200
    page = f"/admin/vending/stocklevel/{levels['out'].pk}/change/"
    assert desk.client.get(page).status_code == 200
    assert desk.client.post(page, {"count": "99"}).status_code == 403
    levels["out"].refresh_from_db()
    assert levels["out"].count == 0
