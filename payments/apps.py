"""The payments app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from payments import checks, tasks  # noqa: F401  (registers invariants and sweep rounds)
        from payments.services import (  # noqa: F401  (registers figures, kinds of messages and of items)
            figures,
            messages,
            staff_kinds,
            stripe_mirror,
        )

        if stripe_mirror.is_on():
            stripe_mirror.harden()
            stripe_mirror.drop_its_checks()
