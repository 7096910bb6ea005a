"""The switch of each way to pay: off for new payments, and on again; first it is shown whom that touches."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from payments.admin.ways import WAYS
from payments.models import GatewaySwitch
from payments.services import switches
from pimpshop.core import errors
from pimpshop.core.admin import words
from pimpshop.core.admin.acting import WHY, Act, Doing, Preview
from pimpshop.core.admin.base import EvidenceAdmin


class SwitchedAlready(errors.Conflict):
    code = "switched_already"
    message = _("It is so already. Nothing was changed.")


def _name(gateway: str) -> str:
    return str(WAYS.get(gateway, gateway))


def _others(row: GatewaySwitch) -> list[str]:
    return [key for key in switches.usable() if key != row.gateway]


def _of_off(row: GatewaySwitch, doing: Doing) -> Preview:
    if row.is_off:
        raise SwitchedAlready
    told = {"way": _name(row.gateway), "words": switches.GatewayOff.message}
    others = _others(row)
    lines = [
        gettext("No new payment starts with %(way)s: shoppers do not see it any more.") % told,
        gettext("Who has chosen it already reads: “%(words)s”") % told,
        gettext("What was started goes on, and money that comes is honoured. Refunds go on too."),
    ]
    confirm = ""
    if not set(others) - {"credits"}:
        lines.append(gettext("It is the last one for money: nobody can pay any more, except with credits."))
        confirm = gettext("I know that nobody can pay money then")
    return Preview(lines, confirm=confirm, now=[_started(row), *_choice(others)])


def _of_on(row: GatewaySwitch, doing: Doing) -> Preview:
    if not row.is_off and row.rests_until is None:
        raise SwitchedAlready
    told = {"way": _name(row.gateway), "why": row.reason or "–", "who": row.actor or "–"}
    lines = [gettext("Shoppers may choose %(way)s again at once.") % told]
    if row.is_off:
        lines.append(gettext("It was switched off by %(who)s: %(why)s") % told)
    else:
        lines.append(
            gettext("It rests because it did not answer; that ends, and its failures are forgotten.")
        )
    return Preview(lines, now=[_started(row)])


def _started(row: GatewaySwitch) -> str:
    count = switches.under_way(row.gateway)
    text = ngettext("%(count)s payment is under way there.", "%(count)s payments are under way there.", count)
    return text % {"count": count}


def _choice(others: list[str]) -> list[str]:
    if not others:
        return []
    return [
        gettext("Shoppers can still pay with: %(ways)s.") % {"ways": ", ".join(_name(key) for key in others)}
    ]


def _switch(off: bool) -> Any:
    def run(row: GatewaySwitch, doing: Doing) -> None:
        facts = {"under_way": switches.under_way(row.gateway)}
        switches.switch(key=row.gateway, off=off, actor=doing.actor, reason=doing.reason, facts=facts)

    return run


def _locked(row: GatewaySwitch) -> GatewaySwitch:
    return GatewaySwitch.objects.select_for_update(no_key=True).get(pk=row.pk)


@admin.register(GatewaySwitch)
class GatewaySwitchAdmin(EvidenceAdmin):
    """A row for each configured gateway is there from the first look at the list."""

    list_display = ("way", "on_now", "reason", "actor", "failures", "until")
    search_fields = ("gateway",)
    fields = ("way", "on_now", "reason", "actor", "failures", "until")
    readonly_fields = ("way", "on_now", "until")
    acts = (
        Act(
            "switch-off", _("Switch off"), _("No new payment starts there. What was started goes on."), _switch(True),
            reason=WHY, icon="power_settings_new", audited=True, possible=lambda row: not row.is_off, preview=_of_off,
            lock=_locked,
        ),
        Act(
            "switch-on", _("Switch on"), _("Shoppers may choose it again at once."), _switch(False),
            reason=WHY, icon="power", audited=True, possible=lambda row: row.is_off or row.rests_until is not None,
            preview=_of_on, lock=_locked,
        ),
    )  # fmt: skip

    def get_queryset(self, request: Any) -> Any:
        switches.make_rows()
        return super().get_queryset(request)

    @display(description=_("way to pay"), ordering="gateway")
    def way(self, row: GatewaySwitch) -> str:
        return _name(row.gateway)

    @words.labelled(_("for new payments"))
    def on_now(self, row: GatewaySwitch) -> tuple[str, Any]:
        if row.is_off:
            return "danger", _("switched off")
        return ("warning", _("resting")) if switches.rests(row) else ("success", _("in use"))

    @display(description=_("rests until"), ordering="rests_until")
    def until(self, row: GatewaySwitch) -> str:
        return words.ago(row.rests_until) if switches.rests(row) else "–"
