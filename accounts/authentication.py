"""Who calls the API: `Authorization: Bearer …` with a user's token or an API key; and what a caller may do.

Guarantees: what is unknown, expired or revoked, or belongs to a switched-off account, is 401 and never anonymous;
a server's key sent by a browser (with an Origin header) is refused before it is looked at. `request.auth` is a
`core.api.callers.Caller`; `request.user` is the token's user or the owner of a secret key. The owner of another key is
only in `request.auth.user`: a key that may little must not open doors by the rights of its owner.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiKey
from accounts.services import api_keys, second_factor, tokens
from pimpshop.core.api.callers import Caller, Kind, caller_of

#: A longer one is not ours.
MAX_TOKEN = 200
#: Scopes beyond a shopper's, and the permission at the desk that gives them to a member of staff.
STAFF_SCOPES = {
    "refunds:read": "payments.view_refund",
    "refunds:write": "payments.add_refund",
    "events:read": "payments.view_webhookevent",
    "webhooks:read": "payments.view_webhookevent",
    "webhooks:write": "payments.change_webhookevent",
}


class BearerAuthentication(BaseAuthentication):
    """Tokens and keys in one header. Without the header the caller is anonymous to this class."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        scheme, _space, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        if not token or len(token) > MAX_TOKEN:
            raise exceptions.AuthenticationFailed(_("This token is not valid."))
        if not token.startswith(tuple(ApiKey.PREFIXES.values())):
            return _user(token)
        _refuse_browsers(request, token)
        return _key(token)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _user(token: str) -> tuple[Any, Caller]:
    row = tokens.find(token)
    if row is None:
        raise exceptions.AuthenticationFailed(_("This token is not valid any more. Please log in again."))
    tokens.note_use(row)
    caller = Caller(
        kind="user",
        scopes=api_keys.USER_SCOPES,
        owner=f"user:{row.user_id}",
        user=row.user,
        token_id=row.pk,
    )
    return row.user, caller


def _refuse_browsers(request: Request, key: str) -> None:
    """A page that carries a server's key shows it to everybody who opens it."""
    if "Origin" in request.headers and not key.startswith(ApiKey.PREFIXES["publishable"]):
        raise exceptions.PermissionDenied(
            _(
                "This key belongs on a server, and the request came from a browser. "
                "Use a publishable key there, and revoke this one: it may have been seen."
            )
        )


def _key(key: str) -> tuple[Any, Caller]:
    row = api_keys.find(key)
    if row is None:
        raise exceptions.AuthenticationFailed(_("This API key is not valid."))
    tokens.note_use(row)
    secret = row.kind == ApiKey.Kind.SECRET
    by_user = row.user is not None and row.kind != ApiKey.Kind.PUBLISHABLE
    caller = Caller(
        kind=cast(Kind, row.kind),  # the constraint apikey_kind
        scopes=api_keys.scopes_of(row),
        owner=f"user:{row.user_id}" if by_user else f"key:{row.pk}",
        user=row.user,
        key_id=row.pk,
    )
    return (row.user if secret and row.user is not None else AnonymousUser()), caller


class DeskSession(SessionAuthentication):
    """Somebody logged in on a page of ours. Staff to whom the desk is closed are nobody."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found: tuple[Any, None] | None = super().authenticate(request)
        closed = found and found[0].is_staff and not second_factor.desk_is_open(request._request)
        return None if closed else found


class PageSession(SessionAuthentication):
    """Somebody logged in on a page, for JSON doors that are open to everybody: a foreign page can post JSON to them only
    where CORS lets it, and never with our cookies, so no CSRF token is asked for."""

    def enforce_csrf(self, request: Any) -> None:
        """Not needed (see above)."""


def may(request: Request, scope: str) -> bool:
    """May who sent `request` do `scope`? Somebody logged in on a page may do what their token might."""
    caller = caller_of(request)
    if caller is not None and caller.kind != "user":
        return scope in caller.scopes
    user = request.user
    if not user.is_authenticated:
        return False
    permission = STAFF_SCOPES.get(scope)
    if permission is not None:
        return _is_staff(request) and bool(user.has_perm(permission))
    return scope in api_keys.USER_SCOPES


def sees_all(request: Request, permission: str) -> bool:
    """May who sent `request` look at everybody's? The shop's own keys, and staff with that permission of the desk."""
    caller = caller_of(request)
    if caller is not None and caller.kind != "user":
        return caller.sees_all
    return _is_staff(request) and bool(request.user.has_perm(permission))


def _is_staff(request: Request) -> bool:
    """With a token: whoever has one has shown the second factor for it. On a page: as at the desk."""
    if caller_of(request) is None:
        return second_factor.desk_is_open(request._request)
    return bool(request.user.is_staff)


@cache
def has_scope(scope: str) -> type[BasePermission]:
    """A permission class for `permission_classes`: 401 for anonymous callers, 403 without `scope`."""
    if scope not in api_keys.SCOPES:
        raise ValueError(f"there is no scope {scope!r}")

    class HasScope(BasePermission):
        message = _("This token or key may not do that.")

        def has_permission(self, request: Request, view: Any) -> bool:
            if caller_of(request) is None and not request.user.is_authenticated:
                raise exceptions.NotAuthenticated
            return may(request, scope)

    HasScope.__qualname__ = f"HasScope({scope})"
    return HasScope


class BearerScheme(OpenApiAuthenticationExtension):
    """How the API's description shows it."""

    target_class = BearerAuthentication
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A user's token (POST /api/auth/token) or an API key (manage.py create_api_key).",
        }


class DeskSessionScheme(SessionScheme):
    """The cookie of the website."""

    target_class = DeskSession  # type: ignore[assignment]  # its own is a dotted name; both are allowed
    name = "cookieAuth"


class PageSessionScheme(SessionScheme):
    """The cookie of somebody logged in on a page."""

    target_class = PageSession  # type: ignore[assignment]  # its own is a dotted name; both are allowed
    name = "pageCookie"
