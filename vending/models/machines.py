"""Machines and what they hold."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Shell
from pimpshop.core.models import Timestamped
from pimpshop.core.money import EXPONENTS


class Machine(Timestamped):
    """A vending machine. `machine_id` is the manufacturer's device_id; it may contain "_"."""

    class Printer(models.TextChoices):
        OK = "ok", _("working")
        OUT = "out", _("out of order")

    machine_id = models.CharField(_("machine id"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    location = models.CharField(_("location"), max_length=200, blank=True)
    currency = models.CharField(
        _("currency"), max_length=8, choices=[(c, c) for c in EXPONENTS], default="GBP"
    )
    language = models.CharField(_("language"), max_length=10, default="en")
    is_active = models.BooleanField(_("in use"), default=True)
    maintenance = models.BooleanField(
        _("in maintenance"),
        default=False,
        help_text=_("No new money is taken; paid jobs wait."),
    )
    printer = models.CharField(_("printer"), max_length=8, choices=Printer.choices, default=Printer.OK)
    printer_reason = models.CharField(_("printer trouble"), max_length=200, blank=True)
    printer_at = models.DateTimeField(_("printer seen"), null=True, blank=True)
    last_contact_at = models.DateTimeField(_("last contact"), null=True, blank=True)
    stock_synced_at = models.DateTimeField(_("stock read"), null=True, blank=True)
    stock_error = models.CharField(_("stock error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("machine")
        verbose_name_plural = _("machines")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.machine_id})"


class StockLevel(models.Model):
    """How many blank shells of one kind a machine holds, as stock/list said."""

    machine = models.ForeignKey(Machine, models.CASCADE, related_name="stock", verbose_name=_("machine"))
    shell = models.ForeignKey(Shell, models.CASCADE, related_name="stock", verbose_name=_("shell"))
    count = models.IntegerField(_("pieces"))
    seen_at = models.DateTimeField(_("seen"))

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        constraints = [models.UniqueConstraint(fields=["machine", "shell"], name="stocklevel_machine_shell")]

    def __str__(self) -> str:
        return f"{self.machine_id} {self.shell}: {self.count}"
