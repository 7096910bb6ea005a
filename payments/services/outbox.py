"""The publisher: what happened to payments and refunds becomes a numbered list, and a delivery for each who listens.

The source of truth are the event rows that `advance()` writes in the transaction of the change itself; a marker with a
partial index says which of them are not told yet, so the hot path sends no further statement. Guarantees: one writer at
a time (an advisory lock of the transaction); it sees only what is committed, so numbers are given after the commit and
have no gap; numbers, events, deliveries and markers are one transaction, so a publisher that dies loses and doubles
nothing; the events of one payment keep their order. No call leaves: `deliveries` sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from payments import tasks
from payments.models import (
    OutboundEvent,
    PaymentEvent,
    RefundEvent,
    WebhookDelivery,
    WebhookDeliveryChange,
    WebhookEndpoint,
)
from payments.services import shapes
from pimpshop.core import bell

log = structlog.get_logger(__name__)

#: The shape of the payloads; a change that breaks clients gets a new one.
API_VERSION = "2026-01-28"
#: Event rows of each table in one transaction.
BATCH = 200
#: The advisory lock of the one writer ("outbox" in hex).
_WRITER = 0x6F7574626F78

EVENT_TYPES = (
    "payment.created",
    "payment.requires_action",
    "payment.action_completed",
    "payment.captured",
    "payment.succeeded",
    "payment.failed",
    "payment.canceled",
    "refund.created",
    "refund.succeeded",
    "refund.failed",
)

#: What a move to one of these is called outside.
_PAYMENT = {
    "requires_action": "payment.requires_action",
    "succeeded": "payment.succeeded",
    "failed": "payment.failed",
    "canceled": "payment.canceled",
    "expired": "payment.canceled",
}
_REFUND = {"succeeded": "refund.succeeded", "failed": "refund.failed"}
_ACTION_DONE = {"processing", "authorized", "succeeded"}
#: Money that was there already: a refund that failed after all is no second success.
_PAID = {"succeeded", "partially_refunded", "refunded"}


def payment_types(from_status: str, to_status: str, *, first: bool) -> list[str]:
    """The names of seed 5's table for one event row of a payment, in the order in which they are told."""
    types = ["payment.created"] if first else []
    if from_status == to_status:  # a remark
        return types
    if from_status == "requires_action" and to_status in _ACTION_DONE:
        types.append("payment.action_completed")
    if from_status == "authorized" and to_status == "succeeded":
        types.append("payment.captured")
    if to_status in _PAYMENT and from_status not in _PAID:
        types.append(_PAYMENT[to_status])
    return types


def refund_types(from_status: str, to_status: str, *, first: bool) -> list[str]:
    """As `payment_types`, for an event row of a refund."""
    types = ["refund.created"] if first else []
    if from_status != to_status and to_status in _REFUND:
        types.append(_REFUND[to_status])
    return types


def envelope(event: OutboundEvent) -> dict[str, Any]:
    """What a receiver is posted and what the list shows."""
    return {
        "id": event.event_id,
        "type": event.type,
        "api_version": event.api_version,
        "sequence": event.sequence,
        "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "data": event.payload,
    }


@dataclass(frozen=True)
class _Change:
    """An event row on its way out. `at` never goes back within one payment, whatever the clocks of its writers said."""

    at: datetime
    row: PaymentEvent | RefundEvent
    first: bool


def publish_due() -> int:
    """Publish what is committed and not told yet, one batch. Answers how many event rows were told of (0: nothing is
    due, or another writer is at it)."""
    if not _anything_due():
        return 0
    with transaction.atomic():
        if not _is_the_writer():
            return 0
        payments, refunds = _unpublished(PaymentEvent, "intent"), _unpublished(RefundEvent, "refund")
        changes = _in_order(payments, refunds)
        if not changes:
            return 0
        events = [event for change in changes for event in _events(change)]
        _number(events)
        OutboundEvent.objects.bulk_create(events)
        deliveries = _address(events)
        for model in (PaymentEvent, RefundEvent):
            told = [change.row.pk for change in changes if isinstance(change.row, model)]
            if told:
                model._default_manager.filter(pk__in=told).update(published=True)
        if deliveries:
            bell.ring(tasks.deliver_webhooks, thin=True)
    log.info("events_published", changes=len(changes), events=len(events), deliveries=len(deliveries))
    return len(changes)


