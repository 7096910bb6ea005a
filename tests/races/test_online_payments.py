"""One payment at each of the four gateways, and everybody at once: posts, return page, poll, sweeper, staff.

GUARANTEES 1, 3, 13, 16. ONLINE_RACE_ROUNDS=50 makes the first test as long as the issue wants it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from credits import selectors as credits
from credits.models import Posting
from orders import selectors as orders
from orders.models import Order, OrderEvent
from payments.models import PaymentEvent, PaymentIntent, Refund, WebhookEvent
from payments.services import closing, inbox, intents, links, online_payments, refund_steps, refunds, sync
from pimpshop.core import errors
from tests import factories
from tests.support.online import GATEWAYS, GOOD, METHODS, Online, a_card, let_pass, settle_down, sweep
from tests.support.threads import together

pytestmark = pytest.mark.sandbox
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
ROUNDS = int(os.environ.get("ONLINE_RACE_ROUNDS", "4"))
#: The post that tells of the success.
TELLS = {"stripe": "checkout.session.completed", "airwallex": "payment_intent.succeeded"}


def moves(events: object, **of: object) -> list[str]:
    rows = events.objects.filter(**of).order_by("id").values_list("from_status", "to_status")  # type: ignore[attr-defined]
    return [to for was, to in rows if was != to]


def doors(online: Online, intent: PaymentIntent) -> list[Callable[[], object]]:
    """Eight ways in which a payment is confirmed."""
    post = online.box.wait(about=TELLS.get(intent.gateway, ""))[-1]

    def worker() -> None:
        for pk in WebhookEvent.objects.filter(status="received").values_list("pk", flat=True):
            inbox.process(pk)

    return [
        post.deliver,
        post.deliver,
        worker,
        lambda: Client().get(urlsplit(links.return_url(intent)).path),
        lambda: Client().get(orders.status_path(intent.order)),
        lambda: sync.check_due(intent.pk),
        lambda: sync.check_now(intent=PaymentIntent.objects.get(pk=intent.pk), source="admin", actor="ada"),
        sweep,
    ]


@each_gateway
def test_everybody_confirms_one_payment_together(online_shop: Online, gateway: str) -> None:
    """The gap of three seconds is off, so that all of them really bring the answer at once."""
    for _ in range(ROUNDS):
        online_shop.forget_posts()
        intent = online_shop.start(gateway)
        online_shop.pay(intent)
        PaymentIntent.objects.filter(pk=intent.pk).update(next_query_at="2025-01-01T00:00Z")
        ways = doors(online_shop, intent)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sync, "_may_ask", lambda intent: True)
            together(len(ways), lambda n, ways=ways: ways[n]())
        let_pass(seconds=4)
        sweep()
        intent.refresh_from_db()
        assert (intent.status, intent.settles_order, intent.captured_minor) == ("succeeded", True, 3990)
        assert moves(PaymentEvent, intent=intent)[-1:] == ["succeeded"]
        assert moves(OrderEvent, order=intent.order) == ["paid", "completed"]
        assert credits.balance(intent.order.user_id) == 500
    assert Posting.objects.filter(kind="purchase").count() == Order.objects.count() == ROUNDS
    assert not Refund.objects.exists()
    assert online_shop.charges(gateway) == ROUNDS


@each_gateway
def test_eight_clicks_on_pay_are_one_attempt(online_shop: Online, gateway: str) -> None:
    order = online_shop.order()
    choice = online_payments.Choice(gateway=gateway, method=METHODS[gateway])

    def click(_: int) -> str:
        try:
            return online_payments.start_payment(
                Order.objects.get(pk=order.pk), choice, source="page"
            ).out_trade_no
        except intents.PaymentUncertain:
            return "ask again"

    said = together(8, click)
    assert set(said) <= {order.order_no, "ask again"}
    assert order.order_no in said
    assert PaymentIntent.objects.count() == 1
    assert online_shop.attempts(gateway) == 1


@pytest.mark.parametrize("gateway", ["stripe", "airwallex"])
def test_eight_confirmations_are_one_charge(online_shop: Online, gateway: str) -> None:
    choice = online_payments.Choice(gateway=gateway, method="card")
    made = online_payments.start_payment(online_shop.order(), choice, source="page")
    assert made.status == "created"

    def confirm(_: int) -> str:
        try:
            mine = PaymentIntent.objects.select_related("order").get(pk=made.pk)
            return online_payments.confirm_payment(mine, a_card(GOOD), source="page").status
        except errors.ShopError as refusal:
            return type(refusal).__name__

    said = together(8, confirm)
    assert set(said) <= {"succeeded", "AlreadyPaid", "PaymentUncertain"}
    assert "succeeded" in said
    assert online_shop.charges(gateway) == 1
    made.refresh_from_db()
    assert (made.status, made.confirm_count) == ("succeeded", 1)
    assert credits.balance(made.order.user_id) == 500


@each_gateway
def test_the_shopper_pays_while_we_close(online_shop: Online, gateway: str) -> None:
    """Whoever is faster at the provider: page, events and database say what its books say."""
    for _ in range(2):
        before = online_shop.charges(gateway)
        intent = online_shop.start(gateway)
        together(
            2,
            lambda n, intent=intent: (
                online_shop.can_pay(intent)
                if n
                else closing.close(
                    PaymentIntent.objects.select_related("order").get(pk=intent.pk),
                    to="canceled",
                    source="page",
                )
            ),
        )
        for post in list(online_shop.box.posts):
            post.deliver()
        settle_down(seconds=1300)
        paid = online_shop.charges(gateway) > before
        intent.refresh_from_db()
        intent.order.refresh_from_db()
        wanted = ("succeeded", "completed") if paid else ("canceled", "pending")
        assert (intent.status, intent.order.status) == wanted
        assert moves(PaymentEvent, intent=intent)[-1] == intent.status
        assert credits.balance(intent.order.user_id) == (500 if paid else 0)
        assert Client().get(orders.status_path(intent.order)).status_code == 200


@pytest.mark.parametrize("gateway", ["stripe", "alipay"])
def test_twenty_partial_refunds_never_exceed_the_payment(online_shop: Online, gateway: str) -> None:
    intent = online_shop.paid(gateway)

    def ask(_: int) -> str:
        try:
            refund = refunds.request_refund(
                intent=PaymentIntent.objects.get(pk=intent.pk), amount_minor=300, origin="staff", actor="ada",
                reason="requested", source="admin",
            )  # fmt: skip
        except refunds.RefundTooLarge:
            return "too large"
        refund_steps.send(refund.pk)
        return "done"

    said = together(20, ask)
    assert sorted(said) == ["done"] * 13 + ["too large"] * 7
    settle_down()
    intent.refresh_from_db()
    assert (intent.status, intent.refund_reserved_minor, intent.refunded_minor) == (
        "partially_refunded",
        3900,
        3900,
    )
    assert online_shop.refunds(gateway) == [300] * 13
    assert credits.balance(intent.order.user_id) == 500 - 500 * 3900 // 3990


def test_a_staff_form_that_is_sent_twice_refunds_once(online_shop: Online, settings: object) -> None:
    """A double click: the same form, a part of the payment, at the same moment; and again by a reload."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    intent = online_shop.paid("stripe")
    boss = factories.staff(email="boss@example.com")
    page = reverse("admin:payments_paymentintent_act", args=[intent.pk, "refund"])
    desks = [Client(), Client(), Client()]
    for desk in desks:
        desk.force_login(boss)
    shown = desks[0].post(page, {"amount": "13.30", "show": "1"}).context["form"]
    form = {
        "reason": "smeared",
        "amount": "13.30",
        "once": shown["once"].initial,
        "seen": shown["seen"].value(),
    }
    answers = together(2, lambda n: desks[n].post(page, form).status_code)
    assert answers == [302, 302]
    assert desks[2].post(page, form).status_code == 302
    settle_down()
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.status) == (1330, "succeeded")
    assert online_shop.refunds("stripe") == [1330]
