"""Stripe's words and ours: statuses of PaymentIntents, Checkout Sessions, refunds and disputes; seed 3's seven words.

Pure tables and functions. An unknown word is processing with a flag, logged once.
"""

from __future__ import annotations

import logging

from payments.gateways.base import DisputeStatus, Flag, PaymentStatus, RefundStatus
from pimpshop.core import redaction

log = logging.getLogger(__name__)

#: PaymentIntent.status. `requires_payment_method` also stands for "declined": see `attempts`.
INTENT = {
    "requires_payment_method": PaymentStatus.CREATED,
    "requires_confirmation": PaymentStatus.CREATED,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "processing": PaymentStatus.PROCESSING,
    "requires_capture": PaymentStatus.AUTHORIZED,
    "canceled": PaymentStatus.CANCELED,
    "succeeded": PaymentStatus.SUCCEEDED,
}
REFUND = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
DISPUTE = {
    "warning_needs_response": DisputeStatus.OPENED,
    "warning_under_review": DisputeStatus.UNDER_REVIEW,
    "warning_closed": DisputeStatus.CLOSED,
    "needs_response": DisputeStatus.OPENED,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "prevented": DisputeStatus.CLOSED,
}
#: After these a shopper is not asked to try the same card again; which one it was is nobody's business.
NO_RETRY = frozenset({"fraudulent", "lost_card", "stolen_card", "pickup_card"})
_PAID = ("paid", "no_payment_required")
_told: set[str] = set()


def intent_status(word: str) -> tuple[PaymentStatus, tuple[str, ...]]:
    """Our status and flags for a PaymentIntent's word."""
    status = INTENT.get(word)
    return (status, ()) if status else (PaymentStatus.PROCESSING, _unknown(word))


def session_status(status: str, payment_status: str, intent: str) -> tuple[PaymentStatus, tuple[str, ...]]:
    """Our status and flags for a Checkout Session (providers/stripe.md, 3.1). `completed` alone is not paid, and while the
    page is open a declined card ends nothing: the shopper may try another one there."""
    if status == "expired":
        return PaymentStatus.EXPIRED, ()
    if status == "open":
        return PaymentStatus.REQUIRES_ACTION, ()
    if status != "complete":
        return PaymentStatus.PROCESSING, _unknown(status)
    if payment_status in _PAID:
        return PaymentStatus.SUCCEEDED, ()
    if intent == "requires_capture":
        return PaymentStatus.AUTHORIZED, ()
    if intent in ("requires_payment_method", "canceled"):
        return (PaymentStatus.FAILED if intent == "requires_payment_method" else PaymentStatus.CANCELED), ()
    return PaymentStatus.PROCESSING, () if payment_status == "unpaid" else _unknown(payment_status)


def session_word(status: str, payment_status: str, intent: str) -> str:
    """The three words that make a session's state, as `provider_status` carries them: complete/unpaid/processing."""
    return "/".join(word for word in (status, payment_status, intent) if word)


def seed3_status(provider_status: str, *, canceled_by_us: bool = False) -> str:
    """Seed 3's word (paid, unpaid, processing, expired, failed, canceled, no_payment_required) from a stored
    `provider_status`: `session_word`'s form, or a PaymentIntent's word alone. `canceled_by_us`: our own call expired it."""
    status, _, rest = provider_status.partition("/")
    payment_status, _, intent = rest.partition("/")
    if status not in ("open", "complete", "expired"):
        status, payment_status, intent = "complete", "paid" if status == "succeeded" else "unpaid", status
    if status == "expired":
        return "canceled" if canceled_by_us else "expired"
    if status == "open":
        return "unpaid"
    if payment_status in _PAID:
        return payment_status
    return {"requires_payment_method": "failed", "canceled": "canceled"}.get(intent, "processing")


def may_retry(provider_code: str) -> bool:
    """Seed 5's `retry_allowed` for the code of a decline."""
    return provider_code not in NO_RETRY


def _unknown(word: str) -> tuple[str, ...]:
    if word not in _told and len(_told) < 1000:
        _told.add(word)
        log.warning("unknown status of Stripe: %s", redaction.scrub_text(word, max_bytes=40))
    return (Flag.UNKNOWN_STATUS,)


def refund_status(word: str) -> tuple[RefundStatus, tuple[str, ...]]:
    """Our status and flags for a refund's word; an unknown one is pending."""
    status = REFUND.get(word)
    return (status, ()) if status else (RefundStatus.PENDING, _unknown(word))


def dispute_status(word: str) -> DisputeStatus:
    """Our status for a dispute's word; an unknown one is under review, so that staff look."""
    status = DISPUTE.get(word)
    if status is None:
        _unknown(word)
    return status or DisputeStatus.UNDER_REVIEW
