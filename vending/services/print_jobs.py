"""Print jobs: made when a case is paid, found by any number that comes back, sent again by staff.

The steps at the manufacturer live in `print_steps`. Here: rows only, no call leaves.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import bell, errors, ids, staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import Money
from pimpshop.core.states import advance, remark
from vending import tasks
from vending.models import Machine, PrintJob, PrintJobEvent

PAY_AT_MACHINE = 5
PAID_ONLINE = 12
#: Waiting to be taken by the machine; the oldest of a machine goes first after trouble.
UNSENT = ("announcing", "confirming", "submitting")
ACCEPTED = ("accepted", "printing", "printed", "collected")
#: Sent at least once: a look may learn something.
LOOKED_AT = ("accepted", "printing", "printed", "failed", "gave_up")
#: The manufacturer's codes for a print that it will not take up again by itself: failed, cancelled.
GAVE_UP_THERE = ("13", "14")
STUCK_KIND = "print_stuck"
FAILED_KIND = "print_failed"
CANCELED_KIND = "print_canceled"
LATE_KIND = "print_late"
PAUSED_KIND = "print_paused"
UNCLAIMED_KIND = "print_unclaimed"
ITEM_KINDS = (STUCK_KIND, FAILED_KIND, CANCELED_KIND, LATE_KIND, PAUSED_KIND, UNCLAIMED_KIND)
#: A refund was asked for: the next step waits until staff say. Longer than any wait between tries.
PAUSE = timedelta(days=365)
#: Who was taken longer before than this is not before you in the queue: something went wrong there.
IN_QUEUE_FOR = timedelta(days=1)
#: Seconds between two hints that count.
HINTS_APART = 3
#: The same for a job that we gave up on: whoever knows its number must not make us ask all the time.
GIVEN_UP_HINTS_APART = 30
UNDER_WAY = _(
    "The manufacturer is being asked about this print job at this very moment. Nothing was changed. "
    "Try again in a minute."
)


class CannotCancel(errors.Conflict):
    code = "cannot_cancel"
    message = _("The machine has this print job already. Nothing was cancelled.")


class UnderWay(errors.Conflict):
    code = "print_under_way"
    message = UNDER_WAY


class CannotSendAgain(errors.Conflict):
    code = "cannot_send_again"
    message = _("This print job is on its way or done. Nothing was sent.")


HELD = _("The buyer's bank is deciding about this payment. The case waits until then. Nothing was sent.")


def create_job(
    *,
    reference: str,
    order_no: str,
    session_id: str,
    machine_id: str,
    payment_third_id: str,
    third_order_id: str,
    pay_type: int,
    amount: Money,
    mobile_model_id: str,
    mobile_shell_id: str,
    shell_id: int | None,
    design_id: uuid.UUID,
    print_sha256: str,
    delay_seconds: int = 0,
) -> bool:
    """The job of one paid case, inside the settling transaction. Idempotent by `reference`; answers whether it is new.

    Without a machine it waits until the buyer chooses one; otherwise its first step is due `delay_seconds` after now
    and the bell rings on commit.
    """
    machine = Machine.objects.filter(machine_id=machine_id).first() if machine_id else None
    status = "waiting" if machine is None else "submitting" if pay_type == PAY_AT_MACHINE else "announcing"
    now = timezone.now()
    job, created = PrintJob.objects.get_or_create(
        reference=reference,
        defaults={
            "order_no": order_no,
            "session_id": session_id,
            "machine": machine,
            "status": status,
            "pay_type": pay_type,
            "payment_third_id": payment_third_id,
            "third_order_id": third_order_id,
            "amount_minor": amount.amount_minor,
            "currency": amount.currency,
            "mobile_model_id": mobile_model_id,
            "mobile_shell_id": mobile_shell_id,
            "shell_id": shell_id,
            "design_id": design_id,
            "print_sha256": print_sha256,
            "due_at": None if machine is None else now + timedelta(seconds=delay_seconds),
        },
    )
    if created:
        remark(job, source="system", reason="created", data={"third_order_id": third_order_id})
        if machine is not None:
            bell.ring(tasks.advance_print_job, job.pk, after=delay_seconds)
    return created


def by_any_id(numbers: Iterable[str]) -> PrintJob | None:
    """The job that one of `numbers` names: OREN, MSOR, PYEN or our order number. None when nothing fits."""
    wanted = [number for number in numbers if number]
    if not wanted:
        return None
    return PrintJob.objects.filter(
        Q(third_order_id__in=wanted)
        | Q(manufacturer_order_id__in=wanted)
        | Q(payment_third_id__in=wanted)
        | Q(order_no__in=wanted)
    ).first()


def note_hint(job: PrintJob, *, status: str, source: str = "webhook") -> bool:
    """The manufacturer's order-status post about `job`: anybody can send it, so it only makes the next look due.

    At most one look per three seconds (thirty for a job that we gave up on); a job that needs no more looks is left
    alone, and so is one that was not sent: a stranger must not undo its back-off. Answers whether it rang.
    """
    now = timezone.now()
    apart = GIVEN_UP_HINTS_APART if job.status == "gave_up" else HINTS_APART
    rang = (
        PrintJob.objects.filter(pk=job.pk, status__in=LOOKED_AT)
        .filter(Q(updated_at__lt=now - timedelta(seconds=apart)) | Q(due_at=None))
        .exclude(provider_status=status)
        .update(due_at=now, updated_at=now)
    )
    if rang:
        remark(job, source=source, reason="order status post", data={"status": status[:32]})
        bell.ring(tasks.advance_print_job, job.pk)
    return bool(rang)


def check_now(*, job: PrintJob, source: str = "admin", ring: bool = True) -> bool:
    """Make the next step (or look) due now, also of a job that a refund has paused; one that waits for a machine may be
    sent to one again. Answers False for a job that is finished, that is held (a bank decides about its payment), or that
    waits and was not paused. `ring` False: the caller does the step itself."""
    waits = PrintJob.objects.filter(pk=job.pk, status="waiting", held="").exclude(due_at=None)
    moved = waits.update(due_at=None, updated_at=timezone.now()) or (
        PrintJob.objects.filter(pk=job.pk)
        .exclude(status__in=("collected", "canceled", "waiting", "gave_up"))
        .exclude(~Q(held=""), status__in=UNSENT)
        .update(due_at=timezone.now(), updated_at=timezone.now())
    )
    if moved:
        staff_items.resolve_about(kind=PAUSED_KIND, subject=job.reference, resolution=f"goes on ({source})")
        if ring:
            bell.ring(tasks.advance_print_job, job.pk)
    return bool(moved)


def send_again(*, job: PrintJob, actor: str, reason: str) -> None:
    """Staff: try again at the step where it stopped.

    A job that we gave up on goes on under the same third_id (the machine may have it: we ask first). A job that the
    machine failed to print is a new print order with a new OREN; the old number is kept. Raises CannotSendAgain, also
    while somebody is asking the manufacturer about it.
    """
    with transaction.atomic():
        locked = PrintJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if locked.status not in ("failed", "gave_up"):
            raise CannotSendAgain
        if locked.held:
            raise CannotSendAgain(HELD)
        if at_it(locked):
            raise CannotSendAgain(UNDER_WAY)
        reprint = locked.status == "failed"
        if reprint and locked.provider_status not in ("", *GAVE_UP_THERE):
            raise CannotSendAgain  # the machine took it up again by itself: a new order would be a second case
        step = "submitting" if reprint or locked.pay_type == PAY_AT_MACHINE else "announcing"
        fields = (
            anew(locked) if reprint else {"attempts": 1}
        )  # it may have been sent: the next try asks first
        fields |= {"due_at": timezone.now(), "first_attempt_at": None, "last_error": ""}
        if not advance(locked, step, source="admin", actor=actor, reason=reason, **fields):
            raise CannotSendAgain
        AuditEntry.objects.create(
            actor=actor, action="send to the machine again", subject=job.reference, reason=reason
        )
        for kind in (STUCK_KIND, FAILED_KIND):
            staff_items.resolve_about(
                kind=kind, subject=job.reference, actor=actor, resolution=f"sent again: {reason}"
            )
        bell.ring(tasks.advance_print_job, job.pk)


def anew(job: PrintJob) -> dict[str, Any]:
    """The fields of a new print order for the same case."""
    return {
        "third_order_id": ids.next_third_id("OREN"),
        "earlier_order_ids": [*job.earlier_order_ids, job.third_order_id],
        "manufacturer_order_id": "",
        "queue_no": "",
        "provider_status": "",
        "attempts": 0,
    }


def at_it(job: PrintJob) -> bool:
    """Somebody holds the job's lease: a call about it may be at the manufacturer right now."""
    return job.leased_until is not None and job.leased_until > timezone.now()


