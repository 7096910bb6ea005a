"""Stock, shell by shell and machine by machine, as the manufacturer reported it, with the age of each report.

Read only: the manufacturer's books are the truth. Here: the list, and the panel on a shell's page. Not here: reading it
(services.catalogue_sync), what may be sold of it (services.machines).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from pimpshop.core.admin import words
from pimpshop.core.admin.acting import Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions
from vending.admin import machine_acts
from vending.models import StockLevel
from vending.services import machines

#: Nobody has told for so long.
SILENT_FOR = timedelta(hours=1)


def age(at: datetime) -> tuple[str, str]:
    """(tone, "reported 7 minutes ago"): old where the shop itself would read it again, bad after an hour."""
    since = timezone.now() - at
    tone = "danger" if since > SILENT_FOR else "warning" if since > machines.STOCK_STALE_AFTER else "success"
    return tone, gettext("reported %s") % words.ago(at)


def pieces(level: Any) -> tuple[str, Any]:
    """(tone, pieces): none is bad, few are a warning."""
    if level.count <= 0:
        return "danger", _("out of stock")
    return ("warning" if level.count <= machines.FEW else ""), str(level.count)


def _old(rows: Any) -> Any:
    return rows.filter(seen_at__lt=timezone.now() - SILENT_FOR)


def _read(level: StockLevel, doing: Doing) -> Any:
    return machine_acts.read_stock(level.machine, doing)


@admin.register(StockLevel)
class StockLevelAdmin(EvidenceAdmin):
    list_display = ("at", "shell_of", "left", "reported")
    list_select_related = ("machine", "shell__model", "shell__colour")
    list_filter = (
        questions(
            Question("out", _("out of stock"), lambda rows: rows.filter(count__lte=0, machine__is_active=True)),
            Question(
                "few", _("few left"),
                lambda rows: rows.filter(count__range=(1, machines.FEW), machine__is_active=True),
            ),
            Question("old", _("not reported for an hour"), _old),
            Question("unused", _("machines not in use"), lambda rows: rows.filter(machine__is_active=False)),
        ),
        "machine",
        "shell__model__brand",
    )  # fmt: skip
    search_fields = ("machine__machine_id", "shell__manufacturer_id", "shell__model__name")
    ordering = ("machine__name", "machine", "shell__model__name", "shell")
    fields = ("at", "shell_of", "left", "reported")
    readonly_fields = ("at", "shell_of", "left", "reported")
    acts = (
        Act(
            "read-stock", _("Read stock now"), _("The manufacturer is asked for this machine's stock. It takes a few seconds."),
            _read, icon="sync", permission="vending.change_machine", on_lists=False,
        ),
    )  # fmt: skip

    def audit_subject(self, obj: StockLevel) -> str:
        return obj.machine.machine_id

    @display(description=_("machine"), header=True, ordering="machine__name")
    def at(self, level: StockLevel) -> tuple[str, str]:
        return level.machine.name, level.machine.machine_id

    @display(description=_("shell"), header=True, ordering="shell__model__name")
    def shell_of(self, level: StockLevel) -> tuple[str, str]:
        return str(level.shell), level.shell.manufacturer_id

    @words.labelled(_("pieces"), ordering="count")
    def left(self, level: StockLevel) -> tuple[str, Any]:
        return pieces(level)

    @words.labelled(_("reported"), ordering="seen_at")
    def reported(self, level: StockLevel) -> tuple[str, str]:
        return age(level.seen_at)


def at_machines(shell: Any) -> list[dict[str, Any]]:
    """Where a shell lies, for its page: machines in use first, the emptiest before the others."""
    levels = StockLevel.objects.filter(shell_id=shell.pk).select_related("machine")
    return [
        {
            "name": level.machine.name, "machine_id": level.machine.machine_id,
            "href": reverse("admin:vending_machine_change", args=[level.machine_id]),
            "pieces": words.label(*reversed(pieces(level))), "reported": words.label(*reversed(age(level.seen_at))),
            "unused": not level.machine.is_active,
        }
        for level in levels.order_by("-machine__is_active", "count", "machine__name")
    ]  # fmt: skip


def total(shell: Any) -> tuple[str, Any]:
    """For the list of shells: what the machines in use hold (`in_stock`, annotated there; None: no machine has told)."""
    if shell.in_stock is None:
        return "", "–"
    return ("danger", _("out of stock")) if shell.in_stock <= 0 else ("", str(shell.in_stock))
