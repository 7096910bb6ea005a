"""What can wait for a person about pictures and texts (pimpshop.core.staff_kinds)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pimpshop.core.staff_kinds import Kind, register

register(
    Kind(
        "content_checks_away", _("Pictures and texts are not looked at"),
        _("The content checks do not answer; what customers send is let through meanwhile. See Outbound calls."),
    ),
    Kind(
        "design_reported", _("Somebody reported a shared design"),
        _("Look at it. Take it down if it must not be shown; else close this with a word on why it stays."),
        leads="shared design",
        acts=("take-down",),
    ),
)  # fmt: skip
