"""The kernel's own figures for /metrics: who lives, what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import Metric

from pimpshop.core import heartbeat, metrics
from pimpshop.core.models import Notification, StaffItem

metrics.queue("messages", Notification, "due_at")


@metrics.collector("processes")
def _processes() -> Iterator[Metric]:
    ages = heartbeat.ages()
    rows = [((name,), age) for name, age in sorted(ages.items()) if age is not None]
    text = "Seconds since a background process was last heard of; never heard of: no sample."
    yield metrics.gauge("shop_heartbeat_age_seconds", text, ["process"], rows)
    up = [((name,), 0.0 if heartbeat.is_degraded(name, age) else 1.0) for name, age in sorted(ages.items())]
    yield metrics.gauge("shop_process_up", "1 while a background process is alive.", ["process"], up)


@metrics.collector("staff")
def _staff() -> Iterator[Metric]:
    found = StaffItem.objects.filter(resolved_at=None).order_by("kind").values_list("kind")
    rows = [((kind,), float(count)) for kind, count in found.annotate(count=Count("id"))]
    yield metrics.gauge("shop_staff_items_open", "What waits for a person, by kind.", ["kind"], rows)
