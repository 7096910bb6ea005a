"""What rows say about money that a person should know, and what nobody posted: sweeps that open and close items.

Each is idempotent and reads partial indexes (what is asked about, what is disputed) or the last hour by BRIN. Their kinds
stand in staff_kinds, the thresholds in the settings (ALERT_*).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from payments import states
from payments.models import Dispute, PaymentEvent, PaymentIntent, WebhookDelivery, WebhookEvent
from payments.services import staff_kinds
from pimpshop.core import staff_items, thresholds
from pimpshop.core.clock import iso
from pimpshop.core.models import StaffItem
from pimpshop.core.thresholds import Reading

#: A payment that is neither paid nor not paid for longer than this is somebody's.
UNKNOWN_AFTER = timedelta(minutes=15)
#: So long before its deadline a dispute is urgent.
DEADLINE_NEAR = timedelta(hours=72)
WINDOW = timedelta(hours=1)
REFUND_WINDOW = timedelta(hours=24)
#: The provider was asked for the money and has not decided; nothing is expected of the shopper any more. The same holds of
#: a card that was sent and whose answer never came.
_NOT_DECIDED = ("processing", "expiring")
_MOST = 500


def look_around() -> int:
    """All sweeps of this module, one after the other."""
    return (
        tell_of_unknown() + tell_of_deadlines() + close_worked_on()
        + tell_of_failures() + tell_of_undelivered() + tell_of_refunds()
    )  # fmt: skip


def tell_of_unknown() -> int:
    """Payments whose outcome nobody has known for 15 minutes."""
    since = (
        PaymentEvent.objects.filter(intent=OuterRef("pk"), to_status=OuterRef("status"))
        .exclude(from_status=F("to_status"))
        .order_by("-id")
        .values("at")[:1]
    )
    sent = Q(status__in=_NOT_DECIDED) | Q(status="created", confirm_count__gt=0)
    rows = PaymentIntent.objects.filter(sent, next_query_at__isnull=False)
    late = rows.annotate(since=Coalesce(Subquery(since), F("created_at"))).filter(
        since__lt=timezone.now() - UNKNOWN_AFTER
    )
    found = {
        intent.out_trade_no: {
            "title": f"Nobody knows whether payment {intent.out_trade_no} of order {intent.order.order_no} was paid",
            "detail": f"{intent.gateway} has not decided since {iso(intent.since)}. We go on asking.",
            "minor": intent.amount_minor,
            "currency": intent.currency,
        }
        for intent in late.select_related("order").order_by("pk")[:_MOST]
    }
    return staff_items.keep(kind=staff_kinds.UNKNOWN_KIND, found=found, passed="the provider has decided")


def tell_of_deadlines() -> int:
    """Disputes that nobody has answered and whose deadline is near (or over)."""
    near = Dispute.objects.filter(
        status="opened", deadline__lt=timezone.now() + DEADLINE_NEAR, deadline__isnull=False
    )
    found = {
        dispute.provider_ref: {
            "title": f"Evidence in dispute {dispute.provider_ref} is due by {iso(dispute.deadline)}",
            "detail": "Answer in the provider's own pages. Without an answer it counts as lost.",
            "minor": dispute.amount_minor,
            "currency": dispute.currency,
        }
        for dispute in near.order_by("pk")[:_MOST]
    }
    return staff_items.keep(kind=staff_kinds.DUE_KIND, found=found, passed="it was answered or decided")


def close_worked_on() -> int:
    """The items about events that were worked on after all."""
    waiting = StaffItem.objects.filter(kind="inbox_parked", resolved_at=None)
    closed = 0
    for subject in waiting.values_list("subject", flat=True)[:_MOST]:
        gateway, _colon, event_id = subject.partition(":")
        done = WebhookEvent.objects.filter(
            gateway=gateway, event_id=event_id, status__in=("processed", "ignored")
        )
        if done.exists():
            closed += staff_items.resolve_about(
                kind="inbox_parked", subject=subject, resolution="it was worked on"
            )
    return closed


def tell_of_failures() -> int:
    """Gateways of whose attempts of the last hour too many failed, among those that are decided."""
    rows: Any = PaymentIntent.objects.filter(created_at__gte=_ago(WINDOW)).order_by("gateway")
    failed = Count("pk", filter=Q(status="failed"))
    decided = Count("pk", filter=Q(status__in=(*states.PAID, "failed")))
    counted = rows.values_list("gateway").annotate(failed=failed, decided=decided)
    return thresholds.judge(
        kind=staff_kinds.FAILING_KIND, readings=[Reading(*row) for row in counted if row[2]],
        percent=settings.ALERT_PAYMENT_FAILURES_PERCENT, least=settings.ALERT_LEAST,
        title="{percent} of the payments by {subject} failed in the last hour",
        detail="Look at the newest failures, and at the provider's status page.",
    )  # fmt: skip


def tell_of_undelivered() -> int:
    """Webhooks to merchants of the last hour that were tried and did not arrive."""
    rows: Any = WebhookDelivery.objects.filter(created_at__gte=_ago(WINDOW))
    told = rows.aggregate(
        bad=Count("pk", filter=Q(status="failed") | Q(status="pending", attempts__gt=0)),
        all=Count("pk", filter=~Q(status="canceled") & ~Q(status="pending", attempts=0)),
    )
    return thresholds.judge(
        kind=staff_kinds.UNDELIVERED_KIND,
        readings=[Reading("webhooks", told["bad"], told["all"])] if told["all"] else [],
        percent=settings.ALERT_DELIVERY_FAILURES_PERCENT, least=settings.ALERT_LEAST,
        title="{percent} of the webhooks of the last hour did not arrive",
        detail="They are tried again by themselves for days. Look at the failed deliveries.",
    )  # fmt: skip


def tell_of_refunds() -> int:
    """Gateways of whose payments of the last day unusually many go back."""
    rows: Any = PaymentIntent.objects.filter(created_at__gte=_ago(REFUND_WINDOW), captured_minor__gt=0)
    touched = Count("pk", filter=Q(refund_reserved_minor__gt=0))
    counted = rows.order_by("gateway").values_list("gateway").annotate(touched=touched, count=Count("pk"))
    return thresholds.judge(
        kind=staff_kinds.REFUNDS_KIND, readings=[Reading(*row) for row in counted],
        percent=settings.ALERT_REFUNDS_PERCENT, least=settings.ALERT_LEAST,
        title="{percent} of the last day's payments by {subject} go back",
        detail="Look who asked for them and why.",
    )  # fmt: skip


def _ago(span: timedelta) -> datetime:
    return timezone.now() - span
