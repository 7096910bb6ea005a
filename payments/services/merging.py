"""Two accounts of one person become one: the one without an e-mail address goes into the other.

Guarantees: one transaction moves everything or nothing; recorded (JoinedAccount, AuditEntry, a remark on each order);
idempotent; tokens of the account that went are revoked, it is switched off and owns nothing. What a request that was on
its way still gave to it is gathered by the sweeper. Never two accounts with an address, never staff. Locks, top down:
saved methods, orders, accounts of credits, both users. No call outside: who somebody is was asked before.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, User, WeChatIdentity
from accounts.services import tokens
from catalog.services import joining as catalogue
from credits.services import joining as ledger
from orders.services import joining as orders
from payments.models import (
    JoinedAccount,
    OutboundEvent,
    ProviderCustomer,
    SavedPaymentMethod,
    WebhookEndpoint,
)
from pimpshop.core import errors, idempotency
from pimpshop.core.models import AuditEntry

log = structlog.get_logger(__name__)

#: So long after a join the sweeper looks for what still came in.
GATHERED_FOR = timedelta(days=1)


class CannotJoin(errors.Conflict):
    """Both have an address, or one of them is staff's or a program's."""

    code = "accounts_cannot_be_joined"
    message = _("These two accounts cannot be joined. Nothing was changed. Please write to us.")


def join(*, user: User, into: User, actor: str) -> User:
    """`user`, who has no e-mail address, and `into` are one person: everything is `into`'s. Answers `into`.

    The caller has seen the proof of both. Raises CannotJoin. Joined before: nothing changes.
    """
    with transaction.atomic():
        rows = {row.pk: row for row in _locked(user.pk, into.pk)}
        user, into = rows[user.pk], rows[into.pk]
        before = JoinedAccount.objects.filter(user=user).first()
        if before is not None and before.into_id == into.pk:
            return into
        _check(user, into, before)
        moved = _move(user, into, actor)
        JoinedAccount.objects.create(user=user, into=into, moved=moved)
        AuditEntry.objects.create(
            actor=actor, action="joined accounts", subject=f"user {into.pk}",
            reason=f"user {user.pk} is the same person", data=moved,
        )  # fmt: skip
    log.info("accounts_joined", user_id=user.pk, into=into.pk)
    return into


def _locked(*user_ids: int) -> list[User]:
    """Both users, the lower id first; without a key lock, so that rows that name them can still be written."""
    return list(User.objects.select_for_update(no_key=True).filter(pk__in=user_ids).order_by("pk"))


def _check(user: User, into: User, before: JoinedAccount | None) -> None:
    """Raises CannotJoin."""
    staff = any(one.is_staff or one.is_superuser for one in (user, into))
    gone = before is not None or not (user.is_active and into.is_active)
    programs = ApiKey.objects.filter(user=user, revoked_at=None).exists()
    if user.pk == into.pk or user.email or staff or gone or programs:
        raise CannotJoin


def _move(user: User, into: User, actor: str) -> dict[str, Any]:
    """Everything, top down; answers what, for the record."""
    moved: dict[str, Any] = {"from": user.pk, "to": into.pk, **_payments(user, into)}
    moved["orders"] = orders.hand_over(user.pk, into.pk, actor=actor)
    moved["ledger"] = asdict(
        ledger.join(user_id=user.pk, to_user_id=into.pk, actor=actor, reason="accounts joined")
    )
    moved |= catalogue.hand_over(f"user:{user.pk}", f"user:{into.pk}")
    idempotency.hand_over(f"user:{user.pk}", f"user:{into.pk}")
    moved["identities"] = user.wechat_identities.update(user=into)
    moved["tokens_revoked"] = tokens.revoke_all(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    return _plain(moved)


def _payments(user: User, into: User) -> dict[str, int]:
    """Ways to pay that are kept, who the buyer is at providers, webhooks out. One default stays one."""
    methods = SavedPaymentMethod.objects.filter(user=user)
    if SavedPaymentMethod.objects.filter(user=into, is_default=True, removed_at=None).exists():
        methods.filter(is_default=True, removed_at=None).update(is_default=False)
    known = ProviderCustomer.objects.filter(user=into).values_list("gateway", "account")
    customers = [
        row.pk
        for row in ProviderCustomer.objects.filter(user=user)
        if (row.gateway, row.account) not in set(known)
    ]
    ProviderCustomer.objects.filter(pk__in=customers).update(user=into)
    WebhookEndpoint.objects.filter(user=user).update(user=into)
    OutboundEvent.objects.filter(user=user).update(user=into)
    return {"saved_methods": methods.update(user=into), "customers": len(customers)}


def _plain(moved: dict[str, Any]) -> dict[str, Any]:
    """Times as text, for JSON columns."""
    plain: dict[str, Any] = json.loads(json.dumps(moved, cls=DjangoJSONEncoder))
    return plain


# --- What came in afterwards ------------------------------------------------------------------------------------------
def due() -> list[int]:
    """Joins of the last day whose account that went owns something again."""
    recent = JoinedAccount.objects.filter(joined_at__gte=timezone.now() - GATHERED_FOR).order_by("pk")
    return [row.pk for row in recent if _owns_something(row.user_id)]


def _owns_something(user_id: int) -> bool:
    return (
        orders.has_orders(user_id)
        or ledger.has_something(user_id)
        or SavedPaymentMethod.objects.filter(user_id=user_id).exists()
        or WeChatIdentity.objects.filter(user_id=user_id).exists()
    )


def gather(join_pk: int) -> bool:
    """Hand over what a request on its way gave to the account that went."""
    with transaction.atomic():
        row = JoinedAccount.objects.select_related("user", "into").get(pk=join_pk)
        _locked(row.user_id, row.into_id)
        moved = _move(row.user, row.into, "system")
        AuditEntry.objects.create(
            actor="system", action="joined accounts", subject=f"user {row.into_id}",
            reason=f"came in for user {row.user_id} afterwards", data=moved,
        )  # fmt: skip
    return True
