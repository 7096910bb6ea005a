"""The credits app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CreditsConfig(AppConfig):
    name = "credits"
    verbose_name = _("Credits")

    def ready(self) -> None:
        from credits import checks, tasks  # noqa: F401  (registers invariants and sweep rounds)
        from credits.services import staff_kinds  # noqa: F401  (registers kinds of items)
