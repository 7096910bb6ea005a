"""The manufacturer is away for hours while paid cases wait: retried under the same numbers, then staff and customer.

GUARANTEES 5, and mistake 16 of the manufacturer's page.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.services import fulfilment
from payments.services import progress
from pimpshop.core.models import AuditEntry, Notification, StaffItem
from tests.support.manufacturer import DOWN, LOST
from tests.support.shop import Paying, Shop, envelope, later, sweep
from vending.models import PrintJob
from vending.services import print_jobs, print_steps


def tries_until(job: PrintJob, hours: float) -> list[float]:
    """Walk from one due moment to the next for so long; answers the seconds between the tries."""
    start = before = timezone.now()
    gaps = []
    while True:
        job.refresh_from_db()
        if job.status != "submitting" or job.due_at is None or job.due_at > start + timedelta(hours=hours):
            return gaps
        moment = max(job.due_at + timedelta(seconds=0.05), before)
        with time_machine.travel(moment, tick=False):  # how long a walk takes must not count
            gaps.append((moment - before).total_seconds())
            before = moment
            sweep()


def test_down_for_four_hours_then_one_accepted_job(shop: Shop) -> None:
    one = shop.paid()
    shop.manufacturer.down = True
    gaps = tries_until(one.job(), 4)
    assert [round(gap) for gap in gaps[:3]] == pytest.approx([0, 2, 4], abs=1)
    assert max(gaps) < 800
    assert 25 < len(gaps) < 45  # quickly at first, then every ten minutes: not a flood
    one.refresh()
    assert (one.session.status, one.session.user_progress) == ("payment_completed", "payment_pending")
    assert progress.order_progress(one.order)["state"] == "delayed"
    # Nobody has heard of the machine meanwhile: staff know, and it is no news any more when it is back.
    assert list(StaffItem.objects.values_list("kind", "resolved_by")) == [("machine_offline", "")]
    shop.manufacturer.down = False
    for hours in (4.2, 4.21):
        with later(hours=hours):
            sweep()
    job = one.job()
    assert (job.status, job.queue_no) == ("accepted", shop.manufacturer.queue[job.third_order_id])
    assert list(shop.manufacturer.orders) == [job.third_order_id]
    assert {body["third_id"] for body in shop.manufacturer.bodies("order/orderData")} == {job.third_order_id}
    assert Notification.objects.count() == 0
    one.refresh()
    assert one.session.user_progress == "order_submitted"
    assert list(StaffItem.objects.values_list("kind", "resolved_by")) == [("machine_offline", "system")]


def give_up(shop: Shop) -> Paying:
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", LOST)  # it was accepted; we never heard
    with later(seconds=1):
        sweep()
    shop.manufacturer.down = True
    tries_until(one.job(), 7)
    assert one.job().status == "gave_up"
    return one


def test_after_the_limit_staff_have_one_item_and_the_customer_one_message(shop: Shop) -> None:
    one = give_up(shop)
    with later(hours=8):
        sweep()
        print_steps.advance_job(one.job().pk)
    one.refresh()
    assert (one.order.status, one.intent.status) == ("paid", "succeeded")
    assert (one.session.status, one.session.user_progress) == ("payment_completed", "order_failed")
    [item] = StaffItem.objects.filter(resolved_at=None)
    assert (item.kind, item.subject) == ("print_stuck", one.job().reference)
    [note] = Notification.objects.all()
    assert (note.kind, note.reference) == ("case_delayed", one.order.order_no)
    assert progress.order_progress(one.order)["state"] == "help"


def test_staff_send_again_and_it_asks_before_it_sends(shop: Shop) -> None:
    """The manufacturer had taken the order all the time: no second one is sent."""
    one = give_up(shop)
    shop.manufacturer.down = False
    before = len(shop.manufacturer.bodies("order/orderData"))
    shop.manufacturer.calls.clear()
    with later(hours=9):
        print_jobs.send_again(job=one.job(), actor="ada", reason="it works again")
        with pytest.raises(print_jobs.CannotSendAgain):
            print_jobs.send_again(job=one.job(), actor="bob", reason="me too")
        sweep()
    with later(hours=9, seconds=3):
        sweep()
    job = one.job()
    assert (job.status, job.queue_no) == ("accepted", shop.manufacturer.queue[job.third_order_id])
    assert before == 1
    assert [name for name, _ in shop.manufacturer.calls if "stock" not in name and "login" not in name] == [
        "order/getOrderStatus", "order/getOrderStatus", "order/printList",
    ]  # fmt: skip
    assert StaffItem.objects.filter(resolved_at=None).count() == 0
    assert AuditEntry.objects.get(action="send to the machine again").actor == "ada"
    one.refresh()
    assert one.session.user_progress == "order_submitted"
    assert Notification.objects.count() == 1


def test_send_again_of_an_order_that_never_arrived_uses_the_same_number(shop: Shop) -> None:
    one = shop.paid()
    shop.manufacturer.down = True
    tries_until(one.job(), 7)
    number = one.job().third_order_id
    shop.manufacturer.down = False
    with later(hours=9):
        print_jobs.send_again(job=one.job(), actor="ada", reason="it works again")
        sweep()
    assert one.job().status == "accepted"
    assert list(shop.manufacturer.orders) == [number]


@pytest.mark.parametrize(
    "trouble",
    [
        LOST,
        DOWN,
        envelope(500, "Payment information does not exist"),
        envelope(500, "The current device is unavailable"),
        envelope(500, "system busy"),
    ],
    ids=str,
)
def test_each_passing_trouble_is_tried_again_under_the_same_number(shop: Shop, trouble: object) -> None:
    one = shop.paid()
    shop.manufacturer.fail("order/orderData", trouble, trouble)
    number = one.job().third_order_id
    for seconds in (1, 4, 10, 20, 40):
        with later(seconds=seconds):
            sweep()
    assert one.job().status == "accepted"
    assert one.job().third_order_id == number
    assert list(shop.manufacturer.orders) == [number]
    assert StaffItem.objects.count() == 0


def test_a_number_taken_by_another_database_is_replaced_and_remembered(shop: Shop) -> None:
    """The very first try meets "already exists": it cannot be ours. Later ones can, and ask."""
    one = shop.paid()
    taken = one.job().third_order_id
    shop.manufacturer.orders[taken] = 4
    shop.manufacturer.queue[taken] = "1"
    sweep()
    job = one.job()
    assert job.status == "accepted"
    assert (job.third_order_id != taken, job.earlier_order_ids) == (True, [taken])
    assert list(shop.manufacturer.orders) == [taken, job.third_order_id]


def test_a_stale_answer_of_a_hung_worker_takes_no_new_number(shop: Shop) -> None:
    """It hung in its first try; its job was taken over meanwhile and sent. What it hears then must change nothing."""
    one = shop.paid()
    job = one.job()
    stale = print_steps._take(job.pk)
    assert stale is not None
    with later(seconds=95):
        second = print_steps._take(job.pk)
        assert second is not None
        shop.manufacturer.orders[job.third_order_id] = 4  # the second one's order is accepted there
        shop.manufacturer.queue[job.third_order_id] = "7"
        print_steps._submit(stale)
        print_steps._try_again(stale, "stale")
        job.refresh_from_db()
        assert (job.third_order_id, job.earlier_order_ids, job.attempts) == (stale.third_order_id, [], 2)
        assert job.leased_until == second.leased_until or job.leased_until > timezone.now()
    with later(seconds=200):
        sweep()
    with later(seconds=203):
        sweep()
    assert (one.job().status, one.job().queue_no) == ("accepted", "7")
    assert list(shop.manufacturer.orders) == [job.third_order_id]


def test_a_row_that_cannot_be_worked_on_blocks_no_other_and_ends_with_staff(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug or a broken row: the other job goes out in the same walk, and this one is given up after the limit."""
    from catalog.services import designs

    broken, sound = shop.paid(content="broken"), shop.paid(content="sound")
    picture = broken.job().design_id
    real = designs.verify_print

    def verify(design: object) -> bool:
        if design.pk == picture:  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return real(design)  # type: ignore[arg-type]

    monkeypatch.setattr(designs, "verify_print", verify)
    sweep()
    assert (broken.job().status, sound.job().status) == ("submitting", "accepted")
    assert broken.job().last_error == "failed: ZeroDivisionError"
    tries_until(broken.job(), 7)
    assert broken.job().status == "gave_up"
    [item] = StaffItem.objects.filter(resolved_at=None, kind="print_stuck")
    assert item.subject == broken.job().reference
    assert fulfilment.complete(broken.order.order_no) is False
