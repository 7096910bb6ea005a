"""The second factor: an authenticator app's code (TOTP) or a recovery code (rows of allauth.mfa, secrets sealed).

Everybody may have one; the desk demands it of staff, but not under SANDBOX, where the demo accounts' own is not asked
for either. Guarantees: a code is good once, also from the API; without the shared cache no code is good. No call outside.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from accounts.models import User
from pimpshop.core import crypto, errors, ids

TOTP = Authenticator.Type.TOTP
#: Marks the rows of demo accounts, whose secrets `seed_demo` prints.
_DEMO = "demo"
#: Longer than a code is good for: a step before and after its own (settings_people.MFA_TOTP_TOLERANCE).
_USED_FOR = 120


class SecondFactorNeeded(errors.ShopError):
    code = "second_factor_needed"
    message = _("Please send the code of your authenticator app too, or a recovery code.")


class SecondFactorWrong(errors.ShopError):
    code = "second_factor_wrong"
    message = _("That is not the right code. Please look again.")


class SecondFactorMissing(errors.ShopError):
    code = "second_factor_missing"
    message = _("Staff log in with a second factor. Please set one up on the website first.")


class Unreadable(errors.ShopError):
    """SECRET_KEY was changed without SECRET_KEY_FALLBACKS, or somebody touched the row."""

    code, status = "second_factor_unreadable", 503
    message = _("We cannot read your second factor any more. Please write to us, we help you back in.")


def unsealed(text: str) -> str:
    """The secret. Never an empty one: its codes could be worked out by anybody. Raises Unreadable."""
    secret = crypto.unseal(text)
    if not secret:
        raise Unreadable
    return secret


def rows(user: User) -> QuerySet[Authenticator]:
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk)
    return found


def is_set(user: User) -> bool:
    """Has this person an authenticator app?"""
    return rows(user).filter(type=TOTP).exists()


def is_asked_for(user: User) -> bool:
    """Must this person type a code to log in?"""
    asked = rows(user).filter(type=TOTP)
    return (asked.exclude(data__has_key=_DEMO) if settings.SANDBOX else asked).exists()


def is_demanded_of(user: User) -> bool:
    """May this person not work at the desk without one?"""
    return user.is_staff and not settings.SANDBOX


def was_shown(request: HttpRequest) -> bool:
    """Has who is logged in shown it in this session? One from before it was set up has not."""
    records = get_authentication_records(request, request.user) if hasattr(request, "session") else []
    return any(record.get("method") == "mfa" for record in records)


def desk_is_open(request: HttpRequest) -> bool:
    """May who is logged in on a page act as staff there?"""
    user = request.user
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return False
    return not is_demanded_of(user) or was_shown(request)


def require(user: User, code: str) -> None:
    """For a log-in by password elsewhere than on the website. Raises SecondFactorNeeded, SecondFactorWrong,
    SecondFactorMissing."""
    if is_asked_for(user):
        if not code.strip():
            raise SecondFactorNeeded
        if not check(user, code):
            raise SecondFactorWrong
    elif is_demanded_of(user):
        raise SecondFactorMissing


def check(user: User, code: str) -> bool:
    """Is `code` one of the app's now, or a recovery code? It is used up. Raises Unavailable without the shared cache."""
    try:
        for row in rows(user).filter(type__in=(TOTP, Authenticator.Type.RECOVERY_CODES)):
            if row.wrap().validate_code(code) and (row.type != TOTP or is_first_use(user, code)):
                row.record_usage()
                return True
    except RedisError as error:
        raise errors.Unavailable from error
    return False


def is_first_use(user: User, code: str) -> bool:
    """Note that the app's `code` was used. Raises RedisError without the cache that remembers it."""
    digits = "".join(sign for sign in code if sign.isalnum())
    return cache.add(f"second-factor:{user.pk}:{ids.hash_token(digits)[:24]}", 1, timeout=_USED_FOR)


def remove(user: User) -> bool:
    """Take it away from somebody who has lost it; False when there was none. Who asked is the caller's to know."""
    return rows(user).delete()[0] > 0


def give_demo(user: User, secret: bytes) -> None:
    """A demo account's factor with that secret (in base32, as apps take it), unless it has one."""
    data: dict[str, Any] = {"secret": crypto.seal(secret.decode()), _DEMO: True}
    Authenticator.objects.get_or_create(user=user, type=TOTP, defaults={"data": data})


def secret_of(user: User) -> str:
    """The secret of a demo account, to be printed; "" for everybody else's."""
    row = rows(user).filter(type=TOTP, data__has_key=_DEMO).first()
    return unsealed(row.data["secret"]) if row else ""
