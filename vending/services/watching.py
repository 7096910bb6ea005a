"""What rows say about machines that a person should know: silent ones for which paid cases wait. Reads, then items."""

from __future__ import annotations

from django.db.models import Count
from django.utils import timezone

from pimpshop.core import staff_items
from vending.models import PrintJob
from vending.services import machines, print_jobs, staff_kinds


def tell_of_silent_machines() -> int:
    """An item for each machine in use that is silent while paid cases wait for it; it closes by itself. Idempotent."""
    silent = timezone.now() - machines.SILENT_AFTER
    waiting = PrintJob.objects.filter(
        machine__is_active=True, machine__last_contact_at__lt=silent, status__in=print_jobs.UNSENT
    )
    counted = (
        waiting.order_by().values_list("machine__machine_id", "machine__name").annotate(jobs=Count("pk"))
    )
    found = {
        machine_id: {
            "title": f"{name} is silent, and {jobs} paid cases wait for it",
            "detail": "Switch it on or send somebody. The cases go out by themselves when it is back.",
            "jobs": jobs,
        }
        for machine_id, name, jobs in counted
    }
    return staff_items.keep(
        kind=staff_kinds.OFFLINE_KIND, found=found, passed="the machine is back, or nothing waits for it"
    )
