"""How long paid cases took, and what waits at each machine: figures of the desk's first page. Reads only.

Bounded by the time at which jobs were made (BRIN) or by the machines' own jobs (index on machine and state).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate

from pimpshop.core import shop_day
from pimpshop.core.percentiles import Percentile
from vending.models import Machine, PrintJob, PrintJobEvent
from vending.services import print_jobs


def _timed(since: datetime) -> Any:
    """The jobs that were paid since then (a job is made in the settling transaction), with when each was printed."""
    printed = PrintJobEvent.objects.filter(print_job=OuterRef("pk"), to_status="printed").order_by("id")
    jobs: Any = PrintJob.objects.filter(created_at__gte=since).order_by()
    return jobs.annotate(printed_at=Subquery(printed.values("at")[:1]))


def times() -> dict[str, Any]:
    """Today's: {accepted_median, accepted_p95, printed_median, printed_p95} in seconds from the payment, and {printed}."""
    accepted, printed = F("accepted_at") - F("created_at"), F("printed_at") - F("created_at")
    told: dict[str, Any] = _timed(shop_day.midnight()).aggregate(
        accepted_median=Percentile(accepted, 0.5), accepted_p95=Percentile(accepted, 0.95),
        printed_median=Percentile(printed, 0.5), printed_p95=Percentile(printed, 0.95),
        printed=Count("printed_at"),
    )  # fmt: skip
    return told


def printed_by_day(days: list[date]) -> dict[date, tuple[int, float | None]]:
    """{day: (cases printed of those paid on it, median seconds from paid to printed)}."""
    jobs = _timed(shop_day.begins(days[0]))
    by_day = jobs.annotate(day=TruncDate("created_at", tzinfo=shop_day.zone())).values("day")
    rows = by_day.annotate(
        printed=Count("printed_at"), median=Percentile(F("printed_at") - F("created_at"), 0.5)
    )
    return {row["day"]: (row["printed"], row["median"]) for row in rows}


def queues() -> list[dict[str, Any]]:
    """What waits at each machine in use: [{pk, name, machine_id, unsent, at_machine}], the longest first."""
    unsent = Count("print_jobs", filter=Q(print_jobs__status__in=print_jobs.UNSENT))
    there = Count("print_jobs", filter=Q(print_jobs__status__in=("accepted", "printing")))
    live = Q(print_jobs__status__in=(*print_jobs.UNSENT, "accepted", "printing"))
    rows: Any = Machine.objects.filter(live, is_active=True).values("pk", "name", "machine_id")
    counted = rows.annotate(unsent=unsent, at_machine=there)
    return sorted(counted, key=lambda row: (-row["unsent"] - row["at_machine"], row["name"]))


def names(machine_ids: set[str]) -> dict[str, str]:
    """{machine id: its name} of those that there are."""
    return dict(Machine.objects.filter(machine_id__in=machine_ids).values_list("machine_id", "name"))


def jobs_of(order_nos: set[str]) -> dict[str, tuple[int, int]]:
    """{order: (print jobs, how many of them are printed)} of those that have any."""
    rows: Any = PrintJob.objects.filter(order_no__in=order_nos).order_by().values_list("order_no")
    printed = Count("pk", filter=Q(status__in=("printed", "collected")))
    return {order_no: (made, done) for order_no, made, done in rows.annotate(made=Count("pk"), done=printed)}


def made_for_machine_payments(start: datetime, end: datetime) -> list[tuple[str, str]]:
    """[(order, machine id)] of the jobs made in that time for money that a machine takes (pay_type 5)."""
    rows = PrintJob.objects.filter(
        created_at__gte=start, created_at__lt=end, pay_type=5, machine__isnull=False
    )
    return list(rows.order_by().values_list("order_no", "machine__machine_id"))
