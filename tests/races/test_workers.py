"""Several workers, sweepers and Celery tasks on the same rows: one call, one move, one message; a dead one's lease ends.

GUARANTEES 24.
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from payments import tasks as payment_tasks
from payments.models import PaymentIntent, WebhookEvent, WebhookEventChange
from payments.services import at_once, inbox
from pimpshop.core import sweeper
from pimpshop.core.models import Notification, SharedToken, StaffItem
from tests.support.shop import Shop, later, sweep
from tests.support.threads import together
from vending import tasks as vending_tasks
from vending.models import PrintJobEvent
from vending.services import machines, notices, print_jobs, print_steps


def test_two_sweepers_and_a_task_are_one_call(shop: Shop) -> None:
    for number in range(8):
        one = shop.paid(content=str(number))
        shop.manufacturer.delay = 0.01
        job = one.job()

        def work(n: int, pk: int = job.pk) -> None:
            if n < 2:
                sweeper.walk(everything=True)
            else:
                vending_tasks.advance_print_job(pk)

        together(6, work)
        shop.manufacturer.delay = 0
        sent = [body["third_id"] for body in shop.manufacturer.bodies("order/orderData")]
        assert sent.count(job.third_order_id) == 1
        assert PrintJobEvent.objects.filter(print_job=job, to_status="accepted").count() == 1


def test_a_hung_worker_keeps_its_job_for_ninety_seconds(shop: Shop) -> None:
    one = shop.paid()
    job = one.job()
    began = timezone.now()
    assert print_steps._take(job.pk) is not None  # and then it hangs
    for seconds, status in ((0, "submitting"), (60, "submitting"), (80, "submitting"), (92, "accepted")):
        with later(since=began, seconds=seconds):
            sweep()
        assert one.job().status == status, seconds
    assert one.job().attempts == 0


def test_a_hung_inbox_worker_keeps_its_event_for_sixty_seconds(shop: Shop) -> None:
    one = shop.taken()
    event = WebhookEvent.objects.create(
        gateway="machine", event_id="x", kind="payment_status", subject=one.third_id, payload={"status": "3"}
    )
    PaymentIntent.objects.update(next_query_at=None)
    assert at_once.take_up(event.pk, lease=inbox.LEASE) is not None
    with later(seconds=45):
        sweep()
        assert payment_tasks.process_inbox_event(event.pk) is False  # a task that was delivered twice
        assert shop.manufacturer.asked() == 0
    with later(seconds=62):
        sweep()
    one.refresh()
    assert (one.order.status, shop.manufacturer.asked()) == ("paid", 1)


def test_an_event_is_worked_on_once(shop: Shop) -> None:
    """The task comes twice, in parallel, with sweepers: one question, one end."""
    for number in range(6):
        one = shop.taken(content=str(number))
        PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None, next_query_at=None)
        event = WebhookEvent.objects.create(
            gateway="machine", event_id=f"x{number}", kind="payment_status", subject=one.third_id,
            payload={"status": "3"},
        )  # fmt: skip
        before = shop.manufacturer.asked()

        def work(n: int, pk: int = event.pk) -> object:
            return payment_tasks.process_inbox_event(pk) if n < 5 else sweeper.walk(everything=True)

        together(6, work)
        assert shop.manufacturer.asked() - before == 1
        assert WebhookEventChange.objects.filter(event=event, to_status="processed").count() == 1


def test_every_message_and_item_is_made_once(shop: Shop) -> None:
    one = shop.paid()
    job = one.job()
    shop.manufacturer.orders[job.third_order_id] = 13  # it failed to print there
    shop.manufacturer.queue[job.third_order_id] = "4711"
    together(6, lambda n: [notices.case_printed(job), notices.case_delayed(job)])
    assert sorted(Notification.objects.values_list("kind", flat=True)) == ["case_delayed", "case_printed"]
    taken = print_steps._take(job.pk)
    assert taken is not None

    def give_up(n: int) -> None:
        print_steps._give_up(one.job() if n else taken, "the limit")

    together(6, give_up)
    assert StaffItem.objects.filter(kind="print_stuck").count() == 1
    assert Notification.objects.count() == 2
    assert PrintJobEvent.objects.filter(print_job=job, to_status="gave_up").count() == 1


def test_eight_staff_send_again_once(shop: Shop) -> None:
    one = shop.paid()
    job = one.job()
    taken = print_steps._take(job.pk)
    assert taken is not None
    print_steps._give_up(taken, "the limit")

    def again(n: int) -> bool:
        try:
            print_jobs.send_again(job=one.job(), actor=f"ada{n}", reason="go")
        except print_jobs.CannotSendAgain:
            return False
        return True

    assert sorted(together(8, again)) == [False] * 7 + [True]
    sweep()
    assert one.job().status == "accepted"
    assert list(shop.manufacturer.orders) == [job.third_order_id]


def test_one_log_in_for_all(shop: Shop) -> None:
    """The token has run out: eight calls, one log-in."""
    shop.manufacturer.delay = 0.02
    SharedToken.objects.all().delete()
    together(8, lambda n: machines.client().brand_list())
    assert len(shop.manufacturer.bodies("user/login")) == 1


def test_a_slow_round_leaves_time_for_the_others(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred jobs whose calls hang do not keep a payment from being settled."""
    ticks = iter(range(0, 1000, 4))
    monkeypatch.setattr(sweeper, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    done: list[int] = []
    assert sweeper.each(range(100), lambda pk: done.append(pk) or True) == 2
    assert done == [0, 1]


def test_a_row_that_raises_stops_no_other(shop: Shop) -> None:
    done: list[int] = []

    def work(pk: int) -> bool:
        done.append(pk)
        return bool(10 // pk)

    with pytest.raises(ZeroDivisionError):
        sweeper.each([0, 1, 2], work)
    assert done == [0, 1, 2]


def test_the_bell_may_ring_from_many_threads_while_rows_move(shop: Shop) -> None:
    """Posts, looks and sweepers on accepted jobs: the history of each is forward only, and ends printed."""
    one = shop.paid()
    sweep()
    job = one.job()
    for status in (8, 11, 12, 16):
        shop.manufacturer.orders[job.third_order_id] = status
        type(job).objects.filter(pk=job.pk).update(due_at=timezone.now() - timedelta(seconds=5))

        def work(n: int, status: int = status) -> None:
            if n % 2:
                print_jobs.note_hint(one.job(), status=str(status))
            vending_tasks.advance_print_job(job.pk)
            sweeper.walk(everything=True)

        together(6, work)
        type(job).objects.filter(pk=job.pk, due_at__isnull=False).update(due_at=timezone.now())
        sweep()
    moved = [(e.from_status, e.to_status) for e in PrintJobEvent.objects.filter(print_job=job).order_by("id")]
    assert [pair for pair in moved if pair[0] != pair[1]] == [
        ("submitting", "accepted"), ("accepted", "printing"), ("printing", "printed"), ("printed", "collected"),
    ]  # fmt: skip
    one.refresh()
    assert one.order.status == "completed"
    assert Notification.objects.filter(kind="case_printed").count() == 1
