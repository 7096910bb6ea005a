"""A print job that waits because a refund was asked for (print_jobs.pause): staff say that it is printed after all.

Guarantees: only while it is paused, once, audited. A job that a bank holds as well goes on when the bank has decided.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors
from pimpshop.core.models import AuditEntry, StaffItem
from pimpshop.core.states import remark
from vending.models import PrintJob
from vending.services import print_jobs


class NotPaused(errors.Conflict):
    code = "not_paused"
    message = _("No refund keeps this print job waiting. Nothing was changed.")


class Paused(errors.Conflict):
    code = "print_paused"
    message = _(
        "A refund was asked for, so this case waits. Pay it back, or choose “Print it after all”. Nothing was changed."
    )


def is_paused(job: PrintJob) -> bool:
    items = StaffItem.objects.filter(
        kind=print_jobs.PAUSED_KIND, subject=job.reference[:120], resolved_at=None
    )
    return job.status in (*print_jobs.UNSENT, "waiting") and items.exists()


def must_be_paused(job: PrintJob) -> None:
    """Raises NotPaused, and print_jobs.CannotSendAgain while a bank decides."""
    if not is_paused(job):
        raise NotPaused
    if job.held:
        raise print_jobs.CannotSendAgain(print_jobs.HELD)


def must_not_be_paused(job: PrintJob) -> None:
    """Raises Paused."""
    if is_paused(job):
        raise Paused


def note_money_stays(order_no: str) -> None:
    """A refund of the order failed, inside the caller's transaction: its cases are paid for again."""
    PrintJob.objects.filter(order_no=order_no).exclude(money_gone_at=None).update(money_gone_at=None)


def go_on(*, job: PrintJob, actor: str, reason: str) -> None:
    """Raises as must_be_paused does."""
    with transaction.atomic():
        locked = PrintJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        must_be_paused(locked)
        print_jobs.check_now(job=locked)
        remark(locked, source="admin", actor=actor, reason=f"goes on after all: {reason}")
        AuditEntry.objects.create(
            actor=actor, action="print after all", subject=job.reference, reason=reason,
            data={"changes": [{"field": "paused for a refund", "before": "yes", "after": "no"}]},
        )  # fmt: skip
