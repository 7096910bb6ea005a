"""When an undecided payment is asked about again: quickly while somebody waits, then ever more slowly for days."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from payments.models import PaymentIntent

#: (age of the attempt, seconds until the next query)
STEPS = (
    (timedelta(minutes=3), 4),
    (timedelta(minutes=15), 15),
    (timedelta(hours=1), 60),
    (timedelta(hours=12), 600),
    (timedelta(days=3), 3600),
)
#: At the machine a payment cannot be withdrawn, so we go on asking for three days.
QUERY_FOR = STEPS[-1][0]
#: Elsewhere an attempt has a time until which it may be paid, and is closed then. What a bank still works on (a debit,
#: a hold) is asked about for a month.
WORKED_ON_FOR, WORKED_ON_GAP = timedelta(days=30), timedelta(hours=6)
#: Later answers count, so that an outage at the end of the three days hides no payment; after four days nothing does.
LAST_GAP = timedelta(seconds=STEPS[-1][1])
UNANSWERED_FOR = QUERY_FOR + timedelta(days=1)
#: An attempt that may be paid for less than this is not offered again.
LEAST_REUSE = timedelta(minutes=2)
#: After its time an attempt gets so long for news that are on their way, before it is closed at the provider.
GRACE = timedelta(seconds=30)
#: Never more than one query in so many seconds per order, whoever asks.
MIN_GAP = timedelta(seconds=3)


def next_query(intent: PaymentIntent, now: datetime | None = None) -> datetime | None:
    """When `intent` is due to be asked about again; None when it is too old to ask."""
    now = now or timezone.now()
    age = now - intent.created_at
    for limit, seconds in STEPS:
        if age < limit:
            return now + timedelta(seconds=seconds)
    return now + WORKED_ON_GAP if intent.expires_at and age < WORKED_ON_FOR else None


def has_expired(intent: PaymentIntent) -> bool:
    """Is the time over in which `intent` may be paid? (One at the machine has no such time: it cannot be withdrawn.)"""
    return intent.expires_at is not None and timezone.now() >= intent.expires_at + GRACE


def is_over(intent: PaymentIntent, *, even_unanswered: bool = False) -> bool:
    """Was `intent` asked about for so long that it counts as not paid?"""
    if intent.expires_at is not None:
        return timezone.now() - intent.created_at >= WORKED_ON_FOR
    return timezone.now() - intent.created_at >= (UNANSWERED_FOR if even_unanswered else QUERY_FOR)
