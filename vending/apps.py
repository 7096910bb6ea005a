"""The vending app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VendingConfig(AppConfig):
    name = "vending"
    verbose_name = _("Machines")

    def ready(self) -> None:
        from vending import checks, tasks  # noqa: F401  (registers invariants and sweep rounds)
        from vending.services import figures, staff_kinds  # noqa: F401  (registers figures, kinds of items)
