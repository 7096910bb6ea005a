"""Payment intents: finding an attempt, and creating it at its provider, exactly one call at a time.

Rows are made by `machine_payments` and `online_payments` (tx 1: the intention); here the provider is called outside any
transaction, and `settlement.apply_result` records the outcome. Guarantees: a lost answer keeps the number and is sent
again only after asking; a refusal leaves the way free for a new attempt with a new number.
"""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import requests, schedule, settlement, switches
from pimpshop.core import errors, staff_items
from vending.models import VendingSession
from vending.services import sessions

log = structlog.get_logger(__name__)

#: How long one process may take to create a payment at the provider before another may try.
#: Above a log-in, a call and both again after a refused token (15 s each), with a look before: nobody sends meanwhile.
CREATE_LEASE = timedelta(seconds=120)
#: How long a second caller waits for the first one's answer, in seconds.
WAIT_FOR_OTHER = 4.0


class PaymentNotStarted(errors.ShopError):
    code, status = "payment_not_started", 502
    message = _(
        "The payment could not be started. Nothing was charged. Please try again or choose another way to pay."
    )


class PaymentUncertain(errors.ShopError):
    code, status = "payment_uncertain", 503
    message = _(
        "There is no answer yet. Nothing is lost: we keep trying. Please wait a moment and ask again; "
        "do not pay twice."
    )


class AlreadyPaid(errors.Conflict):
    code = "already_paid"
    message = _("This order is paid already. Please do not pay again.")


class SessionMoved(errors.Conflict):
    code = "session_moved"
    message = _("This session has ended or its order has changed. Nothing was charged. Please look again.")


def current_attempt(order: Order) -> PaymentIntent | None:
    """The newest attempt of an order."""
    return PaymentIntent.objects.filter(order=order).order_by("-attempt").first()


def by_number(out_trade_no: str) -> PaymentIntent | None:
    """The attempt with our number, however old."""
    return PaymentIntent.objects.select_related("order").filter(out_trade_no=out_trade_no).first()


def create_or_wait(intent: PaymentIntent, order: Order, *, source: str) -> None:
    """The outside call of an attempt that is still `created`; one caller makes it, the others wait for its answer."""
    if not lease(intent):
        _wait_for_other(intent)
        return
    create(intent, order, source=source)


def lease(intent: PaymentIntent) -> bool:
    """Take the right to create `intent` at its provider for a while.

    The try is counted and committed before the call, and the count is read back: whoever finds it above one knows
    that somebody (a killed worker, a slower request) may have called already, and asks first.
    """
    now = timezone.now()
    won = (
        PaymentIntent.objects.filter(pk=intent.pk, status="created")
        .filter(Q(leased_until=None) | Q(leased_until__lt=now))
        .update(
            leased_until=now + CREATE_LEASE,
            next_query_at=now + CREATE_LEASE,
            query_count=F("query_count") + 1,
        )
    )
    if won:
        intent.refresh_from_db(fields=["query_count"])
    return bool(won)


def abandoned(intent: PaymentIntent) -> bool:
    """Still not known to have reached the provider, and the shopper has left (minutes ago, or by ending the session):
    nobody may be asked for that money any more. We go on asking whether it got there; if not, the attempt expires."""
    if intent.status != "created" or (intent.leased_until and intent.leased_until > timezone.now()):
        return False
    return timezone.now() - intent.created_at > sessions.PAYMENT_LIVE_FOR or not _still_wanted(intent)


def _still_wanted(intent: PaymentIntent) -> bool:
    """Does the session still wait for this very payment? Whoever has no session at a machine has nobody to leave. And
    elsewhere: is the order still to be paid?"""
    if intent.gateway != "machine":
        return Order.objects.filter(pk=intent.order_id, status="pending").exists()
    session_id = intent.order.session_id
    waiting = VendingSession.objects.filter(session_id=session_id, status="payment_pending")
    return not session_id or waiting.filter(third_id=intent.out_trade_no).exists()