def cancel_job(*, job: PrintJob, actor: str, reason: str) -> None:
    """Staff: this case will not be printed. Only while the machine has not taken it. Opens an item to pay the customer
    back. Raises CannotCancel. A step that is at the manufacturer at this very moment is not cancelled either."""
    with transaction.atomic():
        locked = PrintJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if not cancel_locked(locked, actor=actor, reason=reason):
            raise CannotCancel
        AuditEntry.objects.create(
            actor=actor, action="cancel print job", subject=job.reference, reason=reason
        )
        staff_items.open_item(
            kind=CANCELED_KIND, subject=job.reference,
            title=f"A paid case will not be printed ({job.order_no})",
            detail="Pay the customer back.", why=reason,
        )  # fmt: skip


def cancel_locked(job: PrintJob, *, actor: str, reason: str, source: str = "admin") -> bool:
    """Cancel a job that the caller has locked. False: a machine has it, or a step is at the manufacturer just now."""
    if at_it(job) or not advance(
        job, "canceled", source=source, actor=actor, reason=reason, due_at=None, leased_until=None, held=""
    ):
        return False
    for kind in (STUCK_KIND, FAILED_KIND):
        staff_items.resolve_about(
            kind=kind, subject=job.reference, actor=actor, resolution=f"cancelled: {reason}"
        )
    return True


