"""Workers killed (SIGKILL) at each commit boundary of an online payment: start, confirm, webhook, refund, close.

GUARANTEES 5, 10, 11: whatever dies where, the rows say what is next. After a while the end is the same, and nothing was
done twice at the provider.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credits import selectors as credits
from credits.models import Posting
from credits.services import ledger
from orders.models import Order
from payments.models import PaymentIntent, Refund, WebhookEvent
from payments.services import at_the_door, closing, intents, online_payments, refund_steps, refunds, sync
from tests import factories
from tests.support import workers
from tests.support.online import (
    GATEWAYS,
    GOOD,
    METHODS,
    Online,
    a_card,
    let_pass,
    settle_down,
    sweep,
)
from tests.support.workers import Point, after, before

pytestmark = pytest.mark.sandbox
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
CLASS = {
    "stripe": "payments.gateways.stripe.gateway:StripeGateway",
    "airwallex": "payments.gateways.airwallex.gateway:AirwallexGateway",
    "wechatpay": "payments.gateways.wechatpay.gateway:WeChatPayGateway",
    "alipay": "payments.gateways.alipay.gateway:AlipayGateway",
}
APPLY = "payments.services.settlement:apply_result"
DOOR = "payments.services.at_the_door:take_in"
#: By which word in it a success is found among a provider's posts.
TELLS = {"stripe": "checkout.session.completed", "airwallex": "payment_intent.succeeded"}
APPLY_REFUND = "payments.services.refund_steps:apply_result"


def around(gateway: str, verb: str, *own: Point) -> list[Point]:
    """Each boundary around the call `verb`; those of our own code are tried with one gateway of each kind."""
    call = f"{CLASS[gateway]}.{verb}"
    calls = [before(call), after(call)]
    return [*own, *calls] if gateway in ("stripe", "wechatpay") else calls


def restart() -> None:
    """New workers; every lease of the dead has run out, and what they left is asked about."""
    settle_down(seconds=150, rounds=2)


def pick(intent: PaymentIntent) -> PaymentIntent:
    return PaymentIntent.objects.select_related("order").get(pk=intent.pk)


@each_gateway
def test_killed_while_it_is_started(online_shop: Online, gateway: str) -> None:
    own = (
        after("payments.services.online_payments:_record"),
        after("payments.services.intents:lease"),
        before(APPLY),
        after(APPLY),
    )
    for count, point in enumerate(around(gateway, "create_payment", *own), 1):
        order = online_shop.order()
        workers.dies(start_work(order, gateway), point)
        assert PaymentIntent.objects.filter(order=order).count() == 1, point
        restart()
        intent = online_shop.start(gateway, Order.objects.get(pk=order.pk))
        assert (intent.out_trade_no, intent.status) == (order.order_no, "requires_action"), point
        assert online_shop.attempts(gateway) == count, point
        online_shop.pay(intent)
        settle_down()
        assert pick(intent).status == "succeeded", point
        assert credits.balance(order.user_id) == 500, point
        assert online_shop.charges(gateway) == count, point


def start_work(order: Order, gateway: str) -> Callable[[], object]:
    choice = online_payments.Choice(gateway=gateway, method=METHODS[gateway])
    return lambda: online_payments.start_payment(order, choice, source="page")


@pytest.mark.parametrize("gateway", ["stripe", "airwallex"])
def test_killed_while_a_card_is_charged(online_shop: Online, gateway: str) -> None:
    """The sweeper finds out; where nothing was charged the shopper tries again, on the same attempt."""
    own = (
        after("payments.services.online_payments:_lease_confirm"),
        before(APPLY),
        after(APPLY),
    )
    choice = online_payments.Choice(gateway=gateway, method="card")
    for count, point in enumerate(around(gateway, "confirm_payment", *own), 1):
        made = online_payments.start_payment(online_shop.order(), choice, source="page")
        workers.dies(
            lambda made=made: online_payments.confirm_payment(made, a_card(GOOD), source="page"), point
        )
        restart()
        intent = pick(made)
        if intent.status != "succeeded":
            assert online_shop.charges(gateway) == count - 1, point
            intent = online_payments.confirm_payment(intent, a_card(GOOD), source="page")
        assert intent.status == "succeeded", point
        assert online_shop.charges(gateway) == count, point
        assert credits.balance(intent.order.user_id) == 500, point


@each_gateway
@pytest.mark.parametrize("point", [before(DOOR), after(DOOR)], ids=str)
def test_killed_while_a_success_is_settled_at_the_door(
    online_shop: Online, gateway: str, point: Point
) -> None:
    """Nothing of it is there, or all of it; the provider heard no acknowledgement and says it again."""
    ledger.grant(amount=1, reference="the shop's first posting", user_id=factories.user().pk)
    intent = online_shop.start(gateway)
    online_shop.pay(intent)
    post = online_shop.box.wait(about=TELLS.get(gateway, ""))[-1]
    workers.dies(post.deliver, point)
    there = point.side == "after"
    assert (pick(intent).status == "succeeded") is there
    assert Posting.objects.filter(reference=f"{intent.order.order_no}/1").count() == there
    assert WebhookEvent.objects.filter(status="processed").count() == WebhookEvent.objects.count() == there
    assert post.deliver() in (200, 204)
    assert (pick(intent).status, pick(intent).order.status) == ("succeeded", "completed")
    assert WebhookEvent.objects.get().status == "processed"
    assert credits.balance(intent.order.user_id) == 500


@each_gateway
def test_killed_while_a_success_is_settled(
    online_shop: Online, gateway: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain way. The post is acknowledged only when it is stored; the grant is one with the settling."""
    monkeypatch.setattr(at_the_door, "is_usual", lambda *_: False)
    points = [
        after("payments.services.inbox:_store"),
        after("payments.services.at_once:take_up"),
        before("orders.services.fulfilment:settle"),
        after("credits.services.ledger:grant"),
        after("orders.services.fulfilment:settle"),
        after(APPLY),
        before("payments.services.inbox:_end"),
    ]
    chosen = points if gateway == "stripe" else points[GATEWAYS.index(gateway) :: 3]
    for point in chosen:
        online_shop.forget_posts()
        intent = online_shop.start(gateway)
        online_shop.pay(intent)
        post = online_shop.box.wait(about=TELLS.get(gateway, ""))[-1]

        def work(post: object = post) -> None:
            assert post.deliver() in (200, 204)  # type: ignore[attr-defined]
            sweep()

        workers.dies(work, point)
        restart()
        assert pick(intent).status == "succeeded", point
        assert Posting.objects.filter(reference=f"{intent.order.order_no}/1").count() == 1, point
        assert credits.balance(intent.order.user_id) == 500, point
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}


