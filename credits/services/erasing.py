"""A person is erased: the ledger keeps its numbers and forgets the address. Idempotent; the caller has a transaction."""

from __future__ import annotations

from credits.models import CreditAccount, PlanTerm


def forget_address(user_id: int, email: str) -> None:
    """Terms and the emptied account that waited for `email` lose it. Postings name accounts and references, no person."""
    PlanTerm.objects.filter(user_id=user_id).exclude(email="").update(email="")
    waiting = (
        CreditAccount.objects.filter(kind=CreditAccount.Kind.WAITING, email=email, balance=0)
        if email
        else None
    )
    for account in waiting or ():
        CreditAccount.objects.filter(pk=account.pk).update(email=f"erased-{account.pk}@erased.invalid")
