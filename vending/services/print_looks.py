"""Looking how far the machine is with an accepted print job: getOrderStatus, and printList for the queue number.

A word of the manufacturer that we do not know is stored and flagged for staff, and moves nothing. The queue number is
theirs or none: it is never made up. Calls happen outside of any transaction; what a look learnt is written only if
the job is still the one that was asked about. A job that does not go on at the machine ends with staff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pimpshop.core import staff_items
from pimpshop.core.models import StaffItem
from pimpshop.core.states import advance
from vending import manufacturer
from vending.models import PrintJob
from vending.services import machines, notices, print_jobs

log = structlog.get_logger(__name__)

#: (age since acceptance, seconds between looks)
LOOKS = ((timedelta(minutes=10), 5), (timedelta(hours=2), 20), (timedelta(hours=48), 300))
#: The manufacturer's code -> our state. 9 and 10 (picking up, picked up) stand between 8 (waiting) and 11 (printing):
#: the machine takes a blank shell. 16 (dispensed): the case left the machine.
STATES = {"9": "printing", "10": "printing", "11": "printing", "12": "printed", "15": "printed", "16": "collected",
          "13": "failed", "14": "failed"}  # fmt: skip
#: After printing, 9 and 10 can only mean the customer. Nobody knows whether machines use them so: code for both.
AFTER_PRINTING = {"9": "printed", "10": "collected"}
#: The job was at the print head: the printer works.
PRINTING, PRINTED = "11", ("12", "15", "16")
#: A machine that took an order and did not go on with it for so long: staff look.
LATE = timedelta(hours=2)
#: A job that we gave up on is asked about for so long, every so many seconds: the machine may have it after all.
GIVEN_UP_FOR, GIVEN_UP_LOOK = timedelta(hours=48), 600
#: Seconds between looks at a job that the machine failed to print.
FAILED_LOOK = 30
WAITING_THERE = {"1", "3", "4", "8"}
ODD = {"2", "5", "6", "7"}


@dataclass(frozen=True)
class There:
    """What the manufacturer has under the job's numbers; false when it does not know it (yet)."""

    status: str = ""
    order_id: str = ""
    queue_no: str = ""

    def __bool__(self) -> bool:
        return bool(self.status or self.order_id)


def look(job: PrintJob) -> None:
    """Ask how far the machine is. A word that we do not know is stored and flagged, and moves nothing."""
    numbers_known = job.queue_no and job.manufacturer_order_id
    there = ask(machines.client(job.order_no), job, numbers=not numbers_known)
    with transaction.atomic():
        if not still_ours(job).select_for_update(no_key=True).exists():
            return  # sent again, cancelled or looked at by somebody else meanwhile: what we saw is stale
        fields: dict[str, Any] = {
            "queue_no": there.queue_no or job.queue_no,
            "manufacturer_order_id": there.order_id or job.manufacturer_order_id,
            "provider_status": there.status or job.provider_status,
            "leased_until": None,
            "attempts": 0,
            "last_error": "",
        }
        if not _move_to(job, there.status, fields):
            PrintJob.objects.filter(pk=job.pk).update(**fields)
        tell_if_late(job)
        PrintJob.objects.filter(pk=job.pk).update(due_at=next_look(job))


def still_ours(job: PrintJob) -> QuerySet[PrintJob]:
    """The row, unless our lease ran out while we hung and somebody took the job since: then what we saw is stale."""
    return PrintJob.objects.filter(
        pk=job.pk, status=job.status, third_order_id=job.third_order_id, attempts=job.attempts
    )


def _target(job: PrintJob, status: str) -> str | None:
    """Our state for the manufacturer's code; None for one that moves nothing."""
    if status in AFTER_PRINTING and job.status == "printed":
        return AFTER_PRINTING[status]
    return STATES.get(status)


def _move_to(job: PrintJob, status: str, fields: dict[str, Any]) -> bool:
    target = _target(job, status)
    if target is None:
        flag_odd(job, status)
        return False
    _note_print(job, status)
    if job.status == target or not advance(job, target, source="poll", data={"status": status}, **fields):
        return False
    if target == "failed":
        _print_failed(job, status)
        return True
    done = target in ("printed", "collected")
    for kind in (print_jobs.FAILED_KIND, *([print_jobs.LATE_KIND] if done else [])):
        staff_items.resolve_about(
            kind=kind, subject=job.reference, resolution=f"the machine went on by itself: {target}"
        )
    if done:
        notices.case_printed(job)
    return True


