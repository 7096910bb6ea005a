"""What pages and the API show of credits and plans. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from credits.models import CreditAccount, Hold, Lot, PlanTerm, Posting

#: Lines of a statement that one answer holds at the most.
LONGEST_PAGE = 200
_BOUGHT = (Posting.Kind.PURCHASE, Posting.Kind.BONUS)
#: As core.ids makes them; refunds of an order begin with its number.
_ORDER_NO = re.compile(r"\bP\d{14}[0-9a-f]{8}")
_OF_A_LOT = re.compile(r"(?:^|[/:])lot(\d+)(?:/\d+)?$")


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


def balance_at(user_id: int, at: datetime) -> int:
    """The credits that were a user's at that time, held ones included: the sum of what was posted until then."""
    mine = {"account__kind": CreditAccount.Kind.USER, "account__user_id": user_id}
    holds = Hold.objects.filter(**mine).values("reference")
    accounts = CreditAccount.objects.filter(kind=CreditAccount.Kind.USER, user_id=user_id).values("pk")
    until = Posting.objects.filter(at__lte=at)
    spendable = _sum(until.filter(destination__in=accounts)) - _sum(until.filter(source__in=accounts))
    set_apart = until.filter(source__in=accounts, destination__name=CreditAccount.System.HELD)
    let_go = until.filter(source__name=CreditAccount.System.HELD, reference__in=holds)
    return spendable + _sum(set_apart) - _sum(let_go)


def _sum(rows: QuerySet[Posting]) -> int:
    return int(rows.aggregate(Sum("amount"))["amount__sum"] or 0)


@dataclass(frozen=True, slots=True)
class Ending:
    """`amount` credits that can be spent until `at`; None: they do not end."""

    amount: int
    at: datetime | None


def endings(user_id: int) -> list[Ending]:
    """What a user can spend, by when it ends: what ends soonest first, what never ends last."""
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    lots = Lot.objects.filter(
        alive, is_open=True, account__kind=CreditAccount.Kind.USER, account__user_id=user_id
    )
    by_end = lots.values_list("expires_at").annotate(left=Sum("remaining"))
    return [Ending(left, at) for at, left in by_end.order_by(F("expires_at").asc(nulls_last=True))]


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody's account stands, in credits. `balance` = `available` + `held`; `available` is the sum of `endings`."""

    balance: int
    held: int
    available: int
    debt: int
    endings: list[Ending]

    @property
    def next_expiry(self) -> Ending | None:
        """What ends first; None when nothing does."""
        return next((ending for ending in self.endings if ending.at is not None), None)


def standing(user_id: int) -> Standing:
    """Balance, what of it is held, what can be spent until when, and what is owed. Three queries."""
    ends, set_apart = endings(user_id), held(user_id)
    can_spend = sum(ending.amount for ending in ends)
    return Standing(can_spend + set_apart, set_apart, can_spend, debt(user_id), ends)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement: `amount` signed, `balance` after it, both in credits. `order_no`: what it was about, as far as the
    books know; `note`: what was bought."""

    id: int
    at: datetime
    kind: str
    reference: str
    amount: int
    balance: int
    order_no: str
    note: str

    @property
    def label(self) -> str:
        """The kind in words, in the active language."""
        return str(Posting.Kind(self.kind).label)


def statement(user_id: int, *, before_id: int | None = None, limit: int = 50) -> list[StatementRow]:
    """The newest lines of a user's account, or those older than the line `before_id`; at most LONGEST_PAGE. Five queries.

    `balance` of a line was written when it was posted, under the account's lock: the lines add up, and what is posted
    while a reader goes through the pages moves none of them.
    """
    account = CreditAccount.objects.filter(kind=CreditAccount.Kind.USER, user_id=user_id).first()
    if account is None:
        return []
    rows = Posting.objects.filter(
        Q(source=account, source_after__isnull=False)
        | Q(destination=account, destination_after__isnull=False)
    ).order_by("-id")
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    found = list(rows[: min(limit, LONGEST_PAGE)])
    orders = _orders(found)
    return [_line(row, account.pk, orders[row.pk]) for row in found]


def whole_statement(user_id: int) -> Iterator[StatementRow]:
    """All lines, newest first, read in pages: nothing keeps a long statement in memory."""
    before: int | None = None
    while lines := statement(user_id, before_id=before, limit=LONGEST_PAGE):
        yield from lines
        before = lines[-1].id


def _line(row: Posting, account_id: int, order_no: str) -> StatementRow:
    incoming = row.destination_id == account_id
    after = row.destination_after if incoming else row.source_after
    amount = row.amount if incoming else -row.amount
    note = row.reason if row.kind == Posting.Kind.PURCHASE else ""  # other reasons are staff's words
    return StatementRow(row.pk, row.at, row.kind, row.reference, amount, after or 0, order_no, note)


def _orders(rows: list[Posting]) -> dict[int, str]:
    """What each posting was about: the payment of the lot that it made or names, the subject of its hold."""
    granted = Lot.objects.filter(posting__in=[row.pk for row in rows if row.kind in _BOUGHT])
    made = dict(granted.values_list("posting_id", "payment_reference"))
    named = {row.pk: int(found[1]) for row in rows if (found := _OF_A_LOT.search(row.reference))}
    lots = dict(Lot.objects.filter(pk__in=named.values()).values_list("pk", "payment_reference"))
    held = [row.reference for row in rows if row.kind in (Posting.Kind.HOLD, Posting.Kind.RELEASE)]
    holds = dict(Hold.objects.filter(reference__in=held).values_list("reference", "subject"))
    return {
        row.pk: made.get(row.pk)
        or lots.get(named.get(row.pk, 0))
        or holds.get(row.reference)
        or "".join(_ORDER_NO.findall(row.reference)[:1])
        for row in rows
    }


def active_term(user_id: int) -> PlanTerm | None:
    """The plan that a user has now."""
    now = timezone.now()
    return PlanTerm.objects.filter(user_id=user_id, starts_at__lte=now, ends_at__gt=now).first()


def plan_until(user_id: int) -> datetime | None:
    """When the last of a user's unexpired terms ends; None without one."""
    last = PlanTerm.objects.filter(user_id=user_id, ends_at__gt=timezone.now()).order_by("-ends_at").first()
    return last.ends_at if last is not None else None
