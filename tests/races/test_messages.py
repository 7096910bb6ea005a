"""Several writers and senders of messages at once, and everything that happens to an order at the same moment: one message
per kind, one mail per message."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from orders.models import Order, OrderEvent
from orders.services import news
from payments.services import news as refund_news
from payments.services import sync
from pimpshop.core import sweeper
from pimpshop.core.models import Notification
from pimpshop.core.notifications import outbox
from tests import factories
from tests.support.bought import ask, bought, end, pay
from tests.support.shop import Shop, assert_invariants
from tests.support.threads import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_rests_until", 0.0)


def test_many_writers_and_senders_tell_each_buyer_once() -> None:
    intents = [bought(user=factories.user()) for _ in range(8)]
    for intent in intents:
        pay(intent)
        end(ask(intent), "succeeded")

    def round_(number: int) -> None:
        for _ in range(4):
            news.write_due()
            refund_news.write_due()
            outbox.send_due()

    together(4, round_)
    assert Notification.objects.filter(due_at__isnull=False).count() == 0
    told = sorted(message.to[0] for message in mail.outbox if "given back" in message.subject)
    assert told == sorted(str(intent.order.user) for intent in intents)
    assert len({(m.to[0], m.subject) for m in mail.outbox}) == len(mail.outbox)
    assert not OrderEvent.objects.filter(told=False, to_status__in=["paid", "completed"]).exists()
    assert_invariants()


def test_one_success_told_by_everybody_at_once_is_one_mail() -> None:
    intent = bought(user=factories.user())

    def work(number: int) -> Any:
        pay(type(intent).objects.select_related("order").get(pk=intent.pk))
        news.write_due()
        return outbox.send_due()

    together(5, work)
    news.write_due()
    outbox.send_due()
    assert [message.subject for message in mail.outbox] == ["Paid: 500 credits on your account"]
    assert Notification.objects.count() == 1


def test_sweepers_walk_together_over_a_case_that_is_paid_and_taken(shop: Shop) -> None:
    one = shop.taken()
    Order.objects.filter(pk=one.order.pk).update(email="alice@example.com")
    together(
        3, lambda n: sync.check_now(intent=type(one.intent).objects.get(pk=one.intent.pk), source="poll")
    )
    for _ in range(4):
        together(3, lambda n: sweeper.walk(everything=True))
        Notification.objects.filter(attempts=0).update(due_at=timezone.now() - outbox.UNHEARD * 2)
    number = one.job().queue_no
    assert sorted(message.subject for message in mail.outbox) == [
        "Paid: £19.99 for your order", f"Your case is being printed: number {number}",
    ]  # fmt: skip
    assert sorted(Notification.objects.values_list("kind", "outcome")) == [
        ("case_accepted", "sent"), ("paid", "sent"),
    ]  # fmt: skip
