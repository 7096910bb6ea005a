"""Webhooks out at the desk: endpoints, deliveries with their attempts, the numbered list of events. Read only; staff may
switch an endpoint off and on again, test it, and send an ended delivery again, with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from payments import states
from payments.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from payments.services import deliveries, endpoints
from pimpshop.core.admin import finding, timeline, words
from pimpshop.core.admin.acting import WHY, Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions

MOST_ATTEMPTS = 50
ENDED = states.DELIVERY.sources("pending")


def _switch_on(endpoint: WebhookEndpoint, doing: Doing) -> bool:
    return endpoints.switch_on(endpoint=endpoint, actor=doing.actor, reason=doing.reason)


def _switch_off(endpoint: WebhookEndpoint, doing: Doing) -> bool:
    return endpoints.switch_off_by_staff(endpoint=endpoint, actor=doing.actor, reason=doing.reason)


def _test(endpoint: WebhookEndpoint, doing: Doing) -> str:
    delivery = endpoints.send_test(endpoint=endpoint)
    return gettext("delivery %s is on its way") % delivery.delivery_id


def _resend(delivery: WebhookDelivery, doing: Doing) -> None:
    deliveries.resend(delivery=delivery, source="admin", actor=doing.actor, reason=doing.reason)


def _page(obj: Any, text: str) -> str:
    meta = obj._meta
    return words.link(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk]), text)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EvidenceAdmin):
    list_display = ("headline", "health", "owner", "wanted", "made")
    list_filter = (
        questions(
            Question("off", _("switched off"), lambda rows: rows.filter(is_active=False, deleted_at=None)),
            Question("failing", _("failing"), lambda rows: rows.filter(failing_since__isnull=False)),
            Question("deleted", _("deleted"), lambda rows: rows.filter(deleted_at__isnull=False)),
        ),
    )
    list_select_related = ("user",)
    search_fields = ("url",)
    fields = (
        "health", "url", "description", "wanted", "owner", "api_key_id", "endpoint", "created_at", "failing_since",
        "disabled_at", "disabled_reason", "old_secret_until", "deleted_at", "recent",
    )  # fmt: skip
    readonly_fields = ("health", "wanted", "owner", "endpoint", "recent")
    acts = (
        Act(
            "switch-on",
            _("Switch on again"),
            _("Events are sent there again from now on. What happened meanwhile is in the list of events."),
            _switch_on,
            reason=WHY,
            icon="toggle_on",
            variant=ActionVariant.PRIMARY,
            possible=lambda endpoint: not endpoint.is_active and endpoint.deleted_at is None,
            audited=True,
        ),
        Act(
            "switch-off",
            _("Switch off"),
            _(
                "Nothing is sent there any more until it is switched on again, and what waits is canceled. Its owner is told."
            ),
            _switch_off,
            reason=WHY,
            icon="toggle_off",
            variant=ActionVariant.DANGER,
            possible=lambda endpoint: endpoint.is_active,
            audited=True,
        ),
        Act(
            "test",
            _("Send a test"),
            _("An event that says nothing is sent there, the usual way."),
            _test,
            icon="network_ping",
            possible=lambda endpoint: endpoint.is_active,
            on_lists=False,
        ),
    )

    @display(description=_("endpoint"), header=True)
    def headline(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        return endpoint.url, endpoint.description or endpoint.endpoint_id

    @words.labelled(_("state"))
    def health(self, endpoint: WebhookEndpoint) -> tuple[str, Any]:
        if endpoint.deleted_at:
            return "", _("deleted")
        if not endpoint.is_active:
            return "danger", _("switched off")
        return ("warning", _("failing")) if endpoint.failing_since else ("success", _("active"))

    @display(description=_("owner"))
    def owner(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint.user) if endpoint.user else gettext("the shop")

    @display(description=_("events"))
    def wanted(self, endpoint: WebhookEndpoint) -> str:
        return gettext("all") if "*" in endpoint.events else ", ".join(endpoint.events)

    @display(description=_("id"))
    def endpoint(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.endpoint_id

    @display(description=_("made"), ordering="created_at")
    def made(self, endpoint: WebhookEndpoint) -> str:
        return words.ago(endpoint.created_at)

    @display(description=_("deliveries"))
    def recent(self, endpoint: WebhookEndpoint) -> str:
        rows = endpoint.deliveries.select_related("event").order_by("-pk")[:10]
        return format_html_join(
            "", "{} {} {}<br>",
            ((_page(row, row.event.type), words.labels(row, "status"), words.ago(row.created_at)) for row in rows),
        ) or "–"  # fmt: skip


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(EvidenceAdmin):
    list_display = ("headline", "state", "answered", "attempts", "next", "made")
    list_filter = (
        questions(
            Question("waiting", _("to be sent"), lambda rows: rows.filter(status="pending")),
            Question("failed", _("given up"), lambda rows: rows.filter(status="failed")),
            Question("again", _("needed more than one attempt"), lambda rows: rows.filter(attempts__gt=1)),
        ),
    )
    list_select_related = ("endpoint", "event")
    search_fields = ("endpoint__url",)
    fields = (
        "state", "event_link", "endpoint_link", "delivery", "attempts", "next_attempt_at", "delivered_at", "answered",
        "last_latency_ms", "response_excerpt", "log",
    )  # fmt: skip
    readonly_fields = ("state", "event_link", "endpoint_link", "delivery", "answered", "log")
    change_form_outer_after_template = "admin/timeline.html"
    acts = (
        Act(
            "resend",
            _("Send again"),
            _("The same event is sent there again, under the same id; a good receiver knows a repeat."),
            _resend,
            reason=WHY,
            icon="replay",
            variant=ActionVariant.PRIMARY,
            possible=lambda delivery: delivery.status in ENDED and delivery.endpoint.is_active,
            audited=True,
        ),
    )
    state = words.state_column()

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("endpoint", "event")
        return rows

    def audit_subject(self, obj: WebhookDelivery) -> str:
        return obj.delivery_id

    def add_to_page(self, request: Any, obj: WebhookDelivery, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)
        entries = timeline.of_events("inbox", obj.changes.all()[: timeline.MOST_EVENTS])
        context |= {"told": timeline.Told(entries, False), "lanes": timeline.LANES}

    @display(description=_("delivery"), header=True)
    def headline(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.event.type, delivery.endpoint.url

    @display(description=_("id"))
    def delivery(self, delivery: WebhookDelivery) -> str:
        return delivery.delivery_id

    @display(description=_("event"))
    def event_link(self, delivery: WebhookDelivery) -> str:
        return _page(delivery.event, str(delivery.event))

    @display(description=_("endpoint"))
    def endpoint_link(self, delivery: WebhookDelivery) -> str:
        return _page(delivery.endpoint, delivery.endpoint.url)

    @display(description=_("answer"))
    def answered(self, delivery: WebhookDelivery) -> str:
        return delivery.last_error or str(delivery.last_status or "–")

    @display(description=_("next attempt"), ordering="next_attempt_at")
    def next(self, delivery: WebhookDelivery) -> str:
        return words.ago(delivery.next_attempt_at) if delivery.next_attempt_at else "–"

    @display(description=_("made"), ordering="created_at")
    def made(self, delivery: WebhookDelivery) -> str:
        return words.ago(delivery.created_at)

    @display(description=_("attempts"))
    def log(self, delivery: WebhookDelivery) -> str:
        """Newest first. One without an end lost its sender."""
        rows = [
            (
                attempt.number,
                words.ago(attempt.at),
                attempt.answered or "–",
                attempt.error or ("" if attempt.ended_at else gettext("no record of its end")),
            )
            for attempt in delivery.log.order_by("-number")[:MOST_ATTEMPTS]
        ]
        return format_html_join("", "#{} · {} · {} {}<br>", rows) or "–"


@admin.register(OutboundEvent)
class OutboundEventAdmin(EvidenceAdmin):
    list_display = ("headline", "sequence", "about", "deliveries_shown", "when")
    list_filter = ("type",)
    list_select_related = ("intent",)
    search_fields = ("intent__out_trade_no",)
    fields = (
        "headline_text", "sequence", "about", "api_version", "occurred_at", "published_at", "deliveries_shown", "content",
    )  # fmt: skip
    readonly_fields = ("headline_text", "about", "deliveries_shown", "content")

    @display(description=_("event"), header=True)
    def headline(self, event: OutboundEvent) -> tuple[str, str]:
        return event.type, event.event_id

    @display(description=_("event"))
    def headline_text(self, event: OutboundEvent) -> str:
        return str(event)

    @display(description=_("about"))
    def about(self, event: OutboundEvent) -> str:
        if event.intent is None:
            return "–"
        number = event.intent.out_trade_no
        return words.link(finding.address(number, "payment"), number)

    @display(description=_("deliveries"))
    def deliveries_shown(self, event: OutboundEvent) -> str:
        rows = event.deliveries.all()[:10]
        return (
            format_html_join(" ", "{}", ((_page(row, words.word(row.status)),) for row in rows))
            or format_html("{}", "–")
        )  # fmt: skip

    @display(description=_("when"), ordering="occurred_at")
    def when(self, event: OutboundEvent) -> str:
        return words.ago(event.occurred_at)

    @display(description=_("content"))
    def content(self, event: OutboundEvent) -> str:
        return words.json_block(event.payload) or "–"
