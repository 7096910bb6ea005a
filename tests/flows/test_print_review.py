"""Paid cases at a machine that is slow, forgetful or being refunded: printed, or with a person. Time passes for hours."""

from __future__ import annotations

from typing import Any

import pytest

from payments.models import PaymentIntent, Refund
from payments.services import refunds
from pimpshop.core import staff_items
from pimpshop.core.models import Notification, StaffItem
from tests import factories
from tests.support.manufacturer import LOST
from tests.support.shop import Paying, Shop, envelope, later, manufacturer, shop, sweep
from vending.models import PrintJob
from vending.services import print_jobs

__all__ = ["manufacturer", "shop"]
OUT = envelope(500, "device is unavailable")


def open_kinds() -> list[str]:
    return list(StaffItem.objects.filter(resolved_at=None).order_by("kind").values_list("kind", flat=True))


def told() -> list[str]:
    return list(Notification.objects.values_list("kind", flat=True))


def accepted(shop: Shop) -> Paying:
    one = shop.paid()
    sweep()
    assert one.job().status == "accepted"
    return one


def refund_of(one: Paying) -> Refund:
    intent = PaymentIntent.objects.get(pk=one.intent.pk)
    return refunds.request_manual_refund(intent=intent, amount_minor=1999, actor="ada", reason="too late")


# --- how far it is ----------------------------------------------------------------------------------------------------


def test_a_job_from_a_long_queue_is_printed_when_it_is_printed(shop: Shop) -> None:
    one = accepted(shop)
    number = one.job().third_order_id
    for minutes, code, status in (
        (40, 8, "accepted"), (41, 9, "printing"), (42, 9, "printing"), (43, 10, "printing"), (44, 10, "printing"),
        (45, 11, "printing"), (46, 12, "printed"), (47, 9, "printed"), (48, 10, "collected"),
    ):  # fmt: skip
        shop.manufacturer.orders[number] = code
        with later(minutes=minutes):
            sweep()
        assert (minutes, one.job().status) == (minutes, status)
        one.order.refresh_from_db()
        assert one.order.status == ("completed" if minutes > 45 else "paid")
    assert open_kinds() == []


def test_a_case_that_the_machine_never_prints_is_told_twice(shop: Shop) -> None:
    one = accepted(shop)
    for hours, kinds in ((1, []), (2.1, ["print_late"]), (3, ["print_late"])):
        with later(hours=hours):
            sweep()
        assert open_kinds() == kinds
    assert told() == ["case_delayed"]
    staff_items.resolve(StaffItem.objects.get(), actor="ada", resolution="a long queue")
    with later(hours=47):
        sweep()
    assert (open_kinds(), one.job().due_at is None) == ([], False)
    with later(hours=49):
        sweep()
    assert (open_kinds(), one.job().due_at) == (["print_late"], None)
    assert StaffItem.objects.count() == 2
    assert told() == ["case_delayed"]


def test_a_job_that_nobody_can_ask_about_is_told_too(shop: Shop) -> None:
    one = accepted(shop)
    shop.manufacturer.down = True
    for hours in (1, 2.5):
        with later(hours=hours):
            sweep()
    assert open_kinds() == ["print_late"]
    staff_items.resolve(StaffItem.objects.get(), actor="ada", resolution="their cloud is down")
    with later(hours=49):
        sweep()
    assert (open_kinds(), one.job().due_at) == (["print_late"], None)


def test_the_item_closes_when_the_case_is_printed(shop: Shop) -> None:
    one = accepted(shop)
    with later(hours=2.1):
        sweep()
    shop.manufacturer.orders[one.job().third_order_id] = 11
    with later(hours=2.3):
        sweep()
    assert (one.job().status, open_kinds()) == ("printing", ["print_late"])
    shop.manufacturer.orders[one.job().third_order_id] = 12
    with later(hours=2.5):
        sweep()
    assert (one.job().status, open_kinds()) == ("printed", [])
    assert sorted(told()) == ["case_delayed", "case_printed"]


# --- asking under another number --------------------------------------------------------------------------------------


def test_the_print_list_answers_when_the_status_call_wants_another_number(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.manufacturer, "_order_getOrderStatus", lambda body: [])
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", LOST)
    sweep()
    with later(seconds=5):
        sweep()
    job = one.job()
    assert (job.status, job.queue_no) == ("accepted", shop.manufacturer.queue[job.third_order_id])
    assert job.manufacturer_order_id == "MSOR000000000001"
    assert len(shop.manufacturer.bodies("order/orderData")) == 1