def _note_print(job: PrintJob, status: str) -> None:
    """The printer works if this job was printed after the trouble: being printed now, or printed since its last move.

    `job` is as it was before this look.
    """
    if job.machine is None or status == job.provider_status or status not in (PRINTING, *PRINTED):
        return
    seen_now = status == PRINTING or job.status == "failed"
    printed_at = timezone.now() if seen_now else print_jobs.moved_at(job)
    machines.note_printer(job.machine, out=False, reason=f"status {status}", printed_at=printed_at)


def flag_odd(job: PrintJob, status: str) -> None:
    """Tell staff about a status that fits nothing here; the words that are usual for a waiting job are none."""
    if not status or status in WAITING_THERE or status in STATES:
        return
    kind = "order_status_odd" if status in ODD else "order_status_unknown"
    if (
        status == job.provider_status
        and StaffItem.objects.filter(kind=kind, subject=job.reference, data__status=status).exists()
    ):
        return  # staff know, or have answered it
    staff_items.open_item(
        kind=kind, subject=job.reference, status=status,
        title=f"The manufacturer gives print order {job.third_order_id} the status {status}",
        detail="Look at the machine's log. The order was paid; nothing was changed here.",
    )  # fmt: skip


def _print_failed(job: PrintJob, status: str) -> None:
    if job.machine and status == "13":
        machines.note_printer(job.machine, out=True, reason=f"{machines.PRINT_FAILED}: {job.reference}")
    staff_items.resolve_about(
        kind=print_jobs.LATE_KIND, subject=job.reference, resolution="the machine failed to print it"
    )
    staff_items.open_item(
        kind=print_jobs.FAILED_KIND, subject=job.reference, status=status,
        title=f"A paid case was not printed ({job.order_no})",
        detail="Look at the machine, then send it again from the print job, or pay the customer back.",
    )  # fmt: skip
    notices.case_delayed(job)


def tell_if_late(job: PrintJob) -> None:
    """Staff and the customer hear of a case that the machine took and does not print: after LATE without a move, and
    once more when the looks end. Idempotent."""
    if job.status not in ("accepted", "printing"):
        return
    accepted_at = job.accepted_at or job.created_at
    ended = next_look(job) is None
    if not ended:
        now = timezone.now()
        if now - accepted_at < LATE or now - print_jobs.moved_at(job) < LATE:
            return
        told = StaffItem.objects.filter(
            kind=print_jobs.LATE_KIND, subject=job.reference, created_at__gte=accepted_at
        )
        if told.exists():
            return
    staff_items.open_item(
        kind=print_jobs.LATE_KIND, subject=job.reference,
        title=f"The machine took a paid case and does not print it ({job.order_no})",
        detail="Look at the machine, its queue and its tray. Not printed and never will be: pay the customer back."
        + (" We no longer ask the manufacturer about it." if ended else ""),
    )  # fmt: skip
    notices.case_delayed(job)


def next_look(job: PrintJob) -> datetime | None:
    """When to look again; None when there is nothing more to learn."""
    now = timezone.now()
    if job.status == "gave_up":
        over = now - print_jobs.moved_at(job) >= GIVEN_UP_FOR
        return None if over else now + timedelta(seconds=GIVEN_UP_LOOK)
    if job.status in ("collected", "canceled"):
        return None
    age = now - (job.accepted_at or now)
    # a machine may go on by itself once its printer works
    slowest = FAILED_LOOK if job.status == "failed" else 0
    for limit, seconds in LOOKS:
        if age < limit:
            return now + timedelta(seconds=max(seconds, slowest))
    return None


def ask(client: manufacturer.ManufacturerClient, job: PrintJob, *, numbers: bool = False) -> There:
    """What the manufacturer has of the job: getOrderStatus, and printList when that does not know it (nobody could
    establish which of the two ids it wants) or when our `numbers` (queue number, MSOR) are missing."""
    status = _status_by_number(client, job)
    if job.machine is None or (status and not numbers):
        return There(status)
    try:
        entries = client.print_list(job.machine.machine_id)
    except manufacturer.ManufacturerError as error:
        if not error.permanent:
            raise
        log.warning("print_list_refused", job=job.reference, error=type(error).__name__)
        return There(status)
    for entry in entries:
        if entry.third_id == job.third_order_id:
            return There(status or entry.status, entry.id, entry.queue_no)
    return There(status)


def _status_by_number(client: manufacturer.ManufacturerClient, job: PrintJob) -> str:
    by_msor = settings.MANUFACTURER_ORDER_ID_KIND == "msor"
    number = job.manufacturer_order_id if by_msor else job.third_order_id
    if number:
        for answer in client.get_order_status([number]):
            if answer.third_id == number or not by_msor:
                return answer.status
    return ""
