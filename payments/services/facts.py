"""What a signed event says, applied: a success, a hold or money given back as it stands, a refund or dispute as a notice;
for everything else the provider is asked, since events come in any order.

Guarantees: idempotent with every other way to the same rows; nothing of it moves a payment that does not fit
(settlement compares account, mode, number, amount and currency).
"""

from __future__ import annotations

from django.db.models import Q

from payments.gateways import base
from payments.models import PaymentIntent, WebhookEvent
from payments.services import at_once, disputes, refund_notices, settlement

#: Statuses that are true whenever they were said; the rest may be overtaken by what came before it.
_LASTING = (
    base.PaymentStatus.SUCCEEDED,
    base.PaymentStatus.AUTHORIZED,
    base.PaymentStatus.PARTIALLY_REFUNDED,
    base.PaymentStatus.REFUNDED,
)


def read(event: WebhookEvent) -> base.Facts:
    """The facts in the event's row. Raises ValueError, KeyError, TypeError for a damaged one."""
    return base.unpack(event.payload.get("facts") or {})


def find_intent(event: WebhookEvent, facts: base.Facts) -> PaymentIntent | None:
    """The payment that the event is about: by our number, else by the provider's."""
    intent = at_once.find(event.subject)
    if intent is not None and intent.gateway == event.gateway:
        return intent
    refs = {event.subject, facts.payment.provider_ref if facts.payment else ""}
    refs |= {facts.payment.transaction_ref if facts.payment else ""}
    for notice in (facts.refund, facts.dispute):
        if notice is not None:
            refs.add(notice.payment_ref)
            if notice.out_trade_no:
                by_number = at_once.find(notice.out_trade_no)
                if by_number is not None and by_number.gateway == event.gateway:
                    return by_number
    refs.discard("")
    named = Q(provider_ref__in=refs) | Q(transaction_ref__in=refs)
    return PaymentIntent.objects.select_related("order").filter(named, gateway=event.gateway).first()


def _wants_address(intent: PaymentIntent) -> bool:
    """A guest without an address paid on the provider's page: only the provider's answer names it, for events are stored
    without what is personal."""
    order = intent.order
    return intent.method == "checkout" and order.user_id is None and not order.email


def apply(event: WebhookEvent, intent: PaymentIntent, facts: base.Facts) -> str:
    """Apply what stands as it is; answers what was done, "" when the provider must be asked."""
    if facts.refund is not None:
        return refund_notices.apply_notice(intent, facts.refund, source="webhook")
    if facts.dispute is not None:
        return disputes.apply_notice(intent, facts.dispute, source="webhook")
    if facts.payment is not None and facts.payment.status in _LASTING and not _wants_address(intent):
        applied = settlement.apply_result(intent, facts.payment, source="webhook")
        return f"{facts.payment.status}: {applied}"
    return ""
