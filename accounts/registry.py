"""The mini program as settings have it: one place knows its id, its secret and where WeChat is."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.gateways import mini_program
from pimpshop.core import calls, errors, tokens


class WeChatLogInOff(errors.NotFound):
    code = "wechat_off"
    message = _("Logging in with WeChat is not available here.")


def get_mini_program() -> mini_program.MiniProgram | None:
    """The mini program, or None where there is none (WECHAT_MINI_APP_ID and _SECRET are empty)."""
    if not (settings.WECHAT_MINI_APP_ID and settings.WECHAT_MINI_APP_SECRET):
        return None
    return mini_program.MiniProgram(
        mini_program.Config(
            app_id=settings.WECHAT_MINI_APP_ID,
            app_secret=settings.WECHAT_MINI_APP_SECRET,
            base_url=settings.WECHAT_LOGIN_BASE,
            token_store=tokens.SharedTokenStore(f"wechat:{settings.WECHAT_MINI_APP_ID}"[:64]),
            recorder=calls.record,
        )
    )


def mini_program_or_refuse() -> mini_program.MiniProgram:
    """The mini program. Raises WeChatLogInOff where there is none."""
    found = get_mini_program()
    if found is None:
        raise WeChatLogInOff
    return found
