"""Printing again, sending to another machine, and marking as collected, at the desk."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.utils import timezone

from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry, StaffItem
from tests import factories
from vending.models import Machine, PrintJob

pytestmark = pytest.mark.django_db
JOB = "vending_printjob"


def case(status: str, **more: Any) -> PrintJob:
    """A print job with the picture that was approved."""
    shell = factories.sellable_shell()
    design = factories.frozen_design(shell, print_sha256=hashlib.sha256(b"print").hexdigest())
    values = {
        "status": status, "due_at": None, "design_id": design.pk, "print_sha256": design.print_sha256,
        "shell_id": shell.pk, "queue_no": "004",
    }  # fmt: skip
    return factories.print_job(**(values | more))


def stands(job: PrintJob) -> tuple[str, int, int]:
    """(state, events, audit entries)"""
    job.refresh_from_db()
    return job.status, job.events.count(), AuditEntry.objects.count()


@pytest.mark.parametrize("status", ["printed", "collected"])
def test_a_case_is_printed_again_under_a_new_number_once(admin: Any, status: str) -> None:
    job = case(status)
    number = job.third_order_id
    assert admin.shown(JOB, job, "reprint")[0].startswith("Print job 004 is printed once more at ")
    sent = {"reason": "smeared", "once": "this form", "seen": admin.seen(JOB, job, "reprint")}
    for _ in range(2):
        assert admin.client.post(f"/admin/vending/printjob/{job.pk}/act/reprint/", sent).status_code == 302
    assert stands(job) == ("submitting", 1, 1)
    assert (job.earlier_order_ids, job.queue_no, job.attempts) == ([number], "", 0)
    assert job.third_order_id != number
    assert job.due_at <= timezone.now()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.reason) == ("boss@example.com", "print again", "smeared")


@pytest.mark.parametrize(
    "status", ["waiting", "submitting", "accepted", "printing", "failed", "gave_up", "canceled"]
)
def test_what_is_not_printed_is_not_printed_again(admin: Any, status: str) -> None:
    job = case(status)
    said = admin.said(admin.act(JOB, job, "reprint", "impatient"))
    assert "not printed yet" in said[0]
    assert stands(job) == (status, 0, 0)


def test_a_case_whose_picture_is_gone_is_not_printed_again(admin: Any) -> None:
    job = case("printed", print_sha256="0" * 64)
    assert "was removed after its time" in admin.said(admin.act(JOB, job, "reprint", "smeared"))[0]
    assert stands(job) == ("printed", 0, 0)


def test_a_case_that_a_bank_disputes_is_not_printed_again(admin: Any) -> None:
    job = case("printed", held="dispute dp_1")
    assert "bank is deciding" in admin.said(admin.act(JOB, job, "reprint", "smeared"))[0]
    assert stands(job) == ("printed", 0, 0)


@pytest.mark.parametrize("status", ["failed", "gave_up"])
def test_a_case_goes_to_another_machine(admin: Any, status: str) -> None:
    job, other = case(status), factories.machine(name="Mall B")
    staff_items.open_item(kind="print_failed", subject=job.reference, title="failed")
    pyen = job.payment_third_id
    lines = admin.shown(JOB, job, "send-elsewhere", choice=other.machine_id)
    assert lines[1].startswith("A new print order goes to Mall B")
    done = admin.send(JOB, job, "send-elsewhere", choice=other.machine_id, reason="printer broken")
    assert done.status_code == 302
    assert stands(job) == ("announcing", 1, 1)
    assert (job.machine_id, job.pay_type, job.attempts) == (other.pk, 12, 0)
    assert job.payment_third_id != pyen
    assert job.events.get().data["payment_third_id"] == pyen
    assert StaffItem.objects.get().resolved_by == "boss@example.com"


@pytest.mark.parametrize(
    "trouble", [{"maintenance": True}, {"is_active": False}, {"printer": Machine.Printer.OUT}]
)
def test_a_machine_that_cannot_print_gets_nothing(admin: Any, trouble: dict[str, Any]) -> None:
    job, other = case("failed"), factories.machine(**trouble)
    answer = admin.send(JOB, job, "send-elsewhere", choice=other.machine_id, reason="printer broken")
    assert answer.status_code == 200  # it is not among those to choose
    assert stands(job) == ("failed", 0, 0)


@pytest.mark.parametrize("status", ["submitting", "accepted", "printed", "collected", "canceled"])
def test_what_a_machine_has_goes_nowhere_else(admin: Any, status: str) -> None:
    job, other = case(status), factories.machine()
    said = admin.said(admin.send(JOB, job, "send-elsewhere", choice=other.machine_id, reason="closer"))
    assert said == [f"{job.reference}: This print job is on its way or done. Nothing was sent."]
    assert stands(job) == (status, 0, 0)


@pytest.mark.parametrize("status", ["accepted", "printing", "printed", "failed"])
def test_a_case_that_the_buyer_has_is_marked(admin: Any, status: str) -> None:
    job = case(status, due_at=timezone.now())
    staff_items.open_item(kind="print_late", subject=job.reference, title="late")
    assert admin.act(JOB, job, "mark-collected", "the buyer sent a photo").status_code == 302
    assert stands(job) == ("collected", 1, 1)
    assert job.due_at is None
    assert StaffItem.objects.get().resolution == "collected: the buyer sent a photo"


@pytest.mark.parametrize("status", ["waiting", "submitting", "gave_up", "collected", "canceled"])
def test_nobody_can_have_what_no_machine_has(admin: Any, status: str) -> None:
    job = case(status)
    assert "No machine has this case" in admin.said(admin.act(JOB, job, "mark-collected", "surely"))[0]
    assert stands(job) == (status, 0, 0)