@each_gateway
def test_killed_while_it_is_given_back(online_shop: Online, gateway: str) -> None:
    own = (
        after("payments.services.refunds:_record"),  # in its transaction: as if nobody had asked
        after("payments.services.refunds:request_refund"),
        after("payments.services.refund_steps:_lease"),
        before(APPLY_REFUND),
        after(APPLY_REFUND),
    )
    for count, point in enumerate(around(gateway, "create_refund", *own), 1):
        intent = online_shop.paid(gateway)

        def work(intent: PaymentIntent = intent) -> None:
            refund = refunds.request_refund(
                intent=intent, origin="staff", actor="ada", reason="requested", source="admin"
            )
            refund_steps.send(refund.pk)

        workers.dies(work, point)
        if not Refund.objects.filter(intent=intent).exists():
            work()
        for _ in range(4):
            restart()
            online_shop.breathe()
        assert pick(intent).status == "refunded", point
        assert Refund.objects.get(intent=intent).status == "succeeded", point
        assert online_shop.refunds(gateway) == [3990] * count, point
        assert credits.balance(intent.order.user_id) == 0, point


@each_gateway
def test_killed_while_it_is_closed(online_shop: Online, gateway: str) -> None:
    own = (before("payments.services.closing:finish"), before(APPLY), after(APPLY))
    for point in around(gateway, "close_payment", *own):
        intent = online_shop.start(gateway)
        if gateway == "alipay":
            online_shop.scan(intent)
        workers.dies(lambda intent=intent: closing.close(pick(intent), to="canceled", source="page"), point)
        assert pick(intent).status in ("expiring", "canceled"), point
        restart()
        assert pick(intent).status == "canceled", point
        assert not online_shop.can_pay(intent), point
    assert online_shop.charges(gateway) == 0


def test_killed_after_the_sweeper_asked(online_shop: Online) -> None:
    """The answer was read and died with its reader: it is asked again."""
    intent = online_shop.start("wechatpay")
    online_shop.pay(intent)
    let_pass(seconds=5)
    workers.dies(lambda: sync.check_due(intent.pk), after(f"{CLASS['wechatpay']}.query_payment"))
    assert pick(intent).status == "requires_action"
    restart()
    assert pick(intent).status == "succeeded"
    with pytest.raises(intents.AlreadyPaid):
        online_shop.start("wechatpay", Order.objects.get(pk=intent.order_id))
