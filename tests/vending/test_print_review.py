"""Print jobs, row by row: what a look may believe, who waits how long, what clears a printer, whom a stale worker harms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from pimpshop.core import invariants, staff_items
from pimpshop.core.models import StaffItem
from tests import factories
from tests.support.manufacturer import Manufacturer
from vending.models import Machine, PrintJob
from vending.services import machines, print_jobs, print_looks, print_steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def manufacturer() -> Iterator[Manufacturer]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Manufacturer(mock)


def ago(**delta: float) -> Any:
    return timezone.now() - timedelta(**delta)


def accepted(**more: Any) -> PrintJob:
    return factories.print_job(
        **{"status": "accepted", "accepted_at": ago(minutes=1), "queue_no": "1", **more,
           "manufacturer_order_id": f"MSOR{factories.number()}"},
    )  # fmt: skip


def looked(job: PrintJob, manufacturer: Manufacturer, code: int) -> PrintJob:
    """The job after a look at which the manufacturer says `code`."""
    manufacturer.orders[job.third_order_id] = code
    PrintJob.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert print_steps.advance_job(job.pk)
    job.refresh_from_db()
    return job


def open_kinds(job: PrintJob) -> list[str]:
    return list(
        StaffItem.objects.filter(subject=job.reference, resolved_at=None).values_list("kind", flat=True)
    )


def broken(name: str) -> list[str]:
    return [violation.row for violation in invariants.violations() if violation.check == name]


# --- odd words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "kind"), [(2, "order_status_odd"), (99, "order_status_unknown")])
def test_an_odd_word_that_is_stored_already_is_told_once(manufacturer: Any, word: int, kind: str) -> None:
    job = looked(accepted(provider_status=str(word)), manufacturer, word)
    assert (job.status, open_kinds(job)) == ("accepted", [kind])
    staff_items.resolve(StaffItem.objects.get(), actor="ada", resolution="the machine is fine")
    assert open_kinds(looked(job, manufacturer, word)) == []  # answered


# --- stale looks ------------------------------------------------------------------------------------------------------


def test_a_look_that_is_overtaken_writes_nothing(manufacturer: Manufacturer) -> None:
    job = factories.print_job(status="failed", provider_status="13", accepted_at=ago(minutes=1))
    stale = print_steps._take(job.pk)
    assert stale is not None
    PrintJob.objects.update(leased_until=ago(seconds=1))  # it hangs for longer than its lease
    print_jobs.send_again(job=job, actor="ada", reason="mended")
    now = PrintJob.objects.values().get()
    manufacturer.orders[stale.third_order_id] = 13
    manufacturer.queue[stale.third_order_id] = "4711"
    print_looks.look(stale)
    assert PrintJob.objects.values().get() == now
    assert (now["status"], now["queue_no"], now["attempts"]) == ("submitting", "", 0)


@pytest.mark.parametrize("status", ["failed", "gave_up"])
def test_nothing_is_sent_again_while_somebody_asks(status: str) -> None:
    job = factories.print_job(status=status, provider_status="13" if status == "failed" else "",
                              leased_until=timezone.now() + timedelta(seconds=60))  # fmt: skip
    before = PrintJob.objects.values().get()
    with pytest.raises(print_jobs.CannotSendAgain, match="this very moment"):
        print_jobs.send_again(job=job, actor="ada", reason="mended")
    assert PrintJob.objects.values().get() == before
    PrintJob.objects.update(leased_until=None)
    print_jobs.send_again(job=job, actor="ada", reason="mended")
    job.refresh_from_db()
    assert job.status in print_jobs.UNSENT


# --- waiting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "kinds"), [(5, []), (7, ["print_stuck"])])
def test_waiting_behind_older_jobs_counts_and_is_told(hours: int, kinds: list[str]) -> None:
    machine = factories.machine(printer="out", printer_at=timezone.now())
    factories.print_job(machine, due_at=timezone.now() + timedelta(minutes=5))
    job = factories.print_job(machine, created_at=ago(hours=hours))
    assert not print_steps.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts, open_kinds(job)) == ("submitting", 0, kinds)


def test_a_paused_job_keeps_no_younger_one_waiting(manufacturer: Manufacturer) -> None:
    machine = factories.machine(printer="out", printer_at=timezone.now())
    factories.print_job(machine, due_at=timezone.now() + print_jobs.PAUSE)
    job = factories.print_job(machine)
    assert print_steps._take(job.pk) is not None


@pytest.mark.parametrize(("attempts", "status"), [(0, "submitting"), (1, "submitting"), (2, "gave_up")])
def test_six_hours_count_from_the_payment(manufacturer: Manufacturer, attempts: int, status: str) -> None:
    """Not from the first try; but one bad answer after a long wait is not the end either."""
    manufacturer.down = True
    job = factories.print_job(created_at=ago(hours=7), attempts=attempts, first_attempt_at=ago(minutes=1))
    assert print_steps.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == status


def test_after_sending_again_six_new_hours_begin(manufacturer: Manufacturer) -> None:
    manufacturer.down = True
    job = factories.print_job(status="gave_up", created_at=ago(hours=20), due_at=None)
    print_jobs.send_again(job=job, actor="ada", reason="mended")
    for _ in range(4):
        PrintJob.objects.update(due_at=timezone.now())
        assert print_steps.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("submitting", 5)


# --- hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "seconds", "rings"),
    [
        ("announcing", 60, False), ("confirming", 60, False), ("submitting", 60, False), ("waiting", 60, False),
        ("accepted", 0, False), ("accepted", 4, True), ("failed", 4, True), ("gave_up", 4, False), ("gave_up", 31, True),
        ("collected", 60, False), ("canceled", 60, False),
    ],
)  # fmt: skip
def test_a_strangers_post_makes_no_step_due(status: str, seconds: int, rings: bool) -> None:
    later = timezone.now() + timedelta(minutes=10)
    job = factories.print_job(status=status, due_at=later)
    PrintJob.objects.update(updated_at=ago(seconds=seconds))
    assert print_jobs.note_hint(job, status="12") is rings
    job.refresh_from_db()
    assert (job.due_at < later) is rings
    assert job.events.count() == rings


# --- the printer ------------------------------------------------------------------------------------------------------


def printer(machine: Machine) -> str:
    machine.refresh_from_db()
    return str(machine.printer)


@pytest.fixture
def failed_print(manufacturer: Manufacturer) -> PrintJob:
    """A machine at which a case was not printed (13) a minute after another job was accepted."""
    return looked(accepted(), manufacturer, 13)


@pytest.mark.parametrize(
    ("code", "state"), [(8, "out"), (9, "out"), (10, "out"), (12, "out"), (16, "out"), (11, "ok")]
)
def test_only_a_print_after_it_makes_good_a_failed_print(
    manufacturer: Manufacturer, failed_print: PrintJob, code: int, state: str
) -> None:
    """Another job, accepted before: that it is printed by now says nothing of today's printer."""
    machine = failed_print.machine
    assert machine is not None
    assert printer(machine) == "out"
    looked(accepted(at=machine), manufacturer, code)
    assert printer(machine) == state


