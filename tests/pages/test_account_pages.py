"""/account/: somebody's own pages. What each number is, that all of them agree, and that nobody sees another's."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.services import tokens
from credits import selectors
from credits.services import holds, ledger
from orders import selectors as orders
from pimpshop.core import sheets
from tests import factories as make
from tests.support import bought as buying
from tests.support import goods

pytestmark = pytest.mark.django_db
PAGES = [
    "/account/", "/account/statement/", "/account/statement.csv", "/account/orders/", "/account/cards/", "/account/devices/",
    "/account/data/",
]  # fmt: skip


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def rows_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def amounts(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-amount="(-?\d+)"', page)]


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_asked_to_log_in(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_somebody_new_open_and_are_kept_by_nobody(path: str) -> None:
    answer = logged_in(make.user()).get(path)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert logged_in(make.user()).put(path).status_code == 405


def test_page_statement_file_and_api_tell_the_same() -> None:
    """Buys, spends, has something set aside, and gets half of the money back."""
    alice = make.user("alice@example.com", language="en")
    intent = buying.bought(user=alice, name="500 credits")
    buying.pay(intent)
    ledger.spend(user_id=alice.pk, amount=120, reference=f"{intent.order.order_no}/use")
    soon = timezone.now() + timedelta(days=9)
    ledger.grant(user_id=alice.pk, amount=70, reference="G1", kind="bonus", expires_at=soon, reason="=cmd")
    until = timezone.now() + timedelta(hours=1)
    holds.reserve(user_id=alice.pk, amount=30, reference="H1", subject="P9", expires_at=until, source="test")
    buying.end(buying.ask(intent, 1995), "succeeded")

    has = selectors.standing(alice.pk)
    assert (has.balance, has.available, has.held, has.debt) == (200, 170, 30, 0)
    assert [(ending.amount, ending.at) for ending in has.endings] == [(40, soon), (130, None)]

    client = logged_in(alice)
    page = client.get("/account/statement/").content.decode()
    assert amounts(page) == [-250, -30, 70, -120, 500]
    assert sum(amounts(page)) == has.available
    assert re.findall(r'data-balance="(\d+)"', page) == ["170", "420", "450", "380", "500"]
    assert page.count(f'href="{orders.status_path(intent.order)}"'.replace("&", "&amp;")) == 3

    head, *lines = rows_of(client.get("/account/statement.csv"))
    assert head == ["Date (UTC)", "What", "Credits", "Balance after", "Order", "Note", "Reference"]
    assert [(line[1], int(line[2]), int(line[3])) for line in lines] == [
        ("taken back", -250, 170), ("held", -30, 420), ("given", 70, 450), ("spent", -120, 380), ("bought", 500, 500),
    ]  # fmt: skip
    assert [line[4] for line in lines] == [
        intent.order.order_no,
        "P9",
        "",
        intent.order.order_no,
        intent.order.order_no,
    ]

    token = {"Authorization": f"Bearer {tokens.issue(alice)[0]}"}
    told = Client().get("/api/credits/", headers=token).json()
    assert {name: told[name] for name in ("balance", "held", "available", "debt")} == {
        "balance": 200, "held": 30, "available": 170, "debt": 0,
    }  # fmt: skip
    assert told["next_expiry"]["amount"] == 40
    first = Client().get("/api/credits/statement?limit=3", headers=token).json()
    rest = Client().get(f"/api/credits/statement?limit=3&cursor={first['next_cursor']}", headers=token).json()
    assert [row["amount"] for row in first["lines"] + rest["lines"]] == amounts(page)
    assert [row["balance_after"] for row in first["lines"]] == [170, 420, 450]
    assert rest["next_cursor"] is None

    front = client.get("/account/").content.decode()
    assert ">170<small>" in front
    assert "<b>30 credits</b> more are set aside" in front
    assert "<b>40 credits</b> end on" in front


def test_balance_of_any_day() -> None:
    user = make.user()
    at = [timezone.now()]
    for amount in (100, 20):
        ledger.grant(user_id=user.pk, amount=amount, reference=f"G{amount}")
        at.append(timezone.now())
    until = timezone.now() + timedelta(hours=1)
    hold = holds.reserve(
        user_id=user.pk, amount=50, reference="H1", subject="P9", expires_at=until, source="test"
    )
    at.append(timezone.now())
    holds.commit(hold, source="test")
    at.append(timezone.now())
    assert [selectors.balance_at(user.pk, moment) for moment in at] == [0, 100, 120, 120, 70]
    assert selectors.balance(user.pk) == 70


def test_a_debt_is_said_in_plain_words() -> None:
    user = make.user()
    intent = buying.bought(user=user)
    buying.pay(intent)
    ledger.spend(user_id=user.pk, amount=500, reference="S1")
    buying.end(buying.ask(intent), "succeeded")
    page = logged_in(user).get("/account/").content.decode()
    assert "<b>500 credits</b> were spent before their money went back to you" in page
    assert selectors.standing(user.pk).debt == 500


def test_orders_lead_to_their_pages_and_nobody_sees_anothers() -> None:
    alice, bob = make.user(), make.user()
    pack = goods.pack()
    logged_in(alice).post(f"/credits/{pack.sku}/?currency=CNY")
    order = orders.of_user(alice)[0]
    paid = buying.bought(user=alice, name="Paid pack")
    buying.pay(paid)
    page = logged_in(alice).get("/account/orders/").content.decode()
    assert re.findall(r'data-order="(\w+)"', page) == [paid.order.order_no, order.order_no]
    assert orders.pay_path(order).replace("&", "&amp;") in page
    assert "Not paid yet" in page
    assert orders.receipt_path(paid.order) in page
    assert orders.receipt_path(order) not in page
    other = logged_in(bob).get("/account/orders/").content.decode()
    assert re.findall("data-order", other) == []
    assert "How about a case" in other


def test_long_lists_have_pages() -> None:
    user = make.user()
    for number in range(35):
        ledger.grant(user_id=user.pk, amount=1, reference=f"G{number}", kind="bonus")
    for _ in range(21):
        make.order(user=user)
    client = logged_in(user)
    first = client.get("/account/statement/")
    second = client.get(f"/account/statement/?before={first.context['older']}")
    assert (len(amounts(first.content.decode())), len(amounts(second.content.decode()))) == (30, 5)
    assert (second.context["older"], second.context["newer"]) == (None, True)
    assert len(rows_of(client.get("/account/statement.csv"))) == 36
    shown = client.get("/account/orders/")
    assert len(shown.context["orders"]) == 20
    assert len(client.get(f"/account/orders/?before={shown.context['older']}").context["orders"]) == 1
    assert client.get("/account/statement/?before=x").status_code == 200


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/account/", 10),
        ("/account/statement/", 11),
        ("/account/orders/", 4),
        ("/account/cards/", 4),
        ("/account/devices/", 3),
        ("/account/data/", 13),
    ],
)
def test_a_page_takes_as_many_queries_for_much_as_for_little(
    path: str, most: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    user = make.user()
    for _ in range(5):
        buying.pay(buying.bought(user=user))
    make.plan_term(user)
    client = logged_in(user)
    with django_assert_max_num_queries(most):
        assert client.get(path).status_code == 200


def test_no_cell_is_a_formula() -> None:
    dangerous = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
    assert [sheets.plain(text) for text in dangerous] == [f"'{text}" for text in dangerous]
    assert [sheets.plain(text) for text in ("500 credits", "积分", "")] == ["500 credits", "积分", ""]


def test_the_file_speaks_chinese() -> None:
    user = make.user()
    ledger.grant(user_id=user.pk, amount=5, reference="G1", reason="=积分", payment_reference="P1")
    client = logged_in(user)
    lines = rows_of(client.get("/account/statement.csv", headers={"accept-language": "zh-CN"}))
    assert (lines[1][1], lines[1][5]) == ("购买", "'=积分")
