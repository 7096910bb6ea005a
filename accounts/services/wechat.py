"""Log-in of the mini program: a code of wx.login becomes a person, and the person gets our Bearer token. The whole of it is
payments.services.proving.log_in, for it may join two accounts.

Guarantees: one person per (app, openid) and per unionid, however many log in at once (a lock of the database on the
person's name at WeChat, and UNIQUE behind it); nothing of a refused log-in is stored. One call to WeChat, outside any
transaction. A first log-in makes a user without an e-mail.
"""

from __future__ import annotations

import hashlib

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts import registry
from accounts.gateways import mini_program
from accounts.models import User, UserToken, WeChatIdentity
from accounts.services import tokens
from pimpshop.core import errors, staff_items

log = structlog.get_logger(__name__)

#: Seconds after which a client may ask again when WeChat was away.
RETRY_AFTER = 5
_ITEM, _SUBJECT = "wechat_login_broken", "mini program"


class CodeNotGood(errors.ShopError):
    """The code is unknown, too old or was used: the client gets a new one from wx.login."""

    code = "wechat_code_invalid"
    message = _("WeChat did not accept this log-in any more. Please try again.")


class WeChatAway(errors.Unavailable):
    """WeChat does not answer, or not to us."""

    code = "wechat_unavailable"
    message = _("WeChat does not answer right now. Nothing was changed. Please try again in a moment.")


class SwitchedOff(errors.ShopError):
    code, status = "account_off", 403
    message = _("This account was switched off. Please write to us if that surprises you.")


def let_in(user: User, *, label: str = "") -> tuple[str, UserToken]:
    """A token for somebody whom WeChat knows. Raises SwitchedOff."""
    if not user.is_active:
        raise SwitchedOff
    return tokens.issue(user, label=label)


def ask(code: str) -> tuple[str, mini_program.Person]:
    """(app id, who brought the `code` of wx.login), from WeChat: the code is used up.

    Raises CodeNotGood, WeChatAway, registry.WeChatLogInOff.
    """
    client = registry.mini_program_or_refuse()
    try:
        person = client.person_of(code)
    except mini_program.CodeRefused as error:
        raise CodeNotGood from error
    except mini_program.WeChatMisuse as error:
        staff_items.open_item(
            kind=_ITEM,
            subject=_SUBJECT,
            title=f"Nobody can log in by WeChat: errcode {error.errcode}",
            detail="Compare WECHAT_MINI_APP_ID and WECHAT_MINI_APP_SECRET with the mini program's console.",
        )
        raise WeChatAway(retry_after=60) from error
    except mini_program.WeChatUnavailable as error:
        raise WeChatAway(retry_after=RETRY_AFTER) from error
    return client.app_id, person


def user_of(app_id: str, person: mini_program.Person) -> User:
    """Whose identity that is; it is noted as used, and made with its user when there is none."""
    with transaction.atomic():
        row = _known(app_id, person)
        if row is None:
            lock_person(app_id, person)
            row = _known(app_id, person) or _made(app_id, person)
        return row.user


def _known(app_id: str, person: mini_program.Person) -> WeChatIdentity | None:
    row = WeChatIdentity.objects.select_related("user").filter(app_id=app_id, openid=person.openid).first()
    if row is not None:
        news = {"unionid": person.unionid} if person.unionid and not row.unionid else {}
        WeChatIdentity.objects.filter(pk=row.pk).update(last_used_at=timezone.now(), **news)
    return row


def _made(app_id: str, person: mini_program.Person) -> WeChatIdentity:
    """A new identity: of the user who has the same unionid at another app, else of a new one."""
    twin = (
        WeChatIdentity.objects.select_related("user").filter(unionid=person.unionid).order_by("pk").first()
        if person.unionid
        else None
    )
    user = twin.user if twin is not None else User.objects.create_user(language=_language())
    row = WeChatIdentity.objects.create(
        user=user, app_id=app_id, openid=person.openid, unionid=person.unionid
    )
    log.info("wechat_identity_made", user_id=user.pk, joined=twin is not None)
    return row


def lock_person(app_id: str, person: mini_program.Person) -> None:
    """One at a time per person, until the transaction ends: by unionid where there is one (two apps at once), and by
    openid in this order always, so that nobody waits in a circle."""
    names = [f"union:{person.unionid}"] if person.unionid else []
    for name in [*names, f"open:{app_id}:{person.openid}"]:
        digest = hashlib.sha256(f"wechat:{name}".encode()).digest()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)]
            )


def _language() -> str:
    """The language that the client asked in, where it is one of ours."""
    asked = translation.get_language() or ""
    return asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
