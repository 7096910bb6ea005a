"""Print jobs at the desk: what is due or hangs, checking now, sending to the machine again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry, StaffItem
from tests import factories
from vending.models import PrintJob

pytestmark = pytest.mark.django_db
MODEL = "vending_printjob"


@pytest.fixture
def jobs() -> dict[str, PrintJob]:
    now = timezone.now()
    old, soon = now - timedelta(minutes=3), now + timedelta(hours=1)
    return {
        "due": factories.print_job(),
        "later": factories.print_job(due_at=soon),
        "stuck": factories.print_job(due_at=soon, created_at=old),
        "held": factories.print_job(due_at=soon, created_at=old, held="dispute dp_1"),
        "accepted": factories.print_job(status="accepted", due_at=soon, created_at=old),
        "gave up": factories.print_job(status="gave_up", due_at=None, created_at=old),
        "failed": factories.print_job(status="failed", due_at=None, created_at=old),
        "at home": factories.print_job(status="waiting", due_at=None, created_at=old),
    }


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("due", {"due"}),
        ("stuck", {"stuck"}),
        ("gave-up", {"gave up"}),
        ("failed", {"failed"}),
        ("held", {"held"}),
    ],
)
def test_filters_answer_exactly(admin: Any, jobs: dict[str, PrintJob], asked: str, names: set[str]) -> None:
    assert {row.pk for row in admin.rows(MODEL, show=asked)} == {jobs[name].pk for name in names}


def test_by_machine(admin: Any, jobs: dict[str, PrintJob]) -> None:
    machine = jobs["stuck"].machine
    assert [row.pk for row in admin.rows(MODEL, machine__id__exact=machine.pk)] == [jobs["stuck"].pk]


@pytest.mark.parametrize(
    "field",
    [
        "reference", "order_no", "session_id", "third_order_id", "payment_third_id", "manufacturer_order_id", "queue_no",
    ],
)  # fmt: skip
def test_search_by_each_number(admin: Any, field: str) -> None:
    row = factories.print_job(
        queue_no="9578", manufacturer_order_id="MSOR000000000001", session_id="VM_1_20251120_101112_AAAAAAAA"
    )
    factories.print_job(
        queue_no="4529", manufacturer_order_id="MSOR000000000002", session_id="VM_1_20251120_101112_BBBBBBBB"
    )
    assert [found.pk for found in admin.rows(MODEL, q=getattr(row, field))] == [row.pk]


def test_checking_now_asks_at_once_and_leaves_a_trace(admin: Any, manufacturer: Any) -> None:
    row = factories.print_job(status="accepted", due_at=timezone.now() + timedelta(hours=1))
    manufacturer.orders[row.third_order_id] = 4
    assert admin.act(MODEL, row, "check-now").status_code == 302
    assert manufacturer.bodies("order/getOrderStatus") == [[row.third_order_id]]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("boss@example.com", "check now", row.reference)


def test_there_is_nothing_to_check_on_a_collected_case(admin: Any) -> None:
    row = factories.print_job(status="collected", due_at=None)
    offered = admin.page(MODEL, row).context["actions_detail"]
    assert [str(button["title"]) for button in offered] == ["Print again"]
    assert admin.said(admin.act(MODEL, row, "check-now")) == [f"{row.reference}: nothing was to be done."]
    row.refresh_from_db()
    assert row.due_at is None
    assert AuditEntry.objects.count() == 0


def test_sending_again_what_was_given_up_keeps_the_number(admin: Any) -> None:
    row = factories.print_job(status="gave_up", due_at=None, attempts=40)
    staff_items.open_item(kind="print_stuck", subject=row.reference, title="stuck")
    number = row.third_order_id
    assert admin.act(MODEL, row, "send-again", "machine is back").status_code == 302
    row.refresh_from_db()
    assert (row.status, row.third_order_id, row.attempts) == ("submitting", number, 1)  # 1: ask first
    event = row.events.get()
    assert (event.source, event.actor, event.reason) == ("admin", "boss@example.com", "machine is back")
    assert AuditEntry.objects.get().reason == "machine is back"
    assert StaffItem.objects.get().resolved_by == "boss@example.com"


def test_sending_again_what_failed_to_print_takes_a_new_number(admin: Any) -> None:
    row = factories.print_job(status="failed", due_at=None, queue_no="9578")
    number = row.third_order_id
    admin.act(MODEL, row, "send-again", "smeared")
    row.refresh_from_db()
    assert (row.status, row.queue_no, row.earlier_order_ids) == ("submitting", "", [number])
    assert row.third_order_id != number


@pytest.mark.parametrize("status", ["submitting", "accepted", "printed", "collected", "canceled"])
def test_what_is_on_its_way_is_not_sent_again(admin: Any, status: str) -> None:
    row = factories.print_job(status=status)
    said = admin.said(admin.act(MODEL, row, "send-again", "impatient"))
    assert said == [f"{row.reference}: This print job is on its way or done. Nothing was sent."]
    row.refresh_from_db()
    assert row.status == status
    assert (row.events.count(), AuditEntry.objects.count()) == (0, 0)


@pytest.mark.parametrize(("act", "status"), [("check-now", "accepted"), ("send-again", "gave_up")])
def test_finance_and_viewers_get_no_act(member: Any, act: str, status: str) -> None:
    desk = member("finance")
    due = timezone.now() + timedelta(hours=1)
    row = factories.print_job(status=status, due_at=due)
    assert desk.page(MODEL, row).context["actions_detail"] == []
    assert desk.act(MODEL, row, act, "because").status_code == 403
    row.refresh_from_db()
    assert (row.status, row.due_at) == (status, due)
    assert AuditEntry.objects.count() == 0


def test_too_many_at_once_are_refused(admin: Any) -> None:
    machine = factories.machine()
    due = timezone.now() + timedelta(hours=1)
    rows = [factories.print_job(machine, status="accepted", due_at=due) for _ in range(6)]
    said = admin.said(admin.act_on(MODEL, rows, "check-now"))
    assert said == ["Please choose at most 5. Nothing was changed."]
    assert not PrintJob.objects.filter(due_at__lt=due).exists()
