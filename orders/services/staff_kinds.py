"""What can wait for a person about orders (pimpshop.core.staff_kinds)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pimpshop.core.staff_kinds import Kind, Severity, register

register(
    Kind(
        "grant_failed", _("Paid, but the credits could not be given"),
        _("The payment stands, and it is tried again every minute. Find out why it fails, or pay it back."),
        Severity.URGENT, "order",
    ),
    Kind(
        "case_not_received", _("A customer says that the case never came"),
        _("Look at the machine's tray and at the print job. Print it again, or pay the customer back."),
        Severity.URGENT, "order",
        acts=("reprint", "refund", "pay-back", "mark-paid-back", "mark-collected"),
    ),
)  # fmt: skip
