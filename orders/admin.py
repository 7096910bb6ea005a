"""Orders: what was bought, for how much, and its whole story. Read only: orders are moved by payments and machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from orders import selectors
from orders.models import CaseReport, Order, OrderEvent, OrderLine
from pimpshop.core.admin import finding, item_steps, people, timeline, words
from pimpshop.core.admin.base import EvidenceAdmin, StoryMixin
from pimpshop.core.admin.questions import Question, questions
from vending.models import PrintJob


class LineInline(TabularInline):
    """The lines, with what was shown when they were ordered."""

    model = OrderLine
    extra = 0
    can_delete = False
    hide_title = True
    fields = readonly_fields = ("position", "what", "quantity", "price", "design_link")
    verbose_name_plural = _("lines")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("order")
        return rows

    @display(description=_("what"))
    def what(self, line: OrderLine) -> str:
        told = [line.snapshot.get(name, "") for name in ("brand", "model", "colour", "template_name")]
        return " · ".join(part for part in told if part) or "–"

    @display(description=_("price"))
    def price(self, line: OrderLine) -> str:
        return words.money(line.unit_minor, line.order.currency)

    @display(description=_("design"))
    def design_link(self, line: OrderLine) -> str:
        if line.design_id is None:
            return "–"
        return words.link(
            reverse("admin:catalog_design_change", args=[line.design_id]), str(line.design_id)[:8]
        )


class ReportInline(TabularInline):
    """What its buyer wrote when the case did not come."""

    model = CaseReport
    extra = 0
    can_delete = False
    hide_title = True
    fields = readonly_fields = ("created_at", "what", "words", "contact")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(StoryMixin, EvidenceAdmin):
    list_display = ("headline", "state", "total_shown", "machine_id", "buyer", "made", "paid_ago")
    list_filter = (
        questions(
            Question("open", _("not paid"), lambda rows: rows.filter(status="pending")),
            Question("paid", _("paid, not delivered"), lambda rows: rows.filter(status="paid")),
            Question("done", _("completed"), lambda rows: rows.filter(status="completed")),
            Question("refunded", _("refunded"), lambda rows: rows.filter(status="refunded")),
        ),
        "kind",
    )
    list_select_related = ("user",)
    search_fields = ("order_no", "session_id")
    inlines = (LineInline, ReportInline)
    fieldsets = (
        (None, {"fields": (("state", "total_shown"), ("kind", "buyer"), ("status_page", "machine_id"), ("session_link", "cases"))}),
        (
            _("Times and numbers"),
            {
                "classes": ["collapse"],
                "fields": (
                    "order_no", "public_id", "created_at", "cancel_at", "paid_at", "completed_at", "updated_at", "language",
                    "remark",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = ("state", "total_shown", "buyer", "status_page", "session_link", "cases")
    state = words.state_column()

    @display(description=_("order"), header=True)
    def headline(self, order: Order) -> tuple[str, str]:
        return order.order_no, order.get_kind_display()

    @display(description=_("total"), ordering="total_minor")
    def total_shown(self, order: Order) -> str:
        return words.money(order.total_minor, order.currency)

    @display(description=_("buyer"))
    def buyer(self, order: Order) -> str:
        return str(order.user) if order.user else order.email or str(_("guest"))

    @display(description=_("made"), ordering="created_at")
    def made(self, order: Order) -> str:
        return words.ago(order.created_at)

    @display(description=_("paid"), ordering="paid_at")
    def paid_ago(self, order: Order) -> str:
        return words.ago(order.paid_at) if order.paid_at else "–"

    @display(description=_("the customer's page"))
    def status_page(self, order: Order) -> str:
        return words.link(selectors.status_path(order), _("open the status page"))

    @display(description=_("print job"))
    def cases(self, order: Order) -> str:
        """A link to each print job, where the case is printed again or sent elsewhere."""
        found = PrintJob.objects.filter(order_no=order.order_no).order_by("pk")
        links = ((words.link(finding.address(job.reference, "print job"), job.reference),) for job in found)
        return format_html_join(" ", "{}", links) or "–"

    @display(description=_("session"))
    def session_link(self, order: Order) -> str:
        return (
            words.link(finding.address(order.session_id, "session"), order.session_id)
            if order.session_id
            else "–"
        )


@item_steps.beside(Order)
def _cases(order: Order) -> Iterable[PrintJob]:
    return PrintJob.objects.filter(order_no=order.order_no).order_by("pk")


@timeline.source
def _orders(story: timeline.Story) -> timeline.Part:
    """The order's events; for a session all orders that were made in it."""
    rows = OrderEvent.objects.filter(**story.which("order__")).select_related("order")
    events = list(rows[: timeline.MOST_EVENTS])
    entries = timeline.of_events("order", events, number=lambda event: event.order.order_no)
    return timeline.Part(entries, {event.order.order_no for event in events})


@people.orders
def _orders_of_user(user_id: int, before: int | None) -> people.Stretch:
    """Some orders of somebody, the newest first, before the one with that id (by the index order_user_recent)."""
    mine = Order.objects.filter(user_id=user_id)
    newer = mine.filter(pk=before).first() if before is not None else None
    if newer is not None:
        mine = mine.filter(pk__lt=newer.pk)
    rows = list(mine.order_by("-pk")[: people.MOST_ORDERS + 1])
    shown, older = rows[: people.MOST_ORDERS], len(rows) > people.MOST_ORDERS
    return people.Stretch(
        order_nos=tuple(row.order_no for row in shown),
        since=shown[-1].created_at if older else None,
        until=newer.created_at if newer is not None else None,
        older=shown[-1].pk if older else None,
    )


@finding.finder("order", permission="orders.view_order")
def _order(number: str) -> Order | None:
    """By order number, or by a reference that begins with it (a print job's)."""
    return Order.objects.filter(order_no__in={number, number.split("/")[0]}).first()


@finding.several(_("Orders of this guest"), permission="orders.view_order")
def _orders_of_guest(address: str) -> Iterable[Order]:
    """Those without an account, newest first (by the index order_guest_email); who has one is found as a user."""
    if "@" not in address:
        return []
    guests = Order.objects.annotate(lowered=Lower("email")).filter(user=None, lowered=address.lower())
    return guests.exclude(email="").order_by("-pk")[: finding.MOST]
