"""Pay at the machine (seed 1, init-payment): start the attempt of a session's order, exactly one at a time.

What follows is the same for every gateway (payments.services.intents): tx 1 records the intention and moves the session,
then the manufacturer is called outside any transaction, then the outcome is recorded. Guarantees: a second start answers
the first attempt; a refusal leaves the way free for a new attempt with a new number.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import Shell
from orders.models import Order
from orders.services import credit_parts
from payments import registry, states
from payments.models import PaymentIntent
from payments.services import closing, credit_settling, intents, schedule
from pimpshop.core import ids
from pimpshop.core.states import remark
from vending.models import VendingSession
from vending.services import machines, sessions

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MachinePayment:
    """What init-payment answers from."""

    intent: PaymentIntent
    session: VendingSession

    @property
    def third_id(self) -> str:
        return self.intent.out_trade_no

    @property
    def is_paid(self) -> bool:
        return self.intent.settles_order


def start_machine_payment(session: VendingSession, *, source: str) -> MachinePayment:
    """Ask the machine to take the money for the session's order (seed 1, init-payment).

    The second call answers the first attempt; once the order is paid, the one that paid it. Raises
    sessions.SummaryMissing, intents.AlreadyPaid, intents.SessionMoved (its order was replaced or cancelled), machines.OutOfStock,
    machines.MachineNotReady, intents.PaymentNotStarted (nothing was charged), intents.PaymentUncertain (ask again).
    """
    if not session.order_no:
        raise sessions.SummaryMissing
    order = Order.objects.get(order_no=session.order_no)
    paid = PaymentIntent.objects.filter(order=order, settles_order=True).first()
    if paid is not None:
        return MachinePayment(paid, session)
    intent = intents.current_attempt(order)
    if order.currency != session.machine.currency and (intent is None or intent.gateway != "machine"):
        raise intents.SessionMoved  # made to be paid online; the machine takes its own currency only
    if intent and intent.gateway != "machine" and intent.status in states.UNDECIDED:
        _withdraw_online(intent, session, source=source)
        if intent.status in states.PAID:
            return MachinePayment(intent, session)
    if intent and intent.status == "expired" and _waits_for(session, intent):
        return MachinePayment(intent, session)  # days old, and the machine may take it yet: no second number
    if intent is None or intent.status in ("failed", "canceled", "expired"):
        if order.status == "cancelled":
            raise intents.SessionMoved
        if order.status != "pending":
            raise intents.AlreadyPaid
        shell = Shell.objects.get(pk=order.lines.get().shell_id or 0)
        machines.ensure_ready(session.machine, shell, session=session)
        intent = _record_attempt(order, session, after=intent, source=source)
    if intent.status == "created":
        intents.create_or_wait(intent, order, source=source)
        intent.refresh_from_db()
    if intent.status == "canceled":
        raise intents.SessionMoved
    if intent.status in ("failed", "expired"):
        raise intents.PaymentNotStarted(details={"reason": intent.error_code} if intent.error_code else None)
    if intent.status == "created":
        raise intents.PaymentUncertain(retry_after=3)
    session.refresh_from_db()
    return MachinePayment(intent, session)


def _withdraw_online(intent: PaymentIntent, session: VendingSession, *, source: str) -> None:
    """Somebody began to pay on the phone and comes to the machine instead: that way is closed first. `intent` tells
    afterwards where it stands. Raises intents.PaymentUncertain when it cannot be closed just now."""
    closing.close(intent, to="canceled", source=source, reason="paid at the machine instead")
    if intent.status in states.UNDECIDED:
        raise intents.PaymentUncertain(retry_after=5)
    session.refresh_from_db()


def _waits_for(session: VendingSession, intent: PaymentIntent) -> bool:
    return session.status == "payment_pending" and session.third_id == intent.out_trade_no


def _record_attempt(
    order: Order, session: VendingSession, *, after: PaymentIntent | None, source: str
) -> PaymentIntent:
    """tx 1: the attempt's row, its event and the session's move, or (somebody was faster) theirs."""
    gateway = registry.get("machine")
    attempt = (after.attempt if after else 0) + 1
    third_id = ids.next_third_id("PYEN")
    part = credit_parts.current(order)
    now = timezone.now()
    try:
        with transaction.atomic():
            intent = PaymentIntent.objects.create(
                order=order,
                attempt=attempt,
                gateway="machine",
                account=gateway.account,
                method="machine",
                live=gateway.live,
                amount_minor=order.total_minor - (part.covers_minor if part else 0),
                currency=order.currency,
                out_trade_no=third_id,
                idempotency_key=f"{order.order_no}:{attempt}:create",
                next_query_at=now + intents.CREATE_LEASE,
                query_until=now + schedule.QUERY_FOR,
                metadata={credit_settling.PART: part.number} if part else {},
            )
            if part:
                credit_parts.keep(part, sessions.PAYMENT_LIVE_FOR)
            remark(intent, source=source, reason="created")
            if not sessions.begin_payment(session, order_no=order.order_no, third_id=third_id, source=source):
                raise intents.SessionMoved
            if part:  # what the machine's screen shows is what the machine asks for
                sessions.note_due(session, intent.amount)
    except IntegrityError:
        rival = intents.current_attempt(order)
        if rival is None or rival.attempt < attempt:
            raise
        return rival
    log.info("payment_initialised", session=session.session_id, third_id=third_id)
    return intent
