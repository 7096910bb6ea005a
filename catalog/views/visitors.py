"""Who designs at home: somebody with an account, else a browser, known by a signed cookie that no script reads.

Guarantees: an id that we did not sign counts for nothing; what a browser has made becomes the person's when they log in,
and the cookie goes, so that the next person at that browser sees nothing of it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog.services import drafts

COOKIE, SALT = "visitor", "catalog.visitor"
#: Longer than a draft is kept by default; each visit of the studio begins it anew.
LIFE_S = 90 * 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Visitor:
    """`keeper` as drafts know it. `cookie`: the id that this browser shall keep, "" to forget it, None: as it is."""

    keeper: str
    cookie: str | None

    @property
    def has_account(self) -> bool:
        return self.keeper.startswith("user:")

    def leave(self, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, with the cookie."""
        if self.cookie == "":
            response.delete_cookie(COOKIE, samesite="Lax")
        elif self.cookie is not None:
            response.set_signed_cookie(
                COOKIE, self.cookie, salt=SALT, max_age=LIFE_S, secure=settings.SESSION_COOKIE_SECURE,
                httponly=True, samesite="Lax",
            )  # fmt: skip
        return response


def _known(request: HttpRequest) -> str:
    found = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=LIFE_S) or ""
    return found if _ID.match(found) else ""


def meet(request: HttpRequest) -> Visitor:
    """Whoever asks; a browser that comes for the first time gets an id."""
    known = _known(request)
    if request.user.is_authenticated:
        keeper = f"user:{request.user.pk}"
        if not known:
            return Visitor(keeper, None)
        drafts.hand_over(f"visitor:{known}", keeper)
        return Visitor(keeper, "")
    known = known or secrets.token_hex(16)
    return Visitor(f"visitor:{known}", known)


def recognise(request: HttpRequest) -> str:
    """The keeper, without giving anybody an id; "" for a browser that was never in the studio at home."""
    if request.user.is_authenticated or _known(request):
        return meet(request).keeper
    return ""
