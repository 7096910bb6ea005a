"""Whose turn it is at a machine: who pays, whose blank case is promised, and who gives way when it is full.

Only questions to the rows. Not here: what is refused because of them (`machines`), moving a session (`sessions`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from vending.models import Machine, PrintJob, StockLevel, VendingSession

#: After init-payment a session counts as live (and holds the machine and its screen) for so long.
PAYMENT_LIVE_FOR = timedelta(minutes=10)
#: create-session is anonymous: an unclaimed session older than this gives way when the machine is full.
UNCLAIMED_GIVES_WAY_AFTER = timedelta(minutes=2)
#: So does one that was scanned and then left: no design, no order.
IDLE_GIVES_WAY_AFTER = timedelta(minutes=3)
#: A job whose blank is still in the machine. One that is stuck for longer than a day is a matter for staff.
NOT_YET_PRINTED = ("announcing", "confirming", "submitting", "accepted")
STUCK_AFTER = timedelta(days=1)


def paying(machine: Machine, *, besides: VendingSession | None = None) -> QuerySet[VendingSession]:
    """The sessions that the machine asks for money now."""
    live = VendingSession.objects.filter(
        machine=machine,
        status="payment_pending",
        payment_started_at__gt=timezone.now() - PAYMENT_LIVE_FOR,
    )
    return live.exclude(pk=besides.pk) if besides else live


def promised(machine: Machine, *, besides: VendingSession | None = None) -> Counter[int]:
    """Shell pk -> pieces that the stock as last read still counts and that are somebody's: paid and not yet printed,
    or sold since that reading, or asked money for just now (a cancelled session's money may still come)."""
    now = timezone.now()
    seen_at = StockLevel.objects.filter(machine=OuterRef("machine"), shell=OuterRef("shell_id"))
    jobs = (
        PrintJob.objects.filter(machine=machine, shell_id__isnull=False)
        .exclude(status="canceled")
        .annotate(read_at=Subquery(seen_at.values("seen_at")[:1]))
        .filter(
            Q(status__in=NOT_YET_PRINTED, created_at__gt=now - STUCK_AFTER) | Q(created_at__gte=F("read_at"))
        )
    )
    found = Counter(jobs.values_list("shell_id", flat=True))
    waiting = VendingSession.objects.filter(
        machine=machine,
        status__in=("payment_pending", "cancelled"),
        payment_started_at__gt=now - PAYMENT_LIVE_FOR,
        design__isnull=False,
    )
    if besides:
        waiting = waiting.exclude(pk=besides.pk)
    found.update(waiting.values_list("design__shell_id", flat=True))
    return Counter({shell: pieces for shell, pieces in found.items() if shell is not None})


def give_way(live: Iterable[VendingSession], now: datetime) -> list[VendingSession]:
    """Of the live sessions those that a new one may replace: first the oldest that nobody scanned, then the one that
    was left longest after its scan."""
    live = list(live)
    unscanned = [
        one
        for one in live
        if one.claimed_at is None
        and one.user_progress == "started"
        and now - one.created_at > UNCLAIMED_GIVES_WAY_AFTER
    ]
    left = [
        (one.claimed_at, one)
        for one in live
        if one.claimed_at is not None
        and one.user_progress == "qr_scanned"
        and one.design_id is None
        and now - one.claimed_at > IDLE_GIVES_WAY_AFTER
    ]
    return [
        *sorted(unscanned, key=lambda one: one.created_at),
        *(one for _since, one in sorted(left, key=lambda pair: pair[0])),
    ]
