"""Figures of payments for /metrics: how many attempts succeed, how long it takes, what is paid back, what webhooks do.

Windows are the last hour and the last 24 hours by the time a row was made (BRIN indexes: read is what is new); queues
are counted up to a cap. Nothing is written. What the counts mean stands in docs/howto/monitor.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, F, Model, Q, Sum
from django.utils import timezone
from prometheus_client.core import Metric

from payments import states
from payments.models import PaymentIntent, Refund, ShippingNotice, WebhookDelivery, WebhookEvent
from pimpshop.core import metrics

WINDOWS = (("1h", timedelta(hours=1)), ("24h", timedelta(hours=24)))
#: What services.inbox.count counts in the shared cache, by day.
POSTS = ("rejected", "foreign_sender", "unknown_id", "repeat", "amount")
_OUTCOMES = {
    **dict.fromkeys(states.PAID, "succeeded"),
    "failed": "failed",
    **dict.fromkeys(("canceled", "expired"), "abandoned"),
}


def _counted(model: type[Model], made: str, *by: str) -> Iterator[tuple[str, Any, int]]:
    """(window, values of `by`, rows made in it), sorted. One query over the longer window."""
    now = timezone.now()
    windows = {f"n_{name}": Count("pk", filter=Q(**{f"{made}__gte": now - span})) for name, span in WINDOWS}
    rows: Any = model._default_manager.filter(**{f"{made}__gte": now - WINDOWS[-1][1]})
    for row in rows.order_by(*by).values(*by).annotate(**windows):
        for name, _span in WINDOWS:
            if row[f"n_{name}"]:
                yield name, tuple(row[key] for key in by), row[f"n_{name}"]


@metrics.collector("payments")
def _payments() -> Iterator[Metric]:
    attempts: dict[tuple[str, str, str], float] = {}
    for window, (gateway, status), count in _counted(PaymentIntent, "created_at", "gateway", "status"):
        key = (gateway, _OUTCOMES.get(status, "open"), window)
        attempts[key] = attempts.get(key, 0) + count
    text = (
        "Attempts to pay that were made in the window, by how they stand: succeeded, failed, abandoned, open."
    )
    yield metrics.gauge("shop_payments", text, ["gateway", "outcome", "window"], sorted(attempts.items()))
    yield metrics.gauge(
        "shop_payment_success_ratio", "Of the attempts that succeeded or failed, the part that succeeded.",
        ["gateway", "window"], _success(attempts),
    )  # fmt: skip
    yield metrics.gauge(
        "shop_time_to_pay_seconds", "From the start of an attempt to its success, on the average of 24 hours.",
        ["gateway"], _time_to_pay(),
    )  # fmt: skip


def _success(attempts: dict[tuple[str, str, str], float]) -> list[tuple[tuple[str, str], float]]:
    rows = []
    for gateway, window in sorted({(gateway, window) for gateway, _outcome, window in attempts}):
        good = attempts.get((gateway, "succeeded", window), 0)
        bad = attempts.get((gateway, "failed", window), 0)
        if good + bad:
            rows.append(((gateway, window), good / (good + bad)))
    return rows


def _time_to_pay() -> list[tuple[tuple[str], float]]:
    since = timezone.now() - WINDOWS[-1][1]
    paid = PaymentIntent.objects.filter(created_at__gte=since, succeeded_at__isnull=False)
    took = (
        paid.order_by("gateway")
        .values_list("gateway")
        .annotate(took=Avg(F("succeeded_at") - F("created_at")))
    )
    return [((gateway,), span.total_seconds()) for gateway, span in took]


@metrics.collector("refunds")
def _refunds() -> Iterator[Metric]:
    found = _counted(Refund, "created_at", "intent__gateway", "origin", "status")
    text = "Refunds that were made in the window, by who asked for them and how they stand."
    rows = [((*values, window), float(count)) for window, values, count in found]
    yield metrics.gauge("shop_refunds", text, ["gateway", "origin", "status", "window"], rows)
    since = timezone.now() - WINDOWS[-1][1]
    taken: Any = PaymentIntent.objects.filter(created_at__gte=since, captured_minor__gt=0).order_by("gateway")
    sums = taken.values_list("gateway").annotate(
        captured=Sum("captured_minor"), refunded=Sum("refunded_minor"), count=Count("pk"),
        touched=Count("pk", filter=Q(refund_reserved_minor__gt=0)),
    )  # fmt: skip
    text = "Of the payments of 24 hours that succeeded, the part of which something was paid back."
    rates = [((gateway,), touched / count) for gateway, _captured, _refunded, count, touched in sums]
    yield metrics.gauge("shop_refund_ratio", text, ["gateway"], rates)


@metrics.collector("webhooks")
def _webhooks() -> Iterator[Metric]:
    inbox = _counted(WebhookEvent, "received_at", "gateway", "status")
    text = "Providers' events that came in the window, by how they stand."
    rows = [((*values, window), float(count)) for window, values, count in inbox]
    yield metrics.gauge("shop_inbox_events", text, ["gateway", "status", "window"], rows)
    today = {f"count:webhook_{what}:{timezone.now():%Y%m%d}": what for what in POSTS}
    counts = cache.get_many(today)
    rows = [((what,), float(counts.get(key, 0))) for key, what in today.items()]
    text = "Posts of today (UTC) that left no row: why not."
    yield metrics.counter("shop_webhook_posts_unstored", text, ["reason"], rows)
    out = list(_counted(WebhookDelivery, "created_at", "status"))
    text = "Deliveries to merchants' endpoints that were made in the window, by how they stand."
    rows = [((*values, window), float(count)) for window, values, count in out]
    yield metrics.gauge("shop_webhook_deliveries", text, ["status", "window"], rows)
    yield metrics.gauge(
        "shop_webhook_delivery_ratio", "Of the deliveries that ended, the part that arrived.", ["window"],
        _arrived({(values[0], window): count for window, values, count in out}),
    )  # fmt: skip


def _arrived(counts: dict[tuple[str, str], int]) -> list[tuple[tuple[str], float]]:
    rows = []
    for window, _span in WINDOWS:
        good, bad = counts.get(("delivered", window), 0), counts.get(("failed", window), 0)
        if good + bad:
            rows.append(((window,), good / (good + bad)))
    return rows


QUEUES: list[tuple[str, type[Model], str]] = [
    ("inbox", WebhookEvent, "due_at"),
    ("payments", PaymentIntent, "next_query_at"),
    ("refunds", Refund, "next_query_at"),
    ("deliveries", WebhookDelivery, "next_attempt_at"),
    ("wechat_deliveries", ShippingNotice, "next_attempt_at"),
    ("stripe_mirror", WebhookEvent, "mirror_due_at"),
]
for _queue in QUEUES:
    metrics.queue(*_queue)
