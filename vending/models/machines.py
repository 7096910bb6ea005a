"""Machines and what they hold."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Shell
from pimpshop.core import ids
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
    screen_locked = models.BooleanField(
        _("its screen needs the key"),
        default=False,
        db_default=False,
        help_text=_(
            "Only the address below is its screen. Whoever opens it without the key sees the code alone."
        ),
    )
    floor = models.CharField(_("floor"), max_length=60, blank=True, db_default="", default="")
    landmark = models.CharField(
        _("landmark"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("What somebody who looks for it sees first: “between the escalator and the bakery”."),
    )
    opening_hours = models.CharField(
        _("opening hours"), max_length=200, blank=True, default="", db_default=""
    )
    latitude = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)], help_text=_("Degrees, north is positive."),
    )  # fmt: skip
    longitude = models.DecimalField(
        _("longitude"), max_digits=9, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)], help_text=_("Degrees, east is positive."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("machine")
        verbose_name_plural = _("machines")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(latitude=None, longitude=None)
                | models.Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
                name="machine_place_is_whole",
                violation_error_message=_("A place on the map needs latitude and longitude."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.machine_id})"

    def screen_path(self) -> str:
        """The address for the machine's own screen, with its key."""
        return f"/m/{self.machine_id}/?k={ids.link_key('screen', self.machine_id)}"

    def is_screen(self, key: str) -> bool:
        """Is whoever opens the screen with `key` the machine itself, as far as staff want to know?"""
        return not self.screen_locked or ids.link_key_matches("screen", self.machine_id, key)

    @property
    def place(self) -> str:
        """Where it stands on the map, as "latitude,longitude" in degrees; "" when nobody has said."""
        if self.latitude is None or self.longitude is None:
            return ""
        return f"{self.latitude:f},{self.longitude:f}"


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
