"""Pay on the phone or at home: start and confirm an attempt at any gateway but the machine.

As everywhere: tx 1 records the attempt, the provider is called outside any transaction, `settlement.apply_result` records
the outcome. Guarantees: the same way to pay answers the open attempt again; another way, or a new price, is a new attempt
under a new number, after the earlier one was closed at its provider; nothing is started for an order that is paid. A card
number or CVC passes through to the gateway and is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from orders.models import Order
from orders.services import credit_parts
from payments import registry, states
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import closing, credit_settling, intents, requests, schedule, settlement, switches
from pimpshop.core import ids
from pimpshop.core.states import remark
from vending.models import VendingSession
from vending.services import sessions

log = structlog.get_logger(__name__)

#: How long an attempt may be paid when nobody says otherwise, in minutes.
PAY_WITHIN = 60


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How somebody wants to pay, and where they go afterwards. Addresses were checked against the allow-list by the
    door. `amount_minor` None: all that is due."""

    gateway: str
    method: str
    return_url: str = ""
    cancel_url: str = ""
    platform: str = ""
    client_ip: str = ""
    payer_ref: str = field(default="", repr=False)
    price_ref: str = ""
    description: str = ""
    manual_capture: bool = False
    save_method: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    api_key_id: int | None = None
    client_secret_hash: str = ""
    expires_at: datetime | None = None


def start_payment(
    order: Order, choice: Choice, *, instrument: base.Instrument | None = None, source: str, actor: str = ""
) -> PaymentIntent:
    """Start (or find) the attempt, create it at its provider, and with an `instrument` confirm it.

    Answers the attempt as it stands then; a decline is its status `failed` with the reason. An attempt that is found
    again takes over the choice's client secret, and the earlier one opens nothing any more. Raises intents.AlreadyPaid,
    intents.PaymentUncertain (an earlier attempt cannot be closed just now, or somebody else is at it: ask again),
    registry.GatewayUnknown, switches.GatewayOff; intents.PaymentNotStarted when the provider refused our request.
    """
    switches.must_be_on(choice.gateway)
    gateway = registry.get(choice.gateway)
    must_be_unpaid(order)
    pays_anew = instrument is not None
    newest = intents.current_attempt(order)
    intent = _reusable(newest, order, choice, gateway, pays_anew=pays_anew)
    if intent is None:
        if newest is not None:
            intent = _close_others(order, choice, gateway, pays_anew=pays_anew, source=source)
        attempt = newest.attempt + 1 if newest else 1
        intent = intent or _record(order, choice, gateway, attempt=attempt, source=source, actor=actor)
    elif choice.client_secret_hash:
        PaymentIntent.objects.filter(pk=intent.pk).update(client_secret_hash=choice.client_secret_hash)
    if intent.status == "created" and not intent.provider_ref:
        intents.create_or_wait(intent, order, source=source)
        intent.refresh_from_db()
    if intent.status == "canceled":
        must_be_unpaid(order)  # settled by an earlier attempt while this one was being made
    if intent.status == "created" and intent.provider_ref:
        _rest_until_confirmed(intent)
        if instrument is not None:
            return confirm_payment(intent, instrument, source=source)
    elif intent.status == "created":
        raise intents.PaymentUncertain(retry_after=3)
    if intent.status == "failed" and intent.error_code in _OURS:
        raise intents.PaymentNotStarted(details={"reason": intent.error_code})
    return intent


#: A first request that was refused for one of these was not the shopper's fault.
_OURS = (
    base.ErrorCode.INVALID_REQUEST,
    base.ErrorCode.CREDENTIALS,
    base.ErrorCode.NOT_SUPPORTED,
    base.ErrorCode.UNAVAILABLE,
    base.ErrorCode.RATE_LIMITED,
)


