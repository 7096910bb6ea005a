"""The inbox: what providers told us, once each, and what became of it. Read only; "process again" with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from payments.admin.ways import ByGateway
from payments.models import WebhookEvent
from payments.services import inbox
from pimpshop.core.admin import finding, timeline, words
from pimpshop.core.admin.acting import WHY, Act, Did, Doing, Preview
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


def _again(event: WebhookEvent, doing: Doing) -> Did | bool:
    if not inbox.process_again(event=event, actor=doing.actor, reason=doing.reason):
        return False
    return Did(after=lambda: _outcome(event))


def _outcome(event: WebhookEvent) -> str:
    """Worked on at once, so that who asked reads what came of it."""
    inbox.process(event.pk)
    event.refresh_from_db()
    told = {"state": words.word(event.status), "outcome": event.outcome or "–"}
    if event.status == "received":
        return gettext("it is not done yet and is tried again by itself (%(outcome)s)") % told
    return gettext("%(state)s: %(outcome)s") % told


def _preview(event: WebhookEvent, doing: Doing) -> Preview:
    inbox.must_be_ended(event)
    told = {"gateway": event.gateway, "kind": event.kind, "subject": event.subject or "–"}
    lines = [gettext("The event %(kind)s of %(gateway)s is worked on once more.") % told]
    intent = inbox.payment_of(event)
    if intent is None:
        lines.append(gettext("No payment of ours has the number %(subject)s: nothing will move.") % told)
        return Preview(lines)
    lines += [
        gettext("The provider is asked where it decides. What was applied already is not applied again."),
        gettext("If it was paid and we did not know, order %(order)s goes on: that is all that can move.")
        % {"order": intent.order.order_no},
    ]
    state = {"payment": intent.out_trade_no, "state": words.word(intent.status)}
    return Preview(lines, now=[gettext("Payment %(payment)s is at: %(state)s.") % state])


def _locked(event: WebhookEvent) -> WebhookEvent:
    return WebhookEvent.objects.select_for_update(no_key=True).get(pk=event.pk)


@admin.register(WebhookEvent)
class WebhookEventAdmin(EvidenceAdmin):
    list_display = ("headline", "state", "about", "count", "attempts", "outcome", "came", "seen")
    list_filter = (
        questions(
            Question(
                "waiting", _("work is due"), lambda rows: rows.filter(status="received", due_at__isnull=False)
            ),
            Question("parked", _("parked"), lambda rows: rows.filter(status="parked")),
            Question("repeated", _("came more than once"), lambda rows: rows.filter(count__gt=1)),
        ),
        ByGateway,
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
            at_most=5,
            preview=_preview,
            lock=_locked,
        ),
    )
    state = words.state_column()

    def add_to_page(self, request: Any, obj: WebhookEvent, context: dict[str, Any]) -> None:
        """Its own changes only: the story of the payment stands on the payment's page."""
        super().add_to_page(request, obj, context)
        entries = timeline.of_events("inbox", obj.changes.all()[: timeline.MOST_EVENTS])
        context |= {"told": timeline.Told(entries, False), "lanes": timeline.LANES}

    def subjects_of(self, obj: WebhookEvent) -> list[str]:
        return [f"{obj.gateway}:{obj.event_id}"]

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
