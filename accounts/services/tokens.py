"""Users' Bearer tokens: issue, find, revoke; and the log-in with e-mail and password that issues one.

Guarantees: a token is shown once and stored as a hash; a wrong password and an unknown address get the same answer
after the same work; `last_used_at` costs at most one write a minute. No call outside.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserToken
from accounts.models.tokens import Revocable
from accounts.services import addresses, second_factor
from pimpshop.core import errors, ids

PREFIX = "shop_ut_"
LIFETIME = timedelta(days=90)
#: `last_used_at` is not written more often than this.
USE_NOTED_EVERY = timedelta(minutes=1)


class WrongCredentials(errors.ShopError):
    """The address is unknown, the password wrong, or the account switched off: nobody is told which."""

    code = "wrong_credentials"
    message = _("That e-mail address and password do not go together.")


class AddressNotProven(errors.ShopError):
    """The password is right, but nobody has shown yet that the mailbox is theirs."""

    code = "email_not_verified"
    message = _("Please confirm your e-mail address first: log in on our website, we mail you a code.")


def issue(user: User, *, label: str = "") -> tuple[str, UserToken]:
    """A new token of `user` and its row. The text is known only to the caller and cannot be read again."""
    token = PREFIX + ids.new_token()
    now = timezone.now()
    row = UserToken.objects.create(
        user=user,
        token_hash=ids.hash_token(token),
        label=label[:120],
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return token, row


def log_in(
    *, email: str, password: str, code: str = "", label: str = "", request: HttpRequest | None = None
) -> tuple[str, UserToken]:
    """A token for who knows the password, and the `code` of the second factor where the account has one.

    Raises as `who` does. What waits for the address is claimed on the website, not here.
    """
    return issue(who(email=email, password=password, code=code, request=request), label=label)


def who(*, email: str, password: str, code: str = "", request: HttpRequest | None = None) -> User:
    """The account of who knows the password, and the code where it has a second factor.

    Django's back end hashes a password for unknown addresses too, so that the time tells nothing. Raises
    WrongCredentials, AddressNotProven, and what second_factor.require does.
    """
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise WrongCredentials
    if not addresses.is_proven(user):
        raise AddressNotProven
    second_factor.require(user, code)
    return user


def find(token: str) -> UserToken | None:
    """The living token with its user, or None: unknown, expired, revoked, or the user is switched off."""
    row = (
        UserToken.objects.select_related("user")
        .filter(token_hash=ids.hash_token(token), revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
    return row if row is not None and row.user.is_active else None


def note_use(row: Revocable) -> None:
    """Remember that `row` was used just now, at most once a minute."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at <= now - USE_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
        type(row)._default_manager.filter(stale, pk=row.pk).update(last_used_at=now)


def revoke(token_id: int) -> bool:
    """End one token now; False when it had ended before."""
    return _revoke(UserToken.objects.filter(pk=token_id)) == 1


def revoke_all(user: User) -> int:
    """End every token of `user` (a lost phone, a new password); answers how many lived."""
    return _revoke(UserToken.objects.filter(user=user))


@transaction.atomic
def log_out_everywhere(user: User) -> int:
    """End every token and every browser's session of `user` (a lost phone); answers how many tokens lived. Whoever keeps
    the browser that asked gives its session the new hash (update_session_auth_hash)."""
    User.objects.filter(pk=user.pk).update(log_outs=F("log_outs") + 1)
    user.refresh_from_db(fields=["log_outs"])
    return revoke_all(user)


def _revoke(rows: QuerySet[UserToken]) -> int:
    return rows.filter(revoked_at=None).update(revoked_at=timezone.now())


def living(user: User) -> QuerySet[UserToken]:
    """The tokens of `user` that open something now, the newest first: one per device."""
    return UserToken.objects.filter(user=user, revoked_at=None, expires_at__gt=timezone.now()).order_by("-pk")


def revoke_of(user: User, token_id: int) -> bool:
    """End one of `user`'s own tokens; False when it is somebody else's or has ended."""
    return _revoke(living(user).filter(pk=token_id)) == 1
