"""Reconciliation: a day of a provider's statement against our payments and refunds, both ways.

Each difference is a row with a kind, a state and an actor; a payment that is paid there and not here makes us ask at once
(a late success is honoured), and the difference passes when both sides agree on a later look. What a statement names is
marked with its day, so that a payment or refund which ended here on another day than there is no difference, and an
earlier one passes when its line turns up. Guarantees: the statement is fetched outside any transaction; comparing the
same day again changes nothing that was resolved by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from payments import registry, states
from payments.gateways import base
from payments.models import PaymentIntent, ReconcileDifference, Refund, StatementRun
from payments.services import reconcile_rows, sync
from pimpshop.core import staff_items

log = structlog.get_logger(__name__)

Kind = ReconcileDifference.Kind
#: Whose day ends when; elsewhere it is UTC's.
ZONES = {"wechatpay": ZoneInfo("Asia/Shanghai"), "alipay": ZoneInfo("Asia/Shanghai")}
#: Statements are there some hours after the day's end (WeChat Pay: ten in the morning).
READY_AFTER = timedelta(hours=10, minutes=30)
#: What happened so near to midnight may stand in the neighbour's statement.
EDGE = timedelta(minutes=10)
#: A statement that cannot be had is tried again so often, and for so many days.
RETRY = timedelta(hours=1)
DAYS_BACK = 3
ITEM_KIND = "reconcile_difference"


@dataclass(frozen=True)
class Found:
    """A difference, not stored yet."""

    kind: str
    subject: str
    currency: str
    ours: int | None = None
    theirs: int | None = None


def bounds(gateway: str, day: date) -> tuple[datetime, datetime]:
    """The provider's day as aware times: from its first moment to that of the next day."""
    zone = ZONES.get(gateway, UTC)
    start = datetime.combine(day, time(), zone)
    return start, datetime.combine(day + timedelta(days=1), time(), zone)


def plan_due(now: datetime | None = None) -> int:
    """Make the rows of the days that have ended and whose statement should be there; answers how many are new."""
    now = now or timezone.now()
    new = 0
    for key in registry.configured():
        gateway = registry.get(key)
        if not gateway.can_statement:
            continue
        today = now.astimezone(ZONES.get(key, UTC)).date()
        for back in range(1, DAYS_BACK + 1):
            day = today - timedelta(days=back)
            if now < bounds(key, day)[1] + READY_AFTER:
                continue
            _row, made = StatementRun.objects.get_or_create(
                gateway=key, account=gateway.account, day=day, defaults={"due_at": now}
            )
            new += made
    return new


def due(limit: int = 10) -> list[int]:
    rows = StatementRun.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "day")
    return list(rows.values_list("pk", flat=True)[:limit])


def run(run_pk: int) -> bool:
    """Fetch the statement of one day that is due and compare it. Answers whether it was compared."""
    now = timezone.now()
    won = StatementRun.objects.filter(pk=run_pk, due_at__lte=now).update(due_at=now + RETRY)
    if not won:
        return False
    row = StatementRun.objects.get(pk=run_pk)
    row.attempts += 1
    try:
        lines = registry.get(row.gateway).statement(row.day)
    except (base.GatewayError, registry.GatewayUnknown) as error:
        StatementRun.objects.filter(pk=row.pk).update(attempts=row.attempts, error=str(error)[:200])
        log.warning("statement_not_there", gateway=row.gateway, day=str(row.day))
        return False
    compare(row, lines)
    return True


def compare(row: StatementRun, lines: Sequence[base.StatementLine]) -> None:
    """Store what differs, ask about what may be late, and close what agrees by now."""
    payments = [line for line in lines if line.kind == "payment"]
    refunds = [line for line in lines if line.kind == "refund"]
    for late in _unpaid_here(row, payments):
        sync.check_now(intent=late, source="reconcile")
    with transaction.atomic():
        stated = [*_mark_payments(row, payments), *_mark_refunds(row, refunds)]
        found = [*_payments(row, payments), *_refunds(row, refunds)]
        reconcile_rows.close_passed(row, stated)
        fresh = reconcile_rows.store(row, found)
        StatementRun.objects.filter(pk=row.pk).update(
            lines=len(lines), matched=len(payments) + len(refunds) - sum(f.theirs is not None for f in found),
            differences=len(found), attempts=row.attempts, done_at=timezone.now(), due_at=None, error="",
        )  # fmt: skip
        if fresh:
            staff_items.open_item(
                kind=ITEM_KIND, subject=str(row), count=fresh,
                title=f"{row.gateway}: {fresh} differences between the statement of {row.day} and our books",
                detail="Look at each of them and say why it is right, or put it right.",
            )  # fmt: skip


def _by_number(row: StatementRun, lines: Iterable[base.StatementLine]) -> dict[str, PaymentIntent]:
    """Our payments by every name that a line may have for them."""
    names = {name for line in lines for name in (line.out_trade_no, line.provider_ref) if name}
    mine = PaymentIntent.objects.select_related("order").filter(gateway=row.gateway)
    rows = mine.filter(Q(out_trade_no__in=names) | Q(provider_ref__in=names) | Q(transaction_ref__in=names))
    known: dict[str, PaymentIntent] = {}
    for intent in rows:
        for name in (intent.out_trade_no, intent.provider_ref, intent.transaction_ref):
            if name:
                known[name] = intent
    return known


