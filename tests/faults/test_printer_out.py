"""Printer out or maintenance: no new money is taken, paid jobs wait and go out one by one, the oldest first.

GUARANTEES 25.
"""

from __future__ import annotations

import pytest
from django.test import Client

from payments.models import PaymentIntent
from tests.support.shop import Paying, Shop, envelope, later, sweep
from vending.services import machines

OUT = envelope(500, "The current device is unavailable")


def init_payment(one: Paying) -> tuple[int, str, str | None]:
    answer = Client().post(f"/api/vending/session/{one.session.session_id}/init-payment", {})
    return answer.status_code, answer.json().get("code", ""), answer.headers.get("Retry-After")


def assert_no_new_money(shop: Shop, one: Paying, known: list[str]) -> None:
    assert init_payment(one) == (503, "machine_not_ready", "60")
    assert list(shop.manufacturer.payments) == known
    assert not PaymentIntent.objects.filter(order=one.order).exists()
    one.session.refresh_from_db()
    assert one.session.status == "designing"


def sent(shop: Shop) -> list[str]:
    return [body["third_id"] for body in shop.manufacturer.bodies("order/orderData")]


def test_printer_out_then_one_by_one_oldest_first(shop: Shop) -> None:
    paid = [shop.paid(content=str(number)) for number in range(4)]
    waiting = shop.ordered(content="somebody else")
    shop.manufacturer.fail("order/orderData", *[OUT] * 4)
    numbers = [one.job().third_order_id for one in paid]
    sweep()
    assert sent(shop) == numbers[:1]  # the first one meets the trouble, the others do not even try
    shop.machine.refresh_from_db()
    assert shop.machine.printer == "out"
    assert_no_new_money(shop, waiting, [one.third_id for one in paid])
    with later(seconds=8):
        sweep()
        assert set(sent(shop)) == {numbers[0]}
    tried = len(sent(shop))
    shop.manufacturer.faults.clear()
    for seconds in range(20, 80, 4):
        with later(seconds=seconds):
            sweep()
    assert list(shop.manufacturer.orders) == numbers
    assert sent(shop)[tried:] == numbers
    shop.machine.refresh_from_db()
    assert shop.machine.printer == "ok"
    assert init_payment(waiting)[0] == 200


def test_three_workers_keep_the_order_too(shop: Shop) -> None:
    """After the trouble, several workers at once: the next job leaves only when the one before it was accepted."""
    from pimpshop.core import sweeper
    from tests.support.threads import together

    paid = [shop.paid(content=str(number)) for number in range(4)]
    machines.note_printer(shop.machine, out=True, reason="test")
    shop.manufacturer.delay = 0.03
    for seconds in range(0, 40, 4):
        with later(seconds=seconds):
            together(3, lambda n: [sweeper.walk(everything=True) for _ in range(3)])
    numbers = [one.job().third_order_id for one in paid]
    assert list(shop.manufacturer.orders) == numbers
    assert sent(shop) == numbers


def test_maintenance(shop: Shop) -> None:
    paid = [shop.paid(content=str(number)) for number in range(2)]
    waiting = shop.ordered(content="somebody else")
    assert machines.set_maintenance(machine=shop.machine, on=True, actor="ada", reason="new ink")
    for seconds in (0, 40, 80):
        with later(seconds=seconds):
            sweep()
    assert sent(shop) == []
    assert_no_new_money(shop, waiting, [one.third_id for one in paid])
    machines.set_maintenance(machine=shop.machine, on=False, actor="ada", reason="done")
    with later(seconds=120):
        sweep()
    assert sorted(sent(shop)) == sorted(one.job().third_order_id for one in paid)
    assert {one.job().status for one in paid} == {"accepted"}


def test_paid_during_maintenance_is_kept(shop: Shop) -> None:
    """The machine had been asked for the money before: it settles, and the case is printed afterwards."""
    from payments.services import sync

    one = shop.taken()
    machines.set_maintenance(machine=shop.machine, on=True, actor="ada", reason="new ink")
    assert sync.check_now(intent=one.intent, source="poll").applied == "settled"
    sweep()
    assert one.job().status == "submitting"
    machines.set_maintenance(machine=shop.machine, on=False, actor="ada", reason="done")
    with later(seconds=40):
        sweep()
    assert one.job().status == "accepted"


@pytest.mark.parametrize("count", [0, 1])
def test_stock_is_asked_before_money(shop: Shop, count: int) -> None:
    from vending.models import StockLevel

    one = shop.ordered()
    StockLevel.objects.update(count=count)
    status, code, _ = init_payment(one)
    assert (status, code) == ((200, "") if count else (409, "out_of_stock"))
    assert len(shop.manufacturer.payments) == count
    assert PaymentIntent.objects.count() == count
