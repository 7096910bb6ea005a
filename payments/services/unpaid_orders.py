"""Orders that end by themselves when nobody pays them (`Order.cancel_at`): at the provider first, then here.

Guarantees: an order is cancelled only when each of its attempts has ended and none of WeChat Pay's can be paid there any
more; a provider that does not answer leaves it waiting; money that came first settles, and money that comes later is
honoured (orders.states). Calls outside: closing, none inside a transaction.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.models import Order
from orders.services import goods_orders
from payments import registry, states
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import closing, intents, requests, schedule, settlement, wechat_answers

log = structlog.get_logger(__name__)

#: An order whose attempts cannot be ended just now is looked at again after so long.
AGAIN_AFTER = timedelta(minutes=1)
#: Our rows have ended by these words; WeChat Pay's order is closed by the first alone.
CLOSED, UNPAID = "CLOSED", ("CLOSED", "REVOKED", "PAYERROR")


def wait_for(order: Order, intent: PaymentIntent) -> None:
    """Somebody may pay `intent` until its own time is over: so long the order waits."""
    if intent.expires_at is None:
        return
    until = intent.expires_at + schedule.GRACE
    Order.objects.filter(pk=order.pk, cancel_at__lt=until).update(cancel_at=until)


def due(limit: int = 50) -> list[int]:
    """Orders whose time is over and that nobody paid, oldest first."""
    rows = Order.objects.filter(status="pending", cancel_at__lte=timezone.now()).order_by("cancel_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def close_due(order_pk: int) -> bool:
    """End one order whose time is over (sweeper). Answers whether it was cancelled."""
    order = Order.objects.filter(pk=order_pk, status="pending", cancel_at__lte=timezone.now()).first()
    if order is None:
        return False
    if _still_payable(order):
        return False
    if _all_closed(order, source="sweeper") and _cancel(order, source="sweeper", reason="not paid in time"):
        return True
    _look_again(order)
    return False


def _still_payable(order: Order) -> bool:
    """May one of its payments be paid for a while yet? Then the order waits. Those whose time is over are closed."""
    for intent in order.payment_intents.filter(status__in=states.UNDECIDED):
        if not schedule.has_expired(intent):
            wait_for(order, intent)
            _look_again(order)
            return True
        if intent.status != "expiring":  # the sweeper goes on with what does not answer
            closing.close(intent, to="expired", source="sweeper", reason="the order was not paid in time")
    return False


def _look_again(order: Order) -> None:
    """A little later; unless somebody has just begun to pay it, which gave it another time."""
    now = timezone.now()
    waiting = Order.objects.filter(pk=order.pk, status="pending", cancel_at__lte=now)
    waiting.update(cancel_at=now + AGAIN_AFTER)


def follow(order: Order, *, may_call: bool, source: str) -> bool:
    """The newest attempt has ended by WeChat Pay's word: once it is closed there, so is the order. `may_call`: the right to
    ask was taken. Answers whether it was cancelled now."""
    if order.cancel_at is None:
        return False
    intent = intents.current_attempt(order)
    word = _told(intent) if intent is not None else ""
    if word not in UNPAID or not _all_closed(order, source=source, may_call=may_call):
        return False
    return _cancel(order, source=source, reason=f"the payment is {word}")


def their_word(intent: PaymentIntent) -> str:
    """WeChat's trade_state of an attempt, as far as our rows know it. A request that was refused is no order there."""
    if intent.status not in states.ENDED:
        return wechat_answers.trade_state(intent)
    return _told(intent) or ("NOTPAY" if intent.status == "failed" else CLOSED)


def _told(intent: PaymentIntent) -> str:
    """The word of WeChat Pay that ended an attempt; "" when it did not end, or by our conclusion."""
    if intent.status not in states.ENDED:
        return ""
    last = intent.events.filter(to_status=intent.status).order_by("-id").first()
    told = str(last.data.get("provider_status", "")) if last else ""
    return told if told in UNPAID else ""


def _all_closed(order: Order, *, source: str, may_call: bool = True) -> bool:
    """Can none of the order's attempts be paid any more?"""
    for intent in order.payment_intents.all():
        if intent.status not in states.ENDED:
            return False
        sure = intent.gateway != "wechatpay" or _told(intent) == CLOSED
        if not sure and not (may_call and _close_there(intent, source=source)):
            return False
    return True


def _close_there(intent: PaymentIntent, *, source: str) -> bool:
    """An attempt that ended here by a word that ends nothing at WeChat Pay (a try failed, was revoked): close it there."""
    try:
        result = registry.get(intent.gateway).close_payment(requests.payment_ref(intent))
    except (base.GatewayError, registry.GatewayUnknown) as error:
        log.warning("payment_close_failed", payment=intent.out_trade_no, error=str(error)[:100])
        return False
    settlement.apply_result(intent, result, source=source)
    closed = result.status in (base.PaymentStatus.CANCELED, base.PaymentStatus.EXPIRED)
    return closed or base.Flag.NOT_FOUND in result.flags


def _cancel(order: Order, *, source: str, reason: str) -> bool:
    """Under the order's lock: nobody starts a payment of it meanwhile (online_payments records attempts under the same)."""
    with transaction.atomic():
        Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if order.payment_intents.filter(Q(status__in=states.UNDECIDED) | Q(status__in=states.PAID)).exists():
            return False
        return goods_orders.cancel_unpaid(order=order, source=source, reason=reason)
