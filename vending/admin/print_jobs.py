"""Print jobs: what is due at the manufacturer, what hangs, and sending it again. Read only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from pimpshop.core.admin import finding, words
from pimpshop.core.admin.base import EvidenceAdmin, StoryMixin
from pimpshop.core.admin.questions import Question, questions
from vending.admin import printing
from vending.models import PrintJob
from vending.services import print_jobs

STUCK_AFTER = timedelta(minutes=2)


def stuck(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Paid for more than two minutes, and the machine has not taken it (nor does a dispute hold it)."""
    return rows.filter(status__in=print_jobs.UNSENT, held="", created_at__lt=timezone.now() - STUCK_AFTER)


@admin.register(PrintJob)
class PrintJobAdmin(StoryMixin, EvidenceAdmin):
    list_display = ("headline", "queue", "state", "at_machine", "attempts", "trouble", "due")
    list_filter = (
        questions(
            Question("due", _("due"), lambda rows: rows.filter(due_at__lte=timezone.now())),
            Question("stuck", _("stuck"), stuck),
            Question("gave-up", _("gave up"), lambda rows: rows.filter(status="gave_up")),
            Question("failed", _("failed"), lambda rows: rows.filter(status="failed")),
            Question("held", _("held"), lambda rows: rows.exclude(held="").exclude(status="canceled")),
        ),
        "machine",
    )
    list_select_related = ("machine",)
    search_fields = (
        "reference", "order_no", "session_id", "third_order_id", "payment_third_id", "manufacturer_order_id",
        "queue_no",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": (("state", "queue"), ("at_machine", "order_link"), "session_link", ("due", "attempts"), "trouble", "held")}),
        (
            _("At the manufacturer"),
            {
                "classes": ["collapse"],
                "fields": (
                    "third_order_id", "earlier_order_ids", "payment_third_id", "manufacturer_order_id",
                    "provider_status", "pay_type", "mobile_model_id", "mobile_shell_id", "print_sha256",
                    "created_at", "accepted_at",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = ("state", "queue", "at_machine", "order_link", "session_link", "due", "trouble")
    acts = printing.ACTS
    state = words.state_column()

    def subjects_of(self, obj: PrintJob) -> list[str]:
        return [obj.reference, obj.order_no]

    @display(description=_("print job"), header=True)
    def headline(self, job: PrintJob) -> tuple[str, str]:
        return job.reference, job.third_order_id

    @display(description=_("queue number"))
    def queue(self, job: PrintJob) -> str:
        return job.queue_no or "–"

    @display(description=_("machine"), ordering="machine__name")
    def at_machine(self, job: PrintJob) -> str:
        return job.machine.name if job.machine else str(_("not chosen yet"))

    @display(description=_("last error"))
    def trouble(self, job: PrintJob) -> str:
        return job.last_error or "–"

    @display(description=_("next step"), ordering="due_at")
    def due(self, job: PrintJob) -> str:
        return words.ago(job.due_at) if job.due_at else "–"

    @display(description=_("order"))
    def order_link(self, job: PrintJob) -> str:
        return words.link(finding.address(job.order_no, "order"), job.order_no)

    @display(description=_("session"))
    def session_link(self, job: PrintJob) -> str:
        return (
            words.link(finding.address(job.session_id, "session"), job.session_id) if job.session_id else "–"
        )
