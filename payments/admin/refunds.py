"""Refunds: those to be done by hand first. "Mark as paid back" records who did what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from payments.admin import paying_back
from payments.models import Refund
from pimpshop.core.admin import dashboard, finding, timeline, words
from pimpshop.core.admin.base import EvidenceAdmin, StoryMixin
from pimpshop.core.admin.questions import Question, questions

OPEN = ("created", "pending")
MOST_ROWS = 8


def _by_hand(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(kind=Refund.Kind.MANUAL, status__in=OPEN)


@admin.register(Refund)
class RefundAdmin(StoryMixin, EvidenceAdmin):
    list_display = ("headline", "state", "amount_shown", "payment_link", "origin", "reason", "actor", "made")
    list_filter = (
        questions(
            Question("by-hand", _("to be done by hand"), _by_hand),
            Question("pending", _("pending"), lambda rows: rows.filter(status__in=OPEN)),
            Question("failed", _("failed"), lambda rows: rows.filter(status="failed")),
        ),
        "origin",
    )
    list_select_related = ("intent__order",)
    search_fields = ("out_refund_no", "intent__out_trade_no", "intent__order__order_no")
    fields = (
        "state", "amount_shown", "payment_link", "order_link", "kind", "origin", "reason", "note", "actor",
        "out_refund_no", "provider_ref", "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = ("state", "amount_shown", "payment_link", "order_link")
    acts = paying_back.OF_A_REFUND
    state = words.state_column()

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("intent__order")
        return rows

    def story_of(self, obj: Refund) -> timeline.Story:
        order = obj.intent.order
        return timeline.Story(order_no=order.order_no, session_id=order.session_id)

    def subjects_of(self, obj: Refund) -> list[str]:
        return [obj.out_refund_no, obj.intent.out_trade_no]

    @display(description=_("refund"), header=True)
    def headline(self, refund: Refund) -> tuple[str, str]:
        return refund.out_refund_no, refund.get_kind_display()

    @display(description=_("amount"), ordering="amount_minor")
    def amount_shown(self, refund: Refund) -> str:
        return words.money(refund.amount_minor, refund.currency)

    @display(description=_("payment"))
    def payment_link(self, refund: Refund) -> str:
        return words.link(finding.address(refund.intent.out_trade_no, "payment"), refund.intent.out_trade_no)

    @display(description=_("order"))
    def order_link(self, refund: Refund) -> str:
        return words.link(
            finding.address(refund.intent.order.order_no, "order"), refund.intent.order.order_no
        )

    @display(description=_("made"), ordering="created_at")
    def made(self, refund: Refund) -> str:
        return words.ago(refund.created_at)


@dashboard.panel(order=40, permission="payments.view_refund")
def _by_hand_panel(request: HttpRequest) -> dashboard.Panel:
    """Money that a person owes somebody, oldest first."""
    waiting = _by_hand(Refund.objects.select_related("intent__order")).order_by("created_at")
    rows = [
        dashboard.Row(
            text=words.money(refund.amount_minor, refund.currency),
            href=reverse("admin:payments_refund_change", args=[refund.pk]),
            detail=refund.intent.order.order_no,
            label=words.ago(refund.created_at),
            tone="warning",
        )
        for refund in waiting[:MOST_ROWS]
    ]
    return dashboard.Panel(
        title=_("To be paid back by hand"),
        rows=rows,
        count=len(rows) if len(rows) < MOST_ROWS else waiting.count(),
        tone="warning" if rows else "success",
        href=reverse("admin:payments_refund_changelist") + "?show=by-hand",
        empty=_("Nobody waits for money."),
    )