def gave_up(shop: Shop) -> Paying:
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", LOST)
    sweep()
    shop.manufacturer.down = True
    for minutes in (1, 5, 365, 380):
        with later(minutes=minutes):
            sweep()
    assert (one.job().status, open_kinds()) == ("gave_up", ["print_stuck"])
    return one


def test_a_job_that_we_gave_up_on_is_found_later(shop: Shop) -> None:
    one = gave_up(shop)
    shop.manufacturer.down = False
    for seconds in (0, 5):
        with later(hours=9, seconds=seconds):
            sweep()
    job = one.job()
    assert (job.status, job.queue_no) == ("accepted", shop.manufacturer.queue[job.third_order_id])
    assert open_kinds() == []
    assert len(shop.manufacturer.bodies("order/orderData")) == 1
    one.refresh()
    assert one.session.user_progress == "order_submitted"


def test_looking_for_it_ends_and_sends_nothing(shop: Shop) -> None:
    one = gave_up(shop)
    shop.manufacturer.down = False
    shop.manufacturer.orders.clear()  # it never arrived
    for hours in (8, 9):
        with later(hours=hours):
            sweep()
        assert one.job().due_at is not None
    with later(hours=56):
        sweep()
    assert (one.job().status, one.job().due_at, open_kinds()) == ("gave_up", None, ["print_stuck"])
    assert len(shop.manufacturer.bodies("order/orderData")) == 1


def test_a_post_about_it_is_a_reason_to_look(shop: Shop) -> None:
    one = gave_up(shop)
    shop.manufacturer.down = False
    PrintJob.objects.update(due_at=None)
    with later(hours=7):
        assert print_jobs.note_hint(one.job(), status="8")
        sweep()
    assert one.job().status == "accepted"


# --- paying back ------------------------------------------------------------------------------------------------------


def test_nothing_is_paid_back_while_the_order_is_going_out(shop: Shop, monkeypatch: Any) -> None:
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", OUT)
    sweep()
    real, refused = shop.manufacturer._order_orderData, []

    def order_data(body: Any) -> Any:
        waiting = factories.refund(one.intent, out_refund_no="early")
        try:
            refunds.mark_paid_back(refund=waiting, actor="ada", note="cash")
        except print_jobs.UnderWay:
            refused.append("mark")
        waiting.refresh_from_db()
        assert waiting.status == "created"
        Refund.objects.all().delete()
        PaymentIntent.objects.update(refund_reserved_minor=0)
        try:
            refund_of(one)
        except print_jobs.UnderWay:
            refused.append("request")
        return real(body)

    monkeypatch.setattr(shop.manufacturer, "_order_orderData", order_data)
    with later(seconds=10):
        sweep()
    one.refresh()
    assert refused == ["mark", "request"]
    assert (one.order.status, one.intent.status, one.job().status) == ("paid", "succeeded", "accepted")
    assert not Refund.objects.exists()


def asked_back(shop: Shop) -> tuple[Paying, Refund]:
    """The machine does not take the order, and staff ask for a refund."""
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", OUT)
    sweep()
    refund = refund_of(one)
    assert open_kinds() == ["print_paused"]
    for hours in (1, 7, 30):
        with later(hours=hours):
            sweep()
    assert one.job().status == "submitting"
    assert len(shop.manufacturer.bodies("order/orderData")) == 1
    assert shop.manufacturer.orders == {}
    return one, refund


def test_a_case_whose_refund_was_asked_for_is_not_sent(shop: Shop) -> None:
    one, refund = asked_back(shop)
    refunds.mark_paid_back(refund=refund, actor="ada", note="cash")
    with later(hours=31):
        sweep()
    one.refresh()
    assert (one.order.status, one.job().status, open_kinds()) == ("refunded", "canceled", [])
    assert shop.manufacturer.orders == {}


def test_staff_may_let_it_go_on(shop: Shop) -> None:
    one, _ = asked_back(shop)
    assert print_jobs.check_now(job=one.job())
    with later(seconds=1):
        sweep()
    assert (one.job().status, open_kinds()) == ("accepted", [])


def test_a_refund_of_a_part_lets_it_print(shop: Shop) -> None:
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", OUT)
    sweep()
    intent = PaymentIntent.objects.get(pk=one.intent.pk)
    refunds.request_manual_refund(intent=intent, amount_minor=500, actor="ada", reason="goodwill")
    with later(seconds=10):
        sweep()
    assert one.job().status == "accepted"
