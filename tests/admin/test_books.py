"""Day by day: statements, takings and machines of the shop's days, and the books as a file, with exact values."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.gateways import base
from payments.models import Dispute, DisputeEvent, ReconcileDifference, RefundEvent, StatementRun
from payments.services import disputes
from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

DAYS = "/admin/payments/statementrun/days/"
FILE = "/admin/payments/statementrun/books.csv"
NOW = datetime(2025, 11, 22, 4, tzinfo=UTC)  # noon in Shanghai


@pytest.fixture(autouse=True)
def noon(settings: Any) -> Any:
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield
    cache.clear()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, 11, day, hour, minute, tzinfo=UTC)


def paid(when: datetime, minor: int = 1999, currency: str = "GBP", *, machine: str = "", **more: Any) -> Any:
    order = factories.order(currency=currency, total_minor=minor, machine_id=machine)
    values = {
        "status": "succeeded",
        "captured_minor": minor,
        "settles_order": True,
        "succeeded_at": when,
        "created_at": when,
    }
    return factories.intent(order, **(values | more))


def taken_out(desk: Any, first: str, last: str) -> list[list[str]]:
    """The lines under the head."""
    answer = desk.client.get(FILE, {"from": first, "to": last})
    assert answer.status_code == 200
    head, *lines = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert (
        ",".join(head)
        == "at_utc,kind,order,number,provider,provider_number,machine,currency,amount,sign,method"
    )
    return lines


def dispute(of: Any, *steps: tuple[str, datetime], **more: Any) -> Dispute:
    row = Dispute.objects.create(
        **{
            "intent": of,
            "provider_ref": "dp_1",
            "amount_minor": 1999,
            "currency": "GBP",
            "status": steps[-1][0],
        }
        | more
    )
    for word, when in steps:
        DisputeEvent.objects.create(dispute=row, to_status=word, at=when, source="webhook")
    return row


# --- the file
def test_the_books_have_every_movement_exactly(admin: Any) -> None:
    pound = paid(at(20, 1), machine="CXY1", provider_ref="pi_1", gateway="stripe", method="card")
    yen = paid(at(20, 2), 1500, "JPY", gateway="airwallex", method="card")
    back = factories.refund(
        pound,
        status="succeeded",
        succeeded_at=at(20, 3),
        created_at=at(20, 3),
        kind="provider",
        amount_minor=505,
        provider_ref="re_1",
    )
    dispute(pound, ("opened", at(20, 4)), ("under_review", at(20, 5)), ("won", at(20, 6)))
    paid(at(20, 7), status="failed", captured_minor=0, settles_order=False, succeeded_at=None)
    card = [pound.order.order_no, pound.out_trade_no, "stripe"]
    assert taken_out(admin, "2025-11-20", "2025-11-20") == [
        ["2025-11-20T01:00:00Z", "payment", *card, "pi_1", "CXY1", "GBP", "19.99", "1", "card"],
        ["2025-11-20T02:00:00Z", "payment", yen.order.order_no, yen.out_trade_no, "airwallex", "", "", "JPY", "1500", "1", "card"],
        ["2025-11-20T03:00:00Z", "refund", card[0], back.out_refund_no, "stripe", "re_1", "CXY1", "GBP", "5.05", "-1", "card"],
        ["2025-11-20T04:00:00Z", "dispute", *card, "dp_1", "CXY1", "GBP", "19.99", "-1", "card"],
        ["2025-11-20T06:00:00Z", "dispute returned", *card, "dp_1", "CXY1", "GBP", "19.99", "1", "card"],
    ]  # fmt: skip
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (
        "boss@example.com", "take out the books", "2025-11-20 to 2025-11-20, days of Asia/Shanghai",
    )  # fmt: skip


def test_a_day_of_the_books_is_the_shops(admin: Any) -> None:
    paid(at(19, 15, 59)), paid(at(19, 16)), paid(at(20, 15, 59)), paid(at(20, 16, 30))
    assert [line[0] for line in taken_out(admin, "2025-11-20", "2025-11-20")] == [
        "2025-11-19T16:00:00Z", "2025-11-20T15:59:00Z",
    ]  # fmt: skip
    assert [line[0] for line in taken_out(admin, "2025-11-21", "2025-11-21")] == ["2025-11-20T16:30:00Z"]


def test_a_refund_that_fails_after_all_comes_back(admin: Any) -> None:
    refund = factories.refund(paid(at(10, 1)), status="failed", succeeded_at=at(20, 1))
    RefundEvent.objects.create(
        refund=refund, from_status="succeeded", to_status="failed", at=at(21, 1), source="sweep"
    )
    assert [(line[0], line[1], line[9]) for line in taken_out(admin, "2025-11-20", "2025-11-22")] == [
        ("2025-11-20T01:00:00Z", "refund by hand", "-1"),
        ("2025-11-21T01:00:00Z", "refund by hand failed", "1"),
    ]


def test_a_question_of_the_bank_moves_nothing_until_it_is_a_dispute(admin: Any) -> None:
    intent = paid(at(10, 1))
    dispute(intent, ("opened", at(20, 1)), money_moved=False)
    escalated = dispute(intent, ("opened", at(20, 2)), provider_ref="dp_2")
    DisputeEvent.objects.create(
        dispute=escalated, to_status="opened", at=at(21, 2), source="webhook", data={"money_moved": True}
    )
    assert [(line[0], line[5]) for line in taken_out(admin, "2025-11-20", "2025-11-22")] == [
        ("2025-11-21T02:00:00Z", "dp_2")
    ]


def test_a_question_is_booked_when_it_became_a_dispute(admin: Any) -> None:
    intent = paid(at(10, 1))
    for when, moved in ((at(20, 1), False), (at(21, 1), True)):
        notice = base.DisputeNotice(
            provider_ref="dp_3", status=base.DisputeStatus.OPENED, amount=intent.amount, money_moved=moved
        )
        with time_machine.travel(when, tick=False):
            disputes.apply_notice(intent, notice, source="webhook")
    lines = taken_out(admin, "2025-11-20", "2025-11-22")
    assert [(line[0], line[1]) for line in lines] == [("2025-11-21T01:00:00Z", "dispute")]


def test_no_cell_of_the_books_is_a_formula(admin: Any) -> None:
    paid(at(20, 1), provider_ref="=HYPERLINK(1)", machine="@m", method="+x")
    (line,) = taken_out(admin, "2025-11-20", "2025-11-20")
    assert (line[5], line[6], line[10]) == ("'=HYPERLINK(1)", "'@m", "'+x")


def test_the_books_take_as_many_queries_for_more_rows(admin: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            taken_out(admin, "2025-11-20", "2025-11-20")
        return len(seen)

    queries()
    before = queries()
    for n in range(5):
        intent = paid(at(20, n))
        factories.refund(intent, status="succeeded", succeeded_at=at(20, 9), created_at=at(20, 9))
        dispute(intent, ("opened", at(20, 10)), provider_ref=f"dp_{n}")
    assert queries() == before
    assert len(taken_out(admin, "2025-11-20", "2025-11-20")) == 15


@pytest.mark.parametrize(
    "span", [("", ""), ("2025-11-20", "2025-11-19"), ("2024-11-20", "2025-11-21"), ("x", "2025-11-20")]
)
def test_no_books_without_a_span_of_at_most_366_days(admin: Any, span: tuple[str, str]) -> None:
    answer = admin.client.get(FILE, {"from": span[0], "to": span[1]})
    assert answer.status_code == 400
    assert b"Choose a first and a last day, at most 366 days." in answer.content
    assert not AuditEntry.objects.exists()


def test_366_days_are_given(admin: Any) -> None:
    assert taken_out(admin, "2024-11-20", "2025-11-20") == []


@pytest.mark.parametrize("page", [DAYS, FILE])
def test_who_may_not_see_statements_gets_neither(viewer: Any, page: str) -> None:
    desk = viewer("payments.view_paymentintent")
    answer = desk.client.get(page, {"from": "2025-11-20", "to": "2025-11-20"})
    assert answer.status_code == 403
    assert not AuditEntry.objects.exists()
    assert (
        viewer("payments.view_statementrun")
        .client.get(page, {"from": "2025-11-20", "to": "2025-11-20"})
        .status_code
        == 200
    )


# --- the page
def cells(answer: Any, gateway: str, account: str) -> dict[date, dict[str, Any]]:
    place = [(h["column"].gateway, h["column"].account) for h in answer.context["heads"]].index(
        (gateway, account)
    )
    return {day: row[place] for day, row in answer.context["rows"]}


def test_the_days_of_a_provider_are_its_own_and_currencies_stay_apart(admin: Any) -> None:
    more: dict[str, Any] = {"account": "m1", "gateway": "wechatpay"}
    (
        paid(at(20, 16, 30), 3990, "CNY", **more),
        paid(at(20, 15, 59), 990, "CNY", **more),
        paid(at(20, 16, 31), **more),
    )
    paid(at(20, 16, 30), gateway="stripe", account="a1")
    answer = admin.client.get(DAYS)
    assert len(answer.context["rows"]) == 31
    wechat, stripe = cells(answer, "wechatpay", "m1"), cells(answer, "stripe", "a1")
    assert wechat[date(2025, 11, 21)]["taken"] == ["CN¥39.90", "£19.99"]
    assert wechat[date(2025, 11, 20)]["taken"] == ["CN¥9.90"]
    assert stripe[date(2025, 11, 20)]["taken"] == ["£19.99"]
    assert stripe[date(2025, 11, 21)]["taken"] == []
    zones = {h["column"].gateway: h["column"].zone for h in answer.context["heads"]}
    assert (zones["wechatpay"], zones["stripe"]) == ("Asia/Shanghai", "UTC")


def run(day: int, **more: Any) -> StatementRun:
    return StatementRun.objects.create(gateway="stripe", account="a1", day=date(2025, 11, day), **more)


def test_each_day_says_how_its_statement_stands(admin: Any) -> None:
    done = run(20, done_at=NOW, matched=7, differences=2)
    run(19, error="403 from there"), run(21, due_at=NOW)
    values: dict[str, Any] = {"run": done, "kind": "payment_only_here", "currency": "GBP"}
    one = ReconcileDifference.objects.create(subject="A", status="open", **values)
    ReconcileDifference.objects.create(subject="B", status="resolved", **values)
    ReconcileDifference.objects.create(subject="C", **values | {"run": run(18, done_at=NOW)})
    answer = admin.client.get(DAYS)
    cell = cells(answer, "stripe", "a1")[date(2025, 11, 20)]
    assert (cell["run"].matched, cell["open"], cell["resolved"]) == (7, 1, 1)
    text = answer.content.decode()
    assert "7 agree<" in text
    assert 'title="403 from there">error<' in text
    assert ">not there yet<" in text
    shown = admin.client.get(f"{cell['href']}&show=open")
    assert list(shown.context["cl"].result_list) == [one]


def test_a_machine_is_compared_with_its_print_jobs(admin: Any) -> None:
    mall = factories.machine(name="Mall")
    printed, waiting, _none = (paid(at(20, 16, 30 + n), machine=mall.machine_id) for n in range(3))
    paid(at(20, 15), 3990, "CNY", machine=mall.machine_id)  # the day before
    factories.print_job(mall, order_no=printed.order.order_no, status="collected", created_at=at(20, 16, 30))
    factories.print_job(mall, order_no=waiting.order.order_no, status="submitting", created_at=at(20, 16, 31))
    factories.print_job(mall, status="printed", created_at=at(20, 17))  # nobody paid
    factories.print_job(mall, status="printed", pay_type=12, created_at=at(20, 17))  # paid online
    (one,) = admin.client.get(DAYS, {"day": "2025-11-21"}).context["machines"]
    row = one["row"]
    assert (row.name, one["money"], row.payments, row.jobs, row.printed, row.missing, row.unpaid) == (
        "Mall", ["£59.97"], 3, 2, 1, 1, 1,
    )  # fmt: skip
    (before,) = admin.client.get(DAYS, {"day": "2025-11-20"}).context["machines"]
    assert (before["money"], before["row"].missing, before["row"].unpaid) == (["CN¥39.90"], 1, 0)


def test_the_page_takes_as_many_queries_for_more_rows(admin: Any) -> None:
    mall = factories.machine()

    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            admin.client.get(DAYS, {"day": "2025-11-21"})
        return len(seen)

    def more(day: int) -> None:
        job = paid(at(20, 17), machine=mall.machine_id)
        factories.print_job(mall, order_no=job.order.order_no, created_at=at(20, 17))
        run(day, done_at=NOW).found.create(kind="payment_only_here", subject="A", currency="GBP")

    more(20)
    before = queries()
    for day in (17, 18, 19):
        more(day)
    assert queries() == before


def test_the_list_and_the_sidebar_lead_there(admin: Any) -> None:
    assert admin.list("payments_statementrun").content.decode().count(DAYS) >= 1
