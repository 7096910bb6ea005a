"""What vending tells in a timeline, and how its numbers are found."""

from __future__ import annotations

from django.db.models import Q

from pimpshop.core.admin import finding, timeline
from vending.models import Machine, PrintJob, PrintJobEvent, SessionEvent, VendingSession


@timeline.source
def _sessions(story: timeline.Story) -> timeline.Part:
    """The session's events (of every session that made this order)."""
    which = (
        Q(session__session_id=story.session_id) if story.session_id else Q(session__order_no__in=story.orders)
    )
    events = list(SessionEvent.objects.filter(which).select_related("session")[: timeline.MOST_EVENTS])
    numbers = {event.session.session_id for event in events} | {event.session.third_id for event in events}
    entries = timeline.of_events("session", events, number=lambda event: event.session.session_id)
    return timeline.Part(entries, numbers)


@timeline.source
def _print_jobs(story: timeline.Story) -> timeline.Part:
    """The events of every print job of the order; a session without an order has none."""
    which = story.which("print_job__")
    events = list(PrintJobEvent.objects.filter(**which).select_related("print_job")[: timeline.MOST_EVENTS])
    numbers: set[str] = set()
    for event in events:
        job = event.print_job
        numbers |= {job.reference, job.third_order_id, job.payment_third_id, *job.earlier_order_ids}
    entries = timeline.of_events("print job", events, number=lambda event: event.print_job.reference)
    return timeline.Part(entries, numbers)


@finding.finder("session", permission="vending.view_vendingsession")
def _session(number: str) -> VendingSession | None:
    return VendingSession.objects.filter(session_id__in={number, number.upper()}).first()


@finding.finder("machine", permission="vending.view_machine")
def _machine(number: str) -> Machine | None:
    return Machine.objects.filter(machine_id=number).first()


@finding.finder("print job", permission="vending.view_printjob")
def _print_job(number: str) -> PrintJob | None:
    """OREN, MSOR or our reference; the newest with that queue number."""
    spelled = number.upper()
    asked = (
        {"reference": number},
        {"third_order_id": spelled},
        {"manufacturer_order_id": spelled},
        {"queue_no": number},
    )
    found = (PrintJob.objects.filter(**one).order_by("-pk").first() for one in asked)
    return next((job for job in found if job), None)
