"""Cases that a buyer's bank disputes: nothing of them is sent to a machine until the bank has decided.

A hold is a word on the job (`held`) beside its state. `print_steps` refuses a held job whatever is due, so a step that
was at the manufacturer when the hold came goes no further; staff cannot send it on either. Guarantees: each verb works
inside the caller's transaction, locks the order's jobs, and changes nothing the second time. No call leaves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from pimpshop.core import bell, staff_items
from pimpshop.core.models import StaffItem
from pimpshop.core.states import remark
from vending import tasks
from vending.models import PrintJob
from vending.services import print_jobs

#: Not with the machine: these wait, or are cancelled.
NOT_TAKEN = ("waiting", *print_jobs.UNSENT, "failed", "gave_up")
_STEPS = ("waiting", *print_jobs.UNSENT)
ENDED = ("collected", "canceled")


def hold(*, order_no: str, why: str) -> list[PrintJob]:
    """Let the order's cases wait because of `why` (words for staff). Answers those that no machine has taken; one that
    a machine has is marked only, so that it is not sent again."""
    jobs = [job for job in _locked(order_no) if job.status not in ENDED]
    for job in jobs:
        fields = {"due_at": timezone.now() + print_jobs.PAUSE} if job.status in _STEPS else {}
        PrintJob.objects.filter(pk=job.pk).update(held=why[:140], updated_at=timezone.now(), **fields)
        remark(job, source="system", reason=f"held: {why}")
    return [job for job in jobs if job.status in NOT_TAKEN]


def release(*, order_no: str, why: str) -> None:
    """Let the held cases of the order go on. One that a refund has paused as well stays paused."""
    for job in _locked(order_no):
        if not job.held:
            continue
        fields: dict[str, Any] = {}
        if (
            job.status in _STEPS
        ):  # it may have been sent before: the next try asks first, and has all its tries
            fields = {"due_at": _next_step(job), "attempts": min(job.attempts, 1)}
        PrintJob.objects.filter(pk=job.pk).update(held="", updated_at=timezone.now(), **fields)
        remark(job, source="system", reason=f"not held any more: {why}")
        bell.ring(tasks.advance_print_job, job.pk)


def _next_step(job: PrintJob) -> datetime | None:
    paused = StaffItem.objects.filter(
        kind=print_jobs.PAUSED_KIND, subject=job.reference[:120], resolved_at=None
    )
    if paused.exists():
        return job.due_at
    return None if job.status == "waiting" else timezone.now()


def drop(*, order_no: str, why: str) -> tuple[list[PrintJob], list[PrintJob]]:
    """The money is gone: what no machine has taken is cancelled. Answers the cancelled ones, and those of which a step is
    at the manufacturer at this very moment: they stay held, and people look."""
    dropped, under_way = [], []
    for job in _locked(order_no):
        if job.status not in NOT_TAKEN:
            if job.held:
                PrintJob.objects.filter(pk=job.pk).update(held="", updated_at=timezone.now())
        elif print_jobs.cancel_locked(job, actor="system", reason=why, source="system"):
            dropped.append(job)
        else:
            PrintJob.objects.filter(pk=job.pk).update(held=why[:140], updated_at=timezone.now())
            staff_items.open_item(
                kind=print_jobs.CANCELED_KIND, subject=job.reference, why=why,
                title=f"A case is not to be printed and was being sent to the machine ({job.order_no})",
                detail="Look whether the machine has it. If not: cancel the print job.",
            )  # fmt: skip
            under_way.append(job)
    return dropped, under_way


def canceled(order_no: str) -> list[PrintJob]:
    """The order's cases that will not be printed."""
    return [job for job in _locked(order_no) if job.status == "canceled"]


def _locked(order_no: str) -> list[PrintJob]:
    return list(PrintJob.objects.select_for_update(no_key=True).filter(order_no=order_no).order_by("pk"))
