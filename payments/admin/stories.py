"""What payments tell in a timeline, and how their numbers are found."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from payments import registry
from payments.models import (
    Dispute,
    DisputeEvent,
    OutboundEvent,
    PaymentEvent,
    PaymentIntent,
    Refund,
    RefundEvent,
    WebhookEvent,
)
from pimpshop.core.admin import finding, timeline, words


@timeline.source
def _payments(story: timeline.Story) -> timeline.Part:
    """Every attempt's events, each under its number when there are several; what providers posted about them."""
    found = PaymentEvent.objects.filter(**story.which("intent__order__")).select_related("intent")
    events = list(found[: timeline.MOST_EVENTS])
    numbers = {event.intent.out_trade_no for event in events}
    entries = [
        entry
        for event in events
        for entry in timeline.of_events(
            "payment",
            [event],
            event.intent.out_trade_no if len(numbers) > 1 else "",
            lambda event: event.intent.out_trade_no,
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
            number=post.subject,
            bodies=((_t("content"), words.pretty(post.payload)),) if post.payload else (),
        )
        for post in WebhookEvent.objects.filter(subject__in=numbers)[: timeline.MOST_EVENTS]
    ]


@timeline.source
def _refunds(story: timeline.Story) -> timeline.Part:
    found = RefundEvent.objects.filter(**story.which("refund__intent__order__")).select_related("refund")
    events = list(found[: timeline.MOST_EVENTS])
    return timeline.Part(
        timeline.of_events("refund", events, number=lambda event: event.refund.out_refund_no),
        {event.refund.out_refund_no for event in events},
    )


@timeline.source
def _disputes(story: timeline.Story) -> timeline.Part:
    found = DisputeEvent.objects.filter(**story.which("dispute__intent__order__")).select_related("dispute")
    events = list(found[: timeline.MOST_EVENTS])
    return timeline.Part(
        timeline.of_events("dispute", events, number=lambda event: event.dispute.provider_ref),
        {event.dispute.provider_ref for event in events},
    )


@timeline.by_number
def _outgoing(numbers: set[str]) -> list[timeline.Entry]:
    """What merchants were told, each event once; its deliveries have a page of their own."""
    about = OutboundEvent.objects.filter(intent__out_trade_no__in=numbers).select_related("intent")
    told = about.order_by("published_at")
    return [
        timeline.Entry(
            at=event.published_at,
            lane="outgoing",
            title=event.type,
            facts=(("#", event.sequence or "–"),),
            number=event.intent.out_trade_no if event.intent else "",
        )
        for event in told[: timeline.MOST_EVENTS]
    ]


@finding.finder("payment", permission="payments.view_paymentintent")
def _payment(number: str) -> PaymentIntent | None:
    """By our number, by its public id, or by one of the provider's (pi_…, cs_…, a transaction id of WeChat or Alipay)."""
    return (
        PaymentIntent.objects.filter(out_trade_no__in={number, number.upper()}).first()
        or PaymentIntent.objects.filter(gateway__in=registry.KEYS, provider_ref=number).first()
        or PaymentIntent.objects.filter(gateway__in=registry.KEYS, transaction_ref=number).first()
    )


@finding.finder("refund", permission="payments.view_refund")
def _refund(number: str) -> Refund | None:
    return Refund.objects.filter(out_refund_no__in={number, number.upper()}).first()


@finding.finder("dispute", permission="payments.view_dispute")
def _dispute(number: str) -> Dispute | None:
    return Dispute.objects.filter(provider_ref=number).first()


@finding.several(_("Payments by a card that ends so"), permission="payments.view_paymentintent")
def _by_last_four(number: str) -> Iterable[PaymentIntent]:
    """The newest first, by the index intent_last_four."""
    if not re.fullmatch(r"\d{4}", number, re.ASCII):
        return []
    by_card = PaymentIntent.objects.filter(method_details__has_key="last_four")
    ends = by_card.annotate(ends=KeyTextTransform("last_four", "method_details")).filter(ends=number)
    return ends.order_by("-pk")[: finding.MOST]
