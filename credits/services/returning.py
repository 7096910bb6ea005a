"""Credits that come back to a user, out of a hold or out of what was spent: into which lots. For credits.services only.

What the user owes is paid first, straight out of what comes back. The rest goes into the lots that it came from, last
drawn first; a lot of which money was taken back meanwhile has no room for it (others paid in its place), so the rest goes
where there is room. Room and debt together are always enough: they are what was spent and held (docs/adr/0015).
Locks: the caller holds the user's account.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Sum
from django.utils import timezone

from credits.models import CreditAccount, Lot, Posting
from credits.services import books

#: What is given back of a lot that has ended, or will soon, can be spent for so long at least.
GRACE = timedelta(days=30)


def booked(kind: str, reference: str) -> int:
    """What came back under that reference before, in all; 0 for nothing."""
    rows = Posting.objects.filter(kind__in=(kind, Posting.Kind.REPAY_BACK), reference=reference)
    return int(rows.aggregate(Sum("amount"))["amount__sum"] or 0)


def come_back(
    account: CreditAccount,
    amount: int,
    *,
    kind: str,
    reference: str,
    source: CreditAccount,
    drawn: Posting,
    lives_on: bool = False,
    reason: str = "",
    actor: str = "",
) -> None:
    """`amount` from one of the shop's accounts to a user's locked one; `drawn` is the posting that had taken it out of the
    lots. `lives_on`: a lot that it goes to lasts for GRACE at least."""
    owed = _owed(account)
    paid = min(-owed.balance, amount) if owed is not None else 0
    if owed is not None and paid:
        books.post(
            kind=Posting.Kind.REPAY_BACK, reference=reference, source=source, destination=owed, amount=paid,
            reason=reason, actor=actor,
        )  # fmt: skip
    left = amount - paid
    if not left:
        return
    if lives_on:
        books.expire(account, timezone.now())  # what had ended stays away
    changes = _room(account, left, drawn)
    if lives_on:
        until = timezone.now() + GRACE
        touched = [lot.pk for lot, _change in changes]
        Lot.objects.filter(pk__in=touched, expires_at__lt=until).update(expires_at=until)
    books.post(
        kind=kind, reference=reference, source=source, destination=account, amount=left, changes=changes,
        reason=reason, actor=actor,
    )  # fmt: skip


def _owed(account: CreditAccount) -> CreditAccount | None:
    if account.user_id is None:
        return None
    row = CreditAccount.objects.select_for_update(no_key=True).filter(kind="debt", user_id=account.user_id)
    return row.filter(balance__lt=0).first()


def _room(account: CreditAccount, amount: int, drawn: Posting) -> books.Drawn:
    """Which lots take `amount`, as changes."""
    most = {change.lot_id: -change.amount for change in drawn.changes.order_by("-pk")}
    free = F("amount") - F("remaining") - F("expired") - F("reversed")
    lots = {lot.pk: lot for lot in account.lots.annotate(free=free).filter(free__gt=0).order_by("-pk")}
    rooms: dict[int, int] = {pk: lots[pk].free for pk in lots}
    given: dict[int, int] = {}
    for bounded in (True, False):  # first no lot gets more than it gave
        for pk in [*(pk for pk in most if pk in lots), *(pk for pk in lots if pk not in most)]:
            bound = min(rooms[pk], most.get(pk, 0)) if bounded else rooms[pk]
            take = min(amount, bound - given.get(pk, 0))
            if take > 0:
                given[pk] = given.get(pk, 0) + take
                amount -= take
    if amount:
        raise RuntimeError(f"account {account.pk} has no lot for {amount} credits that come back")
    return [(lots[pk], change) for pk, change in given.items()]
