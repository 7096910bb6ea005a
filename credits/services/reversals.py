"""Refunds and disputes take credits back in proportion; a won dispute or a failed refund restores them.

Guarantees: idempotent by reference; of a lot exactly the share is away for which money is away, whatever came and was
undone in which order (a refund that fails while a dispute is open gives nothing: the dispute keeps it away); nobody's
balance goes below zero: what was spent already stands on their debt account until credits come in. Locks: the account
of the lots. No call outside.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credits.models import CreditAccount, Lot, Posting, Reversal
from credits.services import books
from pimpshop.core import errors


class NothingGranted(errors.NotFound):
    """No credits were granted for that payment."""

    code = "nothing_granted"
    message = _("No credits were bought with this payment.")


@dataclass(frozen=True, slots=True)
class Reversed:
    """`credits` were taken back in all; `shortfall` of them had been spent and are owed now."""

    credits: int
    shortfall: int


def has_lots(payment_reference: str) -> bool:
    """Were credits granted for that payment?"""
    return Lot.objects.filter(payment_reference=payment_reference).exists()


@transaction.atomic
def reverse(
    *,
    reference: str,
    payment_reference: str,
    refunded_minor: int = 1,
    paid_minor: int = 1,
    reason: str = "",
    actor: str = "",
) -> Reversed:
    """Take back what a refund or dispute gave back: `refunded_minor` of `paid_minor` (both of this payment; 1 of 1 is
    all).

    `reference` is the refund's or dispute's own number. From the lot itself first, from what of it expired, then from
    other lots; the rest is a debt. Credits are rounded down until the last of the money is back. Call it once for each
    refund, inside the transaction that records it. Raises NothingGranted.
    """
    if not 0 < refunded_minor <= paid_minor or not reference:
        raise ValueError(f"no reversal: {refunded_minor} of {paid_minor}, reference {reference!r}")
    found = (
        books.lock_lots(Lot.objects.filter(payment_reference=payment_reference))
        if payment_reference
        else None
    )
    if found is None:
        raise NothingGranted
    account, lots = found
    done = {row.lot_id: row for row in Reversal.objects.filter(reference=reference, lot__in=lots)}
    rows = [
        done.get(lot.pk) or _reverse_lot(account, lot, reference, refunded_minor, paid_minor, reason, actor)
        for lot in lots
    ]
    return Reversed(sum(row.credits for row in rows), sum(row.shortfall for row in rows))


def would_reverse(*, payment_reference: str, refunded_minor: int, paid_minor: int) -> Reversed:
    """What `reverse` would take now: it is done, and undone again. Nothing of it is kept; 0 where nothing was granted."""
    with transaction.atomic():
        try:
            taken = reverse(
                reference="preview", payment_reference=payment_reference, refunded_minor=refunded_minor,
                paid_minor=paid_minor,
            )  # fmt: skip
        except NothingGranted:
            taken = Reversed(0, 0)
        transaction.set_rollback(True)
    return taken


def _reverse_lot(
    account: CreditAccount, lot: Lot, reference: str, part: int, whole: int, reason: str, actor: str
) -> Reversal:
    lot.refresh_from_db()  # another lot of this payment may just have drawn on it
    credits = _share(lot, part, whole)
    name = f"{reference}/lot{lot.pk}"
    back_to = books.origin_account(lot)
    left = credits - (expired := min(lot.expired, max(0, credits - lot.remaining)))
    taken = min(left, account.balance)
    if taken:
        books.post(
            kind=Posting.Kind.REVERSE, reference=name, source=account, destination=back_to, amount=taken,
            changes=books.draw(account, taken, first=[lot]), reason=reason, actor=actor,
        )  # fmt: skip
    if expired:
        books.post(
            kind=Posting.Kind.REVERSE_EXPIRED, reference=name, source=books.system("expired"),
            destination=back_to, amount=expired, reason=reason, actor=actor,
        )  # fmt: skip
    if shortfall := left - taken:
        if account.user_id is None:
            raise RuntimeError(f"lot {lot.pk} waits for an address, so nothing of it can have been spent")
        books.post(
            kind=Posting.Kind.SHORTFALL, reference=name, source=books.lock_debt(account.user_id),
            destination=back_to, amount=shortfall, reason=reason, actor=actor,
        )  # fmt: skip
    Lot.objects.filter(pk=lot.pk).update(expired=F("expired") - expired, reversed=F("reversed") + credits)
    return Reversal.objects.create(
        reference=reference, lot=lot, part=part, whole=whole, credits=credits, shortfall=shortfall
    )


def _share(lot: Lot, part: int, whole: int) -> int:
    """Credits for this part: up to now in proportion to all money given back, less what was taken before."""
    return max(0, _target(lot, _parts(lot.reversals.filter(restored_at=None)) + part, whole) - lot.reversed)


def _target(lot: Lot, parts: int, whole: int) -> int:
    """Credits of the lot that are away while `parts` of `whole` are: each unit of money counts once, whoever takes it."""
    return lot.amount * min(parts, whole) // whole


def _parts(rows: QuerySet[Reversal]) -> int:
    return int(rows.aggregate(Sum("part"))["part__sum"] or 0)


@transaction.atomic
def restore(*, reference: str, reason: str = "", actor: str = "") -> int:
    """Undo the reversal `reference`: the dispute was won, or the refund failed after all. Answers how many credits came
    back; 0 when there was nothing to undo, it was done before, or other refunds and disputes of the same money keep them
    away. They go to their lot; a debt is paid out of them first.
    """
    found = books.lock_lots(Lot.objects.filter(reversals__reference=reference))
    if found is None:
        return 0
    account, lots = found
    back = 0
    for row in Reversal.objects.filter(reference=reference, restored_at=None).order_by("lot_id"):
        lot = next(lot for lot in lots if lot.pk == row.lot_id)
        credits = _let_go(lot, row)
        if credits:
            name = f"{reference}/lot{lot.pk}"
            books.post(
                kind=Posting.Kind.RESTORE, reference=name, source=books.origin_account(lot), destination=account,
                amount=credits, changes=[(lot, credits)], reason=reason, actor=actor,
            )  # fmt: skip
            books.repay_debt(account, reference=f"restore:{name}", first=[lot])
        back += credits
    return back


def _let_go(lot: Lot, row: Reversal) -> int:
    """End `row`; answers the credits that nobody else keeps away. What others do stands on their rows from now on."""
    others = list(lot.reversals.filter(restored_at=None).exclude(pk=row.pk).order_by("-pk"))
    credits = max(0, lot.reversed - _target(lot, sum(other.part for other in others), row.whole))
    left = row.credits - credits  # below zero: a share was rounded down before, and comes back with this one
    for other in others if left else ():
        change = left if left > 0 else -min(-left, other.credits)
        kept = other.credits + change
        Reversal.objects.filter(pk=other.pk).update(credits=kept, shortfall=min(other.shortfall, kept))
        left -= change
    Reversal.objects.filter(pk=row.pk).update(
        restored_at=timezone.now(), credits=credits, shortfall=min(row.shortfall, credits)
    )
    Lot.objects.filter(pk=lot.pk).update(reversed=F("reversed") - credits)
    return credits
