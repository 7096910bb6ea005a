"""The acts on a machine: reading its stock, maintenance, a printer that works again. What touches shoppers is shown first."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from pimpshop.core import bell, errors
from pimpshop.core.admin.acts import WHY, Act, Doing, Preview
from vending import tasks
from vending.models import Machine
from vending.services import affected, machines


class SwitchedAlready(errors.Conflict):
    code = "switched_already"
    message = _("It is so already. Nothing was changed.")


def read_stock(machine: Machine, doing: Doing) -> Any:
    """Let the manufacturer be asked, in the background."""
    bell.ring(tasks.sync_machine_stock, machine.pk)
    return str(_("asked; the age of the stock shows when it was read"))


def _maintenance(on: bool) -> Any:
    def run(machine: Machine, doing: Doing) -> bool:
        facts = affected.at_machine(machine).as_facts()
        return machines.set_maintenance(
            machine=machine, on=on, actor=doing.actor, reason=doing.reason, facts=facts
        )

    return run


def _of_maintenance_on(machine: Machine, doing: Doing) -> Preview:
    if machine.maintenance:
        raise SwitchedAlready
    told = {"machine": machine.name, "words": machines.IN_MAINTENANCE}
    return Preview(
        [
            gettext("%(machine)s takes no new money until maintenance is switched off.") % told,
            gettext("Shoppers in front of it read: “%(words)s”") % told,
            gettext("Who was asked to pay already may still pay, and it counts."),
            gettext("Paid cases wait, and are printed afterwards, the oldest first."),
        ],
        now=_at(machine),
    )


def _of_maintenance_off(machine: Machine, doing: Doing) -> Preview:
    if not machine.maintenance:
        raise SwitchedAlready
    verdict = machines.readiness_without_maintenance(machine)
    lines = [gettext("%(machine)s may take money again at once.") % {"machine": machine.name}]
    if not verdict:
        told = {"machine": machine.name, "words": verdict.message}
        lines = [
            gettext("%(machine)s still takes no money, for another reason: %(words)s") % told,
        ]
    return Preview([*lines, gettext("Paid cases that waited go out, the oldest first.")], now=_at(machine))


def _at(machine: Machine) -> list[str]:
    there = affected.at_machine(machine)
    told = [
        ngettext("%(count)s session is open there.", "%(count)s sessions are open there.", there.sessions)
        % {"count": there.sessions}
    ]
    if there.paying:
        told.append(
            ngettext(
                "%(count)s of them is asked for money.",
                "%(count)s of them are asked for money.",
                there.paying,
            )
            % {"count": there.paying}
        )
    told.append(
        ngettext(
            "%(count)s paid case waits to be taken.", "%(count)s paid cases wait to be taken.", there.cases
        )
        % {"count": there.cases}
    )
    return told


def _clear_printer(machine: Machine, doing: Doing) -> bool:
    return machines.clear_printer(machine=machine, actor=doing.actor, reason=doing.reason)


def _of_clearing(machine: Machine, doing: Doing) -> Preview:
    if machine.printer != Machine.Printer.OUT:
        raise SwitchedAlready
    told = {"machine": machine.name}
    return Preview(
        [
            gettext("%(machine)s counts as printing again, and may take money.") % told,
            gettext("Paid cases that waited go out, the oldest first."),
        ],
        now=_at(machine),
    )


def _locked(machine: Machine) -> Machine:
    return Machine.objects.select_for_update(no_key=True).get(pk=machine.pk)


ACTS = (
    Act(
        "read-stock",
        _("Read stock now"),
        _("The manufacturer is asked for this machine's stock. It takes a few seconds."),
        read_stock,
        icon="sync",
    ),
    Act(
        "maintenance-on",
        _("Set maintenance on"),
        _("No new money is taken at the machine. Paid jobs wait and go out when maintenance ends."),
        _maintenance(True),
        reason=WHY,
        icon="build",
        variant=ActionVariant.WARNING,
        possible=lambda machine: not machine.maintenance,
        audited=True,
        preview=_of_maintenance_on,
        lock=_locked,
    ),
    Act(
        "maintenance-off",
        _("Set maintenance off"),
        _("The machine may take money again, and jobs that waited go out."),
        _maintenance(False),
        reason=WHY,
        icon="check_circle",
        variant=ActionVariant.PRIMARY,
        possible=lambda machine: machine.maintenance,
        audited=True,
        preview=_of_maintenance_off,
        lock=_locked,
    ),
    Act(
        "printer-works",
        _("Printer works again"),
        _("You saw it print. Paid jobs go out one by one."),
        _clear_printer,
        reason=WHY,
        icon="print_connect",
        possible=lambda machine: machine.printer == Machine.Printer.OUT,
        audited=True,
        on_lists=False,
        preview=_of_clearing,
        lock=_locked,
    ),
)
