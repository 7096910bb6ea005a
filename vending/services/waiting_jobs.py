"""Cases paid on the phone or at home without a machine: the buyer sends each to a machine within 30 days.

Guarantees: whether the machine can print is asked before anything moves (stock/list at most, outside any transaction);
one choice wins, for good (the manufacturer cannot take it back); a case that nobody sends becomes a staff item once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import selectors as catalogue
from catalog.models import Shell
from pimpshop.core import bell, errors, staff_items
from pimpshop.core.models import Notification
from pimpshop.core.states import advance
from vending import tasks
from vending.models import Machine, PrintJob
from vending.services import machines, print_jobs
from vending.services.print_jobs import UNCLAIMED_KIND

log = structlog.get_logger(__name__)

#: How long the buyer may choose.
CHOOSE_WITHIN = timedelta(days=30)


class NotWaiting(errors.Conflict):
    code = "not_waiting"
    message = _("This case was sent to a machine already. Nothing was changed.")


class BeingPaidBack(errors.Conflict):
    code = "being_paid_back"
    message = _("This case is being paid back, so it is not printed. Nothing was changed.")


class Disputed(errors.Conflict):
    code = "disputed"
    message = print_jobs.HELD


class ChoiceOver(errors.Gone):
    code = "choice_over"
    message = _(
        "This case was paid more than 30 days ago. Our staff take care of it: write to us with your order number."
    )


def of_order(order_no: str) -> PrintJob | None:
    """The order's case that waits for a machine; None when there is none."""
    return PrintJob.objects.filter(order_no=order_no, status="waiting").first()


def may_choose(job: PrintJob) -> bool:
    """Does the case wait for its buyer's choice, is there time left, and does no refund or dispute stop it?"""
    return (
        job.status == "waiting"
        and not job.held
        and job.due_at is None
        and timezone.now() - job.created_at <= CHOOSE_WITHIN
    )


def choose_machine(*, job: PrintJob, machine: Machine, source: str) -> PrintJob:
    """Send a waiting case to `machine`: payData (pay_type 12), payStatus and orderData follow by themselves.

    Raises NotWaiting, BeingPaidBack, Disputed, ChoiceOver, machines.MachineNotReady, machines.OutOfStock, catalogue.ShellUnknown (not made any more).
    """
    if job.status != "waiting":
        raise NotWaiting
    _must_be_open(job)
    machines.ensure_can_print(machine, catalogue.shown_shell(job.shell_id or 0))
    with transaction.atomic():
        _must_be_free(PrintJob.objects.select_for_update(no_key=True).get(pk=job.pk))  # stopped just now?
        if not advance(
            job, "announcing", source=source, reason=f"machine {machine.machine_id} chosen", only_from=["waiting"],
            machine=machine, due_at=timezone.now(), attempts=0, first_attempt_at=None,
        ):  # fmt: skip
            raise NotWaiting
        staff_items.resolve_about(
            kind=UNCLAIMED_KIND, subject=job.reference, resolution=f"sent to {machine.machine_id}"
        )
        bell.ring(tasks.advance_print_job, job.pk)
    log.info("machine_chosen", job=job.reference, machine=machine.machine_id)
    return job


def _must_be_open(job: PrintJob) -> None:
    _must_be_free(job)
    if not may_choose(job):
        raise ChoiceOver


def why_not(order_no: str) -> Any:
    """Why the order's waiting case is not sent to any machine, in words for its buyer; "" when it may be."""
    job = of_order(order_no)
    try:
        if job is not None:
            _must_be_open(job)
    except (BeingPaidBack, Disputed, ChoiceOver) as error:
        return error.message
    return ""


def _must_be_free(job: PrintJob) -> None:
    if job.held:
        raise Disputed
    if job.due_at is not None:
        raise BeingPaidBack


def choose_for(*, order_no: str, machine_id: str, source: str) -> PrintJob:
    """The same for the order's waiting case and a machine's id. Raises NotWaiting, machines.MachineUnknown and the above."""
    job = of_order(order_no)
    if job is None:
        raise NotWaiting
    return choose_machine(job=job, machine=machines.get_machine(machine_id), source=source)


def offered_for(order_no: str) -> list[Machine]:
    """The machines that can print the order's waiting case, as far as is known without asking; none when the choice is
    over."""
    job = of_order(order_no)
    if job is None or not may_choose(job):
        return []
    shell = Shell.objects.filter(pk=job.shell_id or 0).first()
    return [
        machine for machine in machines.in_use() if shell is not None and machines.readiness(machine, shell)
    ]


def tell_of_unclaimed(limit: int = 100) -> int:
    """Staff get one item per case that nobody sent to a machine in time, and the buyer a word; a sweep round."""
    late = PrintJob.objects.filter(status="waiting", held="", created_at__lt=timezone.now() - CHOOSE_WITHIN)
    told = Notification.objects.filter(kind=UNCLAIMED_KIND).values("reference")
    found = list(late.filter(~Q(order_no__in=told)).order_by("pk")[:limit])
    for job in found:
        with transaction.atomic():
            Notification.objects.get_or_create(
                reference=job.order_no, kind=UNCLAIMED_KIND, defaults={"data": {"job": job.reference}}
            )
            staff_items.open_item(
                kind=UNCLAIMED_KIND, subject=job.reference,
                title=f"Paid 30 days ago, and no machine was chosen ({job.order_no})",
                detail="Ask the customer, or pay them back. The buyer's page does not offer machines any more.",
            )  # fmt: skip
    return len(found)
