"""Providers on a bad day: the answer is lost after the work was done, 500 after success, 429, down for hours.

GUARANTEES 10: no answer is not a failure. The number and the key stay, we ask before we send again, and at the provider
there is one payment, one charge, one refund.
"""

from __future__ import annotations

import pytest

from credits import selectors as credits
from payments.models import GatewaySwitch, Refund
from payments.services import intents, online_payments, refunds, switches
from tests.support.online import GATEWAYS, GOOD, Online, a_card, let_pass, settle_down, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
CREATE = {
    "stripe": "checkout.sessions.create",
    "airwallex": "payment_intents/create",
    "wechatpay": "native",
    "alipay": "alipay.trade.precreate",
}
CONFIRM = {"stripe": "payment_intents.confirm", "airwallex": "payment_intents/confirm"}
REFUND = {
    "stripe": "refunds.create",
    "airwallex": "refunds/create",
    "wechatpay": "refund",
    "alipay": "alipay.trade.refund",
}
DONE = ("answer_lost_after_accepting", "error_after_accepting")
NOT_DONE = ("dropped", "down")
#: Alipay has no 429 of its own.
BUSY = {
    "stripe": ("rate_limited",),
    "airwallex": ("rate_limited",),
    "wechatpay": ("rate_limited",),
    "alipay": (),
}


def faults(gateway: str) -> list[str]:
    return [*DONE, *NOT_DONE, *BUSY[gateway]]


@each_gateway
def test_no_answer_to_a_start_is_one_attempt_there(online: Online, gateway: str) -> None:
    """The same click again, a moment later, leads on."""
    for count, fault in enumerate(faults(gateway), 1):
        order = online.order()
        online.fault(gateway, fault, target=CREATE[gateway])
        try:
            online.start(gateway, order)
        except (intents.PaymentUncertain, intents.PaymentNotStarted):
            pass
        else:
            raise AssertionError(f"{fault} did not strike")
        online.fault(gateway, fault, on=False)
        settle_down(seconds=130)
        intent = online.start(gateway, order)
        assert intent.status == "requires_action", fault
        assert online.attempts(gateway) == count, fault
        online.pay(intent)
        settle_down()
        intent.refresh_from_db()
        assert intent.status == "succeeded", fault
        assert online.charges(gateway) == count, fault
        GatewaySwitch.objects.all().delete()


@pytest.mark.parametrize("gateway", CONFIRM)
@pytest.mark.parametrize("fault", DONE)
def test_no_answer_to_a_confirmation_is_one_charge(online: Online, gateway: str, fault: str) -> None:
    choice = online_payments.Choice(gateway=gateway, method="card")
    made = online_payments.start_payment(online.order(), choice, source="page")
    online.fault(gateway, fault, target=CONFIRM[gateway])
    told = online_payments.confirm_payment(made, a_card(GOOD), source="page")
    assert told.status in ("processing", "succeeded")  # never failed
    online.fault(gateway, fault, on=False)
    settle_down()
    made.refresh_from_db()
    assert made.status == "succeeded"
    assert online.charges(gateway) == 1
    assert credits.balance(made.order.user_id) == 500


@each_gateway
def test_no_answer_to_a_refund_is_one_refund(online: Online, gateway: str) -> None:
    for count, fault in enumerate(faults(gateway), 1):
        intent = online.paid(gateway)
        online.fault(gateway, fault, target=REFUND[gateway])
        refund = refunds.request_refund(
            intent=intent, origin="staff", actor="ada", reason="requested", source="admin"
        )
        sweep()
        refund.refresh_from_db()
        assert refund.status in ("created", "pending"), fault
        online.fault(gateway, fault, on=False)
        for _ in range(3):
            settle_down(seconds=80)
            online.breathe()
        refund.refresh_from_db()
        assert refund.status == "succeeded", fault
        assert online.refunds(gateway) == [3990] * count, fault
        assert credits.balance(intent.order.user_id) == 0
    assert Refund.objects.count() == len(faults(gateway))


@each_gateway
def test_down_for_hours_while_somebody_paid(online: Online, gateway: str) -> None:
    """Nothing is given up, nothing is failed; when it is back the next question settles."""
    intent = online.start(gateway)
    online.pay(intent)
    online.fault(gateway, "down")
    for _ in range(8):
        let_pass(minutes=30)
        sweep()
        intent.refresh_from_db()
        assert intent.status in ("requires_action", "expiring")
    online.fault(gateway, "down", on=False)
    settle_down(seconds=1300)
    intent.refresh_from_db()
    assert intent.status == "succeeded"
    assert credits.balance(intent.order.user_id) == 500


@each_gateway
def test_a_gateway_that_is_down_hides_itself_and_returns(online: Online, gateway: str) -> None:
    online.fault(gateway, "down")
    for _ in range(switches.RESTS_AFTER):
        with pytest.raises((intents.PaymentUncertain, intents.PaymentNotStarted)):
            online.start(gateway)
    with pytest.raises(switches.GatewayOff):
        online.start(gateway)
    assert gateway not in switches.usable()
    online.fault(gateway, "down", on=False)
    let_pass(minutes=2)
    assert online.start(gateway).status == "requires_action"
