"""What staff do with a case that is printed, or that its machine cannot print: print it again, send it to another machine,
say that the buyer has it.

Guarantees: one print order at a time for each case, each with a number of its own; nothing is printed again while a bank
decides, or when its picture is gone; whether the other machine can print is asked outside any transaction, before
anything moves. Each leaves its audit entry.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import selectors as catalogue
from catalog.models import Design
from catalog.services import designs
from pimpshop.core import bell, errors, ids, staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.states import advance
from vending import tasks
from vending.models import Machine, PrintJob
from vending.services import machines, notices, print_jobs

PRINTED = ("printed", "collected")
#: The machine cannot print it or does not take it.
ELSEWHERE = ("failed", "gave_up")
AT_THE_MACHINE = ("accepted", "printing", "printed", "failed")


class NotPrinted(errors.Conflict):
    code = "not_printed"
    message = _("This case is not printed yet, so it is not printed again. Nothing was sent.")


class MoneyGone(errors.Conflict):
    code = "money_gone"
    message = _(
        "The money for this case went back to the buyer, or is on its way back, so it is not printed again. Nothing was "
        "sent. “Print again for nothing” asks a second person."
    )


class PictureGone(errors.Conflict):
    code = "picture_gone"
    message = _(
        "The picture of this case was removed after its time, so it cannot be printed again. Nothing was sent."
    )


class NotThere(errors.Conflict):
    code = "not_there"
    message = _("No machine has this case, so nobody can have taken it. Nothing was changed.")


def reprint(*, job: PrintJob, actor: str, reason: str, for_nothing: bool = False) -> None:
    """Print a printed case once more, at our cost and at its machine. `for_nothing`: although its money went back.
    Raises NotPrinted, MoneyGone, PictureGone and print_jobs.CannotSendAgain (a bank decides, somebody is asking)."""
    must_be_printable_again(job, for_nothing=for_nothing)
    with transaction.atomic():
        locked = _free(job)
        if locked.money_gone_at is not None and not for_nothing:
            raise MoneyGone
        fields = {**print_jobs.anew(locked), **_now(), "accepted_at": None}
        if not advance(
            locked, "submitting", source="admin", actor=actor, reason=f"printed again: {reason}", only_from=PRINTED, **fields
        ):  # fmt: skip
            raise NotPrinted
        _audit("print again for nothing" if for_nothing else "print again", locked, actor, reason)
        bell.ring(tasks.advance_print_job, locked.pk)


def send_elsewhere(*, job: PrintJob, machine: Machine, actor: str, reason: str) -> None:
    """Order a case that its machine cannot print at another one, as if it were paid on the phone. Raises
    machines.{MachineNotReady,OutOfStock}, catalogue.ShellUnknown, PictureGone, print_jobs.CannotSendAgain."""
    if job.status not in ELSEWHERE or job.machine_id == machine.pk:
        raise print_jobs.CannotSendAgain
    _must_have_its_picture(job)
    machines.ensure_can_print(machine, catalogue.shown_shell(job.shell_id or 0))
    with transaction.atomic():
        locked = _free(job)
        fields = {
            **print_jobs.anew(locked), **_now(), "machine": machine, "pay_type": print_jobs.PAID_ONLINE,
            "payment_third_id": ids.next_third_id("PYEN"),
        }  # fmt: skip
        before = {"payment_third_id": locked.payment_third_id, "earlier_machine": _name(locked.machine)}
        why = f"sent to {machine.machine_id}: {reason}"
        if not advance(
            locked, "announcing", source="admin", actor=actor, reason=why, only_from=ELSEWHERE, data=before, **fields
        ):  # fmt: skip
            raise print_jobs.CannotSendAgain
        _audit("send to another machine", locked, actor, reason, machine=machine.machine_id, **before)
        _settle_items(locked, actor, why)
        bell.ring(tasks.advance_print_job, locked.pk)


def mark_collected(*, job: PrintJob, actor: str, reason: str) -> None:
    """The buyer has the case, whatever the machine says. Raises NotThere."""
    with transaction.atomic():
        locked = PrintJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if not advance(
            locked, "collected", source="admin", actor=actor, reason=reason, only_from=AT_THE_MACHINE, due_at=None,
            leased_until=None,
        ):  # fmt: skip
            raise NotThere
        _audit("mark collected", locked, actor, reason)
        _settle_items(locked, actor, f"collected: {reason}")
        notices.case_printed(locked)


def must_be_printable_again(job: PrintJob, *, for_nothing: bool = False) -> None:
    """Raises NotPrinted, MoneyGone, PictureGone, print_jobs.CannotSendAgain (a bank decides)."""
    if job.status not in PRINTED:
        raise NotPrinted
    if job.money_gone_at is not None and not for_nothing:
        raise MoneyGone
    if job.held:
        raise print_jobs.CannotSendAgain(print_jobs.HELD)
    _must_have_its_picture(job)


def other_machines(job: PrintJob) -> list[Machine]:
    """The machines in use that are not the job's, and that take money as far as is known."""
    return [m for m in machines.in_use() if m.pk != job.machine_id and machines.readiness(m)]


def has_its_picture(job: PrintJob) -> bool:
    """Is the picture that the buyer approved still there, byte for byte?"""
    design = Design.objects.filter(pk=job.design_id).first()
    return design is not None and design.print_sha256 == job.print_sha256 and designs.verify_print(design)


def _must_have_its_picture(job: PrintJob) -> None:
    if not has_its_picture(job):
        raise PictureGone


def _free(job: PrintJob) -> PrintJob:
    """The job locked, if no bank holds it and nobody is asking the manufacturer about it."""
    locked = PrintJob.objects.select_for_update(no_key=True).get(pk=job.pk)
    if locked.held:
        raise print_jobs.CannotSendAgain(print_jobs.HELD)
    if print_jobs.at_it(locked):
        raise print_jobs.CannotSendAgain(print_jobs.UNDER_WAY)
    return locked


def _now() -> dict[str, Any]:
    return {"due_at": timezone.now(), "first_attempt_at": None, "last_error": "", "leased_until": None}


def _name(machine: Machine | None) -> str:
    return machine.machine_id if machine is not None else ""


def _audit(action: str, job: PrintJob, actor: str, reason: str, **data: str) -> None:
    AuditEntry.objects.create(
        actor=actor, action=action, subject=job.reference, reason=reason,
        data={"third_order_id": job.third_order_id, **data},
    )  # fmt: skip


def _settle_items(job: PrintJob, actor: str, how: str) -> None:
    for kind in (print_jobs.STUCK_KIND, print_jobs.FAILED_KIND, print_jobs.LATE_KIND):
        staff_items.resolve_about(kind=kind, subject=job.reference, actor=actor, resolution=how)
