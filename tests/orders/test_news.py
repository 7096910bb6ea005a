"""Each thing that happens to an order is told once to its buyer, by whatever way it was settled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from orders.models import Order, OrderEvent
from orders.services import news
from payments.models import RefundEvent
from payments.services import news as refund_news
from payments.services import refunds
from pimpshop.core import invariants
from pimpshop.core.models import Notification
from pimpshop.core.notifications import outbox
from tests import factories
from tests.bench_counts import test_online_counts as at_the_door
from tests.support import stripe as stripe_objects
from tests.support.bought import ask, bought, end, pay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    yield
    broken = list(invariants.violations())
    assert broken == []


def tell() -> list[str]:
    """Write and send what is due, twice; the subjects of the mails so far."""
    for _ in range(2):
        news.write_due()
        refund_news.write_due()
        Notification.objects.filter(due_at__gt=timezone.now(), attempts=0).update(due_at=timezone.now())
        outbox.send_due()
    return [message.subject for message in mail.outbox]


def rows() -> list[tuple[str, str]]:
    return list(Notification.objects.order_by("pk").values_list("kind", "outcome"))


# --- Goods ------------------------------------------------------------------------------------------------------------
def test_the_quick_way_at_the_door_is_told_of_by_one_mail(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = [stripe_objects.SECRET]
    one = at_the_door.waiting()
    factories.created(one)
    factories.created(one.order)
    [only] = at_the_door.post(one)
    assert "payments_take_in" in only
    assert tell() == ["Paid: 100 credits on your account"]
    assert rows() == [("credits_granted", "sent")]
    [message] = mail.outbox
    assert message.to == [one.order.user.email]
    assert f"/orders/{one.order.order_no}/?k=" in message.body
    assert f"/orders/{one.order.order_no}/receipt/?k=" in message.body
    assert not OrderEvent.objects.filter(told=False, to_status__in=["paid", "completed"]).exists()


def test_the_plain_way_is_told_of_by_the_same_mail() -> None:
    intent = bought(user=factories.user())
    for _ in range(3):
        pay(intent)
    assert tell() == ["Paid: 500 credits on your account"]


def test_a_guest_is_told_what_waits_for_the_address_in_the_language_of_the_order() -> None:
    intent = bought()
    Order.objects.filter(pk=intent.order_id).update(email="bob@example.com", language="zh-hans")
    intent.order.refresh_from_db()
    pay(intent)
    assert tell() == ["已付款：500 积分等您领取"]
    assert Notification.objects.get().language == "zh-hans"


def test_a_plan_has_its_own_mail_and_the_next_one_follows() -> None:
    alice = factories.user()
    for _ in range(2):
        pay(bought("plan", user=alice, credits=0, points=2000, plan_sku="starter", term_days=30))
    assert tell() == ["Paid: your plan has begun", "Paid: your plan goes on"]
    assert "With it come 2,000 credits." in mail.outbox[0].body


def test_goods_that_take_longer_are_told_of_as_paid_and_then_as_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orders.services import granting

    alice = factories.user()
    intent = bought(user=alice)
    with monkeypatch.context() as broken:
        broken.setattr(granting.ledger, "grant", lambda **_: (_ for _ in ()).throw(RuntimeError("no")))
        pay(intent)
    assert tell() == ["Paid: CN¥39.90 for your order"]
    assert "What you bought is being handed over." in mail.outbox[0].body
    assert granting.grant_again(intent.order_id) is True
    assert tell()[1:] == ["Paid: 500 credits on your account"]
    assert rows() == [("paid", "sent"), ("credits_granted", "sent")]


def test_nobody_to_tell_is_no_row() -> None:
    for user in (None, factories.user(email=None), factories.user(is_active=False)):
        pay(bought(user=user))
    assert (tell(), rows()) == ([], [])
    assert not OrderEvent.objects.filter(told=False, to_status__in=["paid", "completed"]).exists()


def test_another_shops_buyers_are_told_by_that_shop() -> None:
    intent = bought("merchant", user=factories.user())
    pay(intent)
    refund = ask(intent)
    end(refund, "succeeded")
    assert (tell(), rows()) == ([], [])


# --- Money back -------------------------------------------------------------------------------------------------------
def test_each_refund_is_told_of_once_with_its_amount() -> None:
    intent = bought(user=factories.user())
    pay(intent)
    tell()
    for minor in (1000, 2990):
        refund = ask(intent, minor)
        assert len(tell()) == (1 if minor == 1000 else 2)  # asked for by somebody: told when it arrives
        end(refund, "pending")
        for _ in range(2):
            end(refund, "succeeded")
    assert tell() == [
        "Paid: 500 credits on your account",
        "A part of your money was given back: CN¥10.00",
        "A part of your money was given back: CN¥29.90",
    ]
    first, second = mail.outbox[1:]
    assert "Given back in all" not in first.body
    assert "Paid: CN¥39.90\nGiven back now: CN¥29.90\nGiven back in all: CN¥39.90\n" in second.body
    assert "What that money had bought (credits, time of a plan) went back with it." in second.body


def test_all_of_it_at_once_says_so_in_the_subject() -> None:
    intent = bought(user=factories.user())
    pay(intent)
    tell()
    end(ask(intent), "succeeded")
    assert tell()[1:] == ["Your money was given back: CN¥39.90"]


def test_a_refund_that_fails_is_not_told_of() -> None:
    intent = bought(user=factories.user())
    pay(intent)
    end(ask(intent), "failed")
    assert tell() == ["Paid: 500 credits on your account"]


def test_a_second_payment_is_on_its_way_back_and_then_back() -> None:
    alice = factories.user()
    intent = bought(user=alice)
    second = factories.created(
        factories.intent(
            intent.order, gateway="alipay", method="precreate", attempt=2, account="2021000000000001",
            out_trade_no=f"{intent.order.order_no}_2",
        )
    )  # fmt: skip
    pay(intent)
    assert pay(second) == "surplus"
    tell()
    refund = second.refunds.get()
    end(refund, "succeeded")
    assert tell() == [
        "Paid: 500 credits on your account",
        "You paid twice: CN¥39.90 comes back",
        "Your second payment of CN¥39.90 was given back",
    ]
    assert [kind for kind, _ in rows()] == ["credits_granted", "giving_back", "refunded"]


def test_money_that_is_back_before_anybody_looked_is_one_mail() -> None:
    intent = bought(user=factories.user())
    pay(intent)
    refund = refunds.request_refund(
        intent=intent, origin="system", actor="", reason="late", source="system"
    )  # fmt: skip
    end(refund, "succeeded")
    assert "Your money was given back: CN¥39.90" in tell()
    assert "giving_back" not in [kind for kind, _ in rows()]
    assert not RefundEvent.objects.filter(told=False, to_status__in=["created", "succeeded"]).exists()


# --- Old news ---------------------------------------------------------------------------------------------------------
def test_an_order_that_was_paid_back_meanwhile_is_not_told_as_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    intent = bought(user=factories.user())
    pay(intent)
    news.write_due()
    end(ask(intent), "succeeded")
    refund_news.write_due()
    Notification.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    outbox.send_due()
    assert rows() == [("credits_granted", "overtaken"), ("refunded", "sent")]
