"""Who somebody turns out to be: a WeChat identity or an e-mail address is proven for an account, and two accounts of one
person become one (payments.services.merging).

Guarantees: the call to WeChat is made before the transaction; what is proven and what follows from it are one
transaction; repeating changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.gateways.mini_program import Person
from accounts.models import User, UserToken, WeChatIdentity, normalise_email
from accounts.services import addresses, wechat
from orders.services import claiming
from payments.services import merging

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proven:
    """`user` is the account that there is now; `joined`: another account is in it."""

    user: User
    joined: bool


def log_in(*, code: str, label: str = "") -> tuple[str, UserToken]:
    """A token for who brought the `code` of wx.login; a new person at the first time. Who turns out to have an account at
    another app of ours too (the unionid came later than both) has one from now on, where they can be joined.

    Raises CodeNotGood, WeChatAway, wechat.SwitchedOff, WeChatLogInOff.
    """
    app_id, person = wechat.ask(code)
    user = wechat.user_of(app_id, person)
    if user.is_active and _others(user, app_id, person):
        try:
            user = is_at_wechat(user, app_id, person).user
        except merging.CannotJoin:
            log.warning("accounts_of_one_person", user_id=user.pk)
    return wechat.let_in(user, label=label)


def bind_wechat(user: User, *, code: str) -> Proven:
    """The `code` of wx.login belongs to whoever holds `user`: from now on WeChat logs in as that account.

    Raises CodeNotGood, WeChatAway, WeChatLogInOff, merging.CannotJoin (the identity is another account's that has an
    address too, or staff's); nothing was changed then.
    """
    app_id, person = wechat.ask(code)
    return is_at_wechat(user, app_id, person)


@transaction.atomic
def is_at_wechat(user: User, app_id: str, person: Person) -> Proven:
    """`user` is `person` at WeChat."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():  # it went into another one meanwhile
        raise merging.CannotJoin
    wechat.lock_person(app_id, person)
    others = _others(user, app_id, person)
    for other in others:
        user = _as_one(user, other)
    WeChatIdentity.objects.update_or_create(
        app_id=app_id, openid=person.openid,
        defaults={"user": user, "last_used_at": timezone.now()} | ({"unionid": person.unionid} if person.unionid else {}),
    )  # fmt: skip
    return Proven(user, joined=bool(others))


def _others(user: User, app_id: str, person: Person) -> list[User]:
    """The other accounts that are this person: by openid, and by unionid at another app."""
    rows = WeChatIdentity.objects.select_related("user")
    same = rows.filter(app_id=app_id, openid=person.openid)
    if person.unionid:
        same = same | rows.filter(unionid=person.unionid)
    found = {row.user_id: row.user for row in same.order_by("pk")}
    return [other for pk, other in found.items() if pk != user.pk]


def _as_one(user: User, other: User) -> User:
    """The account without an address goes into the other; of two without one, the other goes into the one that asks."""
    gone, stays = (other, user) if user.email or not other.email else (user, other)
    return merging.join(user=gone, into=stays, actor=f"user {user.pk}")


@transaction.atomic
def has_address(user: User, email: str) -> Proven:
    """`user` has shown that the mailbox `email` is theirs: by a code that was mailed there, or the password of the account
    that has it. That account and `user` are one; where no account has proven the address, it is `user`'s, and what waits for it.

    Raises merging.CannotJoin, also when `user` has another address already.
    """
    address = normalise_email(email)
    if address is None:
        raise ValueError("no address was proven")
    if user.email == address:
        return Proven(user, joined=False)
    other = User.objects.select_for_update(no_key=True).filter(email=address).first()
    if other is not None and not (user.email or other.is_staff or addresses.is_proven(other)):
        # A stranger may have typed it: whoever knows that account's password gets nothing of `user`.
        addresses.take_from(other)
        other = None
    if other is not None:
        return Proven(merging.join(user=user, into=other, actor=f"user {user.pk}"), joined=True)
    if user.email or not user.is_active:
        raise merging.CannotJoin
    User.objects.filter(pk=user.pk, email=None).update(email=address)
    user.email = address
    addresses.keep_as_proven(user)
    claiming.claim_for(user)
    return Proven(user, joined=False)
