"""What was bought under an e-mail address that no account had proven: it waits, and is claimed once.

Guarantees: claiming twice, or twice at once, moves everything once; refunds of what waits work as for a user. Locks: the
waiting account, then the user's. The caller knows that the user has proven the address: a log-in by password is no proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from credits.models import CreditAccount, Lot, PlanTerm, Posting
from credits.services import books, terms


@dataclass(frozen=True, slots=True)
class Claimed:
    credits: int = 0
    terms: int = 0


@transaction.atomic
def claim_pending(user: User) -> Claimed:
    """Move credits and plan terms that wait for the user's address to them. Terms begin now, after what is left."""
    if not user.email:
        return Claimed()
    waiting = (
        CreditAccount.objects.select_for_update(no_key=True).filter(kind="waiting", email=user.email).first()
    )
    if waiting is None:
        return Claimed()
    account = books.lock_owner(user_id=user.pk)
    moved = 0
    for lot in waiting.lots.order_by("pk"):
        if lot.remaining:
            books.post(
                kind=Posting.Kind.CLAIM, reference=f"lot{lot.pk}", source=waiting, destination=account,
                amount=lot.remaining, actor=f"user {user.pk}",
            )  # fmt: skip
        Lot.objects.filter(pk=lot.pk).update(account=account)
        moved += lot.remaining
        books.repay_debt(account, reference=f"claim:lot{lot.pk}", first=[lot])
    bought = list(PlanTerm.objects.filter(user=None, email=user.email).order_by("pk"))
    for term in bought:
        terms.begin(term, user.pk)
        term.save()
    return Claimed(moved, len(bought))
