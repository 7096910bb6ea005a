"""Machines: may this one take money now, and if not, why not; what it holds and how old that knowledge is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from pimpshop.core.admin import words
from pimpshop.core.admin.base import KeptAdmin
from pimpshop.core.admin.questions import Question, questions
from vending.admin import machine_acts, stock
from vending.models import Machine, PrintJob, StockLevel
from vending.services import machines, print_jobs

#: Why a machine is not ready (machines.Readiness.code), in two words, with a tone.
VERDICTS: dict[str, tuple[str, Any]] = {
    "": ("success", _("ready")),
    "inactive": ("", _("not in use")),
    "maintenance": ("warning", _("maintenance")),
    "printer_out": ("danger", _("printer out")),
    "silent": ("danger", _("silent")),
}


def silent(now: datetime) -> Q:
    return Q(last_contact_at__lt=now - machines.SILENT_AFTER)


def printer_out(now: datetime) -> Q:
    return Q(printer=Machine.Printer.OUT) & (
        Q(printer_at=None) | Q(printer_at__gt=now - machines.PRINTER_DOUBT)
    )


def stock_stale(now: datetime) -> Q:
    return Q(stock_synced_at=None) | Q(stock_synced_at__lt=now - machines.STOCK_STALE_AFTER)


def _ready(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same judgement as machines.readiness, as rows."""
    now = timezone.now()
    usable = rows.filter(is_active=True, maintenance=False).exclude(printer_out(now))
    return usable.filter(Q(last_contact_at=None) | ~silent(now))


class StockInline(TabularInline):
    """What the machine holds, as stock/list said. Read only: the manufacturer's books are the truth."""

    model = StockLevel
    extra = 0
    can_delete = False
    hide_title = True
    fields = ("shell", "left", "reported")
    readonly_fields = ("shell", "left", "reported")
    ordering = ("count", "shell")
    tab = True
    verbose_name_plural = _("stock")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("shell__model", "shell__colour")
        return rows

    @words.labelled(_("pieces"))
    def left(self, level: StockLevel) -> tuple[str, Any]:
        return stock.pieces(level)

    @words.labelled(_("reported"))
    def reported(self, level: StockLevel) -> tuple[str, str]:
        return stock.age(level.seen_at)


@admin.register(Machine)
class MachineAdmin(KeptAdmin):
    list_display = ("headline", "verdict", "contact", "stock_read", "printer_state", "jobs_waiting")
    list_filter = (
        questions(
            Question("ready", _("ready"), _ready),
            Question("silent", _("silent"), lambda rows: rows.filter(silent(timezone.now()))),
            Question("stale", _("stock stale"), lambda rows: rows.filter(stock_stale(timezone.now()))),
            Question("printer", _("printer out"), lambda rows: rows.filter(printer_out(timezone.now()))),
            Question("maintenance", _("in maintenance"), lambda rows: rows.filter(maintenance=True)),
        ),
        "is_active",
    )
    search_fields = ("machine_id", "name")
    ordering = ("name",)
    inlines = (StockInline,)
    fieldsets = (
        (
            None,
            {"fields": ("verdict", "machine_id", "name", "location", "currency", "language", "is_active")},
        ),
        (
            _("How people find it"),
            {"fields": ("floor", "landmark", "opening_hours", ("latitude", "longitude"))},
        ),
        (_("Its screen"), {"fields": ("screen", "screen_locked")}),
        (
            _("What we know of it"),
            {
                "fields": (
                    "contact",
                    "stock_read",
                    "stock_error",
                    "printer_state",
                    "printer_reason",
                    "maintenance",
                )
            },
        ),
    )
    readonly_fields = (
        "screen",
        "verdict", "contact", "stock_read", "stock_error", "printer_state", "printer_reason", "maintenance",
    )  # fmt: skip
    acts = machine_acts.ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        waiting = PrintJob.objects.filter(machine=OuterRef("pk"), status__in=print_jobs.UNSENT).order_by()
        counted = waiting.values("machine").annotate(number=Count("pk")).values("number")
        rows: QuerySet[Any] = super().get_queryset(request).annotate(unsent=Coalesce(Subquery(counted), 0))
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A machine's id is what the manufacturer knows it by: set once."""
        return (*super().get_readonly_fields(request, obj), *(("machine_id",) if obj else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Sessions and jobs point at it: it is taken out of use instead."""
        return False

    def audit_subject(self, obj: Machine) -> str:
        return obj.machine_id

    @display(description=_("machine"), header=True, ordering="name")
    def headline(self, machine: Machine) -> tuple[str, str]:
        return machine.name, machine.machine_id

    @display(description=_("address of its screen"))
    def screen(self, machine: Machine) -> str:
        return words.link(machine.screen_path(), machine.screen_path()) if machine.pk else "–"

    @words.labelled(_("takes money"))
    def verdict(self, machine: Machine) -> tuple[str, Any]:
        code = machines.readiness(machine).code
        return VERDICTS.get(code, ("danger", code))

    @words.labelled(_("last contact"), ordering="last_contact_at")
    def contact(self, machine: Machine) -> tuple[str, str]:
        return _aged(machine.last_contact_at, machines.SILENT_AFTER)

    @words.labelled(_("stock read"), ordering="stock_synced_at")
    def stock_read(self, machine: Machine) -> tuple[str, str]:
        return _aged(machine.stock_synced_at, machines.STOCK_STALE_AFTER)

    @words.labelled(_("printer"), ordering="printer")
    def printer_state(self, machine: Machine) -> tuple[str, Any]:
        out = machine.printer == Machine.Printer.OUT
        return "danger" if out else "success", machine.get_printer_display()

    @display(description=_("jobs waiting"))
    def jobs_waiting(self, machine: Any) -> str:
        return str(machine.unsent) if machine.unsent else "–"


def _aged(at: datetime | None, limit: timedelta) -> tuple[str, str]:
    if at is None:
        return "", words.ago(at)
    return ("danger" if timezone.now() - at > limit else "success"), words.ago(at)
