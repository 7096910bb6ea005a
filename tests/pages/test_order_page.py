"""The order's page at a machine: what has happened and when, who is before you, and how to find the machine."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from orders import selectors
from orders.models import Order
from payments.models import Refund
from payments.services import progress
from pimpshop.core.states import advance
from tests import factories as make
from vending.models import Machine, PrintJob, PrintJobEvent
from vending.services import print_jobs

pytestmark = pytest.mark.django_db


def paid(machine: Machine | None = None, status: str = "accepted", **job: Any) -> tuple[Order, PrintJob]:
    machine = machine or make.machine()
    order = make.order(status="paid", paid_at=timezone.now(), machine_id=machine.machine_id)
    made = make.print_job(
        machine, reference=f"{order.order_no}/1", order_no=order.order_no,
        **{"status": status, "accepted_at": timezone.now(), "queue_no": "9578", **job},
    )  # fmt: skip
    return order, made


def steps(order: Order) -> list[tuple[str, str, bool]]:
    return [
        (step["text"], step["state"], step["at"] is not None)
        for step in progress.order_progress(order)["steps"]
    ]


# --- The timeline ------------------------------------------------------------------------------------------------------
def test_each_step_has_its_own_time() -> None:
    order, job = paid()
    assert steps(order) == [
        ("Ordered", "done", True), ("Paid", "done", True), ("Sent to the machine", "now", True),
        ("Printing", "todo", False), ("Ready", "todo", False), ("Collected", "todo", False),
    ]  # fmt: skip
    assert advance(job, "printing", source="poll")
    assert [step[1] for step in steps(order)] == ["done", "done", "done", "now", "todo", "todo"]
    assert advance(job, "printed", source="poll")
    assert advance(job, "collected", source="poll")
    at = {event.to_status: event.at for event in PrintJobEvent.objects.filter(print_job=job)}
    told = progress.order_progress(order)["steps"]
    assert [step["state"] for step in told] == ["done"] * 6
    assert [step["at"] for step in told[3:]] == [at["printing"], at["printed"], at["collected"]]


def test_a_step_that_nobody_saw_has_no_time() -> None:
    order, job = paid()
    assert advance(job, "collected", source="poll")
    assert steps(order)[3:] == [
        ("Printing", "done", False),
        ("Ready", "done", False),
        ("Collected", "done", True),
    ]


def test_a_case_that_is_printed_once_more_begins_anew() -> None:
    """What happened to the first one must not read as done."""
    order, job = paid()
    assert advance(job, "printing", source="poll")
    assert advance(job, "printed", source="poll")
    assert advance(job, "submitting", source="admin")  # as it stands while it is ordered anew
    assert steps(order)[2:] == [
        ("To the machine", "now", False), ("Printing", "todo", False), ("Ready", "todo", False),
        ("Collected", "todo", False),
    ]  # fmt: skip
    assert advance(job, "accepted", source="poll", accepted_at=timezone.now())
    assert [step[1] for step in steps(order)] == ["done", "done", "now", "todo", "todo", "todo"]


def test_before_the_machine_has_it() -> None:
    order, _ = paid(status="submitting", accepted_at=None)
    assert steps(order)[2:4] == [("To the machine", "now", False), ("Printing", "todo", False)]


def test_what_went_back_is_the_last_step() -> None:
    order, _ = paid()
    intent = make.intent(
        order, status="partially_refunded", settles_order=True, captured_minor=1999, refund_reserved_minor=500,
        refunded_minor=500,
    )  # fmt: skip
    at = timezone.now() - timedelta(minutes=1)
    make.refund(intent, status="succeeded", amount_minor=500, succeeded_at=at)
    last = progress.order_progress(order)["steps"][-1]
    assert last == {"text": "Given back in part", "at": at, "state": "done"}
    Refund.objects.update(amount_minor=1999)
    type(intent).objects.update(status="refunded", refunded_minor=1999, refund_reserved_minor=1999)
    Order.objects.update(status="refunded")
    order.refresh_from_db()
    assert [step[0] for step in steps(order)] == ["Ordered", "Paid", "Sent to the machine", "Given back"]


def test_times_are_for_the_readers_own_clock() -> None:
    order, _ = paid()
    page = Client().get(selectors.status_path(order)).content.decode()
    found = re.search(r'<time[^>]*datetime="([^"]+)" data-local-time="short">(\d\d:\d\d) UTC</time>', page)
    assert found
    assert datetime.fromisoformat(found[1]).utcoffset() == timedelta(0)


# --- The queue ---------------------------------------------------------------------------------------------------------
def test_who_is_before_you() -> None:
    machine, now = make.machine(), timezone.now()
    order, job = paid(machine, accepted_at=now)
    make.print_job(machine, status="accepted", accepted_at=now - timedelta(minutes=2))
    make.print_job(machine, status="printing", accepted_at=now - timedelta(minutes=4))
    make.print_job(machine, status="printed", accepted_at=now - timedelta(minutes=6))
    make.print_job(machine, status="accepted", accepted_at=now + timedelta(seconds=1))
    make.print_job(make.machine(), status="accepted", accepted_at=now - timedelta(minutes=2))
    make.print_job(
        machine, status="accepted", accepted_at=now - print_jobs.IN_QUEUE_FOR - timedelta(seconds=1)
    )
    assert print_jobs.place_in_queue(job) == 3
    assert "2 cases are before yours." in Client().get(selectors.status_path(order)).content.decode()


def test_an_unknown_place_is_not_made_up() -> None:
    order, _ = paid(accepted_at=None)
    page = Client().get(selectors.status_path(order)).content.decode()
    assert "We cannot see yet how many cases are before yours." in page
    assert "You are next" not in page


@pytest.mark.parametrize(
    ("machine", "rests"),
    [({}, False), ({"maintenance": True}, True), ({"printer": "out", "printer_at": timezone.now}, True), ({"is_active": False}, True)],
)  # fmt: skip
def test_a_machine_that_rests_keeps_your_place(machine: dict[str, Any], rests: bool) -> None:
    facts = {name: value() if callable(value) else value for name, value in machine.items()}
    order, _ = paid(make.machine(**facts))
    page = Client().get(selectors.status_path(order)).content.decode()
    assert ("data-resting" in page) == rests
    assert "You are next." in page


# --- The way to the machine --------------------------------------------------------------------------------------------
def test_how_to_find_the_machine() -> None:
    machine = make.machine(
        location="Mall A", floor="First floor", landmark="Beside the big clock", opening_hours="10–22",
        latitude=Decimal("51.5073"), longitude=Decimal("-0.2214"),
    )  # fmt: skip
    order, _ = paid(machine)
    machine.refresh_from_db()
    assert machine.place == "51.507300,-0.221400"
    page = Client().get(selectors.status_path(order)).content.decode()
    card = re.search(r"<section[^>]*data-find>.*?</section>", page, re.S)
    assert card
    for word in (machine.name, "Mall A", "First floor", "Beside the big clock", "10–22"):
        assert word in card[0]
    assert re.findall(r'<a [^>]*href="([^"]+)"', card[0]) == [
        "geo:51.507300,-0.221400?q=51.507300,-0.221400",
        "https://www.openstreetmap.org/search?query=51.507300,-0.221400",
    ]
    assert card[0].count('rel="noreferrer') == 2  # the order's link must not travel along


def test_no_map_of_a_place_that_nobody_told_and_none_when_all_is_over() -> None:
    order, job = paid()
    page = Client().get(selectors.status_path(order)).content.decode()
    assert ("data-find" in page, "geo:" in page) == (True, False)
    assert advance(job, "collected", source="poll")
    assert "data-find" not in Client().get(selectors.status_path(order)).content.decode()


@pytest.mark.parametrize("half", [{"latitude": 1}, {"longitude": 1}, {"latitude": 91, "longitude": 0}, {"latitude": 0, "longitude": -181}])  # fmt: skip
def test_half_a_place_is_none(half: dict[str, int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make.machine(**half)
    assert Machine.objects.count() == 0
