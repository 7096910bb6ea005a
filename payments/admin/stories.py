"""What payments tell in a timeline, and how their numbers are found."""

from __future__ import annotations

from django.utils.translation import gettext as _t

from payments.models import PaymentEvent, PaymentIntent, Refund, RefundEvent, WebhookEvent
from pimpshop.core.admin import finding, timeline, words


def _which(story: timeline.Story, path: str) -> dict[str, str]:
    """The rows of one order, or of every order of a session."""
    if story.order_no:
        return {f"{path}order_no": story.order_no}
    return {f"{path}session_id": story.session_id}


@timeline.source
def _payments(story: timeline.Story) -> timeline.Part:
    """Every attempt's events, each under its number when there are several; what providers posted about them."""
    found = PaymentEvent.objects.filter(**_which(story, "intent__order__")).select_related("intent")
    events = list(found[: timeline.MOST_EVENTS])
    numbers = {event.intent.out_trade_no for event in events}
    entries = [
        entry
        for event in events
        for entry in timeline.of_events(
            "payment", [event], event.intent.out_trade_no if len(numbers) > 1 else ""
        )
    ]
    return timeline.Part(entries + _inbox(numbers), numbers)


def _inbox(numbers: set[str]) -> list[timeline.Entry]:
    return [
        timeline.Entry(
            at=post.received_at,
            lane="inbox",
            title=_t("%(gateway)s posted %(kind)s (%(count)s×)")
            % {"gateway": post.gateway, "kind": post.kind, "count": post.count},
            tone=words.tone(post.status) if post.status == "parked" else "",
            why=post.outcome,
            bodies=((_t("content"), words.pretty(post.payload)),) if post.payload else (),
        )
        for post in WebhookEvent.objects.filter(subject__in=numbers)[: timeline.MOST_EVENTS]
    ]


@timeline.source
def _refunds(story: timeline.Story) -> timeline.Part:
    found = RefundEvent.objects.filter(**_which(story, "refund__intent__order__")).select_related("refund")
    events = list(found[: timeline.MOST_EVENTS])
    return timeline.Part(
        timeline.of_events("refund", events), {event.refund.out_refund_no for event in events}
    )


@finding.finder("payment", permission="payments.view_paymentintent")
def _payment(number: str) -> PaymentIntent | None:
    return PaymentIntent.objects.filter(out_trade_no__in={number, number.upper()}).first()


@finding.finder("refund", permission="payments.view_refund")
def _refund(number: str) -> Refund | None:
    return Refund.objects.filter(out_refund_no__in={number, number.upper()}).first()
