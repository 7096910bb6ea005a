"""What pages and the API show of credits and plans. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, Sum
from django.utils import timezone

from credits.models import CreditAccount, Hold, Lot, PlanTerm, Posting


def balance(user_id: int) -> int:
    """The credits that are a user's: those they can spend and those that are held for something they are paying."""
    return available(user_id) + held(user_id)


def available(user_id: int) -> int:
    """The credits that a user can spend now: their balance less what is held."""
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    lots = Lot.objects.filter(
        alive, is_open=True, account__kind=CreditAccount.Kind.USER, account__user_id=user_id
    )
    return lots.aggregate(Sum("remaining"))["remaining__sum"] or 0


def held(user_id: int) -> int:
    """The credits of a user that are set apart for something they are paying."""
    rows = Hold.objects.filter(status="held", account__kind=CreditAccount.Kind.USER, account__user_id=user_id)
    return rows.aggregate(Sum("amount"))["amount__sum"] or 0


def debt(user_id: int) -> int:
    """The credits that a user owes (0 or more): spent, and then the money went back."""
    row = CreditAccount.objects.filter(kind=CreditAccount.Kind.DEBT, user_id=user_id).first()
    return -row.balance if row is not None else 0


def left_of_payment(payment_reference: str) -> int | None:
    """The credits that a payment bought less those that refunds and disputes took back; None before any were given."""
    lots = (
        Lot.objects.filter(payment_reference=payment_reference) if payment_reference else Lot.objects.none()
    )
    left: int | None = lots.aggregate(left=Sum(F("amount") - F("reversed")))["left"]
    return left


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One line of a user's statement: `amount` signed, `balance` after it, both in credits."""

    id: int
    at: datetime
    kind: str
    reference: str
    amount: int
    balance: int
    reason: str


def statement(user_id: int, *, before_id: int | None = None, limit: int = 50) -> list[StatementRow]:
    """The newest lines of a user's account, older than the line `before_id` where that is given. At most 200."""
    account = CreditAccount.objects.filter(kind=CreditAccount.Kind.USER, user_id=user_id).first()
    if account is None:
        return []
    rows = Posting.objects.filter(
        Q(source=account, source_after__isnull=False)
        | Q(destination=account, destination_after__isnull=False)
    ).order_by("-id")
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return [_line(row, account.pk) for row in rows[: min(limit, 200)]]


def _line(row: Posting, account_id: int) -> StatementRow:
    incoming = row.destination_id == account_id
    after = row.destination_after if incoming else row.source_after
    amount = row.amount if incoming else -row.amount
    return StatementRow(row.pk, row.at, row.kind, row.reference, amount, after or 0, row.reason)


def active_term(user_id: int) -> PlanTerm | None:
    """The plan that a user has now."""
    now = timezone.now()
    return PlanTerm.objects.filter(user_id=user_id, starts_at__lte=now, ends_at__gt=now).first()


def plan_until(user_id: int) -> datetime | None:
    """When the last of a user's unexpired terms ends; None without one."""
    last = PlanTerm.objects.filter(user_id=user_id, ends_at__gt=timezone.now()).order_by("-ends_at").first()
    return last.ends_at if last is not None else None
