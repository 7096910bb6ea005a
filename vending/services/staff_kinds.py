"""What can wait for a person about machines and print jobs (pimpshop.core.staff_kinds)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pimpshop.core.staff_kinds import Kind, Severity, register

OFFLINE_KIND = "machine_offline"

register(
    Kind(
        "print_stuck", _("Paid, and the machine does not take the case"),
        _("Look at the machine. Send it again when the machine works, or pay the customer back."),
        Severity.URGENT, "print job",
        acts=("send-again", "send-elsewhere", "refund", "pay-back", "mark-paid-back", "cancel"),
    ),
    Kind(
        "print_failed", _("A paid case was not printed"),
        _("Look at the machine first, then send it again from the print job, or pay the customer back."),
        Severity.URGENT, "print job",
        acts=("send-again", "send-elsewhere", "refund", "pay-back", "mark-paid-back", "cancel"),
    ),
    Kind(
        "print_late", _("The machine took a paid case and does not print it"),
        _("Look at the machine, its queue and its tray. If it never will be printed, pay the customer back."),
        Severity.URGENT, "print job",
        acts=("mark-collected", "refund", "pay-back", "mark-paid-back"),
    ),
    Kind(
        "print_canceled", _("A paid case will not be printed"),
        _("Pay the customer back, unless that is done."),
        leads="print job",
        acts=("refund", "pay-back", "mark-paid-back", "pay-back-as-credits"),
    ),
    Kind(
        "print_paused", _("A refund was asked for: the case waits"),
        _("Pay the customer back and mark the refund. To print it all the same: Print it after all, on the print job."),
        acts=("mark-paid-back", "go-on"),
        leads="print job",
    ),
    Kind(
        "print_unclaimed", _("Paid long ago, and no machine was chosen"),
        _("Ask the customer, or pay them back."),
        Severity.CALM, "print job",
        acts=("refund", "pay-back", "mark-paid-back"),
    ),
    Kind(
        OFFLINE_KIND, _("A machine is silent, and paid cases wait for it"),
        _("Switch it on or send somebody. It closes by itself when the machine is back or nothing waits."),
        Severity.URGENT, "machine",
    ),
    Kind(
        "order_status_odd", _("The manufacturer gives a paid case a status that does not fit"),
        _("Look at the machine's log. The order was paid; nothing was changed here."),
        leads="print job",
    ),
    Kind(
        "order_status_unknown", _("The manufacturer gives a paid case a status that we do not know"),
        _("Look at the machine's log. The order was paid; nothing was changed here."),
        leads="print job",
    ),
    Kind(
        "manufacturer_credentials", _("The manufacturer refuses our log-in: paid cases wait"),
        _("Check MANUFACTURER_ACCOUNT and MANUFACTURER_PASSWORD. The cases go on by themselves."),
        Severity.URGENT,
    ),
    Kind(
        "catalogue_odd", _("The manufacturer sent rows that make no sense"),
        _("They were skipped or only half used. It closes by itself with the next clean answer."),
        Severity.CALM,
    ),
    Kind(
        "catalogue_new_shell", _("The manufacturer has a new case"),
        _("It is hidden. Give it its colour, camera holes and a price, then show it."),
        Severity.CALM,
    ),
    Kind(
        "catalogue_resized", _("The manufacturer changed the size of a case"),
        _("Check its camera holes."),
    ),
)  # fmt: skip
