"""Money that fails, comes late, comes twice or does not fit; words of the manufacturer that nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from orders.models import Order, OrderEvent
from payments.gateways import base
from payments.models import PaymentEvent, PaymentIntent, Refund, RefundEvent
from payments.services import refunds, settlement
from pimpshop.core import staff_items
from pimpshop.core.models import Notification, StaffItem
from pimpshop.core.money import Money
from tests.support import seed1
from tests.support.manufacturer import Manufacturer
from tests.support.seed1 import Phone
from vending.models import PrintJob, VendingSession


def open_items() -> list[tuple[str, str]]:
    return list(StaffItem.objects.filter(resolved_at=None).order_by("id").values_list("kind", "subject"))


def attempts() -> list[tuple[str, str, bool, bool]]:
    rows = PaymentIntent.objects.order_by("attempt")
    return [(row.out_trade_no, row.status, row.settles_order, row.is_surplus) for row in rows]


def failed_then_new(phone: Phone, manufacturer: Manufacturer) -> tuple[str, str]:
    """A first attempt that failed at the machine, a second one that is being asked for."""
    first = phone.asked_to_pay()
    seed1.paid(first, manufacturer, status=4)
    second = phone.init()[1]["third_id"]
    return first, second


# --- several attempts -------------------------------------------------------------------------------------------------
def test_a_failed_payment_may_be_tried_again_under_a_new_number(phone: Phone, manufacturer) -> None:
    first = phone.asked_to_pay()
    seed1.paid(first, manufacturer, status=4)
    status, body = phone.status()
    assert (status, body["status"], body["user_progress"]) == (200, "payment_failed", "payment_failed")
    assert body["instructions"] == "The payment did not go through. Nothing was charged. You can try again."
    assert "queue_number" not in body
    status, again = phone.init()
    second = again["third_id"]
    assert (status, again["status"]) == (200, "awaiting_payment")
    assert second != first
    assert phone.status()[1]["third_id"] == second
    assert [body["third_id"] for body in manufacturer.bodies("order/payData")] == [first, second]
    assert attempts() == [(first, "failed", False, False), (second, "requires_action", False, False)]
    seed1.paid(second, manufacturer)
    assert attempts() == [(first, "failed", False, False), (second, "succeeded", True, False)]
    assert manufacturer.bodies("order/orderData")[0]["third_pay_id"] == second
    assert Order.objects.get().status == "paid"
    assert open_items() == []


def test_a_failed_payment_leaves_five_minutes_for_another_try(phone: Phone, manufacturer) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        third_id = phone.asked_to_pay()
        clock.shift(timedelta(hours=3))
        seed1.paid(third_id, manufacturer, status=4)
        clock.shift(timedelta(minutes=4))
        assert phone.status()[0] == 200
        clock.shift(timedelta(minutes=2))
        assert (phone.status()[0], phone.status()[1]["status"]) == (200, "expired")
        assert phone.init()[0] == 409


def test_money_for_the_first_attempt_after_the_second_paid_is_surplus(phone: Phone, manufacturer) -> None:
    """GUARANTEES 4: the order is paid once; the machine has no refund call, so staff pay it back."""
    first, second = failed_then_new(phone, manufacturer)
    seed1.paid(second, manufacturer)
    paid_at = Order.objects.get().paid_at
    seed1.paid(first, manufacturer)
    assert attempts() == [(first, "succeeded", False, True), (second, "succeeded", True, False)]
    order = Order.objects.get()
    assert (order.status, order.paid_at) == ("paid", paid_at)
    assert OrderEvent.objects.filter(order=order, to_status="paid").count() == 1
    refund = Refund.objects.get()
    assert (refund.intent.out_trade_no, refund.kind, refund.status) == (first, "manual", "created")
    assert (refund.amount_minor, refund.currency) == (1999, "GBP")
    assert open_items() == [("surplus_payment", first)]
    assert len(manufacturer.bodies("order/orderData")) == PrintJob.objects.count() == 1
    seed1.paid(first, manufacturer)
    assert Refund.objects.count() == 1
    refunds.mark_paid_back(refund=refund, actor="support@example.com", note="cash, by hand")
    assert RefundEvent.objects.filter(to_status="succeeded").get().actor == "support@example.com"
    assert Order.objects.get().status == "paid"
    assert open_items() == []


def test_late_money_for_the_first_attempt_pays_the_order(phone: Phone, manufacturer) -> None:
    """The first success settles, whichever attempt it is; then nobody is asked to pay any more."""
    first, second = failed_then_new(phone, manufacturer)
    seed1.paid(first, manufacturer)
    assert attempts() == [(first, "succeeded", True, False), (second, "requires_action", False, False)]
    assert manufacturer.bodies("order/orderData")[0]["third_pay_id"] == first
    assert phone.status()[1]["status"] == "payment_completed"
    asked = len(manufacturer.bodies("order/payData"))
    status, body = phone.init()
    assert (status, body["third_id"], body["status"]) == (200, first, "payment_completed")
    assert len(manufacturer.bodies("order/payData")) == asked
    seed1.paid(second, manufacturer)
    assert attempts() == [(first, "succeeded", True, False), (second, "succeeded", False, True)]
    assert open_items() == [("surplus_payment", second)]
    assert PrintJob.objects.count() == 1


def test_init_payment_after_the_payment_asks_for_nothing(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer)
    status, body = phone.init()
    assert (status, body["third_id"], body["status"]) == (200, third_id, "payment_completed")
    assert "omplete payment" not in body["instructions"] + body["message"]
    assert len(manufacturer.bodies("order/payData")) == 1


def test_the_same_success_again_and_again_moves_nothing(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer)
    before = seed1.rows()
    for _ in range(3):
        seed1.paid(third_id, manufacturer)
        intent = PaymentIntent.objects.get()
        result = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, out_trade_no=third_id)
        assert settlement.apply_result(intent, result, source="poll") == settlement.Applied.UNCHANGED
    after = seed1.rows()
    changed = {table for table in before if before[table] != after[table]}
    assert changed.isdisjoint(
        {"orders_order", "orders_orderevent", "payments_paymentevent", "payments_refund", "core_staffitem",
         "vending_vendingsession", "vending_sessionevent", "core_notification"}
    )  # fmt: skip
    assert PrintJob.objects.count() == Order.objects.count() == 1


def test_a_failure_told_after_the_success_changes_nothing(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer)
    seed1.paid(third_id, manufacturer, status=4)
    intent = PaymentIntent.objects.get()
    failed = base.PaymentResult(status=base.PaymentStatus.FAILED, out_trade_no=third_id)
    assert settlement.apply_result(intent, failed, source="poll") == settlement.Applied.UNCHANGED
    assert attempts() == [(third_id, "succeeded", True, False)]
    assert VendingSession.objects.get().status == "payment_completed"


# --- results that do not fit ------------------------------------------------------------------------------------------
FOREIGN: dict[str, dict[str, Any]] = {
    "amount": {"amount": Money(1998, "GBP")},
    "currency": {"amount": Money(1999, "USD")},
    "account": {"account": "somebody"},
    "number": {"out_trade_no": "PYEN250830540573"},
    "live": {"live": True},
    "reference": {"provider_ref": "MSPY-other"},
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_result_about_something_else_moves_nothing(phone: Phone, manufacturer, what: str, status) -> None:
    third_id = phone.asked_to_pay()
    intent = PaymentIntent.objects.get()
    fits = base.PaymentResult(
        status=base.PaymentStatus(status), out_trade_no=third_id, account="pimpshop", live=False,
        amount=Money(1999, "GBP"), provider_ref=intent.provider_ref,
    )  # fmt: skip
    before = seed1.rows()
    for _ in range(2):
        applied = settlement.apply_result(intent, replace(fits, **FOREIGN[what]), source="webhook")
        assert applied == settlement.Applied.REFUSED
    after = seed1.rows()
    changed = {table for table in before if before[table] != after[table]}
    assert changed == {"core_staffitem", "payments_paymentevent"}
    assert open_items() == [("payment_mismatch", third_id)]
    assert PaymentEvent.objects.filter(reason__startswith="refused: ").count() == 1
    assert settlement.apply_result(intent, fits, source="poll") in ("settled", "moved")


def test_what_a_person_has_closed_is_told_again_only_for_another_reason(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    intent = PaymentIntent.objects.get()
    less, other = (
        base.PaymentResult(
            status=base.PaymentStatus.SUCCEEDED, out_trade_no=number, amount=Money(minor, "GBP")
        )
        for number, minor in ((third_id, 1998), ("PYEN250830540573", 1999))
    )
    settlement.apply_result(intent, less, source="webhook")
    item = StaffItem.objects.get()
    assert item.data == {
        "why": "amount 19.98 GBP instead of 19.99 GBP", "minor": 1999, "currency": "GBP",
    }  # fmt: skip
    assert staff_items.resolve(item, actor="ada", resolution="given back at the machine") is True
    assert settlement.apply_result(intent, less, source="poll") == settlement.Applied.REFUSED
    assert (open_items(), PaymentEvent.objects.filter(reason__startswith="refused: ").count()) == ([], 1)
    assert settlement.apply_result(intent, other, source="poll") == settlement.Applied.REFUSED
    assert open_items() == [("payment_mismatch", third_id)]
    assert StaffItem.objects.last().data["why"] == f"number PYEN250830540573 instead of {third_id}"
    assert PaymentEvent.objects.filter(reason__startswith="refused: ").count() == 2


@pytest.mark.parametrize("told", [0.01, 1999, "19.98", "free"])
def test_a_post_that_names_another_amount_troubles_nobody(phone: Phone, manufacturer, told: Any) -> None:
    """Anybody can post it: it neither moves nor stops anything, the provider decides, and staff are left alone."""
    third_id = phone.asked_to_pay()
    body = {"third_id": third_id, "status": 3, "pay_amount": told}
    assert phone.post(seed1.PAY_STATUS, [body])[0] == 200
    seed1.work()
    assert not PrintJob.objects.exists()
    assert attempts() == [(third_id, "requires_action", False, False)]
    assert open_items() == []
    seed1.paid(third_id, manufacturer)
    assert Order.objects.get().status == "paid"


# --- words that nobody knows ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("word", [0, 6, 7, 99, -1, "paid", "PAID", "支付成功"])
def test_an_unknown_payment_status_is_processing_and_flagged(phone: Phone, manufacturer, word: Any) -> None:
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer, status=word)
    seed1.work()
    assert attempts() == [(third_id, "processing", False, False)]
    assert open_items() == [("payment_odd_status", third_id)]
    assert StaffItem.objects.get().data["status"] == str(word)
    assert phone.status()[1]["status"] == "payment_pending"
    assert not PrintJob.objects.exists()
    seed1.paid(third_id, manufacturer)
    assert attempts() == [(third_id, "succeeded", True, False)]


def test_an_abnormal_payment_is_never_called_failed(phone: Phone, manufacturer) -> None:
    """5: money may have been taken. Staff look; it may still be paid or fail."""
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer, status=5)
    assert attempts() == [(third_id, "processing", False, False)]
    assert open_items() == [("payment_odd_status", third_id)]
    assert phone.status()[1]["status"] == "payment_pending"
    assert phone.init()[1]["third_id"] == third_id  # no second payment while this one may have been paid
    seed1.paid(third_id, manufacturer, status=4)
    assert attempts() == [(third_id, "failed", False, False)]


@pytest.fixture
def job(phone: Phone, manufacturer: Manufacturer) -> PrintJob:
    seed1.paid(phone.asked_to_pay(), manufacturer)
    return PrintJob.objects.get()


def now_says(job: PrintJob, manufacturer: Manufacturer, status: Any) -> PrintJob:
    manufacturer.orders[job.third_order_id] = status
    seed1.work(looks=True)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(("word", "kind"), [(2, "order_status_odd"), (5, "order_status_odd"), (7, "order_status_odd"),
                                            (0, "order_status_unknown"), (17, "order_status_unknown"),
                                            (99, "order_status_unknown"), ("done", "order_status_unknown")])  # fmt: skip
def test_order_statuses_that_fit_nothing_are_stored_and_flagged(job, phone, manufacturer, word, kind) -> None:
    now_says(job, manufacturer, word)
    assert (job.status, job.provider_status) == ("accepted", str(word))
    assert open_items() == [(kind, job.reference)]
    now_says(job, manufacturer, word)
    assert StaffItem.objects.count() == 1
    assert phone.status()[1]["order_status"] == "queued"
    assert now_says(job, manufacturer, 12).status == "printed"


@pytest.mark.parametrize("word", [99, 2])
def test_an_odd_status_in_the_very_answer_to_the_order_is_flagged_too(phone, manufacturer, word) -> None:
    manufacturer.first_order_status = word
    seed1.paid(phone.asked_to_pay(), manufacturer)
    seed1.work(looks=True)
    job = PrintJob.objects.get()
    assert (job.status, job.provider_status) == ("accepted", str(word))
    assert [subject for _kind, subject in open_items()] == [job.reference]


@pytest.mark.parametrize("word", [13, 14])
def test_a_case_that_was_not_printed_is_for_staff(job, phone, manufacturer, word) -> None:
    """Paid stays paid: the session never says payment_failed, the customer is told once, staff get an item."""
    now_says(job, manufacturer, word)
    assert (job.status, job.provider_status) == ("failed", str(word))
    assert open_items() == [("print_failed", job.reference)]
    assert list(Notification.objects.values_list("kind", flat=True)) == ["case_delayed"]
    status = phone.status()[1]
    assert (status["status"], status["order_status"]) == ("payment_completed", "delayed")
    assert Order.objects.get().status == "paid"


def test_the_steps_of_a_case(job, phone, manufacturer) -> None:
    seen = []
    for word in (4, 8, 9, 11, 12, 15, 16):
        now_says(job, manufacturer, word)
        seen.append(phone.status()[1]["order_status"])
    assert seen == ["queued", "queued", "printing", "printing", "printed", "printed", "collected"]
    assert Order.objects.get().status == "completed"
    assert open_items() == []


# --- the queue number -------------------------------------------------------------------------------------------------
def test_a_queue_number_that_comes_late_is_found_in_the_print_list(phone: Phone, manufacturer) -> None:
    manufacturer.first_queue_no = ""
    seed1.paid(phone.asked_to_pay(), manufacturer)
    job = PrintJob.objects.get()
    third_id = job.third_order_id
    manufacturer.queue.pop(third_id)
    assert (job.status, job.queue_no) == ("accepted", "")
    assert phone.status()[1]["queue_number"] is None
    seed1.work(looks=True)
    assert phone.status()[1]["queue_number"] is None
    manufacturer.queue[third_id] = "A-0099"  # any text
    seed1.work(looks=True)
    assert phone.status()[1]["queue_number"] == "A-0099"


def test_without_an_answer_there_is_no_queue_number(phone: Phone, manufacturer) -> None:
    """Mistake 12."""
    manufacturer.fail("order/orderData", *[{"code": 500, "msg": "the device is unavailable"}] * 3)
    seed1.paid(phone.asked_to_pay(), manufacturer)
    status = phone.status()[1]
    assert (status["status"], status["order_status"]) == ("payment_completed", "submitting")
    assert (status["queue_number"], status["chinese_order_id"]) == (None, None)
    assert PrintJob.objects.get().queue_no == ""