#: The usual answer of every second, no, is one statement over two partial indexes.
_DUE = """SELECT EXISTS (SELECT FROM payments_paymentevent WHERE NOT published)
              OR EXISTS (SELECT FROM payments_refundevent WHERE NOT published)"""


def _anything_due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return bool(cursor.fetchone()[0])


def _is_the_writer() -> bool:
    """Take the writer's lock for this transaction; it is free again when all that was written can be seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_WRITER])
        return bool(cursor.fetchone()[0])


def _unpublished(model: Any, link: str) -> list[Any]:
    """By id: writers of one payment wait for its row, so its events are committed in the order of their ids."""
    earlier = model.objects.filter(**{f"{link}_id": OuterRef(f"{link}_id")}, pk__lt=OuterRef("pk"))
    order = "intent__order" if link == "intent" else "refund__intent__order"
    found = model.objects.filter(published=False).annotate(later=Exists(earlier))
    return list(found.select_related(order).order_by("pk")[:BATCH])


def _in_order(payments: Sequence[PaymentEvent], refunds: Sequence[RefundEvent]) -> list[_Change]:
    """Both kinds by time. A full batch has more behind it: what is younger than its end waits for the next one."""
    told = [[*_steady(rows, _intent_id)] for rows in (payments, refunds)]
    ends = [changes[-1].at for changes in told if len(changes) == BATCH]
    merged = sorted((c for changes in told for c in changes), key=lambda c: c.at)  # stable: then by id
    return [change for change in merged if not ends or change.at <= min(ends)]


def _steady(rows: Sequence[Any], intent_id: Any) -> Iterator[_Change]:
    latest: dict[int, datetime] = {}
    for row in rows:
        at = latest[intent_id(row)] = max(row.at, latest.get(intent_id(row), row.at))
        yield _Change(at, row, not row.later)


def _intent_id(row: PaymentEvent | RefundEvent) -> int:
    return row.intent_id if isinstance(row, PaymentEvent) else row.refund.intent_id


def _events(change: _Change) -> Iterator[OutboundEvent]:
    row = change.row
    if isinstance(row, PaymentEvent):
        intent, source = row.intent, OutboundEvent.Source.PAYMENT
        types = payment_types(row.from_status, row.to_status, first=change.first)
        data = shapes.payment_event(intent, status=row.to_status)
    else:
        intent, source = row.refund.intent, OutboundEvent.Source.REFUND
        types = refund_types(row.from_status, row.to_status, first=change.first)
        data = shapes.refund(row.refund, status=row.to_status)
    for type_ in types:
        yield OutboundEvent(
            type=type_, api_version=API_VERSION, payload=data, occurred_at=row.at, intent=intent,
            user_id=intent.order.user_id, source=source, change_id=row.pk,
        )  # fmt: skip


def _number(events: Sequence[OutboundEvent]) -> None:
    """The next numbers. Under the writer's lock nobody else gives any, and none is given that is not kept."""
    last = OutboundEvent.objects.aggregate(last=Max("sequence"))["last"] or 0
    for number, event in enumerate(events, start=last + 1):
        event.sequence = number


def _address(events: Sequence[OutboundEvent]) -> list[WebhookDelivery]:
    """A delivery for each endpoint that was there when it happened and wants to know."""
    listening = list(WebhookEndpoint.objects.filter(is_active=True, deleted_at=None))
    deliveries = [
        WebhookDelivery(endpoint=endpoint, event=event)
        for event in events
        for endpoint in listening
        if wants(endpoint, event)
    ]
    record_deliveries(deliveries, source="system")
    return deliveries


def wants(endpoint: WebhookEndpoint, event: OutboundEvent) -> bool:
    """Does `event` concern the owner of `endpoint`, was it chosen, and did it happen since the endpoint is there?"""
    if endpoint.user_id is not None and endpoint.user_id != event.user_id:
        return False
    chosen = "*" in endpoint.events or event.type in endpoint.events
    return chosen and event.occurred_at >= endpoint.created_at


def record_deliveries(deliveries: list[WebhookDelivery], *, source: str, actor: str = "") -> None:
    """Write new deliveries, due now, each with the row that says who made it. Inside the caller's transaction."""
    WebhookDelivery.objects.bulk_create(deliveries)
    now = timezone.now()
    WebhookDeliveryChange.objects.bulk_create(
        WebhookDeliveryChange(
            delivery=delivery, at=now, from_status="pending", to_status="pending", source=source,
            actor=actor[:120], reason="created",
        )
        for delivery in deliveries
    )  # fmt: skip
