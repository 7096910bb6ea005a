"""The core app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "pimpshop.core"
    label = "core"
    verbose_name = "Shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from pimpshop import celery  # noqa: F401  (tasks bind to this app, in every process)
        from pimpshop.core import checks, figures, sweep_rounds, traffic  # noqa: F401  (registers them)
