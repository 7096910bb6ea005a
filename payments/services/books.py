"""What moved, for the bookkeeper: every payment, refund and dispute of some days, one after the other. Reads only.

Guarantees: a payment is booked when it succeeded here, a refund when it was said to be paid back (and again, the other
way, if it failed after all), a dispute each time the bank takes or returns the money. Rows are read as they are sent, with
a fixed number of queries. Payments and refunds are found by when they were made (BRIN): a payment that succeeds more than
31 days, a refund more than 400 days after it was made is outside; disputes are few and read by when something
happened to them. Amounts are `Money`; `sign` is 1 (in) or -1 (out). Days are the shop's own (core.shop_day).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from payments import states
from payments.models import DisputeEvent, PaymentIntent, Refund, RefundEvent
from pimpshop.core.money import Money

#: A held card payment is taken within 30 days; what was given up is asked about for three.
PAYMENT_MAY_TAKE = timedelta(days=31)
#: Banks pay back for a year at most; by hand somebody may take his time.
REFUND_MAY_TAKE = timedelta(days=400)
MOST_DAYS = 366
_REFUND_KINDS = {"provider": "refund", "manual": "refund by hand", "credits": "refund as credits"}
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the books."""

    at: datetime
    kind: str
    order_no: str
    number: str
    provider: str
    provider_number: str
    machine: str
    amount: Money
    sign: int
    method: str


def movements(start: datetime, end: datetime) -> Iterator[Movement]:
    """From `start` up to `end` (not included), oldest first."""
    return heapq.merge(
        _payments(start, end), _refunds(start, end), _failed_refunds(start, end), _disputes(start, end),
        key=attrgetter("at"),
    )  # fmt: skip


def taken(start: datetime, end: datetime) -> QuerySet[PaymentIntent]:
    """The attempts whose money came in that time, surplus too: the provider has it in its statement as well."""
    return PaymentIntent.objects.filter(
        created_at__gte=start - PAYMENT_MAY_TAKE, created_at__lt=end, status__in=states.PAID,
        succeeded_at__gte=start, succeeded_at__lt=end,
    ).order_by()  # fmt: skip


def _payments(start: datetime, end: datetime) -> Iterator[Movement]:
    rows: Any = taken(start, end).order_by("succeeded_at", "pk").values_list(
        "succeeded_at", "order__order_no", "out_trade_no", "gateway", "provider_ref", "order__machine_id",
        "captured_minor", "currency", "method",
    )  # fmt: skip
    for at, order_no, number, gateway, ref, machine, minor, currency, method in rows.iterator(_CHUNK):
        yield Movement(
            at, "payment", order_no, number, gateway, ref, machine, Money(minor, currency), 1, method
        )


_OF_REFUND = (
    "kind", "intent__order__order_no", "out_refund_no", "intent__gateway", "provider_ref",
    "intent__order__machine_id", "amount_minor", "currency", "intent__method",
)  # fmt: skip


def _refunds(start: datetime, end: datetime) -> Iterator[Movement]:
    rows = Refund.objects.filter(
        created_at__gte=start - REFUND_MAY_TAKE, created_at__lt=end,
        succeeded_at__gte=start, succeeded_at__lt=end,
    ).order_by("succeeded_at", "pk")  # fmt: skip
    for at, *row in rows.values_list("succeeded_at", *_OF_REFUND).iterator(_CHUNK):
        yield _refund(at, row, -1)


def _failed_refunds(start: datetime, end: datetime) -> Iterator[Movement]:
    """What had been said to be paid back, and came back."""
    rows = RefundEvent.objects.filter(
        refund__created_at__gte=start - REFUND_MAY_TAKE, refund__created_at__lt=end, refund__status="failed",
        refund__succeeded_at__isnull=False, from_status="succeeded", to_status="failed",
        at__gte=start, at__lt=end,
    ).order_by("at", "pk")  # fmt: skip
    names = [f"refund__{name}" for name in _OF_REFUND]
    for at, *row in rows.values_list("at", *names).iterator(_CHUNK):
        yield _refund(at, row, 1)


def _refund(at: datetime, row: list[Any], sign: int) -> Movement:
    kind, order_no, number, gateway, ref, machine, minor, currency, method = row
    name = _REFUND_KINDS[kind] + (" failed" if sign > 0 else "")
    return Movement(at, name, order_no, number, gateway, ref, machine, Money(minor, currency), sign, method)


def _disputes(start: datetime, end: datetime) -> Iterator[Movement]:
    """All events of the disputes that something happened to, since only their order tells when money moved."""
    touched = DisputeEvent.objects.filter(at__gte=start, at__lt=end).values("dispute_id")
    events = DisputeEvent.objects.filter(dispute__in=touched, dispute__money_moved=True)
    told = events.select_related("dispute__intent__order").order_by("dispute_id", "at", "pk")
    found: list[Movement] = []
    for _dispute, of_one in groupby(told, key=attrgetter("dispute_id")):
        found += _moves(list(of_one))
    return iter(sorted((move for move in found if start <= move.at < end), key=attrgetter("at")))


def _moves(events: list[DisputeEvent]) -> Iterator[Movement]:
    """One dispute's: taken when the bank first asks (or, for what began as a question, when it became a dispute), returned
    when it frees the money, taken again when it turns round."""
    became = [place for place, event in enumerate(events) if event.data.get("money_moved")]
    away = False
    for event in events[became[0] if became else 0 :]:
        frees = event.to_status in states.DISPUTE_FREED
        if away == frees:
            away = not frees
            yield _dispute(event, -1 if away else 1)


def _dispute(event: DisputeEvent, sign: int) -> Movement:
    dispute, intent = event.dispute, event.dispute.intent
    return Movement(
        event.at, "dispute" if sign < 0 else "dispute returned", intent.order.order_no, intent.out_trade_no,
        intent.gateway, dispute.provider_ref, intent.order.machine_id, dispute.amount, sign, intent.method,
    )  # fmt: skip
