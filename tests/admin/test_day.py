"""Today and the last days on the first page: per currency, by the shop's day, with few queries, drawn without a script."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments.models import WebhookEventChange
from payments.services import day_figures
from pimpshop.core import shop_day
from pimpshop.core.admin import charts, words
from tests import factories
from vending.models import PrintJobEvent
from vending.services import day_figures as machine_days

pytestmark = pytest.mark.django_db

#: In Shanghai it is half past one in the morning of the 21st.
NIGHT = datetime(2025, 11, 20, 17, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def night(settings: Any) -> Any:
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    cache.clear()
    with time_machine.travel(NIGHT, tick=False):
        yield
    cache.clear()


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def paid(
    minor: int = 1999, currency: str = "GBP", *, minutes: float = 5, machine: str = "", **more: Any
) -> Any:
    """A payment that settled its order so many minutes ago."""
    order = factories.order(currency=currency, total_minor=minor, machine_id=machine)
    values = {"status": "succeeded", "captured_minor": minor, "settles_order": True, "succeeded_at": ago(minutes=minutes),
              "created_at": ago(minutes=minutes + 1)}  # fmt: skip
    return factories.intent(order, **(values | more))


def panel(admin: Any, title: str, **query: Any) -> Any:
    panels = admin.client.get("/admin/", query).context["panels"]
    return next(panel for panel in panels if str(panel.title) == title)


# --- the shop's day
def test_the_shops_day_begins_at_its_own_midnight() -> None:
    assert shop_day.today() == date(2025, 11, 21)
    assert shop_day.midnight() == datetime(2025, 11, 20, 16, tzinfo=UTC)
    assert shop_day.last(3) == [date(2025, 11, 19), date(2025, 11, 20), date(2025, 11, 21)]


# --- takings
def test_takings_are_per_currency_and_of_the_shops_day(admin: Any) -> None:
    mall = factories.machine(name="Mall")
    paid(machine=mall.machine_id), paid(machine=mall.machine_id), paid(gateway="stripe")
    paid(3990, "CNY", gateway="alipay")
    paid(minutes=91)  # yesterday in Shanghai, today in UTC
    paid(is_surplus=True, settles_order=False)  # goes back
    paid(1500, "CREDITS", gateway="credits")
    shown = panel(admin, "Takings today")
    assert str(shown.note) == "since midnight in Asia/Shanghai"
    assert [(f.label, f.value, f.more) for f in shown.figures] == [
        ("CNY", "CN¥39.90", "1 payment"),
        ("CREDITS", "1,500 credits", "1 payment"),
        ("GBP", "£59.97", "3 payments"),
    ]
    assert [(str(row.text), row.label) for row in shown.rows] == [
        ("Alipay", "CN¥39.90"),
        ("Credits", "1,500 credits"),
        ("At the machine", "£39.98"),
        ("Card (Stripe)", "£19.99"),
        ("Mall", "£39.98"),
    ]


# --- how it runs
def test_how_it_runs_today(admin: Any) -> None:
    for _ in range(3):
        paid()
    paid(refund_reserved_minor=500)
    factories.intent(status="failed")
    factories.intent(status="requires_action")
    for seconds in (2, 4, 60):
        job = factories.print_job(
            created_at=ago(minutes=10), accepted_at=ago(minutes=10) + timedelta(seconds=seconds)
        )
        PrintJobEvent.objects.create(
            print_job=job, to_status="printed", at=ago(minutes=10) + timedelta(seconds=seconds * 60)
        )
    event = factories.webhook_event(status="processed", received_at=ago(minutes=3))
    WebhookEventChange.objects.create(
        event=event, from_status="received", to_status="processed", at=ago(minutes=3) + timedelta(seconds=0.5)
    )
    figures = {str(f.label): (f.value, f.more) for f in panel(admin, "How it runs today").figures}
    assert figures == {
        "payments that succeed": ("80 %", "4 of 5"),
        "from paid to taken by the machine": ("4.0 s", "95 of 100: 54 s"),
        "from paid to printed": ("4 min", "95 of 100: 54 min"),
        "payments that go back": ("25 %", "1 of 4"),
        "until an event was worked on": ("0.5 s", "95 of 100: 0.5 s"),
    }


def test_nothing_yet_is_shown_as_nothing(admin: Any) -> None:
    values = [f.value for f in panel(admin, "How it runs today").figures]
    assert values == ["–"] * 5
    assert panel(admin, "Takings today").figures == []


def test_queues_by_machine_longest_first(admin: Any) -> None:
    short, long = factories.machine(name="Short"), factories.machine(name="Long")
    factories.print_job(short), factories.print_job(short, status="printed")
    factories.print_job(long), factories.print_job(long), factories.print_job(long, status="printing")
    rows = [(row.text, row.detail, row.label) for row in panel(admin, "Queue by machine").rows]
    assert rows == [
        ("Long", "2 to be taken, 1 at the machine", 3),
        ("Short", "1 to be taken, 0 at the machine", 1),
    ]


# --- the last days
def test_the_last_days_are_drawn_and_stand_in_a_table(admin: Any) -> None:
    paid(), paid(minutes=91), paid(3990, "CNY", gateway="alipay")
    shown = {chart.name: chart for chart in panel(admin, "The last days").charts}
    assert set(shown) == {"takings-CNY", "takings-GBP", "success"}
    pounds = shown["takings-GBP"]
    assert [str(bar.text) for bar in pounds.bars[-3:]] == ["£0.00", "£19.99", "£19.99"]
    assert len(pounds.bars) == 14
    assert pounds.summary == "14 days. Highest: £19.99. Today: £19.99."
    assert len(panel(admin, "The last days", days="7").charts[0].bars) == 7


def test_a_chart_is_svg_with_a_name_and_a_description_and_no_style(admin: Any) -> None:
    paid(refund_reserved_minor=1)
    html = admin.client.get("/admin/").content.decode()
    drawings = re.findall(r"<svg viewBox.*?</svg>", html, re.DOTALL)
    assert len(drawings) == 3
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)  # well formed
        assert root.attrib["role"] == "img"
        assert f'id="{root.attrib["aria-labelledby"]}"' in html
        assert root.find("desc") is not None
        assert all(0 <= float(bar.attrib["y"]) <= charts.HEIGHT for bar in root.findall("rect"))
        assert "style=" not in drawing
    assert html.count("As a table") == 3


def test_a_decimal_comma_never_gets_into_a_drawing(admin: Any) -> None:
    admin.client.cookies["django_language"] = "zh-hans"
    html = admin.client.get("/admin/").content.decode()
    assert re.search(r'<rect x="[^"]*,', html) is None


# --- cost
def test_the_first_page_asks_few_questions_and_fewer_the_second_time(admin: Any) -> None:
    for _ in range(3):
        paid(machine=factories.machine().machine_id)
        factories.print_job(factories.machine())
    with CaptureQueriesContext(connection) as first:
        admin.client.get("/admin/")
    with CaptureQueriesContext(connection) as again:
        admin.client.get("/admin/")
    assert len(first) <= 32
    assert len(again) <= len(first) - 8


@pytest.mark.parametrize("read", [
    day_figures.takings, day_figures.course, lambda: day_figures.takings_by_day(shop_day.last(14)),
    lambda: day_figures.outcomes_by_day(shop_day.last(14)), machine_days.times,
    lambda: machine_days.printed_by_day(shop_day.last(14)), machine_days.queues,
])  # fmt: skip
def test_every_figure_is_few_statements_bounded_by_an_indexed_column(read: Any) -> None:
    with CaptureQueriesContext(connection) as asked:
        read()
    assert 1 <= len(asked) <= 2
    bounds = [re.search(r'"(created_at|received_at)" >= |"status" IN ', query["sql"]) for query in asked]
    assert None not in bounds, asked.captured_queries


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.44, "0.4 s"), (12.4, "12 s"), (200, "3 min"), (7500, "2 h 5 min")],
)
def test_spans(seconds: float | None, text: str) -> None:
    assert words.span(seconds) == text