def create(intent: PaymentIntent, order: Order, *, source: str) -> None:
    """Call the provider for a leased attempt and record what it said. An unknown outcome leaves it `created`.

    Only what the first send was told ends the attempt: whatever goes wrong with a later one, the first may have
    arrived, and then the machine takes the money.
    """
    first = intent.query_count == 1
    if not _still_wanted(intent):
        _withdraw(intent, never_sent=first, source=source)
        return
    gateway = registry.get(intent.gateway)
    try:
        result = gateway.create_payment(requests.payment_request(intent, order, resend=not first))
    except base.GatewayError as error:
        unavailable = isinstance(error, base.GatewayUnavailable)
        if unavailable:
            switches.note_failure(intent.gateway)
        if isinstance(error, base.GatewayMisuse):
            tell_staff(intent, error)
        if first and (error.not_sent or not unavailable):
            _fail(intent, error, source=source)
            return
        if not unavailable:
            _tell_of_refused_resend(intent, error)
        _try_later(intent, error)
        return
    switches.note_success(intent.gateway)
    settlement.apply_result(intent, result, source=source)


def _fail(intent: PaymentIntent, error: base.GatewayError, *, source: str) -> None:
    """Nothing was charged and nothing will be: the attempt ends, and a new one may start under a new number."""
    detail = error.to_detail()
    result = base.PaymentResult(
        status=base.PaymentStatus.FAILED, error=detail, provider_status=detail.provider_code or detail.code
    )
    settlement.apply_result(intent, result, source=source)


def _withdraw(intent: PaymentIntent, *, never_sent: bool, source: str) -> None:
    """The session ended meanwhile. Nothing sent: the attempt ends. Perhaps sent: the lease goes back, and the next
    question decides (`abandoned`)."""
    if never_sent:
        result = base.PaymentResult(status=base.PaymentStatus.CANCELED)
        settlement.apply_result(intent, result, source=source)
    else:
        PaymentIntent.objects.filter(pk=intent.pk, status="created").update(leased_until=None)


def _try_later(intent: PaymentIntent, error: base.GatewayError) -> None:
    """The answer was lost: same number, and the sweeper asks before it sends again."""
    soon = timezone.now() + timedelta(seconds=3)
    if intent.query_count > 1:
        soon = schedule.next_query(intent) or soon
    PaymentIntent.objects.filter(pk=intent.pk, status="created").update(
        leased_until=None, next_query_at=soon, error_code=error.code[:64], error_message=str(error)[:300]
    )
    log.warning("payment_create_uncertain", payment=intent.out_trade_no, error=error.code)


def tell_staff(intent: PaymentIntent, error: base.GatewayError) -> None:
    """Our fault or our credentials: an item per gateway and code."""
    staff_items.open_item(
        kind="gateway_misuse", subject=f"{intent.gateway}:{error.code}",
        title=f"The gateway {intent.gateway} refuses our requests: {error.code}",
        detail="Check its settings and credentials. Customers were told that nothing was charged.",
        message=str(error)[:300],
    )  # fmt: skip


def _tell_of_refused_resend(intent: PaymentIntent, error: base.GatewayError) -> None:
    staff_items.open_item(
        kind="payment_uncertain", subject=intent.out_trade_no, error=error.code,
        title=f"Payment {intent.out_trade_no}: sent once without an answer, refused since ({error.code})",
        detail="The machine may be asking for the money all the same. We go on asking for three days.",
    )  # fmt: skip


def _wait_for_other(intent: PaymentIntent) -> None:
    """Another request is creating this very payment: wait a little for its answer instead of sending a second one."""
    end = time.monotonic() + WAIT_FOR_OTHER
    while time.monotonic() < end:
        time.sleep(0.2)
        intent.refresh_from_db(fields=["status", "leased_until"])
        if intent.status != "created" or intent.leased_until is None:
            return
