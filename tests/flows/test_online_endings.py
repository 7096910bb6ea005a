"""How an attempt ends that nobody paid, and what becomes of money that comes all the same.

GUARANTEES 3, 4 and 22: closed at the provider first; a close without an answer leaves `expiring`; a late success is
honoured, or given back when the order was paid otherwise; another way to pay is another number.
"""

from __future__ import annotations

import pytest

from credits import selectors as credits
from payments.models import PaymentIntent, Refund
from payments.services import closing, intents, online_payments, sync
from pimpshop.core.models import StaffItem
from tests.support.online import GATEWAYS, METHODS, THREE_DS, Online, a_card, let_pass, settle_down, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
CLOSE = {
    "stripe": "checkout.sessions.expire",
    "airwallex": "payment_intents/cancel",
    "wechatpay": "close",
    "alipay": "alipay.trade.close",
}


def stands(intent: PaymentIntent) -> tuple[str, str]:
    intent.refresh_from_db()
    intent.order.refresh_from_db()
    return intent.status, intent.order.status


def opened(online: Online, gateway: str, **more: object) -> PaymentIntent:
    """An attempt that its provider knows: Alipay's code has been scanned."""
    intent = online.start(gateway, **more)  # type: ignore[arg-type]
    if gateway == "alipay":
        online.scan(intent)
    return intent


@each_gateway
def test_when_its_time_is_over_it_is_closed_there_first(online: Online, gateway: str) -> None:
    intent = opened(online, gateway)
    let_pass(minutes=62)
    sweep()
    assert stands(intent) == ("expired", "pending")
    assert not online.can_pay(intent)
    assert online.charges(gateway) == 0


@each_gateway
def test_time_alone_ends_nothing_that_was_paid(online: Online, gateway: str) -> None:
    intent = opened(online, gateway)
    online.pay(intent)
    let_pass(minutes=62)
    sweep()
    assert stands(intent) == ("succeeded", "completed")


@each_gateway
def test_a_close_without_an_answer_leaves_it_expiring_and_is_tried_again(
    online: Online, gateway: str
) -> None:
    intent = opened(online, gateway)
    online.fault(gateway, "dropped", target=CLOSE[gateway])
    let_pass(minutes=62)
    sweep()
    assert stands(intent) == ("expiring", "pending")
    online.fault(gateway, "dropped", on=False)
    settle_down(seconds=1300)
    assert stands(intent) == ("expired", "pending")
    assert not online.can_pay(intent)


@each_gateway
def test_money_that_comes_while_it_is_expiring_is_honoured(online: Online, gateway: str) -> None:
    intent = opened(online, gateway)
    online.fault(gateway, "dropped", target=CLOSE[gateway])
    let_pass(minutes=62)
    sweep()
    assert stands(intent)[0] == "expiring"
    online.pay(intent)
    online.fault(gateway, "dropped", on=False)
    settle_down(seconds=1300)
    assert stands(intent) == ("succeeded", "completed")
    assert credits.balance(intent.order.user_id) == 500
    assert not Refund.objects.exists()


@each_gateway
def test_a_close_that_was_done_and_not_answered_ends_it_once(online: Online, gateway: str) -> None:
    intent = opened(online, gateway)
    online.fault(gateway, "answer_lost_after_accepting", target=CLOSE[gateway], count=1)
    closing.close(intent, to="canceled", source="page")
    assert stands(intent)[0] in ("expiring", "canceled")  # Stripe's library has asked again by itself
    settle_down(seconds=1300)
    assert stands(intent) == ("canceled", "pending")
    assert not online.can_pay(intent)


def test_a_code_that_nobody_scanned_can_still_be_paid_late_and_is_honoured(online: Online) -> None:
    """Alipay knows a code only when it is scanned: it cannot be closed there."""
    intent = online.start("alipay")
    let_pass(minutes=62)
    sweep()
    assert stands(intent) == ("expired", "pending")
    online.pay(intent)
    (post,) = online.box.wait()
    assert post.deliver() == 200
    sweep()
    assert stands(intent) == ("succeeded", "completed")
    assert credits.balance(intent.order.user_id) == 500


