"""What every verb of the ledger does: lock an account, draw on its lots, write one posting. For credits.services only.

Locks: the user's account row first, then that user's debt; a waiting account before the user's. Held until the caller's
transaction ends, so call as late in it as possible. Balances, lots and `…_after` are written under that lock alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from credits.models import CreditAccount, Lot, LotChange, Posting
from pimpshop.core import errors

System = CreditAccount.System
Drawn = list[tuple[Lot, int]]


class ReferenceTaken(errors.Conflict):
    """The same kind and reference were posted with another amount or for somebody else."""

    code = "reference_taken"
    message = _("This was booked before, and differently. Nothing was changed.")


def lock_owner(*, user_id: int | None, email: str = "") -> CreditAccount:
    """The locked account of a user, or the one that waits for `email` (any case). Exactly one is given."""
    email = email.strip().lower()
    if (user_id is None) == (not email):
        raise ValueError("credits belong to a user or wait for an e-mail address: give one of the two")
    if user_id is not None:
        return _locked(kind=CreditAccount.Kind.USER, user_id=user_id)
    return _locked(kind=CreditAccount.Kind.WAITING, email=email)


def lock_debt(user_id: int) -> CreditAccount:
    """The locked debt account of a user, whose own account is locked already."""
    return _locked(kind=CreditAccount.Kind.DEBT, user_id=user_id)


def _locked(**whose: object) -> CreditAccount:
    row = _for_update().filter(**whose).first()
    if row is None:
        CreditAccount.objects.bulk_create([CreditAccount(**whose)], ignore_conflicts=True)
        row = _for_update().get(**whose)
    return row


def _for_update() -> QuerySet[CreditAccount]:
    return CreditAccount.objects.select_for_update(no_key=True)


def lock_lots(lots: QuerySet[Lot]) -> tuple[CreditAccount, list[Lot]] | None:
    """`lots` of one payment with their locked account, or None when there are none.

    A claim may move them to another account before the lock is held: then look again.
    """
    while True:
        accounts = set(lots.values_list("account_id", flat=True))
        if not accounts:
            return None
        (account_id,) = accounts  # one payment is one buyer's
        account = _for_update().get(pk=account_id)
        found = list(lots.order_by("pk"))
        if {lot.account_id for lot in found} == {account_id}:
            return account, found


def system(name: str) -> CreditAccount:
    """One of the shop's own accounts: never locked, for it keeps no balance."""
    row = CreditAccount.objects.filter(kind=CreditAccount.Kind.SYSTEM, name=name).first()
    if row is None:
        new = CreditAccount(kind=CreditAccount.Kind.SYSTEM, name=name)
        CreditAccount.objects.bulk_create([new], ignore_conflicts=True)
        row = CreditAccount.objects.get(kind=CreditAccount.Kind.SYSTEM, name=name)
    return row


def origin_account(lot: Lot) -> CreditAccount:
    """Where a lot's credits came from and go back to: bought and given ones are kept apart."""
    return system(System.BONUS if lot.origin == Lot.Origin.BONUS else System.ISSUANCE)


def booked(kind: str, reference: str) -> Posting | None:
    """The posting of that kind and reference. Ask after the lock: whoever held it may have written it."""
    return Posting.objects.filter(kind=kind, reference=reference).first()


def post(
    *,
    kind: str,
    reference: str,
    source: CreditAccount,
    destination: CreditAccount,
    amount: int,
    changes: Drawn = (),  # type: ignore[assignment]
    actor: str = "",
    reason: str = "",
) -> Posting:
    """Move `amount` credits and change the lots by `changes` (signed). Both accounts are locked or the shop's own.

    Raises IntegrityError where a rule of the tables says no (a balance below zero, a reference used twice).
    """
    posting = Posting.objects.create(
        kind=kind,
        reference=reference,
        source=source,
        destination=destination,
        amount=amount,
        source_after=_move(source, -amount),
        destination_after=_move(destination, amount),
        actor=actor[:120],
        reason=reason[:500],
    )
    for lot, change in changes:
        Lot.objects.filter(pk=lot.pk).update(remaining=F("remaining") + change)
        lot.remaining += change
    LotChange.objects.bulk_create(
        LotChange(posting=posting, lot=lot, amount=change) for lot, change in changes
    )
    return posting


def _move(account: CreditAccount, amount: int) -> int | None:
    if account.kind == CreditAccount.Kind.SYSTEM:
        return None
    account.balance += amount
    account.save(update_fields=["balance"])
    return account.balance


def draw(account: CreditAccount, amount: int, *, first: Iterable[Lot] = ()) -> Drawn:
    """Which lots give `amount`, as changes: `first` ones, then what ends soonest, given before bought, oldest first.

    The caller knows that the account holds that much.
    """
    preferred = {lot.pk for lot in first}
    lots = account.lots.filter(is_open=True).order_by(F("expires_at").asc(nulls_last=True), "origin", "pk")
    drawn: Drawn = []
    for lot in sorted(lots, key=lambda lot: lot.pk not in preferred):
        if not amount:
            break
        take = min(amount, lot.remaining)
        drawn.append((lot, -take))
        amount -= take
    if amount:
        raise RuntimeError(f"account {account.pk} has {amount} credits fewer in lots than in its balance")
    return drawn


def repay_debt(account: CreditAccount, *, reference: str, first: Iterable[Lot] = ()) -> int:
    """What is owed is paid first out of credits that just came in. Answers how many credits went there."""
    if account.user_id is None:
        return 0
    if not CreditAccount.objects.filter(kind="debt", user_id=account.user_id, balance__lt=0).exists():
        return 0
    debt = lock_debt(account.user_id)
    amount = min(-debt.balance, account.balance)
    if amount > 0:
        post(
            kind=Posting.Kind.REPAY, reference=reference, source=account, destination=debt, amount=amount,
            changes=draw(account, amount, first=first), reason="credits that came in pay a debt first",
        )  # fmt: skip
    return amount


def expire(account: CreditAccount, now: datetime) -> int:
    """Move what has ended by `now` out of the locked account; answers how many credits that were."""
    gone = 0
    for lot in account.lots.filter(is_open=True, expires_at__lte=now).order_by("pk"):
        amount = lot.remaining
        # A restored lot may end again, hence the number of its changes in the reference.
        post(
            kind=Posting.Kind.EXPIRE, reference=f"lot{lot.pk}/{lot.changes.count()}", source=account,
            destination=system(System.EXPIRED), amount=amount, changes=[(lot, -amount)],
        )  # fmt: skip
        Lot.objects.filter(pk=lot.pk).update(expired=F("expired") + amount)
        gone += amount
    return gone
