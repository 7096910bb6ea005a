"""E-mail addresses and their proof (allauth's EmailAddress: one row a person, the same address as User.email).

An address is proven by a code or a link that was mailed to it, or vouched for by whoever makes an account at the desk
or on the command line. Guarantees: idempotent; nobody has two addresses. No call outside.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from accounts.models import User

#: How long a sign-up waits for its code.
UNPROVEN_FOR = timedelta(days=7)


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


def take_from(user: User) -> None:
    """The address belongs to somebody else, who has proven it: an account that never did loses it, and nothing more."""
    EmailAddress.objects.filter(user_id=user.pk).delete()
    User.objects.filter(pk=user.pk).update(email=None)


def forget_unproven(limit: int = 100) -> int:
    """Delete accounts that were signed up for and never confirmed: a stranger may have typed the address. Nobody has ever
    been in such an account, so nothing else hangs on it. Answers how many went."""
    proven = EmailAddress.objects.filter(user_id=OuterRef("pk"), verified=True)
    asked = EmailAddress.objects.filter(user_id=OuterRef("pk"), verified=False)
    left = User.objects.filter(
        Exists(asked), ~Exists(proven), is_staff=False, last_login=None,
        date_joined__lt=timezone.now() - UNPROVEN_FOR,
    )  # fmt: skip
    return sum(_forget(user_id) for user_id in left.values_list("pk", flat=True)[:limit])


def _forget(user_id: int) -> int:
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id, last_login=None).first()
        if user is None or is_proven(user):  # confirmed at this moment
            return 0
        user.delete()
    return 1


def landing() -> str:
    """Where somebody goes who has just logged in and came from nowhere."""
    return reverse("account")
