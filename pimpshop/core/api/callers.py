"""Who calls the API: `request.auth` of a view. Made by accounts.authentication; read by every app's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rest_framework.request import Request

Kind = Literal["user", "secret", "restricted", "publishable"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with a token, or a program with an API key.

    `user` is who is acted for: the token's user or the key's owner, None for the shop's own keys. `scopes` are all
    that is allowed. `owner` is the name under which idempotency keys and rate limits count: "user:12", "key:3".
    """

    kind: Kind
    scopes: frozenset[str]
    owner: str
    user: Any = None
    key_id: int | None = None
    token_id: int | None = None

    @property
    def user_id(self) -> int | None:
        return None if self.user is None else int(self.user.pk)

    @property
    def buyer(self) -> Any:
        """Whose purchase it is: the user's, or the owner's of a server's key. A publishable key stands in a page that
        anybody opens, so its owner is nobody's buyer."""
        return None if self.kind == "publishable" else self.user

    @property
    def sees_all(self) -> bool:
        """A server's key without an owner belongs to the shop itself: it sees every payment."""
        return self.user is None and self.kind in {"secret", "restricted"}


def caller_of(request: Request) -> Caller | None:
    """The caller with a token or key; None for an anonymous one and for somebody logged in on a page."""
    return request.auth if isinstance(request.auth, Caller) else None


def owner_of(request: Request) -> str | None:
    """Under which name idempotency keys of this request count; None for anonymous callers, who have none."""
    caller = caller_of(request)
    if caller is not None:
        return caller.owner
    return f"user:{request.user.pk}" if request.user.is_authenticated else None