def confirm_payment(intent: PaymentIntent, instrument: base.Instrument, *, source: str) -> PaymentIntent:
    """Pay a two-step attempt with `instrument`, once: the try is counted and committed before the call, and one is under
    way at a time. An unknown outcome leaves it `processing`, and we ask.

    Raises intents.PaymentUncertain when another confirmation is under way (or the attempt is not made yet),
    intents.AlreadyPaid (by this attempt or another), registry.GatewayUnknown.
    """
    if intent.status in states.PAID:
        raise intents.AlreadyPaid
    must_be_unpaid(intent.order)
    gateway = registry.get(intent.gateway)
    if not intent.provider_ref or not _lease_confirm(intent):
        raise intents.PaymentUncertain(retry_after=3)
    key = f"{intent.idempotency_key}:confirm:{intent.confirm_count}"
    # A try that was counted and left no trace may have arrived (its process was killed): the gateway looks first.
    resend = intent.status == "created" and intent.confirm_count > 1
    request = requests.payment_request(
        intent, intent.order, instrument=instrument, idempotency_key=key, resend=resend
    )
    try:
        result = gateway.confirm_payment(request)
    except base.GatewayDeclined as error:
        result = _look(gateway, intent) if error.code in _NOT_WAITING else _failed(error)
    except base.GatewayMisuse as error:
        intents.tell_staff(intent, error)
        result = _failed(error)
    except base.GatewayError as error:
        if error.not_sent:
            result = _failed(error)
        else:
            log.warning("payment_confirm_uncertain", payment=intent.out_trade_no, error=error.code)
            result = base.PaymentResult(status=base.PaymentStatus.PROCESSING)
    settlement.apply_result(intent, result, source=source)
    intent.refresh_from_db()
    return intent


#: Refusals that are not about the card: the attempt does not wait for one (any more), for example because it is paid.
_NOT_WAITING = (base.ErrorCode.PAYMENT_CLOSED, base.ErrorCode.ALREADY_PAID, base.ErrorCode.ALREADY_CAPTURED)


def _look(gateway: base.Gateway, intent: PaymentIntent) -> base.PaymentResult:
    """How it stands instead; without an answer it is unknown."""
    try:
        return gateway.query_payment(requests.payment_ref(intent))
    except base.GatewayError as error:
        log.warning("payment_query_failed", payment=intent.out_trade_no, error=error.code)
        return base.PaymentResult(status=base.PaymentStatus.PROCESSING)


def must_be_unpaid(order: Order) -> None:
    """Raises intents.AlreadyPaid, intents.SessionMoved (the order has ended)."""
    order.refresh_from_db(fields=["status"])
    _must_wait_for_money(order)


def _must_wait_for_money(order: Order) -> None:
    if order.status == "cancelled":
        raise intents.SessionMoved
    if order.status != "pending":
        raise intents.AlreadyPaid


def _failed(error: base.GatewayError) -> base.PaymentResult:
    detail = error.to_detail()
    return base.PaymentResult(
        status=base.PaymentStatus.FAILED, error=detail, provider_status=detail.provider_code or detail.code
    )


def _lease_confirm(intent: PaymentIntent) -> bool:
    now = timezone.now()
    won = (
        PaymentIntent.objects.filter(pk=intent.pk, status__in=("created", "requires_action"))
        .filter(Q(leased_until=None) | Q(leased_until__lt=now))
        .update(
            leased_until=now + intents.CREATE_LEASE,
            next_query_at=now + intents.CREATE_LEASE,
            confirm_count=F("confirm_count") + 1,
        )
    )
    if won:
        intent.refresh_from_db()
    return bool(won)


def _rest_until_confirmed(intent: PaymentIntent) -> None:
    """Known to the provider, and nobody has paid yet: no lease, and the next question is about its end. (Once somebody
    began to confirm, the lease is theirs.)"""
    PaymentIntent.objects.filter(pk=intent.pk, status="created", confirm_count=0).update(
        leased_until=None, next_query_at=intent.expires_at
    )


def _reusable(
    intent: PaymentIntent | None, order: Order, choice: Choice, gateway: base.Gateway, *, pays_anew: bool
) -> PaymentIntent | None:
    """The newest attempt, when it is open and the very same: way, price, account, and time is left. `pays_anew`: the
    shopper gives a card now, so an attempt that waits for the bank's word about an earlier one is not the same."""
    if intent is None or intent.status not in ("created", "requires_action"):
        return None
    if pays_anew and intent.status != "created":
        return None
    same = (
        (intent.gateway, intent.method, intent.account, intent.amount_minor, intent.currency)
        == (choice.gateway, choice.method, gateway.account, credit_parts.due(order).amount_minor, order.currency)
    )  # fmt: skip
    same_client = (intent.api_key_id, intent.manual_capture, intent.save_method) == (
        choice.api_key_id, choice.manual_capture, choice.save_method,
    )  # fmt: skip
    same_payer = intent.metadata.get("payer_ref", "") == choice.payer_ref
    fresh = intent.expires_at is None or intent.expires_at - timezone.now() > schedule.LEAST_REUSE
    lead_on = _leads_on(intent) or intent.status == "created"
    return intent if same and same_client and same_payer and fresh and lead_on else None


def _leads_on(intent: PaymentIntent) -> bool:
    """Is there a way for the shopper to go on, for a while yet? A link may live shorter than its payment."""
    action = base.next_action_from_dict(intent.next_action)
    ends = getattr(action, "expires_at", None)
    return action is not None and (ends is None or ends - timezone.now() > schedule.LEAST_REUSE)


