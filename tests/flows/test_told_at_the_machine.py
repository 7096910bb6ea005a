"""What the buyer of a case is told on its way: paid, taken by the machine, printed; late, not printed, paid back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from orders.models import Order
from payments.services import refunds, sync
from pimpshop.core.models import Notification
from pimpshop.core.notifications import outbox
from tests.support.shop import Paying, Shop, later, manufacturer, shop, sweep
from vending.models import PrintJob

__all__ = ["manufacturer", "shop"]


@pytest.fixture(autouse=True)
def _awake(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    yield
    assert not Notification.objects.filter(outcome="gave_up").exists()


def known(shop: Shop, *, language: str = "en") -> Paying:
    """A buyer who gave an address; the machine has the money, nobody here knows."""
    one = shop.taken()
    Order.objects.filter(pk=one.order.pk).update(email="alice@example.com", language=language)
    return one


def settle(one: Paying) -> None:
    assert sync.check_now(intent=one.intent, source="poll").applied == "settled"


def pass_time(**delta: float) -> list[str]:
    """Sweepers work, that much later; the subjects of all mails so far."""
    with later(**delta):
        sweep()
    with later(seconds=timedelta(**delta).total_seconds() + 10):
        sweep()
    return [message.subject for message in mail.outbox]


def test_from_the_payment_to_the_tray(shop: Shop) -> None:
    """The quick way at the machine: settled by one statement."""
    one = known(shop)
    settle(one)
    place = f"{shop.machine.name}"
    pass_time(seconds=5)
    number = one.job().queue_no
    assert number
    assert pass_time(seconds=60) == [
        "Paid: £19.99 for your order", f"Your case is being printed: number {number}",
    ]  # fmt: skip
    assert f"Your number: {number}\nPick it up at: {place}" in mail.outbox[1].body
    assert f"/orders/{one.order.order_no}/?k=" in mail.outbox[1].body
    shop.manufacturer.orders[one.job().third_order_id] = 12
    assert pass_time(seconds=120)[2:] == [f"Your case is ready: number {number}"]
    assert {message.to[0] for message in mail.outbox} == {"alice@example.com"}
    assert all(message.attachments == [] for message in mail.outbox)
    assert pass_time(hours=3)[3:] == []


def test_in_the_language_of_the_order(shop: Shop) -> None:
    one = known(shop, language="zh-hans")
    settle(one)
    pass_time(seconds=5)
    number = one.job().queue_no
    assert pass_time(seconds=60) == ["已付款：您的订单 £19.99", f"手机壳正在打印：{number} 号"]


def test_a_stranger_at_the_machine_gets_nothing(shop: Shop) -> None:
    one = shop.taken()
    settle(one)
    shop.manufacturer.orders = {}
    pass_time(seconds=60)
    shop.manufacturer.orders[one.job().third_order_id] = 12
    assert pass_time(seconds=120) == []
    assert list(Notification.objects.values_list("kind", "outcome")) == [("case_printed", "nobody")]


def test_a_machine_that_is_out_is_told_of_once_and_then_the_case_is_taken(shop: Shop) -> None:
    one = known(shop)
    shop.manufacturer.down = False
    settle(one)
    shop.manufacturer.down = True
    assert pass_time(seconds=60) == ["Paid: £19.99 for your order"]
    for minutes in (20, 40, 60):
        told = pass_time(minutes=minutes)
    assert told[1:] == ["Your case takes a little longer"]
    assert "Your money and your design are safe." in mail.outbox[1].body
    shop.manufacturer.down = False
    assert [subject.partition(":")[0] for subject in pass_time(minutes=90)[2:]] == [
        "Your case is being printed"
    ]


def test_after_the_limit_the_buyer_hears_that_people_are_on_it(shop: Shop) -> None:
    one = known(shop)
    settle(one)
    shop.manufacturer.down = True
    for hours in (1, 3, 5, 6.2, 6.5, 7):
        told = pass_time(hours=hours)
    assert one.job().status == "gave_up"
    assert told == [
        "Paid: £19.99 for your order", "Your case takes a little longer", "Your case could not be printed so far",
    ]  # fmt: skip
    assert one.order.order_no in mail.outbox[2].body


def test_a_case_that_is_paid_back_instead_is_on_its_way_back_and_then_back(shop: Shop) -> None:
    one = known(shop)
    settle(one)
    shop.manufacturer.down = True
    pass_time(seconds=60)
    one.refresh()
    PrintJob.objects.update(leased_until=None)
    refund = refunds.request_manual_refund(
        intent=one.intent, amount_minor=1999, actor="ada", reason="the machine is out"
    )
    assert pass_time(seconds=120)[1:] == ["Your case is not printed: £19.99 comes back"]
    refunds.mark_paid_back(refund=refund, actor="ada", note="cash")
    assert pass_time(hours=8)[2:] == ["Your money was given back: £19.99"]
    assert "Our staff gave back £19.99." in mail.outbox[2].body


def test_what_was_overtaken_is_not_sent(shop: Shop) -> None:
    """The mail server was out while the case was printed: being printed is no news any more."""
    one = known(shop)
    settle(one)
    with later(seconds=5):
        sweep()
    Notification.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    shop.manufacturer.orders[one.job().third_order_id] = 12
    pass_time(minutes=20)
    number = one.job().queue_no
    assert f"Your case is being printed: number {number}" not in pass_time(minutes=40)
    assert dict(Notification.objects.values_list("kind", "outcome"))["case_accepted"] == "overtaken"
