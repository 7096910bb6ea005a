"""What the buyer is told about a print job: rows of core.Notification, once per (order, kind).

The status page reads them; mails are sent from the same rows.
"""

from __future__ import annotations

from pimpshop.core.models import Notification
from vending.models import PrintJob


def _note(job: PrintJob, kind: str) -> bool:
    _, new = Notification.objects.get_or_create(
        reference=job.order_no, kind=kind, defaults={"data": {"job": job.reference, "queue_no": job.queue_no}}
    )
    return new


def case_printed(job: PrintJob) -> bool:
    """The case is ready to be taken."""
    return _note(job, "case_printed")


def case_delayed(job: PrintJob) -> bool:
    """Paid, but the machine does not print it; staff are on it; the money is not lost."""
    return _note(job, "case_delayed")
