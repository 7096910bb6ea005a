"""Credits that staff give or take, with a reason. One posting each, under a number of its own; audited.

Guarantees: given credits count as given, not bought, and pay a debt first; nobody's balance goes below zero. Locks: the
user's account. No call outside.
"""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from credits.models import CreditAccount, Posting
from credits.services import books, ledger
from pimpshop.core import errors, typed_amounts
from pimpshop.core.models import AuditEntry

#: What one act may move: a typing error is not paid out.
MOST = 1_000_000


class TooMany(errors.ShopError):
    code = "too_many_credits"
    message = _("That is more than one act gives or takes (1,000,000 credits). Nothing was changed.")


class NotAUsers(errors.Conflict):
    code = "not_a_users"
    message = _("Credits are given to and taken from the account of a user only. Nothing was changed.")


def amount_of(typed: str) -> int:
    """Raises typed_amounts.NotAnAmount, TooMany."""
    amount = typed_amounts.read(typed, "CREDITS").amount_minor
    if amount > MOST:
        raise TooMany
    return amount


def owner_of(account: CreditAccount) -> int:
    """The user whose account it is. Raises NotAUsers."""
    if account.kind != CreditAccount.Kind.USER or account.user_id is None:
        raise NotAUsers
    return account.user_id


def give(*, account: CreditAccount, amount: int, actor: str, reason: str) -> Posting:
    """Raises NotAUsers."""
    user_id = owner_of(account)
    with transaction.atomic():
        posting = ledger.grant(
            user_id=user_id, amount=amount, reference=_number(), kind="bonus", reason=reason, actor=actor
        )
        _audit("give credits", user_id, posting, actor, reason)
    return posting


def take(*, account: CreditAccount, amount: int, actor: str, reason: str) -> Posting:
    """Raises NotAUsers, ledger.NotEnoughCredits."""
    user_id = owner_of(account)
    with transaction.atomic():
        posting = ledger.spend(
            user_id=user_id, amount=amount, reference=_number(), reason=reason, actor=actor
        )
        _audit("take credits", user_id, posting, actor, reason)
    return posting


def locked(account: CreditAccount) -> CreditAccount:
    """The account under the ledger's lock, until the caller's transaction ends. Raises NotAUsers."""
    return books.lock_owner(user_id=owner_of(account))


def _number() -> str:
    return f"staff:{secrets.token_hex(8)}"


def _audit(action: str, user_id: int, posting: Posting, actor: str, reason: str) -> None:
    AuditEntry.objects.create(
        actor=actor, action=action, subject=f"user {user_id}", reason=reason,
        data={"credits": posting.amount, "reference": posting.reference},
    )  # fmt: skip
