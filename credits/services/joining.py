"""Somebody's two accounts become one: credits with their lots, what is held and what is owed, plan terms.

Guarantees: nothing is lost and nothing made (a posting per lot, from account to account; lots keep their payment, origin
and end, so that a refund finds them); a debt follows and is paid out of what there is; terms never overlap and the time
that was left stays left. Twice moves everything once. Locks: both users' accounts, the lower user id first, then their
debts. No call outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from credits.models import CreditAccount, Hold, Lot, PlanTerm, Posting
from credits.services import books
from pimpshop.core.states import remark


@dataclass(frozen=True, slots=True)
class Joined:
    """Credits and lots that moved, what was owed, and the terms with their old times."""

    credits: int = 0
    lots: int = 0
    owed: int = 0
    terms: list[dict[str, Any]] = field(default_factory=list)


def has_something(user_id: int) -> bool:
    """Does the user own credits, lots, holds, a debt or plan terms?"""
    accounts = CreditAccount.objects.filter(user_id=user_id)
    return (
        accounts.exclude(balance=0).exists()
        or Lot.objects.filter(account__in=accounts.values("pk")).exists()
        or Hold.objects.filter(account__in=accounts.values("pk")).exists()
        or PlanTerm.objects.filter(user_id=user_id).exists()
    )


@transaction.atomic
def join(*, user_id: int, to_user_id: int, actor: str, reason: str = "") -> Joined:
    """Everything of `user_id` is `to_user_id`'s from now on."""
    if user_id == to_user_id:
        raise ValueError(f"user {user_id} cannot be joined with themselves")
    if not has_something(user_id):
        return Joined()
    accounts = {one: books.lock_owner(user_id=one) for one in sorted((user_id, to_user_id))}
    source, account = accounts[user_id], accounts[to_user_id]
    lots = list(source.lots.order_by("pk"))
    credits = sum(_move_lot(lot, source, account, actor, reason) for lot in lots)
    _move_holds(source, account, actor)
    owed = _move_debt(user_id, to_user_id, actor, reason)
    books.repay_debt(account, reference=f"join:{source.pk}:{_count(account)}")
    return Joined(credits, len(lots), owed, _move_terms(user_id, to_user_id))


def _move_lot(lot: Lot, source: CreditAccount, account: CreditAccount, actor: str, reason: str) -> int:
    if lot.remaining:
        books.post(
            kind=Posting.Kind.JOIN, reference=f"lot{lot.pk}/user{source.user_id}", source=source,
            destination=account, amount=lot.remaining, actor=actor, reason=reason,
        )  # fmt: skip
    Lot.objects.filter(pk=lot.pk).update(account=account)
    return lot.remaining


def _count(account: CreditAccount) -> int:
    """How much came into the account up to now: joining again (what came in late) takes another reference."""
    return Posting.objects.filter(destination=account, destination_after__isnull=False).count()


def _move_holds(source: CreditAccount, account: CreditAccount, actor: str) -> None:
    """What comes back of a hold goes into its lots, which have moved. Whose account it left stands in its story, where
    credits/checks.py looks for it."""
    for hold in Hold.objects.select_for_update(no_key=True).filter(account=source).order_by("pk"):
        Hold.objects.filter(pk=hold.pk).update(account=account)
        remark(
            hold, source="account", actor=actor, reason="accounts joined", data={"from_account": source.pk}
        )


def _move_debt(user_id: int, to_user_id: int, actor: str, reason: str) -> int:
    if not CreditAccount.objects.filter(kind="debt", user_id=user_id, balance__lt=0).exists():
        return 0
    debts = {one: books.lock_debt(one) for one in sorted((user_id, to_user_id))}
    mine, owed = debts[user_id], -debts[user_id].balance
    if owed:
        books.post(
            kind=Posting.Kind.JOIN, reference=f"debt{mine.pk}/{_count(mine)}", source=debts[to_user_id],
            destination=mine, amount=owed, actor=actor, reason=reason,
        )  # fmt: skip
    return owed


def _move_terms(user_id: int, to_user_id: int) -> list[dict[str, Any]]:
    """Terms keep their times where they can; one that would overlap follows the last one with the time it has left."""
    now, moved = timezone.now(), []
    for term in PlanTerm.objects.filter(user_id=user_id).order_by("starts_at", "pk"):
        moved.append({"reference": term.reference, "starts_at": term.starts_at, "ends_at": term.ends_at})
        if term.starts_at is not None and term.ends_at is not None and _overlaps(term, to_user_id):
            _follow(term, to_user_id, now)
        term.user_id = to_user_id
        term.save()
    return moved


def _overlaps(term: PlanTerm, user_id: int) -> bool:
    rows = PlanTerm.objects.filter(user_id=user_id, starts_at__lt=F("ends_at"))
    return (
        bool(term.starts_at != term.ends_at)
        and rows.filter(starts_at__lt=term.ends_at, ends_at__gt=term.starts_at).exists()
    )


def _follow(term: PlanTerm, user_id: int, now: datetime) -> None:
    """The used part goes (its times stand in the record of the join), what is left begins after the user's last term."""
    assert term.starts_at is not None and term.ends_at is not None  # noqa: S101, PT018 - the caller looked
    left = max(timedelta(), term.ends_at - max(now, term.starts_at))
    last = PlanTerm.objects.filter(user_id=user_id).aggregate(Max("ends_at"))["ends_at__max"]
    term.removed = term.duration - left
    term.starts_at = max(now, last) if left else term.ends_at
    term.ends_at = term.starts_at + left
