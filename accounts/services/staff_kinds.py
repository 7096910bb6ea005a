"""What can wait for a person about logging in (pimpshop.core.staff_kinds)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pimpshop.core.staff_kinds import Kind, Severity, register

register(
    Kind(
        "wechat_login_broken", _("Nobody can log in with WeChat"),
        _("Compare WECHAT_MINI_APP_ID and WECHAT_MINI_APP_SECRET with the mini program's console."),
        Severity.URGENT,
    )
)  # fmt: skip
