"""The steps of a print job at the manufacturer, one call each, each its own compare-and-set.

announce (payData, pay_type 12) -> confirm (payStatus 3) -> submit (orderData) -> look (getOrderStatus, printList).
A job paid at the machine starts at submit. Guarantees: one worker at a time per job (a lease on the row); the same
third_id on every retry; after a lost answer we ask before we send again; no call inside a transaction; a killed
worker costs only the lease. Retries go on for six hours, then staff get an item and the customer's page says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from catalog.models import Design
from catalog.services import designs
from pimpshop.core import ids, staff_items
from pimpshop.core.money import Money
from pimpshop.core.states import advance
from vending import manufacturer
from vending.models import PrintJob
from vending.services import machines, notices, print_jobs, print_looks, sessions

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)
#: Seconds between tries; the last one repeats. With jitter, so that many jobs do not knock together.
BACKOFF = (2, 4, 8, 15, 30, 60, 120, 300, 600)
GIVE_UP_AFTER = timedelta(hours=6)
#: However long it waited, a job that could go out only now is not given up on after one bad answer.
LEAST_TRIES = 3
#: Between tries nothing waits for so long; a job that is due later is paused.
NOT_PAUSED = timedelta(hours=1)


class Refused(Exception):
    """The manufacturer will never accept this step."""


def advance_job(job_pk: int) -> bool:
    """Do the step that is due on a job, if it is due and nobody else is at it. Answers whether it did one."""
    job = _take(job_pk)
    if job is None:
        return False
    try:
        _STEPS[job.status](job)
    except manufacturer.ManufacturerError as error:
        _judge(job, error)
    except Refused as refusal:
        _give_up(job, str(refusal))
    except Exception as error:
        # Ours or the database's: tried again like any other, and it ends with staff, never in a loop.
        log.exception("print_step_failed", job=job.reference, step=job.status)
        _try_again_or_give_up(job, f"failed: {type(error).__name__}")
    return True


def _take(job_pk: int) -> PrintJob | None:
    """Lease a job whose step is due. The try is counted and committed before any call, so that after a crash the
    next try knows that the call may have been made."""
    now = timezone.now()
    job = PrintJob.objects.select_related("machine").filter(pk=job_pk, due_at__lte=now).first()
    if job is None:
        return None
    open_rows = PrintJob.objects.filter(pk=job.pk, status=job.status, due_at__lte=now).filter(
        Q(leased_until=None) | Q(leased_until__lt=now)
    )
    wait = 0.0 if job.status in _STEPS else None
    if job.status in print_jobs.UNSENT:
        open_rows = open_rows.filter(held="")
        if job.held:  # the step before this one was at the manufacturer when the hold came
            PrintJob.objects.filter(pk=job.pk, held=job.held).update(due_at=now + print_jobs.PAUSE)
            return None
        wait = _must_wait(job)
    if wait is None or wait > 0:
        open_rows.update(due_at=None if wait is None else now + timedelta(seconds=wait))
        return None
    first = job.first_attempt_at or now
    if not open_rows.update(leased_until=now + LEASE, attempts=F("attempts") + 1, first_attempt_at=first):
        return None
    job.attempts += 1
    job.first_attempt_at = first
    return job


def _must_wait(job: PrintJob) -> float:
    """Seconds that an unsent job has to wait: maintenance, or older jobs go first after printer trouble."""
    machine = job.machine
    if machine is None:
        return 0.0
    if machine.maintenance:
        _tell_staff_of_wait(job, "the machine is in maintenance", "End the maintenance")
        return 30.0
    now = timezone.now()
    recovering = machine.printer_at is not None and now - machine.printer_at < machines.PRINTER_RECOVERY
    if machine.printer == machine.Printer.OUT or recovering:
        older = PrintJob.objects.filter(
            machine=machine, status__in=print_jobs.UNSENT, pk__lt=job.pk, due_at__lt=now + NOT_PAUSED
        )
        if older.exists():
            _tell_staff_of_wait(job, "older jobs wait before it", "Look at the machine's printer")
            return 3.0
    return 0.0


def _tell_staff_of_wait(job: PrintJob, why: str, do: str) -> None:
    if _too_long(job):
        staff_items.open_item(
            kind=print_jobs.STUCK_KIND, subject=job.reference, title=f"Paid, but {why} ({job.order_no})",
            detail=f"{do}, or pay the customer back.",
        )  # fmt: skip


def _too_long(job: PrintJob) -> bool:
    """Waiting counts from the payment (or since staff sent it again), not from the first try: a job that had to let
    others go first has no six hours of its own."""
    return timezone.now() - print_jobs.unsent_since(job) > GIVE_UP_AFTER


# --- the steps ---------------------------------------------------------------------------------------------------------


def _announce(job: PrintJob) -> None:
    client = machines.client(job.order_no)
    try:
        client.pay_data(
            mobile_model_id=job.mobile_model_id,
            device_id=_device_id(job),
            third_id=job.payment_third_id,
            pay_amount=_amount(job),
            pay_type=job.pay_type,
        )
    except manufacturer.DuplicateThirdId:
        # Nobody of ours sent it: another database of this account took the number.
        if job.attempts == 1 and print_looks.still_ours(job).exists():
            raise Refused("the payment number is taken at the manufacturer") from None
    _done(job, "confirming")


def _confirm(job: PrintJob) -> None:
    machines.client(job.order_no).pay_status(third_id=job.payment_third_id, status=3, pay_amount=_amount(job))
    _done(job, "submitting", delay=settings.MANUFACTURER_ORDER_DELAY_SECONDS)


def _submit(job: PrintJob) -> None:
    client = machines.client(job.order_no)
    if job.attempts > 1:
        known = print_looks.ask(client, job)
        if known:  # an earlier try got through, its answer was lost
            _accepted(job, order_id=known.order_id, queue_no=known.queue_no, status=known.status)
            return
    design = Design.objects.get(pk=job.design_id)
    if not designs.verify_print(design) or design.print_sha256 != job.print_sha256:
        raise Refused("the stored picture is not the one that the customer approved")
    try:
        answer = client.order_data(
            third_pay_id=job.payment_third_id,  # our PYEN: the MSPY id is refused (manufacturer.md)
            third_id=job.third_order_id,
            mobile_model_id=job.mobile_model_id,
            mobile_shell_id=job.mobile_shell_id,
            pic=designs.print_link(design),
            device_id=_device_id(job),
        )
    except manufacturer.DuplicateThirdId:
        if job.attempts > 1:
            raise
        _take_new_number(job)
        return
    _accepted(job, order_id=answer.id, queue_no=answer.queue_no, status=answer.status)


def _look_again(job: PrintJob) -> None:
    """A job that we gave up on: nothing is sent any more, but the machine may have it all the same."""
    known = print_looks.ask(machines.client(job.order_no), job)
    if known:
        _accepted(job, order_id=known.order_id, queue_no=known.queue_no, status=known.status)
    else:
        print_looks.still_ours(job).update(leased_until=None, due_at=print_looks.next_look(job))


def _take_new_number(job: PrintJob) -> None:
    """The very first try met a number that another database of this account had taken: a new one, at once."""
    print_looks.still_ours(job).update(
        third_order_id=ids.next_third_id("OREN"),
        earlier_order_ids=[*job.earlier_order_ids, job.third_order_id],
        attempts=0, leased_until=None, due_at=timezone.now(), updated_at=timezone.now(),
    )  # fmt: skip


def _device_id(job: PrintJob) -> str:
    if job.machine is None:
        raise Refused("no machine was chosen")
    return job.machine.machine_id


# --- what became of a step ---------------------------------------------------------------------------------------------


def _done(job: PrintJob, to: str, *, delay: int = 0) -> None:
    advance(
        job, to, source="worker", leased_until=None, attempts=0, first_attempt_at=None, last_error="",
        due_at=timezone.now() + timedelta(seconds=delay),
    )  # fmt: skip


def _accepted(job: PrintJob, *, order_id: str, queue_no: str, status: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        moved = advance(
            job, "accepted", source="worker", data={"queue_no": queue_no, "status": status},
            manufacturer_order_id=order_id or job.manufacturer_order_id, queue_no=queue_no or job.queue_no,
            provider_status=status, accepted_at=now, leased_until=None, attempts=0, last_error="",
            due_at=now + timedelta(seconds=1 if not queue_no else print_looks.LOOKS[0][1]),
        )  # fmt: skip
        if not moved:
            return
        print_looks.flag_odd(job, status)  # the looks flag only what is new to them
        sessions.mark_order(job.session_id, submitted=True, source="worker")
        staff_items.resolve_about(
            kind=print_jobs.STUCK_KIND, subject=job.reference, resolution="the machine took it"
        )
    if job.machine:
        machines.note_printer(job.machine, out=False, reason="took an order")
    log.info(
        "order_sent_to_manufacturer", session=job.session_id, third_id=job.third_order_id, queue_no=queue_no
    )


def _judge(job: PrintJob, error: manufacturer.ManufacturerError) -> None:
    """What an error means for the step: tried again under the same numbers, or never."""
    if isinstance(error, manufacturer.DeviceUnavailable) and job.machine:
        machines.note_printer(job.machine, out=True, reason="device is unavailable")
    if isinstance(error, manufacturer.AccountUnknown):
        _tell_staff_of_credentials(error)
    permanent = error.permanent and not isinstance(error, manufacturer.AccountUnknown)
    _try_again_or_give_up(job, str(error) or type(error).__name__, permanent=permanent)


def _try_again_or_give_up(job: PrintJob, why: str, *, permanent: bool = False) -> None:
    if job.status not in print_jobs.UNSENT:
        print_looks.tell_if_late(job)
        _try_again(job, why, over=print_looks.next_look(job) is None)
    elif permanent or (job.attempts >= LEAST_TRIES and _too_long(job)):
        _give_up(job, why)
    else:
        _try_again(job, why)


def _tell_staff_of_credentials(error: manufacturer.ManufacturerError) -> None:
    staff_items.open_item(
        kind="manufacturer_credentials", subject="manufacturer",
        title="The manufacturer refuses our log-in: paid jobs wait",
        detail="Check MANUFACTURER_ACCOUNT and MANUFACTURER_PASSWORD. Jobs go on by themselves.", why=str(error)[:200],
    )  # fmt: skip


def _try_again(job: PrintJob, why: str, *, over: bool = False) -> None:
    now = timezone.now()
    seconds = BACKOFF[min(job.attempts, len(BACKOFF)) - 1] * (0.8 + secrets.randbelow(400) / 1000)
    print_looks.still_ours(job).update(
        leased_until=None, last_error=why[:300], updated_at=now,
        due_at=None if over else now + timedelta(seconds=seconds),
    )  # fmt: skip
    log.warning("print_step_again", job=job.reference, step=job.status, attempts=job.attempts, why=why)


def _give_up(job: PrintJob, why: str) -> None:
    """Staff get one item, the customer is told once, the session says order_failed (never payment_failed)."""
    with transaction.atomic():
        if not advance(
            job, "gave_up", source="worker", reason=why, leased_until=None, last_error=why[:300],
            due_at=timezone.now() + timedelta(seconds=print_looks.GIVEN_UP_LOOK),
        ):  # fmt: skip
            return
        staff_items.open_item(
            kind=print_jobs.STUCK_KIND, subject=job.reference,
            title=f"Paid, but the machine does not take the order ({job.order_no})",
            detail="Send it again from the print job when the machine works, or pay the customer back.", why=why,
        )  # fmt: skip
        sessions.mark_order(job.session_id, submitted=False, source="worker")
        notices.case_delayed(job)


def _amount(job: PrintJob) -> Decimal:
    return Money(job.amount_minor, job.currency).to_decimal()


_STEPS: dict[str, Callable[[PrintJob], None]] = {
    "announcing": _announce,
    "confirming": _confirm,
    "submitting": _submit,
    "accepted": print_looks.look,
    "printing": print_looks.look,
    "printed": print_looks.look,
    "failed": print_looks.look,
    "gave_up": _look_again,
}
