"""Celery tasks of the kernel: heartbeats, messages to customers, the nightly invariants."""

from __future__ import annotations

from celery import shared_task

from pimpshop.core import heartbeat, invariants, staff_items


@shared_task(name="pimpshop.core.tasks.beat_heartbeat", time_limit=20, soft_time_limit=15)
def beat_heartbeat() -> None:
    """Beat enqueued this and a worker ran it: both live."""
    heartbeat.beat("beat")
    heartbeat.beat("worker")


@shared_task(name="pimpshop.core.tasks.send_notifications", time_limit=300, soft_time_limit=270)
def send_notifications() -> int:
    """Send the messages to customers that are due."""
    from pimpshop.core.notifications import outbox

    return outbox.send_due()


@shared_task(name="pimpshop.core.tasks.check_invariants", time_limit=900, soft_time_limit=840)
def check_invariants() -> int:
    """The nightly check; each violation becomes a staff item."""
    count = 0
    for violation in invariants.violations():
        count += 1
        staff_items.open_item(
            kind="invariant",
            subject=violation.check[:120],
            title=f"An invariant is broken: {violation.check}"[:200],
            detail=violation.row,
        )
    return count
