"""Evidence: every call to a provider; and the background work's pulse."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from pimpshop.core import heartbeat
from pimpshop.core.admin import dashboard, finding, words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, one_of, questions
from pimpshop.core.models import OutboundCall

#: Whoever is called outside (the `provider` of pimpshop.core.http.Client).
PROVIDERS = ("manufacturer", "airwallex", "alipay", "stripe", "wechatpay", "wechat", "alerts")


@admin.register(OutboundCall)
class OutboundCallAdmin(EvidenceAdmin):
    list_display = ("at", "call", "about", "outcome", "took", "trace_id")
    list_filter = (
        questions(
            Question("failed", _("failed"), lambda rows: rows.exclude(error="", code__in=("", "200"))),
            Question("slow", _("slower than 2 s"), lambda rows: rows.filter(latency_ms__gt=2000)),
        ),
        one_of("provider", _("provider"), lambda: [(name, name) for name in PROVIDERS]),
    )
    search_fields = ("subject",)
    ordering = ("-at",)
    fieldsets = (
        (None, {"fields": ("at", "call", "about", "outcome", "took", "trace_id", "error")}),
        (_("On the wire (secrets removed)"), {"fields": ("method", "url", "sent", "answered")}),
    )
    readonly_fields = ("call", "about", "outcome", "took", "sent", "answered")

    @display(description=_("call"), ordering="name")
    def call(self, call: OutboundCall) -> str:
        return f"{call.provider} {call.name}"

    @display(description=_("about"))
    def about(self, call: OutboundCall) -> str:
        return words.link(finding.address(call.subject), call.subject) if call.subject else "–"

    @words.labelled(_("outcome"))
    def outcome(self, call: OutboundCall) -> tuple[str, Any]:
        if call.error:
            return "danger", call.error[:60]
        return ("success" if call.code in ("", "200") else "danger"), call.code or call.status or "–"

    @display(description=_("took"), ordering="latency_ms")
    def took(self, call: OutboundCall) -> str:
        return f"{call.latency_ms} ms"

    @display(description=_("request"))
    def sent(self, call: OutboundCall) -> str:
        return words.json_block(call.request) or "–"

    @display(description=_("answer"))
    def answered(self, call: OutboundCall) -> str:
        return words.json_block(call.response) or "–"


@dashboard.panel(order=90, permission="core.view_outboundcall")
def _pulse(request: HttpRequest) -> dashboard.Panel:
    """Worker, beat and sweeper: when each was last heard of."""
    rows = []
    for name, age in heartbeat.ages().items():
        bad = heartbeat.is_degraded(name, age)
        label = _("never seen") if age is None else _("%d s ago") % age
        rows.append(dashboard.Row(text=name, label=label, tone="danger" if bad else "success"))
    return dashboard.Panel(title=_("Background work"), rows=rows)
