"""A case whose payment is disputed: it waits while the bank decides, is printed when it is won, and not when it is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from payments.models import PaymentIntent
from payments.services import progress, refunds
from pimpshop.core.models import StaffItem
from pimpshop.core.money import Money
from tests import factories
from tests.support.bought import bank_says
from tests.support.shop import Paying, Shop, later, manufacturer, shop, sweep
from vending.models import PrintJob
from vending.services import print_jobs, print_steps, waiting_jobs

__all__ = ["manufacturer", "shop"]


def intent_of(one: Paying) -> PaymentIntent:
    return PaymentIntent.objects.get(pk=one.intent.pk)


def stands(one: Paying) -> tuple[str, str]:
    job = one.job()
    return job.status, job.held


def orders_sent(shop: Shop) -> int:
    return len(shop.manufacturer.bodies("order/orderData"))


def open_items() -> list[tuple[str, str]]:
    rows = StaffItem.objects.filter(resolved_at=None).order_by("kind", "subject")
    return list(rows.values_list("kind", "subject"))


def test_a_disputed_case_is_not_sent_until_the_bank_decides_for_us(shop: Shop) -> None:
    one = shop.paid()
    bank_says(intent_of(one), "opened")
    sweep()
    assert (stands(one), orders_sent(shop)) == (("submitting", "dispute dp_1"), 0)
    item = StaffItem.objects.get()
    assert (item.kind, item.subject, item.resolved_at) == ("dispute_open", "dp_1", None)
    assert f"Held meanwhile, not sent to a machine: {one.job().reference}." in item.detail
    assert progress.order_progress(one.order)["state"] == "help"
    with later(days=40):
        bank_says(intent_of(one), "under_review")
        sweep()
        assert (stands(one), orders_sent(shop)) == (("submitting", "dispute dp_1"), 0)
        bank_says(intent_of(one), "won")
        sweep()
    assert (stands(one), orders_sent(shop)) == (("accepted", ""), 1)
    assert open_items() == []


def test_staff_cannot_send_on_what_is_held(shop: Shop) -> None:
    one = shop.paid()
    bank_says(intent_of(one), "opened")
    assert print_jobs.check_now(job=one.job()) is False
    sweep()
    assert (stands(one), orders_sent(shop)) == (("submitting", "dispute dp_1"), 0)
    gone = shop.paid(content="two")
    PrintJob.objects.filter(pk=gone.job().pk).update(last_error="x", attempts=5)
    shop.manufacturer.down = True
    with later(hours=7):
        sweep()
        assert gone.job().status == "gave_up"
        bank_says(intent_of(gone), "opened", provider_ref="dp_2")
        with pytest.raises(print_jobs.CannotSendAgain):
            print_jobs.send_again(job=gone.job(), actor="ada", reason="please")
        assert stands(gone) == ("gave_up", "dispute dp_2")
    shop.manufacturer.down = False


def test_a_step_that_is_under_way_when_the_dispute_comes_goes_no_further(shop: Shop) -> None:
    one = shop.paid()
    job = one.job()
    PrintJob.objects.filter(pk=job.pk).update(status="announcing", pay_type=12, due_at=timezone.now())
    taken = print_steps._take(job.pk)
    assert taken is not None
    bank_says(intent_of(one), "opened")
    print_steps._done(taken, "confirming")  # the answer to the announcement
    sweep()
    assert (stands(one), orders_sent(shop)) == (("confirming", "dispute dp_1"), 0)
    assert shop.manufacturer.bodies("order/payStatus") == []
    bank_says(intent_of(one), "closed")
    sweep()
    assert (stands(one), orders_sent(shop)) == (("accepted", ""), 1)


def test_a_lost_dispute_cancels_the_case_and_a_later_turn_is_put_before_staff(shop: Shop) -> None:
    one = shop.paid()
    bank_says(intent_of(one), "opened", "lost")
    sweep()
    assert (stands(one), orders_sent(shop)) == (("canceled", ""), 0)
    assert open_items() == [("dispute_lost", "dp_1")]
    assert one.job().reference in StaffItem.objects.get(kind="dispute_lost").detail
    bank_says(intent_of(one), "won")
    assert (stands(one), orders_sent(shop)) == (("canceled", ""), 0)
    assert open_items() == [("dispute_lost", "dp_1"), ("print_canceled", one.job().reference)]


def test_a_part_that_the_bank_took_leaves_the_rest_to_be_paid_back(shop: Shop) -> None:
    one = shop.paid()
    bank_says(intent_of(one), "opened", "lost", amount=Money(999, "GBP"))
    assert stands(one) == ("canceled", "")
    assert open_items() == [("dispute_lost", "dp_1"), ("print_canceled", one.job().reference)]
    assert "Pay 10.00 GBP back" in StaffItem.objects.get(kind="print_canceled").detail


def test_a_case_that_was_released_and_is_not_printed_is_cancelled_when_the_bank_turns_round(
    shop: Shop,
) -> None:
    one = shop.paid()
    bank_says(intent_of(one), "opened", "won", "lost")
    sweep()
    assert (stands(one), orders_sent(shop)) == (("canceled", ""), 0)


def test_what_is_being_sent_when_the_bank_takes_the_money_is_looked_at(shop: Shop) -> None:
    one = shop.paid()
    bank_says(intent_of(one), "opened", "won")
    PrintJob.objects.filter(pk=one.job().pk).update(leased_until=timezone.now() + timedelta(seconds=60))
    bank_says(intent_of(one), "lost")
    assert stands(one) == ("submitting", "dispute dp_1 is lost")
    assert open_items() == [("dispute_lost", "dp_1"), ("print_canceled", one.job().reference)]
    with later(seconds=120):
        sweep()
    assert (stands(one)[0], orders_sent(shop)) == ("submitting", 0)


def test_two_disputes_are_both_to_be_decided(shop: Shop) -> None:
    one = shop.paid()
    half = {"amount": Money(999, "GBP")}
    bank_says(intent_of(one), "opened", **half)
    bank_says(intent_of(one), "opened", provider_ref="dp_2", **half)
    bank_says(intent_of(one), "won", **half)
    sweep()
    assert (stands(one)[0], orders_sent(shop)) == ("submitting", 0)
    bank_says(intent_of(one), "won", provider_ref="dp_2", **half)
    sweep()
    assert (stands(one), orders_sent(shop)) == (("accepted", ""), 1)


def test_what_the_machine_has_and_an_inquiry_hold_nothing(shop: Shop) -> None:
    asked = shop.paid()
    bank_says(intent_of(asked), "opened", provider_ref="dp_9", money_moved=False)
    sweep()
    assert (stands(asked), orders_sent(shop)) == (("accepted", ""), 1)
    assert "Nothing is held." in StaffItem.objects.get().detail
    bank_says(intent_of(asked), "opened", provider_ref="dp_9")
    assert [i.detail for i in StaffItem.objects.filter(resolved_at=None)] == [
        "Look at the order's history and answer the bank. A machine has the case already."
    ]
    assert asked.job().status == "accepted"


def test_a_refund_that_was_asked_for_before_stays_paused_after_the_verdict(shop: Shop) -> None:
    one = shop.paid()
    refunds.request_manual_refund(intent=intent_of(one), amount_minor=1999, actor="ada", reason="late")
    bank_says(intent_of(one), "opened", "won")
    sweep()
    job = one.job()
    assert (job.status, job.held, orders_sent(shop)) == ("submitting", "", 0)
    assert print_jobs.check_now(job=job) is True
    sweep()
    assert stands(one) == ("accepted", "")


def test_a_case_without_a_machine_is_not_chosen_for_meanwhile(shop: Shop) -> None:
    one = shop.paid()
    PrintJob.objects.filter(pk=one.job().pk).update(status="waiting", machine=None, due_at=None, pay_type=12)
    bank_says(intent_of(one), "opened")
    assert waiting_jobs.offered_for(one.order.order_no) == []
    with pytest.raises(waiting_jobs.Disputed):
        waiting_jobs.choose_machine(job=one.job(), machine=shop.machine, source="page")
    assert stands(one) == ("waiting", "dispute dp_1")
    bank_says(intent_of(one), "won")
    assert waiting_jobs.offered_for(one.order.order_no) == [shop.machine]


@pytest.mark.parametrize(("status", "left"), [("opened", 0), ("lost", 0), ("won", 500)])
def test_credits_of_a_payment_that_was_disputed_before_it_was_heard_of(
    db: None, status: str, left: int
) -> None:
    from credits import selectors as credits
    from tests.support import bought

    alice = factories.user()
    intent = bought.bought(user=alice)
    bought.bank_says(intent, status)
    bought.pay(intent)
    assert credits.balance(alice.pk) == left
