"""The accounts app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import checks, tasks  # noqa: F401  (registers the system checks and the sweeper's rounds)
        from accounts.services import (  # noqa: F401  (serves the mini program's token, registers kinds of items)
            message_tokens,
            staff_kinds,
        )
