"""Day by day at the desk: statements and machines of the last 31 days as one page, and the books as a file.

Both are for whoever may view statements; taking the file out is an AuditEntry. The file has the columns of `COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from payments.admin.ways import WAYS
from payments.services import books, statement_days
from pimpshop.core import sheets, shop_day
from pimpshop.core.admin import dashboard, words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.clock import iso
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import Money

COLUMNS = (
    "at_utc", "kind", "order", "number", "provider", "provider_number", "machine", "currency", "amount", "sign", "method",
)  # fmt: skip
DAYS, SECONDS = 31, 60


class BooksMixin(EvidenceAdmin):
    """The pages beside the list of statements."""

    actions_list = ("day_by_day",)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("days/", wrap(self.days), name="payments_statementrun_days"),
            path("books.csv", wrap(self.books), name="payments_statementrun_books"),
            *super().get_urls(),
        ]

    @action(description=_("Day by day"), icon="calendar_month", variant=ActionVariant.DEFAULT)
    def day_by_day(self, request: HttpRequest) -> HttpResponse:
        return self.days(request)

    def days(self, request: HttpRequest) -> HttpResponse:
        """?day= chooses the day of the machines."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = shop_day.last(DAYS)
        chosen = _day(request.GET.get("day", ""))
        chosen = chosen if chosen in shown else shown[-1]
        took = dashboard.cached(f"taken-{shown[0]}-{shown[-1]}", SECONDS, lambda: statement_days.taken(shown))
        columns, rows = statement_days.grid(shown, took)
        context = {
            **self.admin_site.each_context(request), "title": _("Day by day"), "opts": self.opts, "chosen": chosen,
            "heads": [{"name": WAYS.get(one.gateway, one.gateway), "column": one} for one in columns],
            "rows": [(day, [_cell(*pair) for pair in zip(columns, cells, strict=True)]) for day, cells in rows],
            "machines": [
                {"row": row, "money": [_money(sum_) for sum_ in row.money]}
                for row in statement_days.machines(chosen)
            ],
            "zone": settings.SHOP_TIME_ZONE, "first": chosen.replace(day=1), "most": books.MOST_DAYS,
        }  # fmt: skip
        return TemplateResponse(request, "admin/statement_days.html", context)

    def books(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """?from= and ?to=, both days of the shop's and both included, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        first, last = _day(request.GET.get("from", "")), _day(request.GET.get("to", ""))
        if first is None or last is None or not 0 <= (last - first).days < books.MOST_DAYS:
            messages.error(
                request,
                gettext("Choose a first and a last day, at most %(most)s days.") % {"most": books.MOST_DAYS},
            )
            answer = self.days(request)
            answer.status_code = 400
            return answer
        AuditEntry.objects.create(
            actor=str(request.user), action="take out the books",
            subject=f"{first} to {last}, days of {settings.SHOP_TIME_ZONE}"[:120],
        )  # fmt: skip
        found = books.movements(shop_day.begins(first), shop_day.begins(last + timedelta(days=1)))
        return sheets.answer(f"books-{first}-{last}.csv", COLUMNS, _lines(found))


def _lines(found: Iterator[books.Movement]) -> Iterator[tuple[Any, ...]]:
    """Amount and sign are numbers, exact; the amount has the currency's own decimals."""
    for row in found:
        yield (
            iso(row.at), row.kind, row.order_no, row.number, row.provider, row.provider_number, row.machine,
            row.amount.currency, row.amount.to_decimal(), row.sign, row.method,
        )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if date.fromisoformat(text).year in range(2000, 2200) else None
    except ValueError:
        return None


def _cell(column: statement_days.Column, cell: statement_days.Cell) -> dict[str, Any]:
    return {
        "run": cell.run, "open": cell.open, "resolved": cell.resolved, "stated": column.stated,
        "taken": [_money(one) for one in cell.taken], "href": _differences(cell) if cell.run else "",
        "about": reverse("admin:payments_statementrun_change", args=[cell.run.pk]) if cell.run else "",
    }  # fmt: skip


def _differences(cell: statement_days.Cell) -> str:
    page = reverse("admin:payments_reconciledifference_changelist")
    return f"{page}?run__id__exact={cell.run.pk if cell.run else 0}"


def _money(amount: Money) -> str:
    return words.money(amount.amount_minor, amount.currency)