def _close_others(
    order: Order, choice: Choice, gateway: base.Gateway, *, pays_anew: bool, source: str
) -> PaymentIntent | None:
    """Whoever starts anew must not be able to pay the old attempt as well. Raises AlreadyPaid, PaymentUncertain.

    Answers, and leaves alone, what the other half of a double click made since we looked: it wants the very same."""
    for intent in order.payment_intents.filter(status__in=states.UNDECIDED).order_by("attempt"):
        if not (pays_anew or choice.client_secret_hash):
            newest = intents.current_attempt(order)
            same = _reusable(newest, order, choice, gateway, pays_anew=False)
            if same is not None:
                return same
        closing.close(intent, to="canceled", source=source, reason="another way to pay was chosen")
        if intent.status in states.PAID:
            raise intents.AlreadyPaid
        if intent.status in states.UNDECIDED:
            raise intents.PaymentUncertain(retry_after=5)
    return None


def _record(
    order: Order, choice: Choice, gateway: base.Gateway, *, attempt: int, source: str, actor: str
) -> PaymentIntent:
    """tx 1: the attempt's row and event; a session in front of a machine is bound to it. Or (somebody was faster)
    theirs."""
    now = timezone.now()
    number = ids.out_trade_no(order.order_no, attempt)
    private = {"payer_ref": choice.payer_ref, "client_ip": choice.client_ip, "price_ref": choice.price_ref}
    try:
        with transaction.atomic():
            # Read anew under its lock: an earlier attempt may just have been paid.
            order.refresh_from_db(
                from_queryset=Order.objects.select_for_update(no_key=True), fields=["status"]
            )
            _must_wait_for_money(order)
            _must_be_alone(order, attempt)
            part = credit_parts.current(order)
            intent = PaymentIntent.objects.create(
                order=order, attempt=attempt, gateway=choice.gateway, account=gateway.account, method=choice.method,
                live=gateway.live, amount_minor=order.total_minor - (part.covers_minor if part else 0), currency=order.currency, out_trade_no=number,
                idempotency_key=f"{order.order_no}:{attempt}:create", next_query_at=now + intents.CREATE_LEASE,
                query_until=now + schedule.QUERY_FOR, manual_capture=choice.manual_capture,
                save_method=choice.save_method, description=choice.description[:200], platform=choice.platform[:12],
                return_url=choice.return_url, cancel_url=choice.cancel_url, api_key_id=choice.api_key_id,
                client_secret_hash=choice.client_secret_hash,
                expires_at=choice.expires_at or requests.pay_until(PAY_WITHIN),
                metadata={**choice.metadata, **{name: value for name, value in private.items() if value}}
                | ({credit_settling.PART: part.number} if part else {}),
            )  # fmt: skip
            if part:
                credit_parts.keep(part, (intent.expires_at or now) - now)
            remark(intent, source=source, actor=actor, reason="created")
            _bind_session(order, number, source=source)
    except (IntegrityError, _Faster):
        rival = intents.current_attempt(order)
        if rival is None or rival.attempt < attempt:
            raise
        same = None
        if not choice.client_secret_hash:
            same = _reusable(rival, order, choice, gateway, pays_anew=False)
        if same is not None:  # a double click: the other request was faster, and wants the very same
            return same
        raise intents.PaymentUncertain(retry_after=1) from None
    log.info("payment_initialised", payment=number, gateway=choice.gateway, order=order.order_no)
    return intent


class _Faster(Exception):
    """Another request made this very attempt."""


def _must_be_alone(order: Order, attempt: int) -> None:
    """Under the order's lock: whoever was faster after the others were closed may be charging this very moment.

    Looked up, not tried out: an insert that collides waits for whoever is settling that attempt, and they wait for the
    order. Raises _Faster (a double click), intents.PaymentUncertain."""
    rivals = order.payment_intents.filter(Q(attempt__gte=attempt) | Q(status__in=states.UNDECIDED))
    numbers = list(rivals.values_list("attempt", flat=True))
    if any(number >= attempt for number in numbers):
        raise _Faster
    if numbers:
        raise intents.PaymentUncertain(retry_after=1)


def _bind_session(order: Order, number: str, *, source: str) -> None:
    """A session whose payment has started never expires by time. Raises intents.SessionMoved, machines.MachineBusy."""
    if not order.session_id:
        return
    session = VendingSession.objects.select_related("machine").get(session_id=order.session_id)
    if not sessions.begin_payment(session, order_no=order.order_no, third_id=number, source=source):
        raise intents.SessionMoved
