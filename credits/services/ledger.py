"""The ledger: grant and spend credits; expire what has ended.

Guarantees: idempotent by (kind, reference); bought and given credits are kept apart; no balance below zero; every
posting carries the balances it left. Locks: the user's account row until the caller's transaction ends. No call outside.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credits.models import CreditAccount, Lot, LotChange, Posting
from credits.services import at_once, books
from pimpshop.core import errors


class NotEnoughCredits(errors.Conflict):
    """`details` say how many credits there are."""

    code = "not_enough_credits"
    message = _("There are not enough credits. Nothing was spent.")


def grant(
    *,
    amount: int,
    reference: str,
    user_id: int | None = None,
    email: str = "",
    kind: Literal["purchase", "bonus"] = "purchase",
    payment_reference: str = "",
    expires_at: datetime | None = None,
    reason: str = "",
    actor: str = "",
) -> Posting:
    """Give `amount` credits to a user, or let them wait for an e-mail address (`services.waiting`).

    `reference` names what is granted, for example order_no/line; `payment_reference` the payment that bought it, by
    which `reversals.reverse` finds it. Guarantees: the second call with the same kind and reference changes nothing and
    answers the first posting; what the user owes is paid out of it at once. Raises ReferenceTaken when the first call
    said something else.
    """
    if amount <= 0 or kind not in ("purchase", "bonus") or not reference:
        raise ValueError(f"no grant: {amount} credits, {kind!r}, reference {reference!r}")
    what: dict[str, Any] = {
        "amount": amount, "reference": reference, "kind": kind, "payment_reference": payment_reference,
        "expires_at": expires_at, "reason": reason, "actor": actor,
    }  # fmt: skip
    quick = at_once.grant(user_id=user_id, **what) if user_id is not None and not email else None
    return quick or _grant_plainly(user_id=user_id, email=email, **what)


@transaction.atomic
def _grant_plainly(
    *,
    user_id: int | None,
    email: str,
    amount: int,
    reference: str,
    kind: str,
    payment_reference: str,
    expires_at: datetime | None,
    reason: str,
    actor: str,
) -> Posting:
    """`grant` through the ORM: what `at_once` leaves alone, and what it must equal."""
    account = books.lock_owner(user_id=user_id, email=email)
    if before := _same(kind, reference, amount, destination=account):
        return before
    bonus = kind == "bonus"
    posting = books.post(
        kind=kind, reference=reference, source=books.system("bonus" if bonus else "issuance"),
        destination=account, amount=amount, reason=reason, actor=actor,
    )  # fmt: skip
    lot = Lot.objects.create(
        account=account,
        posting=posting,
        payment_reference=payment_reference,
        origin=Lot.Origin.BONUS if bonus else Lot.Origin.PURCHASED,
        amount=amount,
        remaining=amount,
        expires_at=expires_at,
    )
    LotChange.objects.create(posting=posting, lot=lot, amount=amount)
    books.repay_debt(account, reference=f"{kind}:{reference}", first=[lot])
    return posting


def spend(*, user_id: int, amount: int, reference: str, reason: str = "", actor: str = "") -> Posting:
    """Spend `amount` credits of a user: what ends soonest first, given before bought.

    Guarantees: as `grant`. Raises NotEnoughCredits (nothing was spent), ReferenceTaken.
    """
    if amount <= 0 or not reference:
        raise ValueError(f"no spend: {amount} credits, reference {reference!r}")
    what: dict[str, Any] = {
        "user_id": user_id, "amount": amount, "reference": reference, "reason": reason, "actor": actor,
    }  # fmt: skip
    return at_once.spend(**what) or _spend_plainly(**what)


@transaction.atomic
def _spend_plainly(*, user_id: int, amount: int, reference: str, reason: str, actor: str) -> Posting:
    """`spend` through the ORM: what `at_once` leaves alone, and what it must equal."""
    account = books.lock_owner(user_id=user_id)
    if before := _same(Posting.Kind.SPEND, reference, amount, source=account):
        return before
    books.expire(account, timezone.now())
    if account.balance < amount:
        raise NotEnoughCredits(details={"available": account.balance, "asked": amount})
    return books.post(
        kind=Posting.Kind.SPEND, reference=reference, source=account, destination=books.system("spent"),
        amount=amount, changes=books.draw(account, amount), reason=reason, actor=actor,
    )  # fmt: skip


def _same(
    kind: str,
    reference: str,
    amount: int,
    *,
    source: CreditAccount | None = None,
    destination: CreditAccount | None = None,
) -> Posting | None:
    """The posting that was booked before, if it says the same. Raises ReferenceTaken if it does not."""
    before = books.booked(kind, reference)
    if before is None:
        return None
    same = (
        before.amount == amount
        and (source is None or before.source_id == source.pk)
        and (destination is None or before.destination_id == destination.pk)
    )
    if not same:
        raise books.ReferenceTaken
    return before


def expire_due(limit: int = 100) -> int:
    """Expire what has ended, account by account; a sweep round. Answers how many credits went."""
    now = timezone.now()
    due = Lot.objects.filter(is_open=True, expires_at__lte=now).order_by("expires_at")
    gone = 0
    for account_id in dict.fromkeys(due.values_list("account_id", flat=True)[:limit]):
        with transaction.atomic():
            account = CreditAccount.objects.select_for_update(no_key=True).get(pk=account_id)
            gone += books.expire(account, now)
    return gone
