"""Figures of the machines' day for /metrics: print jobs by state, and how long the oldest step waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import Metric

from pimpshop.core import metrics
from vending.models import PrintJob


@metrics.collector("print_jobs")
def _print_jobs() -> Iterator[Metric]:
    since = timezone.now() - timedelta(hours=24)
    found = PrintJob.objects.filter(created_at__gte=since).order_by("status").values_list("status")
    rows = [((status, "24h"), float(count)) for status, count in found.annotate(count=Count("pk"))]
    text = "Print jobs that were made in the window, by how they stand."
    yield metrics.gauge("shop_print_jobs", text, ["status", "window"], rows)


metrics.queue("print_jobs", PrintJob, "due_at")
