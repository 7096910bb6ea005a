"""Asking the provider: once per three seconds and order at the most, whoever asks; what it says is applied.

Doors call `refresh_if_stale` (a status read), `check_now` (staff) and `check_due` (sweeper, tasks). Guarantees: the
right to ask is a compare-and-set on the row; no call inside a transaction; an outage changes nothing.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from orders.models import Order
from payments import registry, states
from payments.gateways import base
from payments.models import PaymentIntent, WebhookEvent
from payments.services import at_once, closing, intents, requests, schedule, settlement
from pimpshop.core.states import remark

log = structlog.get_logger(__name__)

#: After an outage, status reads do not ask for so many seconds: a page must stay quick while a provider is down.
READER_REST_SECONDS = 10
#: A gateway that left a question unanswered has its others asked last for so many seconds, by this process.
SILENT_SECONDS = 30
_silent: dict[str, float] = {}


@dataclass(frozen=True)
class Checked:
    """`asked` False: somebody asked within three seconds. `applied` says what became of the answer; None: no answer."""

    asked: bool
    applied: settlement.Applied | None = None
    provider_status: str = ""


def check_now(
    *,
    intent: PaymentIntent,
    source: str = "admin",
    actor: str = "",
    may_ask: bool = False,
    event: WebhookEvent | None = None,
) -> Checked:
    """Ask the provider about one attempt and apply the answer, unless its order was asked about just now.

    `may_ask`: the right to ask was taken with the event (at_once.take_up). `event` led to the question: it is ended by
    the statement that settles the payment, if the usual one does.
    """
    if not may_ask and not at_once.may_ask(intent):
        if not _may_ask(intent):
            return Checked(asked=False)
        intent.refresh_from_db()
    try:
        return _ask(intent, source=source, actor=actor, event=event)
    except registry.GatewayUnknown:
        return _nobody_to_ask(intent, source=source)


def _nobody_to_ask(intent: PaymentIntent, *, source: str) -> Checked:
    """The gateway is not configured any more. An attempt whose time is over counts as not paid, so that the shopper may
    pay another way; we go on, and should the gateway return, a success is honoured."""
    log.warning("payment_query_failed", payment=intent.out_trade_no, error="the gateway is not configured")
    waits = intent.status in ("created", "requires_action", "expiring") and schedule.has_expired(intent)
    if waits or schedule.is_over(intent, even_unanswered=True):
        settlement.give_up(intent, source=source)
    return Checked(asked=True)


def _ask(intent: PaymentIntent, *, source: str, actor: str, event: WebhookEvent | None) -> Checked:
    """The question and what follows. Raises registry.GatewayUnknown."""
    if intent.status == "expiring":
        applied = closing.finish(intent, source=source, actor=actor)
        if applied is None and schedule.is_over(intent, even_unanswered=True):
            settlement.give_up(intent, source=source)
        return Checked(asked=True, applied=applied)
    left = intents.abandoned(intent)
    unsent = intent.status == "created" and not intent.provider_ref and not schedule.has_expired(intent)
    if unsent and not left and intents.lease(intent):
        # It may never have reached the provider: create it, the gateway asks first.
        intents.create(intent, intent.order, source=source)
        intent.refresh_from_db()
        moved = settlement.Applied.MOVED if intent.status != "created" else None
        return Checked(asked=True, applied=moved)
    try:
        result = registry.get(intent.gateway).query_payment(requests.payment_ref(intent))
    except base.GatewayError as error:
        log.warning("payment_query_failed", payment=intent.out_trade_no, error=error.code)
        if schedule.is_over(intent, even_unanswered=True):
            settlement.give_up(intent, source=source)
        return Checked(asked=True)
    inferred = (left and base.Flag.NOT_FOUND in result.flags) or (
        schedule.is_over(intent) and str(result.status) in states.UNDECIDED
    )
    if inferred:
        result = replace(result, status=base.PaymentStatus.EXPIRED)
    if actor:
        remark(
            intent,
            source=source,
            actor=actor,
            reason="checked",
            data={"provider_status": result.provider_status},
        )
    applied = settlement.apply_result(
        intent, result, source=source, actor=actor, inferred=inferred, event=event
    )
    if closing.is_overdue(intent):
        closing.close(intent, to="expired", source=source, reason="not paid in time")
    elif closing.is_superseded(intent):
        closing.close(intent, to="canceled", source=source, reason="the order is paid")
    elif closing.never_confirmed(intent, result):
        closing.close(intent, to="canceled", source=source, reason="the confirmation never arrived")
    elif intent.status in states.ENDED and schedule.has_expired(intent):  # nobody can pay it any more
        PaymentIntent.objects.filter(pk=intent.pk, status__in=states.ENDED).update(next_query_at=None)
    return Checked(asked=True, applied=applied, provider_status=result.provider_status)


def refresh_if_stale(order: Order, *, source: str = "page", even_ended: bool = False) -> bool:
    """A status page or API read: ask about the order's undecided attempt if nobody did within three seconds. `even_ended`:
    also about one that ended unpaid, for a success may be late. Answers whether the provider was asked and answered."""
    intent = intents.current_attempt(order)
    if intent is None or intent.status not in (states.ASKABLE if even_ended else states.UNDECIDED):
        return False
    if _rests(intent.gateway):
        return False
    checked = check_now(intent=intent, source=source)
    if checked.asked and checked.applied is None:
        _let_rest(intent.gateway)
    return checked.asked and checked.applied is not None


def make_due(order: Order) -> None:
    """Somebody says that there is news of its payments: the sweeper asks now, should whoever says so not hear it."""
    PaymentIntent.objects.filter(order=order, status__in=states.ASKABLE).filter(
        Q(next_query_at=None) | Q(next_query_at__gt=timezone.now())
    ).update(next_query_at=timezone.now())


def _rests(gateway: str) -> bool:
    """Did a reader's query fail just now? Then readers do not wait for another one; sweeper and tasks go on asking."""
    try:
        return cache.get(f"gateway-rests:{gateway}") is not None
    except (RedisError, OSError):
        return False