def _intent_of(line: base.StatementLine, known: dict[str, PaymentIntent]) -> PaymentIntent | None:
    return known.get(line.out_trade_no) or known.get(line.provider_ref)


def _unpaid_here(row: StatementRun, lines: Sequence[base.StatementLine]) -> list[PaymentIntent]:
    known = _by_number(row, lines)
    found = (_intent_of(line, known) for line in lines)
    return [intent for intent in found if intent is not None and intent.status not in states.PAID]


def _not_elsewhere(row: StatementRun) -> Q:
    """In no other day's statement as far as is known."""
    return Q(stated_on=None) | Q(stated_on=row.day)


def _mark_payments(row: StatementRun, lines: Sequence[base.StatementLine]) -> list[str]:
    """Our payments that the day's statement names, marked with it. Answers their numbers."""
    known = _by_number(row, lines)
    named = {
        intent for line in lines if (intent := _intent_of(line, known)) and intent.account == row.account
    }
    fresh = PaymentIntent.objects.filter(pk__in=[intent.pk for intent in named], stated_on=None)
    fresh.update(stated_on=row.day)
    return [intent.out_trade_no for intent in named]


def _mark_refunds(row: StatementRun, lines: Sequence[base.StatementLine]) -> list[str]:
    """The same for refunds."""
    known = _refunds_by_number(row, lines)
    named = {refund for line in lines if (refund := _refund_of(line, known))}
    fresh = Refund.objects.filter(
        pk__in=[refund.pk for refund in named], stated_on=None, intent__account=row.account
    )
    fresh.update(stated_on=row.day)
    return [refund.out_refund_no for refund in named]


def _payments(row: StatementRun, lines: Sequence[base.StatementLine]) -> list[Found]:
    known, found, seen = _by_number(row, lines), [], set()
    for line in lines:
        intent, theirs = _intent_of(line, known), line.amount
        subject = line.out_trade_no or line.provider_ref
        if intent is None:
            found.append(Found(Kind.PAYMENT_ONLY_THERE, subject, theirs.currency, None, theirs.amount_minor))
            continue
        seen.add(intent.pk)
        if intent.status not in states.PAID:
            found.append(
                Found(Kind.PAYMENT_UNPAID_HERE, intent.out_trade_no, theirs.currency, 0, theirs.amount_minor)
            )
        elif (intent.captured_minor, intent.currency) != (theirs.amount_minor, theirs.currency):
            found.append(
                Found(
                    Kind.PAYMENT_AMOUNT, intent.out_trade_no, theirs.currency, intent.captured_minor,
                    theirs.amount_minor,
                )
            )  # fmt: skip
    start, end = bounds(row.gateway, row.day)
    ours = PaymentIntent.objects.filter(
        gateway=row.gateway, account=row.account, status__in=states.PAID,
        succeeded_at__gte=start + EDGE, succeeded_at__lt=end - EDGE,
    ).filter(_not_elsewhere(row)).exclude(pk__in=seen)  # fmt: skip
    found += [Found(Kind.PAYMENT_ONLY_HERE, i.out_trade_no, i.currency, i.captured_minor) for i in ours]
    return found


def _refunds_of(row: StatementRun) -> QuerySet[Refund]:
    return Refund.objects.filter(intent__gateway=row.gateway, kind=Refund.Kind.PROVIDER)


def _refunds_by_number(row: StatementRun, lines: Iterable[base.StatementLine]) -> dict[str, Refund]:
    names = {name for line in lines for name in (line.out_refund_no, line.provider_ref) if name}
    rows = _refunds_of(row).filter(Q(out_refund_no__in=names) | Q(provider_ref__in=names))
    return {name: r for r in rows for name in (r.out_refund_no, r.provider_ref) if name}


def _refund_of(line: base.StatementLine, known: dict[str, Refund]) -> Refund | None:
    return known.get(line.out_refund_no) or known.get(line.provider_ref)


def _refunds(row: StatementRun, lines: Sequence[base.StatementLine]) -> list[Found]:
    known, found, seen = _refunds_by_number(row, lines), [], set()
    for line in lines:
        refund = _refund_of(line, known)
        theirs, subject = line.amount, line.out_refund_no or line.provider_ref or line.out_trade_no
        if refund is None:
            found.append(Found(Kind.REFUND_ONLY_THERE, subject, theirs.currency, None, theirs.amount_minor))
            continue
        seen.add(refund.pk)
        if (refund.amount_minor, refund.currency) != (theirs.amount_minor, theirs.currency):
            found.append(
                Found(
                    Kind.REFUND_AMOUNT, refund.out_refund_no, theirs.currency, refund.amount_minor,
                    theirs.amount_minor,
                )
            )  # fmt: skip
    start, end = bounds(row.gateway, row.day)
    ours = (
        _refunds_of(row)
        .filter(
            intent__account=row.account,
            status="succeeded",
            succeeded_at__gte=start + EDGE,
            succeeded_at__lt=end - EDGE,
        )
        .filter(_not_elsewhere(row))
    )
    ours = ours.exclude(pk__in=seen)
    found += [Found(Kind.REFUND_ONLY_HERE, r.out_refund_no, r.currency, r.amount_minor) for r in ours]
    return found