@pytest.mark.parametrize("code", [12, 16])
def test_a_job_that_began_after_the_failed_print_makes_it_good(
    manufacturer: Manufacturer, failed_print: PrintJob, code: int
) -> None:
    machine = failed_print.machine
    assert machine is not None
    looked(accepted(at=machine, accepted_at=timezone.now()), manufacturer, code)
    assert printer(machine) == "ok"


def test_the_failed_job_itself_makes_it_good(manufacturer: Manufacturer, failed_print: PrintJob) -> None:
    assert failed_print.machine is not None
    assert looked(failed_print, manufacturer, 12).status == "printed"
    assert printer(failed_print.machine) == "ok"


def test_an_accepted_order_clears_an_unreachable_machine_only(failed_print: PrintJob) -> None:
    machine = failed_print.machine
    assert machine is not None
    assert not machines.note_printer(machine, out=True, reason="device is unavailable")
    assert not machines.note_printer(machine, out=False, reason="took an order")
    assert printer(machine) == "out"
    assert machines.clear_printer(machine=machine, actor="ada", reason="mended")
    assert printer(machine) == "ok"
    assert machines.note_printer(machine, out=True, reason="device is unavailable")
    assert machines.note_printer(machine, out=False, reason="took an order")
    assert printer(machine) == "ok"


# --- invariants -------------------------------------------------------------------------------------------------------

LATE = "5 a case that the machine keeps for more than two days is known to staff"
DUE = "5 an unsent print job has a next step due"
PAID = "4 a paid case has its print job, a refund or an open staff item"


@pytest.mark.parametrize("status", ["accepted", "printing"])
def test_invariant_late(status: str) -> None:
    factories.print_job(status=status, accepted_at=ago(hours=48))
    job = factories.print_job(status=status, accepted_at=ago(hours=50))
    line = f"print job {job.reference} is {status}"
    assert broken(LATE) == [line]
    staff_items.open_item(kind="print_late", subject=job.reference, title="late")
    assert broken(LATE) == []
    staff_items.resolve_about(kind="print_late", subject=job.reference, resolution="by itself")
    assert broken(LATE) == [line]
    staff_items.open_item(kind="print_late", subject=job.reference, title="late")
    staff_items.resolve_about(kind="print_late", subject=job.reference, actor="ada", resolution="handed out")
    assert broken(LATE) == []


def test_invariant_paused() -> None:
    job = factories.print_job(due_at=timezone.now() + print_jobs.PAUSE)
    assert broken(DUE) == [f"print job {job.reference} is paused and nobody is on it"]
    staff_items.open_item(kind="print_paused", subject=job.reference, title="paused")
    assert broken(DUE) == []


@pytest.mark.parametrize(
    ("settles", "status", "excused"),
    [(True, "created", False), (True, "failed", False), (True, "pending", True), (True, "succeeded", True),
     (False, "succeeded", False)],
)  # fmt: skip
def test_invariant_only_money_given_back_excuses_a_missing_print(
    settles: bool, status: str, excused: bool
) -> None:
    order = factories.order(status="paid", paid_at=timezone.now())
    intent = factories.intent(order, status="succeeded", captured_minor=1999, settles_order=settles,
                              is_surplus=not settles)  # fmt: skip
    factories.refund(intent, status=status)
    assert broken(PAID) == ([] if excused else [f"order {order.order_no} line 1"])
