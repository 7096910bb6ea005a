"""Ending an attempt at its provider before it ends here, and taking (capturing) what was only held.

Guarantees: `expiring` is written before the call, so a lost answer is known to be unknown; only the provider's word makes
it canceled or expired; money that came first settles as always. No call inside a transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import registry, states
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import intents, requests, schedule, settlement
from pimpshop.core import errors
from pimpshop.core.money import Money
from pimpshop.core.states import advance

log = structlog.get_logger(__name__)


class CannotClose(errors.Conflict):
    code = "cannot_close"
    message = _("This payment cannot be withdrawn there. Nothing was changed. We keep watching it.")


class NotAuthorized(errors.Conflict):
    code = "ALREADY_CAPTURED"
    message = _("This payment is not waiting to be captured. Nothing was taken.")


#: A confirmation that is still unknown at the provider after so long never got there.
ARRIVES_WITHIN = timedelta(minutes=1)
_ENDED = (base.PaymentStatus.CANCELED, base.PaymentStatus.EXPIRED, base.PaymentStatus.FAILED)


def close(intent: PaymentIntent, *, to: str, source: str, actor: str = "", reason: str = "") -> None:
    """End an undecided attempt as `to` (canceled or expired). `intent` tells afterwards where it stands: still
    `expiring` when the provider did not answer (the sweeper goes on), paid when the money was faster.

    Raises CannotClose where the provider cannot (the machine). Nothing moves where the gateway is not configured any
    more: nobody can be asked, and what was shown to the shopper may still be paid until its time is over.
    """
    try:
        gateway = registry.get(intent.gateway)
    except registry.GatewayUnknown:
        log.warning(
            "payment_close_failed", payment=intent.out_trade_no, error="the gateway is not configured"
        )
        return
    if not gateway.can_close:
        raise CannotClose
    wanted = {"close_to": to}
    if intent.status != "expiring":
        if not _may_close(intent):
            return
        moved = advance(
            intent, "expiring", source=source, actor=actor, reason=reason,
            metadata={**intent.metadata, **wanted}, next_query_at=schedule.next_query(intent) or timezone.now(),
        )  # fmt: skip
        if not moved:
            intent.refresh_from_db()
            return
    finish(intent, source=source, actor=actor)


def is_overdue(intent: PaymentIntent) -> bool:
    """Is its time over, and nobody has begun to pay? What is being worked on or held is the provider's to end."""
    return intent.status in ("created", "requires_action") and schedule.has_expired(intent)


def is_superseded(intent: PaymentIntent) -> bool:
    """Did another attempt pay the order while this one still waits? Then nobody shall be able to pay it a second time. (One
    at the machine cannot be withdrawn.)"""
    if intent.status not in ("created", "requires_action") or intent.gateway == "machine":
        return False
    others = PaymentIntent.objects.filter(order_id=intent.order_id, settles_order=True)
    return others.exclude(pk=intent.pk).exists()


def never_confirmed(intent: PaymentIntent, result: base.PaymentResult) -> bool:
    """A confirmation without an answer that did not arrive: a minute later the provider still waits for one. What it has
    not begun can be withdrawn, and the shopper may pay another way."""
    if (
        intent.status != "processing"
        or result.status != base.PaymentStatus.CREATED
        or not intent.confirm_count
    ):
        return False
    return timezone.now() - intent.updated_at > ARRIVES_WITHIN


def _may_close(intent: PaymentIntent) -> bool:
    """Nobody is creating or confirming it at this very moment (a close in between would be overtaken)."""
    now = timezone.now()
    free = PaymentIntent.objects.filter(pk=intent.pk).filter(Q(leased_until=None) | Q(leased_until__lt=now))
    intent.refresh_from_db()
    return intent.status in states.UNDECIDED and free.exists()


def finish(intent: PaymentIntent, *, source: str, actor: str = "") -> settlement.Applied | None:
    """The call of a close that was begun: ask the provider to end it, and apply what it says. None: no answer.
    Raises registry.GatewayUnknown."""
    to = base.PaymentStatus(intent.metadata.get("close_to") or "expired")
    gateway = registry.get(intent.gateway)
    try:
        result = gateway.close_payment(requests.payment_ref(intent))
    except base.GatewayError as error:
        log.warning("payment_close_failed", payment=intent.out_trade_no, error=str(error)[:100])
        PaymentIntent.objects.filter(pk=intent.pk, status="expiring").update(
            next_query_at=schedule.next_query(intent) or timezone.now() + schedule.LAST_GAP
        )
        return None
    # A page that was shown and not opened yet is unknown there, and can be opened until its time is over: it ends here by
    # our conclusion, we go on asking, and money that comes all the same goes back as surplus.
    not_there = base.Flag.NOT_FOUND in result.flags
    if result.status in _ENDED or not_there:
        result = replace(result, status=to, flags=())
    inferred = not_there and not schedule.has_expired(intent)
    applied = settlement.apply_result(intent, result, source=source, actor=actor, inferred=inferred)
    intent.refresh_from_db()
    return applied


def capture(
    intent: PaymentIntent, *, amount: Money | None = None, source: str, actor: str = ""
) -> PaymentIntent:
    """Take what was authorized (`amount` None: all of it). Raises NotAuthorized, intents.PaymentUncertain (asked again
    by the sweeper), intents.PaymentNotStarted (the provider refused; it is still held)."""
    if intent.status != "authorized":
        raise NotAuthorized
    gateway = registry.get(intent.gateway)
    try:
        result = gateway.capture_payment(requests.payment_ref(intent), amount or intent.amount)
    except base.GatewayUnavailable as error:
        PaymentIntent.objects.filter(pk=intent.pk).update(next_query_at=timezone.now())
        raise intents.PaymentUncertain(retry_after=5) from error
    except base.GatewayError as error:
        if error.code in (base.ErrorCode.ALREADY_CAPTURED, base.ErrorCode.ALREADY_PAID):
            raise NotAuthorized from error
        raise intents.PaymentNotStarted(details={"reason": error.code}) from error
    settlement.apply_result(intent, result, source=source, actor=actor)
    intent.refresh_from_db()
    return intent
