"""The inbox: what providers told us, once each, and what became of it. Read only; "process again" with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from payments.models import WebhookEvent
from payments.services import inbox
from pimpshop.core.admin import finding, timeline, words
from pimpshop.core.admin.acting import WHY, Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


def _again(event: WebhookEvent, doing: Doing) -> bool:
    return inbox.process_again(event=event, actor=doing.actor, reason=doing.reason)


@admin.register(WebhookEvent)
class WebhookEventAdmin(EvidenceAdmin):
    list_display = ("headline", "state", "about", "count", "attempts", "outcome", "came", "seen")
    list_filter = (
        questions(
            Question("waiting", _("work is due"), lambda rows: rows.filter(status="received")),
            Question("parked", _("parked"), lambda rows: rows.filter(status="parked")),
            Question("repeated", _("came more than once"), lambda rows: rows.filter(count__gt=1)),
        ),
        "gateway",
    )
    search_fields = ("subject",)
    fields = (
        "state", "outcome", "about", "gateway", "account", "kind", "event_id", "live", "count", "attempts",
        "received_at", "last_seen_at", "due_at", "content",
    )  # fmt: skip
    readonly_fields = ("state", "about", "content")
    change_form_outer_after_template = "admin/timeline.html"
    acts = (
        Act(
            "process-again",
            _("Process again"),
            _("The event is worked on once more; the provider is asked and decides."),
            _again,
            reason=WHY,
            icon="replay",
            variant=ActionVariant.PRIMARY,
            possible=lambda event: event.status != "received",
            audited=True,
        ),
    )
    state = words.state_column()

    def add_to_page(self, request: Any, obj: WebhookEvent, context: dict[str, Any]) -> None:
        """Its own changes only: the story of the payment stands on the payment's page."""
        super().add_to_page(request, obj, context)
        entries = timeline.of_events("inbox", obj.changes.all()[: timeline.MOST_EVENTS])
        context |= {"told": timeline.Told(entries, False), "lanes": timeline.LANES}

    @display(description=_("event"), header=True)
    def headline(self, event: WebhookEvent) -> tuple[str, str]:
        return f"{event.gateway} {event.kind}", event.event_id

    @display(description=_("about"))
    def about(self, event: WebhookEvent) -> str:
        return words.link(finding.address(event.subject), event.subject)

    @display(description=_("received"), ordering="received_at")
    def came(self, event: WebhookEvent) -> str:
        return words.ago(event.received_at)

    @display(description=_("last seen"), ordering="last_seen_at")
    def seen(self, event: WebhookEvent) -> str:
        return words.ago(event.last_seen_at)

    @display(description=_("content"))
    def content(self, event: WebhookEvent) -> str:
        return words.json_block(event.payload) or "–"
