"""Today and the last days on the desk's first page: takings, how it runs, and small charts. Cached, per currency."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from payments.admin.ways import WAYS
from payments.services import day_figures
from pimpshop.core import shop_day
from pimpshop.core.admin import charts, dashboard, words
from vending.services import day_figures as machine_days

SECONDS, CHART_SECONDS = 60, 300
SPANS = (7, 14)


@dashboard.panel(order=15, permission="payments.view_paymentintent")
def _takings(request: HttpRequest) -> dashboard.Panel:
    """What was taken today: a figure per currency, then by way to pay and by machine."""
    rows = dashboard.cached("takings", SECONDS, day_figures.takings)
    page = reverse("admin:payments_paymentintent_changelist")
    by_currency = day_figures.summed(rows, "currency")
    by_way = day_figures.summed(rows, "currency", "gateway")
    by_machine = day_figures.summed([row for row in rows if row["machine"]], "currency", "machine")
    names = machine_days.names({machine for _currency, machine in by_machine})
    return dashboard.Panel(
        title=_("Takings today"),
        note=_day_note(),
        figures=[
            dashboard.Figure(currency, words.money(minor, currency), page, more=_payments(count))
            for (currency,), (minor, count) in by_currency.items()
        ],
        rows=[
            *(_row(WAYS.get(way, way), currency, sums) for (currency, way), sums in by_way.items()),
            *(_row(names.get(at, at), currency, sums) for (currency, at), sums in by_machine.items()),
        ],
        empty=_("Nothing was paid yet."),
    )


def _row(name: Any, currency: str, sums: tuple[int, int]) -> dashboard.Row:
    minor, count = sums
    return dashboard.Row(text=name, detail=_payments(count), label=words.money(minor, currency))


def _payments(count: int) -> str:
    return ngettext("%(count)s payment", "%(count)s payments", count) % {"count": count}


def _day_note() -> str:
    return gettext("since midnight in %(zone)s") % {"zone": settings.SHOP_TIME_ZONE}


@dashboard.panel(order=16, permission="payments.view_paymentintent")
def _course(request: HttpRequest) -> dashboard.Panel:
    """How today's payments, cases and events went."""
    told = dashboard.cached("course", SECONDS, day_figures.course)
    took = dashboard.cached("print-times", SECONDS, machine_days.times)
    decided = told["paid"] + told["failed"]
    return dashboard.Panel(
        title=_("How it runs today"),
        note=_day_note(),
        figures=[
            _share(_("payments that succeed"), told["paid"], decided, "admin:payments_paymentintent_changelist"),
            _span(_("from paid to taken by the machine"), took["accepted_median"], took["accepted_p95"]),
            _span(_("from paid to printed"), took["printed_median"], took["printed_p95"]),
            _share(_("payments that go back"), told["touched"], told["captured"], "admin:payments_refund_changelist"),
            _span(_("until an event was worked on"), told["inbox_median"], told["inbox_p95"]),
        ],
    )  # fmt: skip


def _share(label: Any, part: int, whole: int, page: str) -> dashboard.Figure:
    more = gettext("%(part)s of %(whole)s") % {"part": part, "whole": whole} if whole else ""
    return dashboard.Figure(label, _percent(part, whole), reverse(page), more=more)


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else "–"


def _span(label: Any, median: float | None, p95: float | None) -> dashboard.Figure:
    more = gettext("95 of 100: %(span)s") % {"span": words.span(p95)} if p95 is not None else ""
    return dashboard.Figure(label, words.span(median), more=more)


@dashboard.panel(order=17, permission="vending.view_printjob")
def _queues(request: HttpRequest) -> dashboard.Panel:
    """What waits at each machine, the longest queue first."""
    rows = [
        dashboard.Row(
            text=row["name"],
            href=reverse("admin:vending_machine_change", args=[row["pk"]]),
            detail=gettext("%(unsent)s to be taken, %(there)s at the machine")
            % {"unsent": row["unsent"], "there": row["at_machine"]},
            label=row["unsent"] + row["at_machine"],
            tone="warning" if row["unsent"] else "info",
        )
        for row in dashboard.cached("queues", 10, machine_days.queues)
    ]
    return dashboard.Panel(title=_("Queue by machine"), rows=rows, empty=_("No case waits at a machine."))


@dashboard.panel(order=70, permission="payments.view_paymentintent")
def _last_days(request: HttpRequest) -> dashboard.Panel:
    """The last 7 or 14 days as small charts."""
    span = 7 if request.GET.get("days") == "7" else 14
    days_shown = shop_day.last(span)
    found = dashboard.cached(
        f"days-{days_shown[0]}-{days_shown[-1]}", CHART_SECONDS, lambda: _read(days_shown)
    )
    every = [
        *_money(found["takings"], days_shown), *_rates(found["outcomes"], days_shown), *_cases(found["printed"], days_shown)
    ]  # fmt: skip
    return dashboard.Panel(
        title=_("The last days"),
        note=gettext("days of %(zone)s") % {"zone": settings.SHOP_TIME_ZONE},
        chips=[
            dashboard.Chip(gettext("%(days)s days") % {"days": days}, None, f"?days={days}", on=days == span)
            for days in SPANS
        ],
        charts=[chart for chart in every if not chart.is_empty],
        empty=_("Nothing was paid in these days."),
        wide=True,
    )  # fmt: skip


def _read(days: list[date]) -> dict[str, Any]:
    return {
        "takings": day_figures.takings_by_day(days),
        "outcomes": day_figures.outcomes_by_day(days),
        "printed": machine_days.printed_by_day(days),
    }


def _money(takings: dict[str, dict[date, int]], days: list[date]) -> list[charts.Chart]:
    """One chart per currency: they are never added up."""
    return [
        charts.draw(
            f"takings-{currency}",
            gettext("Takings in %(currency)s") % {"currency": currency},
            [charts.Point(day, sums.get(day, 0), words.money(sums.get(day, 0), currency)) for day in days],
        )
        for currency, sums in takings.items()
    ]


def _rates(outcomes: dict[date, dict[str, int]], days: list[date]) -> list[charts.Chart]:
    none = {"paid": 0, "failed": 0, "captured": 0, "touched": 0}
    by_day = [(day, outcomes.get(day, none)) for day in days]
    good = [_rate(day, row["paid"], row["paid"] + row["failed"]) for day, row in by_day]
    back = [_rate(day, row["touched"], row["captured"]) for day, row in by_day]
    return [
        charts.draw("success", _("Payments that succeed"), good, most=100),
        charts.draw("refunds", _("Payments that go back"), back),
    ]


def _rate(day: date, part: int, whole: int) -> charts.Point:
    value = round(100 * part / whole) if whole else None
    return charts.Point(day, value, _percent(part, whole))


def _cases(printed: dict[date, tuple[int, float | None]], days: list[date]) -> list[charts.Chart]:
    rows = [(day, *printed.get(day, (0, None))) for day in days]
    spans = [
        charts.Point(day, round(median) if median is not None else None, words.span(median))
        for day, _count, median in rows
    ]
    return [
        charts.draw("printed", _("Cases printed"), [charts.Point(day, n, n) for day, n, _median in rows]),
        charts.draw("print-times", _("From paid to printed, median"), spans),
    ]
