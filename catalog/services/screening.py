"""Pictures and texts of customers are looked at before they are kept, where CONTENT_CHECKS says by whom (off by default).

A port with one adapter: WeChat's content checks (accounts.gateways.mini_program). Guarantees: asked outside of any
transaction; a verdict is remembered for a day, so that nothing is asked twice; whoever looks and does not answer stops
nobody: it is let through, logged, and staff are told once (a shop that prints nothing because a check is away would lose more
than it protects, and every design can be looked at at the desk). Nothing that was looked at is logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from accounts import registry
from accounts import selectors as accounts
from accounts.gateways import mini_program
from accounts.models import User
from catalog.services import pictures
from pimpshop.core import errors, staff_items

log = structlog.get_logger(__name__)

REMEMBERED_FOR = 86_400  # seconds
ITEM, SUBJECT = "content_checks_away", "content checks"
#: What WeChat takes: 750 x 1334 pixels and 1 MB.
MOST_PX = 750


class PictureNotAllowed(errors.ShopError):
    code = "picture_not_allowed"
    message = _("This picture cannot be printed here. Please choose another one. Nothing was ordered.")


class TextNotAllowed(errors.ShopError):
    code = "text_not_allowed"
    message = _("These words cannot be printed here. Please choose others. Nothing was ordered.")


def check_picture(picture: pictures.Picture) -> None:
    """Raises PictureNotAllowed."""
    client = _looks()
    if client is not None and not _verdict(
        picture.sha256, lambda: client.allows_picture(pictures.as_small_jpeg(picture, MOST_PX))
    ):
        raise PictureNotAllowed


def check_text(text: str, *, owner: str) -> None:
    """`text` of an owner ("user:12" where somebody is known). Raises TextNotAllowed."""
    client = _looks() if text.strip() else None
    if client is not None and not _verdict(
        hashlib.sha256(text.encode()).hexdigest(),
        lambda: client.allows_text(text, openid=_openid(owner, client)),
    ):
        raise TextNotAllowed


def _looks() -> mini_program.MiniProgram | None:
    """Who looks, None where nobody does."""
    return registry.get_mini_program() if settings.CONTENT_CHECKS == "wechat" else None


def _openid(owner: str, client: mini_program.MiniProgram) -> str:
    kind, _colon, number = owner.partition(":")
    user = User.objects.filter(pk=int(number)).first() if kind == "user" and number.isdigit() else None
    return accounts.wechat_openid(user, client.app_id) if user is not None else ""


def _verdict(digest: str, ask: Callable[[], bool]) -> bool:
    """What was said before, else what is said now; True where nobody answers."""
    key, known = f"screened:{digest}", None
    with suppress(RedisError, OSError):  # without the cache it is asked again, and nobody is stopped
        known = cache.get(key)
    if known is None:
        try:
            known = ask()
        except mini_program.WeChatError as error:
            _note_absence(error)
            return True
        with suppress(RedisError, OSError):
            cache.set(key, known, REMEMBERED_FOR)
        staff_items.resolve_about(kind=ITEM, subject=SUBJECT, resolution="answered again")
    if not known:
        log.info("content_refused")
    return bool(known)


def _note_absence(error: mini_program.WeChatError) -> None:
    log.warning("content_not_checked", error=str(error))
    staff_items.open_item(
        kind=ITEM, subject=SUBJECT, why=str(error)[:200], title="Pictures and texts are not looked at",
        detail="The content checks do not answer; what customers send is let through meanwhile. See Outbound calls.",
    )  # fmt: skip