@each_gateway
def test_another_way_to_pay_takes_a_new_number_and_closes_the_first(online: Online, gateway: str) -> None:
    first = opened(online, gateway)
    other = GATEWAYS[(GATEWAYS.index(gateway) + 1) % 4]
    second = online.start(other, first.order)
    assert (second.out_trade_no, second.attempt) == (f"{first.out_trade_no}_2", 2)
    assert stands(first)[0] == "canceled"
    assert not online.can_pay(first)
    online.pay(second)
    settle_down()
    assert stands(second) == ("succeeded", "completed")
    assert not Refund.objects.exists()


@each_gateway
def test_nothing_new_is_started_while_the_first_cannot_be_closed(online: Online, gateway: str) -> None:
    first = opened(online, gateway)
    other = GATEWAYS[(GATEWAYS.index(gateway) + 1) % 4]
    online.fault(gateway, "dropped", target=CLOSE[gateway])
    with pytest.raises(intents.PaymentUncertain):
        online.start(other, first.order)
    assert PaymentIntent.objects.count() == 1
    assert online.attempts(other) == 0
    online.pay(first)
    online.fault(gateway, "dropped", on=False)
    with pytest.raises(intents.AlreadyPaid):
        online.start(other, first.order)
    assert stands(first) == ("succeeded", "completed")


@each_gateway
def test_nothing_is_started_for_an_order_that_is_paid(online: Online, gateway: str) -> None:
    first = online.paid(gateway)
    with pytest.raises(intents.AlreadyPaid):
        online.start(GATEWAYS[(GATEWAYS.index(gateway) + 1) % 4], first.order)
    assert PaymentIntent.objects.count() == 1


def beside(online: Online, first: PaymentIntent, gateway: str) -> PaymentIntent:
    """A second attempt while the first can still be paid, as a slow window may bring about."""
    from payments import registry

    choice = online_payments.Choice(gateway=gateway, method=METHODS[gateway])
    # Nobody may start it like this any more; an attempt of before, or one whose close was only our conclusion, still stands.
    PaymentIntent.objects.filter(pk=first.pk).update(status="canceled")
    second = online_payments._record(
        first.order, choice, registry.get(gateway), attempt=2, source="page", actor=""
    )
    PaymentIntent.objects.filter(pk=first.pk).update(status=first.status)
    intents.create_or_wait(second, first.order, source="page")
    second.refresh_from_db()
    if gateway == "airwallex":
        PaymentIntent.objects.filter(pk=second.pk).update(leased_until=None)
        second = online_payments.confirm_payment(second, a_card(THREE_DS), source="page")
    return second


@each_gateway
def test_both_attempts_paid_and_the_later_goes_back_by_itself(online: Online, gateway: str) -> None:
    first = online.start("alipay" if gateway != "alipay" else "wechatpay")
    second = beside(online, first, gateway)
    online.pay(first)
    let_pass(seconds=4)
    sync.check_now(intent=first, source="poll")
    assert stands(first) == ("succeeded", "completed")
    online.pay(second)
    let_pass(seconds=4)
    assert sync.check_now(intent=second, source="poll").applied == "surplus"
    refund = Refund.objects.get()
    assert (refund.intent_id, refund.amount_minor, refund.origin) == (second.pk, 3990, "system")
    for _ in range(4):
        settle_down(seconds=20)
        online.breathe()
    assert stands(second)[0] == "refunded"
    assert stands(first) == ("succeeded", "completed")
    assert online.refunds(gateway) == [3990]
    assert online.refunds(first.gateway) == []
    assert credits.balance(first.order.user_id) == 500
    assert not StaffItem.objects.filter(resolved_at=None).exists()