def _let_rest(gateway: str) -> None:
    with contextlib.suppress(RedisError, OSError):
        cache.set(f"gateway-rests:{gateway}", 1, timeout=READER_REST_SECONDS)


def due(limit: int = 50) -> list[int]:
    """Attempts whose next query is due (undecided, or ended by our inference), oldest first; those of a gateway that did not
    answer just now come last, for each of them may take as long as a time-out while others could be settled."""
    now = time.monotonic()
    silent = [gateway for gateway, until in _silent.items() if until > now]
    rows = PaymentIntent.objects.filter(next_query_at__lte=timezone.now()).order_by("next_query_at")
    heard = list(rows.exclude(gateway__in=silent).values_list("pk", flat=True)[:limit])
    if not silent or len(heard) == limit:
        return heard
    return heard + list(rows.filter(gateway__in=silent).values_list("pk", flat=True)[: limit - len(heard)])


def check_due(intent_pk: int) -> bool:
    """Ask about one attempt whose query is due (sweeper, task). Answers whether it asked."""
    intent = PaymentIntent.objects.select_related("order").filter(pk=intent_pk).first()
    if intent is None or intent.next_query_at is None or intent.next_query_at > timezone.now():
        return False
    if intent.status not in states.ASKABLE:
        PaymentIntent.objects.filter(pk=intent.pk, status=intent.status).update(next_query_at=None)
        return False
    checked = check_now(intent=intent, source="poll")
    if checked.asked:
        _silent[intent.gateway] = time.monotonic() + SILENT_SECONDS if checked.applied is None else 0.0
    return checked.asked


def _may_ask(intent: PaymentIntent) -> bool:
    """Take the right to ask: nobody asked about any attempt of the order within three seconds. Plans the next time.

    `at_once.may_ask` answers for orders with one attempt. The usual answer, no, costs one read here. Locks: the
    attempt, then the order, as settling does.
    """
    now = timezone.now()
    asked_lately = PaymentIntent.objects.filter(
        order_id=intent.order_id, last_query_at__gt=now - schedule.MIN_GAP
    )
    if asked_lately.exists():
        return False
    with transaction.atomic():
        mine = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        Order.objects.select_for_update(no_key=True).get(pk=intent.order_id)
        if asked_lately.exists():  # two attempts of one order were asked about at the same moment
            return False
        plan: dict[str, Any] = {"last_query_at": now}
        if mine.status in states.UNDECIDED:
            # When its time is over we need one last answer: `check_now` ends it then.
            plan["next_query_at"] = schedule.next_query(mine, now) or now + schedule.LAST_GAP
        elif mine.next_query_at is not None:
            plan["next_query_at"] = schedule.next_query(mine, now)
        PaymentIntent.objects.filter(pk=mine.pk).update(**plan)
    return True