def pause(*, order_no: str, actor: str, reason: str) -> None:
    """The order is to be paid back in full, inside the caller's transaction: what was not sent is not sent meanwhile.

    Staff get an item: it ends when the refund is marked as paid back, or when they let the job go on (check_now).
    Raises UnderWay while a job's step is at the manufacturer: then nothing may be paid back yet.
    """
    _note_money_gone(order_no)
    for job in _unsettled(order_no):
        if job.status not in (*UNSENT, "waiting"):
            continue
        PrintJob.objects.filter(pk=job.pk).update(due_at=timezone.now() + PAUSE, updated_at=timezone.now())
        remark(job, source="admin", actor=actor, reason=f"paused for a refund: {reason}")
        staff_items.open_item(
            kind=PAUSED_KIND, subject=job.reference,
            title=f"A refund was asked for: the case is not sent to the machine ({job.order_no})",
            detail="Pay the customer back and mark the refund. To print it all the same: Print it after all, on the print job.",
        )  # fmt: skip


def paid_back(*, order_no: str, actor: str, reason: str) -> None:
    """The order was paid back in full, inside the caller's transaction: what the machine has not taken is cancelled,
    and the items about its jobs are done. Raises UnderWay while a job's step is at the manufacturer."""
    _note_money_gone(order_no)
    for job in _unsettled(order_no):
        cancel_locked(job, actor=actor, reason=reason)
        for kind in ITEM_KINDS:
            staff_items.resolve_about(
                kind=kind, subject=job.reference, actor=actor, resolution=f"paid back: {reason}"
            )


def _note_money_gone(order_no: str) -> None:
    PrintJob.objects.filter(order_no=order_no, money_gone_at=None).update(money_gone_at=timezone.now())


def _unsettled(order_no: str) -> list[PrintJob]:
    """The order's jobs, locked. Raises UnderWay when the answer to a call might show that a case is printed."""
    jobs = list(PrintJob.objects.select_for_update(no_key=True).filter(order_no=order_no).order_by("pk"))
    if any(at_it(job) and job.status not in ACCEPTED for job in jobs):
        raise UnderWay(retry_after=60)
    return jobs


def moved_at(job: PrintJob) -> datetime:
    """When the job's status moved last."""
    events = PrintJobEvent.objects.filter(print_job=job).exclude(from_status=F("to_status"))
    at: datetime | None = events.order_by("-id").values_list("at", flat=True).first()
    return at or job.accepted_at or job.created_at


def unsent_since(job: PrintJob) -> datetime:
    """Since when the job has been waiting to be taken: paid, machine chosen, or sent again by staff."""
    began = PrintJobEvent.objects.filter(print_job=job, to_status__in=UNSENT).exclude(from_status__in=UNSENT)
    at: datetime | None = began.order_by("-id").values_list("at", flat=True).first()
    return at or job.created_at


def place_in_queue(job: PrintJob) -> int | None:
    """How many jobs the machine has before this one, plus one, as our own rows know it; None when it is not waiting there."""
    if job.status not in ("accepted", "printing") or job.machine_id is None or job.accepted_at is None:
        return None
    ahead = PrintJob.objects.filter(
        machine_id=job.machine_id,
        status__in=("accepted", "printing"),
        accepted_at__lt=job.accepted_at,
        accepted_at__gt=job.accepted_at - IN_QUEUE_FOR,
    )
    return ahead.count() + 1


def reached_at(job: PrintJob) -> dict[str, datetime]:
    """State -> when the job came to it last."""
    events = PrintJobEvent.objects.filter(print_job=job).exclude(from_status=F("to_status"))
    return dict(events.order_by("id").values_list("to_status", "at"))


def due(limit: int = 50) -> list[int]:
    """Jobs with a step due now and no live lease, oldest first."""
    now = timezone.now()
    return list(
        PrintJob.objects.filter(due_at__lte=now)
        .filter(Q(leased_until=None) | Q(leased_until__lt=now))
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )
