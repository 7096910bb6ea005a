"""API keys: create, find, revoke. And the words of what a key may do.

Guarantees: a key is shown once and stored as a hash; what each kind may do is decided here alone. No call outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, User
from pimpshop.core import errors, ids

#: Everything that can be allowed, and what it means.
SCOPES: dict[str, str] = {
    "payments:pay": "pay an order that exists; confirm and complete that payment with its client secret",
    "payments:read": "see payments",
    "payments:write": "create, confirm, capture, cancel and complete payments",
    "refunds:read": "see refunds",
    "refunds:write": "give money back",
    "methods:read": "see saved ways to pay",
    "methods:write": "save, choose and remove ways to pay",
    "orders:read": "see orders",
    "orders:write": "make and cancel orders",
    "credits:read": "see credits and plans",
    "events:read": "see events",
    "webhooks:read": "see webhook endpoints and deliveries",
    "webhooks:write": "make, change and remove webhook endpoints; send deliveries again",
}
#: A key that anybody can read in a page's source pays existing orders, no more.
PUBLISHABLE_SCOPES = frozenset({"payments:pay"})
#: What a user does for themselves.
USER_SCOPES = frozenset(
    scope for scope in SCOPES if scope.partition(":")[0] in {"payments", "methods", "orders", "credits"}
)
#: Who writes may also pay and read, without saying so.
IMPLIED = {
    scope: {scope.replace(":write", ":read")} | ({"payments:pay"} if scope == "payments:write" else set())
    for scope in SCOPES
    if scope.endswith(":write") and scope.replace(":write", ":read") in SCOPES
}


class BadKey(errors.ShopError):
    """A key that cannot be made as asked."""

    message = _("Such a key cannot be made. Nothing was stored.")


def create(
    *, kind: str, name: str, user: User | None = None, scopes: Iterable[str] = ()
) -> tuple[str, ApiKey]:
    """A new key and its row; the text cannot be read again.

    `scopes` are for a restricted key, which needs at least one. Raises BadKey in words for people.
    """
    wanted = sorted({scope.strip() for scope in scopes if scope.strip()})
    if kind not in ApiKey.Kind.values:
        raise BadKey(_("A key is secret, restricted or publishable."))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise BadKey(_("There is no such scope: %s.") % ", ".join(unknown))
    if (kind == ApiKey.Kind.RESTRICTED) != bool(wanted):
        raise BadKey(_("A restricted key needs scopes, and only a restricted key has them."))
    if not name.strip():
        raise BadKey(_("A key needs a name."))
    key = ApiKey.PREFIXES[kind] + ids.new_token()
    row = ApiKey.objects.create(
        kind=kind,
        name=name.strip()[:120],
        user=user,
        scopes=wanted,
        token_hash=ids.hash_token(key),
        shown=key[:12],
    )
    return key, row


def scopes_of(row: ApiKey) -> frozenset[str]:
    """Everything `row` may do, with what is implied."""
    if row.kind == ApiKey.Kind.SECRET:
        return frozenset(SCOPES)
    if row.kind == ApiKey.Kind.PUBLISHABLE:
        return PUBLISHABLE_SCOPES
    return frozenset(row.scopes).union(*(IMPLIED.get(scope, set()) for scope in row.scopes))


def find(key: str) -> ApiKey | None:
    """The living key with its owner, or None: unknown, revoked, or the owner is switched off."""
    row = (
        ApiKey.objects.select_related("user").filter(token_hash=ids.hash_token(key), revoked_at=None).first()
    )
    return row if row is not None and (row.user is None or row.user.is_active) else None


def revoke(key_id: int) -> bool:
    """End one key now; False when it had ended before."""
    return ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=timezone.now()) == 1
