"""Reconciliation for staff: the days and what differs, each to be resolved with a reason; disputes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from payments.admin import books, disputes
from payments.models import Dispute, ReconcileDifference, StatementRun
from payments.services import reconcile_rows, watching
from pimpshop.core.admin import finding, timeline, words
from pimpshop.core.admin.acting import Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin, StoryMixin
from pimpshop.core.admin.questions import Question, questions

#: So many differences are named on a statement's page.
MOST_SHOWN = 50


@admin.register(StatementRun)
class StatementRunAdmin(books.BooksMixin):
    list_display = ("__str__", "account", "lines", "matched", "differences", "done_at", "error")
    list_filter = (
        questions(
            Question("differs", _("with differences"), lambda rows: rows.filter(differences__gt=0)),
            Question("missing", _("not there yet"), lambda rows: rows.filter(done_at=None)),
        ),
        "gateway",
    )
    search_fields = ("gateway",)
    readonly_fields = ("each_of_them",)

    @display(description=_("what differs"))
    def each_of_them(self, run: StatementRun) -> str:
        """A link to each difference, where it is resolved; the open ones first."""
        rows = run.found.order_by("status", "pk")[:MOST_SHOWN]
        page = "admin:payments_reconciledifference_change"
        shown = ((words.link(reverse(page, args=[row.pk]), row), words.labels(row, "status")) for row in rows)
        return format_html_join("", "{} {}<br>", shown) or "–"


def _resolve(difference: ReconcileDifference, doing: Doing) -> None:
    reconcile_rows.resolve(difference=difference, actor=doing.actor, reason=doing.reason)


@admin.register(ReconcileDifference)
class ReconcileDifferenceAdmin(EvidenceAdmin):
    list_display = ("about", "kind", "state", "ours", "theirs", "run", "created_at")
    list_filter = (
        questions(Question("open", _("open"), lambda rows: rows.filter(status="open"))),
        "kind",
        "run__gateway",
    )
    list_select_related = ("run",)
    search_fields = ("subject",)
    acts = (
        Act(
            "resolve", _("Resolve"),
            _("Say why it is right, or how it was put right. The reason is kept with your name."),
            _resolve, reason=_("Why is it right now?"), icon="task_alt", audited=True,
            possible=lambda difference: difference.status == "open",
        ),
    )  # fmt: skip
    state = words.state_column()

    def subjects_of(self, obj: ReconcileDifference) -> list[str]:
        return [str(obj.run)]

    @display(description=_("about"), ordering="subject")
    def about(self, row: ReconcileDifference) -> str:
        return words.link(finding.address(row.subject, "payment"), row.subject)

    @display(description=_("ours"))
    def ours(self, row: ReconcileDifference) -> str:
        return "–" if row.ours_minor is None else words.money(row.ours_minor, row.currency)

    @display(description=_("theirs"))
    def theirs(self, row: ReconcileDifference) -> str:
        return "–" if row.theirs_minor is None else words.money(row.theirs_minor, row.currency)


@admin.register(Dispute)
class DisputeAdmin(StoryMixin, EvidenceAdmin):
    list_display = ("provider_ref", "state", "amount_shown", "payment_link", "reason", "until")
    list_filter = (
        questions(
            Question("open", _("open"), lambda rows: rows.filter(status__in=("opened", "under_review"))),
            Question("lost", _("lost"), lambda rows: rows.filter(status="lost")),
        ),
    )
    list_select_related = ("intent__order",)
    search_fields = ("provider_ref", "intent__out_trade_no")
    fields = (
        "state", "amount_shown", "payment_link", "reason", "until", "deadline", "pack", "money_moved", "provider_ref",
        "provider_status", "retaken", "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = ("state", "amount_shown", "payment_link", "until", "pack")
    state = words.state_column()
    acts = disputes.ACTS

    def story_of(self, obj: Dispute) -> timeline.Story:
        order = obj.intent.order
        return timeline.Story(order_no=order.order_no, session_id=order.session_id)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(disputes.download)
        return [path("<int:pk>/evidence/", view, name="payments_dispute_evidence"), *super().get_urls()]

    @display(description=_("evidence"))
    def pack(self, row: Dispute) -> str:
        return words.link(
            reverse("admin:payments_dispute_evidence", args=[row.pk]), _("download all that proves it")
        )

    @words.labelled(_("time left for evidence"), ordering="deadline")
    def until(self, row: Dispute) -> tuple[str, str]:
        """Red while nobody has answered and it is near or over."""
        if row.deadline is None:
            return "", "–"
        near = row.status == "opened" and row.deadline < timezone.now() + watching.DEADLINE_NEAR
        return "danger" if near else "", words.ago(row.deadline)

    @display(description=_("amount"), ordering="amount_minor")
    def amount_shown(self, row: Dispute) -> str:
        return words.money(row.amount_minor, row.currency)

    @display(description=_("payment"))
    def payment_link(self, row: Dispute) -> str:
        return words.link(finding.address(row.intent.out_trade_no, "payment"), row.intent.out_trade_no)
