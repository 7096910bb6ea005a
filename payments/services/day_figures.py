"""The figures of the desk's first page: today's money and how it runs, and the last days. Reads only.

Every query is bounded by the time at which rows were made (BRIN), money is per currency and never added across
currencies, days are the shop's own (core.shop_day). Answers are plain values, for a cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate

from payments import states
from payments.models import PaymentIntent, WebhookEvent
from pimpshop.core import shop_day
from pimpshop.core.percentiles import Percentile

#: An attempt may succeed so long after it was made (it is asked about for three days).
LATEST_SUCCESS = timedelta(days=4)


def _settled(since: datetime) -> Any:
    """Attempts that paid an order since then; a surplus is no takings."""
    made = PaymentIntent.objects.filter(created_at__gte=since - LATEST_SUCCESS)
    return made.filter(succeeded_at__gte=since, settles_order=True).order_by()


def takings() -> list[dict[str, Any]]:
    """Today's, by currency, gateway and machine: [{currency, gateway, machine, minor, refunded, count}]."""
    rows = _settled(shop_day.midnight()).values("currency", "gateway", machine=F("order__machine_id"))
    counted = rows.annotate(
        minor=Sum("captured_minor"), refunded=Sum("refunded_minor"), count=Count("pk")
    )  # fmt: skip
    return list(counted.order_by("currency", "gateway", "machine"))


def summed(rows: Iterable[dict[str, Any]], *by: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """`takings` added up by some of its columns (currency must be one): -> (minor units, payments)."""
    sums: dict[tuple[str, ...], tuple[int, int]] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        minor, count = sums.get(key, (0, 0))
        sums[key] = (minor + row["minor"], count + row["count"])
    return sums


def course() -> dict[str, Any]:
    """How today's attempts and events went: {paid, failed, touched, captured, inbox_median, inbox_p95} (seconds)."""
    since = shop_day.midnight()
    told: dict[str, Any] = PaymentIntent.objects.filter(created_at__gte=since).aggregate(
        paid=Count("pk", filter=Q(status__in=states.PAID)),
        failed=Count("pk", filter=Q(status="failed")),
        captured=Count("pk", filter=Q(captured_minor__gt=0)),
        touched=Count("pk", filter=Q(captured_minor__gt=0, refund_reserved_minor__gt=0)),
    )
    worked = WebhookEvent.objects.filter(
        received_at__gte=since, changes__to_status__in=("processed", "ignored"), changes__from_status="received"
    )  # fmt: skip
    took = F("changes__at") - F("received_at")
    return told | worked.aggregate(inbox_median=Percentile(took, 0.5), inbox_p95=Percentile(took, 0.95))


def takings_by_day(days: list[date]) -> dict[str, dict[date, int]]:
    """{currency: {day: minor units}}, only the days with something."""
    since = shop_day.begins(days[0])
    by_day = _settled(since).annotate(day=TruncDate("succeeded_at", tzinfo=shop_day.zone()))
    found: dict[str, dict[date, int]] = {}
    for currency, day, minor in by_day.values_list("currency", "day").annotate(minor=Sum("captured_minor")):
        found.setdefault(currency, {})[day] = minor
    return dict(sorted(found.items()))


def outcomes_by_day(days: list[date]) -> dict[date, dict[str, int]]:
    """{day: {paid, failed, captured, touched}} of the attempts that were made on it."""
    made: Any = PaymentIntent.objects.filter(created_at__gte=shop_day.begins(days[0])).order_by()
    by_day = made.annotate(day=TruncDate("created_at", tzinfo=shop_day.zone())).values("day")
    rows = by_day.annotate(
        paid=Count("pk", filter=Q(status__in=states.PAID)),
        failed=Count("pk", filter=Q(status="failed")),
        captured=Count("pk", filter=Q(captured_minor__gt=0)),
        touched=Count("pk", filter=Q(captured_minor__gt=0, refund_reserved_minor__gt=0)),
    )
    return {row.pop("day"): row for row in rows}
