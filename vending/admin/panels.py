"""Vending's panels of the first page: machines that take no money, jobs that are late, today's numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import shop_day
from pimpshop.core.admin import dashboard, words
from vending.admin.machines import VERDICTS
from vending.admin.print_jobs import stuck
from vending.models import Machine, PrintJob, VendingSession
from vending.services import machines, sessions

LATE_AFTER = timedelta(minutes=1)
MOST_ROWS = 8


@dashboard.panel(order=20, permission="vending.view_machine")
def _machines(request: HttpRequest) -> dashboard.Panel:
    """The machines in use that may take no money now."""
    rows = []
    for machine in Machine.objects.filter(is_active=True):
        verdict = machines.readiness(machine)
        if not verdict:
            tone, label = VERDICTS.get(verdict.code, ("danger", verdict.code))
            page = reverse("admin:vending_machine_change", args=[machine.pk])
            detail = f"{machine.machine_id} · {words.ago(machine.last_contact_at)}"
            rows.append(dashboard.Row(text=machine.name, href=page, detail=detail, label=label, tone=tone))
    return dashboard.Panel(
        title=_("Machines not ready"),
        rows=rows[:MOST_ROWS],
        count=len(rows),
        tone="warning" if rows else "success",
        href=reverse("admin:vending_machine_changelist"),
        empty=_("Every machine in use takes money."),
    )


@dashboard.panel(order=30, permission="vending.view_printjob")
def _late_jobs(request: HttpRequest) -> dashboard.Panel:
    """Steps that are overdue (is the background work running?) and jobs that the machine does not take."""
    overdue = PrintJob.objects.filter(due_at__lt=timezone.now() - LATE_AFTER)
    late = (overdue | stuck(PrintJob.objects.all())).select_related("machine").order_by("created_at")
    rows = [
        dashboard.Row(
            text=job.reference,
            href=reverse("admin:vending_printjob_change", args=[job.pk]),
            detail=job.last_error or (job.machine.name if job.machine else ""),
            label=words.word(job.status),
            tone=words.tone(job.status),
        )
        for job in late[:MOST_ROWS]
    ]
    return dashboard.Panel(
        title=_("Print jobs that are late"),
        rows=rows,
        count=len(rows),
        tone="danger" if rows else "success",
        href=reverse("admin:vending_printjob_changelist") + "?show=stuck",
        empty=_("No print job is late."),
    )


@dashboard.panel(order=50, permission="vending.view_vendingsession")
def _today(request: HttpRequest) -> dashboard.Panel:
    """The shop's today, read at most once a minute; the people at the machines are counted now."""
    page = reverse("admin:vending_vendingsession_changelist")
    live = VendingSession.objects.filter(sessions.live_filter()).count()
    numbers: dict[str, Any] = dashboard.cached("vending-today", 60, _count_today)
    return dashboard.Panel(
        title=_("At the machines today"),
        figures=[
            dashboard.Figure(_("sessions live now"), live, f"{page}?show=live"),
            dashboard.Figure(_("sessions"), numbers["sessions"], page),
            dashboard.Figure(_("paid"), numbers["paid"]),
            dashboard.Figure(
                _("cases printed"), numbers["printed"], reverse("admin:vending_printjob_changelist")
            ),
        ],
    )


def _count_today() -> dict[str, int]:
    midnight = shop_day.midnight()
    # The first job of an order is made by the transaction that settles it.
    paid = PrintJob.objects.filter(created_at__gte=midnight, reference__endswith="/1").exclude(session_id="")
    return {
        "sessions": VendingSession.objects.filter(created_at__gte=midnight).count(),
        "paid": paid.count(),
        "printed": PrintJob.objects.filter(
            status__in=("printed", "collected"), created_at__gte=midnight
        ).count(),
    }
