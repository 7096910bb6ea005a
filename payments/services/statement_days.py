"""Day by day: what was compared with each provider's statement, what we took, and machines' takings against prints.

Reads only, with a fixed number of queries, each bounded by when rows were made (BRIN). A day is the provider's own where
it has statements (services.reconcile), the shop's elsewhere. Money is per currency, never added across currencies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from orders.models import Order
from payments import registry
from payments.models import PaymentIntent, ReconcileDifference, StatementRun
from payments.services import books, reconcile
from pimpshop.core import shop_day
from pimpshop.core.money import Money
from vending.services import day_figures as machine_days

#: Ways to pay of our own: there is no statement, and the day is the shop's.
OWN = ("machine", "credits")
Account = tuple[str, str]  # gateway, account
Taken = dict[tuple[str, str, date], list[Money]]


@dataclass(frozen=True)
class Column:
    """A provider's account. `stated`: there are statements of it."""

    gateway: str
    account: str
    zone: str
    stated: bool


@dataclass(frozen=True)
class Cell:
    """One day of one account; `run` None: nothing was compared."""

    run: StatementRun | None = None
    open: int = 0
    resolved: int = 0
    taken: list[Money] = field(default_factory=list)


@dataclass
class MachineDay:
    """What one machine took on a day, and what came of it. `missing`: paid cases without a print job; `unpaid`: print jobs
    without a payment."""

    machine_id: str
    name: str
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    payments: int = 0
    jobs: int = 0
    printed: int = 0
    missing: int = 0
    unpaid: int = 0

    @property
    def money(self) -> list[Money]:
        return [Money(minor, currency) for currency, minor in sorted(self.taken.items())]


def zone_of(gateway: str) -> tzinfo:
    return shop_day.zone() if gateway in OWN else reconcile.ZONES.get(gateway, UTC)


def taken(days: list[date]) -> Taken:
    """By gateway, account and day (oldest first in `days`), a Money per currency."""
    found: Taken = defaultdict(list)
    by_zone: dict[tzinfo, Q] = defaultdict(Q)
    named = [*OWN, *reconcile.ZONES]
    for gateway in named:
        by_zone[zone_of(gateway)] |= Q(gateway=gateway)
    by_zone[UTC] |= ~Q(gateway__in=named)
    for zone, of_zone in by_zone.items():
        start, end = (datetime.combine(day, time(), zone) for day in (days[0], days[-1] + timedelta(days=1)))
        rows = books.taken(start, end).filter(of_zone).annotate(day=TruncDate("succeeded_at", tzinfo=zone))
        sums = rows.values_list("gateway", "account", "day", "currency").annotate(minor=Sum("captured_minor"))
        for gateway, account, day, currency, minor in sums.order_by("currency"):
            found[gateway, account, day].append(Money(minor, currency))
    return dict(found)


def grid(days: list[date], taken: Taken) -> tuple[list[Column], list[tuple[date, list[Cell]]]]:
    """The accounts, and of each day (the newest first) a cell for each of them."""
    runs = {(run.gateway, run.account, run.day): run for run in StatementRun.objects.filter(day__in=days)}
    counts = _differences([run.pk for run in runs.values()])
    columns = _columns({key[:2] for key in runs}, {key[:2] for key in taken})
    rows = []
    for day in reversed(days):
        cells = []
        for column in columns:
            key = (column.gateway, column.account, day)
            run = runs.get(key)
            cells.append(Cell(run, *counts.get(run.pk if run else 0, (0, 0)), taken.get(key, [])))
        rows.append((day, cells))
    return columns, rows


def _differences(runs: Iterable[int]) -> dict[int, tuple[int, int]]:
    """{statement: (open, resolved)}."""
    rows = ReconcileDifference.objects.filter(run__in=runs).order_by().values_list("run_id")
    counted = rows.annotate(open=Count("pk", filter=Q(status="open")), every=Count("pk"))
    return {run: (waiting, every - waiting) for run, waiting, every in counted}


def _columns(compared: set[Account], paid: set[Account]) -> list[Column]:
    """With statements first."""
    gateways = [registry.get(key) for key in registry.configured()]
    stated = compared | {(one.key, one.account) for one in gateways if one.can_statement}
    return [
        Column(gateway, account, str(zone_of(gateway)), (gateway, account) in stated)
        for gateway, account in [*sorted(stated), *sorted(paid - stated)]
    ]


def machines(day: date) -> list[MachineDay]:
    """Payments at the machine of a day of the shop's against the print jobs of the same orders."""
    start, end = shop_day.begins(day), shop_day.begins(day + timedelta(days=1))
    paid = list(
        books.taken(start, end).filter(gateway="machine").values_list(
            "order__machine_id", "order__order_no", "order__kind", "currency", "captured_minor", "settles_order"
        )
    )  # fmt: skip
    jobs = machine_days.jobs_of({order_no for _at, order_no, *_rest in paid})
    found: dict[str, MachineDay] = {}
    for machine, order_no, kind, currency, minor, settles in paid:
        row = found.setdefault(machine, MachineDay(machine, machine))
        row.payments += 1
        row.taken[currency] += minor
        if settles and kind == Order.Kind.CASE:
            made, printed = jobs.get(order_no, (0, 0))
            row.jobs, row.printed, row.missing = (
                row.jobs + made,
                row.printed + printed,
                row.missing + (not made),
            )
    for machine in _unpaid(machine_days.made_for_machine_payments(start, end)):
        found.setdefault(machine, MachineDay(machine, machine)).unpaid += 1
    for key, name in machine_days.names(set(found)).items():
        found[key].name = name
    return sorted(found.values(), key=lambda row: (row.name, row.machine_id))


def _unpaid(jobs: list[tuple[str, str]]) -> list[str]:
    """The machines of the jobs whose order has no payment at a machine at all, whenever."""
    settled = PaymentIntent.objects.filter(
        order__order_no__in={order_no for order_no, _machine in jobs}, gateway="machine", settles_order=True
    )
    paid = set(settled.values_list("order__order_no", flat=True))
    return [machine for order_no, machine in jobs if order_no not in paid]
