"""Paying at each of the four gateways: by the provider's post, by whoever looks, and by the sweeper with nobody looking.

GUARANTEES 2, 7, 9 and the limit of one question per three seconds and order.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from credits import selectors as credits
from credits.models import Posting
from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
from payments.services import inbox, links, schedule
from pimpshop.core.models import StaffItem
from tests.support.online import GATEWAYS, METHODS, Online, Post, let_pass, settle_down, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
#: Gateways that post more than the one success about a payment.
TALKATIVE = {"stripe": 4, "airwallex": 4, "wechatpay": 1, "alipay": 1}


def stands(intent: PaymentIntent) -> tuple[str, str]:
    intent.refresh_from_db()
    intent.order.refresh_from_db()
    return intent.status, intent.order.status


def assert_settled_once(intent: PaymentIntent) -> None:
    assert stands(intent) == ("succeeded", "completed")
    assert (intent.settles_order, intent.captured_minor, intent.refund_reserved_minor) == (True, 3990, 0)
    assert credits.balance(intent.order.user_id) == 500
    assert [(one.kind, one.reference) for one in Posting.objects.all()] == [
        ("purchase", f"{intent.order.order_no}/1")
    ]
    moves = PaymentEvent.objects.filter(intent=intent).values_list("from_status", "to_status")
    assert [to for was, to in moves if was != to].count("succeeded") == 1


def assert_untouched(intent: PaymentIntent) -> None:
    assert stands(intent) == ("requires_action", "pending")
    assert not Posting.objects.exists()


def posts_of(online: Online, gateway: str) -> list[Post]:
    """All that the provider posts about one payment."""
    return online.box.wait(TALKATIVE[gateway])


def work_on_events() -> None:
    for event in WebhookEvent.objects.filter(status="received"):
        inbox.process(event.pk)


def come_back(intent: PaymentIntent) -> int:
    """The shopper's browser comes back from the provider's page."""
    return Client().get(urlsplit(links.return_url(intent)).path).status_code


@each_gateway
def test_start_pay_webhook_settled(online: Online, gateway: str) -> None:
    intent = online.start(gateway)
    assert_untouched(intent)
    assert intent.next_action
    assert (intent.gateway, intent.method, intent.out_trade_no) == (
        gateway,
        METHODS[gateway],
        intent.order.order_no,
    )
    online.pay(intent)
    assert_untouched(intent)  # the provider's yes is not ours yet
    for post in posts_of(online, gateway):
        assert post.deliver() in (200, 204)
    work_on_events()
    let_pass(seconds=4)
    work_on_events()
    assert_settled_once(intent)
    sweep()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    assert online.charges(gateway) == 1


@each_gateway
def test_a_lost_post_and_a_shopper_who_comes_back(online: Online, gateway: str) -> None:
    intent = online.start(gateway)
    online.pay(intent)
    let_pass(seconds=4)
    before = online.asked()
    assert [come_back(intent) for _ in range(5)] == [302] * 5
    assert_settled_once(intent)
    assert online.asked() - before == 1
    assert not WebhookEvent.objects.exists()


@each_gateway
def test_five_looks_in_three_seconds_are_one_question(
    online: Online, gateway: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        schedule, "MIN_GAP", timedelta(minutes=2)
    )  # five looks may take more than three seconds
    intent = online.start(gateway)
    let_pass(seconds=121)
    before = online.asked()
    for _ in range(5):
        come_back(intent)
    assert online.asked() - before == 1
    let_pass(seconds=121)
    come_back(intent)
    assert online.asked() - before == 2
    assert_untouched(intent)


@each_gateway
def test_a_lost_post_and_nobody_looks(online: Online, gateway: str) -> None:
    """The sweeper settles it within two minutes."""
    intent = online.start(gateway)
    online.pay(intent)
    settle_down(seconds=118)
    assert_settled_once(intent)
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("turned", [False, True], ids=["as posted", "the last one first"])
@each_gateway
def test_every_post_three_times_and_in_any_order(online: Online, gateway: str, turned: bool) -> None:
    intent = online.start(gateway)
    online.pay(intent)
    posts = posts_of(online, gateway)
    for post in posts[::-1] if turned else posts:
        for _ in range(3):
            assert post.deliver() in (200, 204)
        work_on_events()
        let_pass(seconds=4)
    for post in posts:  # all of it again, when it is settled
        assert post.deliver() in (200, 204)
    settle_down()
    assert_settled_once(intent)
    assert WebhookEvent.objects.count() == len(posts)
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    assert not StaffItem.objects.exists()


@each_gateway
def test_a_post_with_another_amount_moves_nothing(online: Online, gateway: str) -> None:
    """It is signed, and it does not fit: staff are told. The truth is asked for, and settles."""
    intent = online.start(gateway)
    online.forget_posts()
    online.fault(gateway, "wrong_amount")
    online.pay(intent)
    online.box.wait()
    told = online.box.wait(about="payment_intent.succeeded" if gateway in ("stripe", "airwallex") else "")
    assert told[0].deliver() in (200, 204)
    work_on_events()
    assert_untouched(intent)
    assert [item.kind for item in StaffItem.objects.all()] == ["payment_mismatch"]
    settle_down()
    assert_settled_once(intent)


@each_gateway
def test_a_declined_or_closed_attempt_leaves_the_way_free(online: Online, gateway: str) -> None:
    """Starting again after an end is a new number; the same way to pay while it waits is the same attempt, unless a card
    is given anew."""
    intent = online.start(gateway)
    if METHODS[gateway] != "card":
        again = online.start(gateway, intent.order)
        assert (again.pk, online.attempts(gateway)) == (intent.pk, 1)
    other = "alipay" if gateway == "wechatpay" else "wechatpay"
    switched = online.start(other, intent.order)
    assert switched.out_trade_no == f"{intent.order.order_no}_2"
    assert stands(intent)[0] == "canceled"
    back = online.start(gateway, intent.order)
    assert back.out_trade_no == f"{intent.order.order_no}_3"
    online.pay(back)
    settle_down()
    assert_settled_once(back)
