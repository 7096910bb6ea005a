"""The orders app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders import checks, tasks  # noqa: F401  (registers invariants and sweep rounds)
        from orders.services import messages, staff_kinds  # noqa: F401  (registers kinds of messages, of items)
