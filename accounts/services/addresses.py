"""E-mail addresses and their proof (allauth's EmailAddress: one row a person, the same address as User.email).

An address is proven by a code or a link that was mailed to it, or vouched for by whoever makes an account at the desk
or on the command line. Guarantees: idempotent; nobody has two addresses. No call outside.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User
from pimpshop.core import redirects


@transaction.atomic
def keep_as_proven(user: User) -> None:
    """Make `user.email` the person's one address, proven; without an e-mail they have none."""
    others = EmailAddress.objects.filter(user_id=user.pk).exclude(email=user.email or "")
    others.delete()
    if user.email:
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )


def is_proven(user: User) -> bool:
    """Has somebody with this account shown that the mailbox is theirs?"""
    return (
        bool(user.email)
        and EmailAddress.objects.filter(user_id=user.pk, email=user.email, verified=True).exists()
    )


def landing() -> str:
    """Where somebody goes who has just logged in and came from nowhere."""
    return redirects.ACCOUNT if redirects.is_routed(redirects.ACCOUNT) else "/"
