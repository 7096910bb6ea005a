"""From what happened to an order to the messages that its buyer gets: the rows of the outbox.

The source of truth are the event rows that are written in the transaction of the change itself, by `advance()` as by the
functions of the quick ways; a marker with a partial index says which of them were not looked at (ADR 17), so settling
sends no further statement. Guarantees: rows and markers are one transaction, so whoever dies in between loses and doubles
nothing; several at once share the events (SKIP LOCKED), and (reference, kind) is unique. Nobody to tell: no row. No call
leaves: core.notifications.outbox sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from orders.models import Order, OrderEvent
from orders.services import messages
from pimpshop.core import bell, tasks
from pimpshop.core.models import Notification
from pimpshop.core.notifications import outbox
from vending.models import PrintJob, PrintJobEvent
from vending.services import print_jobs, print_steps

#: Events in one transaction.
BATCH = 100
#: An unsent case that waits for so long is spoken of: the machine is out, and we keep trying.
LATE_AFTER = timedelta(minutes=15)
#: The manufacturer's queue number may come a moment after its yes.
NUMBER_WITHIN = timedelta(seconds=30)

#: The usual answer of every second, no, is one statement over two partial indexes.
_DUE = """SELECT EXISTS (SELECT FROM orders_orderevent WHERE NOT told AND to_status IN ('paid', 'completed'))
              OR EXISTS (SELECT FROM vending_printjobevent WHERE NOT told AND to_status = 'accepted')"""


def write_due() -> int:
    """Write the messages that follow from what is committed and not looked at yet, one batch; a sweep round. Answers how
    many events were looked at."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        if not cursor.fetchone()[0]:
            return 0
    with transaction.atomic():
        events = list(
            OrderEvent.objects.filter(told=False, to_status__in=["paid", "completed"])
            .select_for_update(skip_locked=True, of=("self",)).select_related("order__user").order_by("pk")[:BATCH]
        )  # fmt: skip
        prints = list(
            PrintJobEvent.objects.filter(told=False, to_status="accepted")
            .select_for_update(skip_locked=True, of=("self",)).select_related("print_job").order_by("pk")[:BATCH]
        )  # fmt: skip
        rows = [row for event in events for row in _of_order(event)] + list(_of_prints(prints))
        written = outbox.write(rows)
        OrderEvent.objects.filter(pk__in=[event.pk for event in events]).update(told=True)
        PrintJobEvent.objects.filter(pk__in=[event.pk for event in prints]).update(told=True)
        if written:
            bell.ring(tasks.send_notifications, thin=True)
    return len(events) + len(prints)


def _of_order(event: OrderEvent) -> Iterator[Notification]:
    order = event.order
    kind = _kind(event.from_status, event.to_status, order)
    if kind and messages.addressee(order):
        yield _row(order, kind)


def _kind(was: str, now: str, order: Order) -> str:
    """The message that a move of an order brings about; "" for none. Goods that are given at once are told of by one
    message; it is `paid` only where giving them takes longer."""
    goods = {Order.Kind.CREDITS: "credits_granted", Order.Kind.PLAN: "plan_began"}
    if now == "paid" and was in ("pending", "cancelled"):
        return "" if order.kind in goods and order.status == "completed" else "paid"
    if now == "completed" and was == "paid":
        return goods.get(Order.Kind(order.kind), "")
    return ""


def _of_prints(events: list[PrintJobEvent]) -> Iterator[Notification]:
    numbers = {event.print_job.order_no for event in events}
    orders = {o.order_no: o for o in Order.objects.select_related("user").filter(order_no__in=numbers)}
    for event in events:
        order = orders.get(event.print_job.order_no)
        if (
            order is not None
            and event.from_status in (*print_jobs.UNSENT, "gave_up")
            and messages.addressee(order)
        ):
            yield _row(
                order, "case_accepted", wait=timedelta() if event.print_job.queue_no else NUMBER_WITHIN
            )  # fmt: skip


def _row(order: Order, kind: str, *, wait: timedelta = timedelta()) -> Notification:
    return Notification(
        reference=order.order_no, kind=kind, language=order.language, due_at=timezone.now() + wait,
        data={"order_no": order.order_no},
    )  # fmt: skip


def write_late(limit: int = 100) -> int:
    """A word to those whose paid case no machine takes although we keep trying; a sweep round. Answers to how many."""
    now = timezone.now()
    waiting = PrintJob.objects.filter(
        due_at__lt=now + print_steps.NOT_PAUSED, status__in=print_jobs.UNSENT, held="", created_at__lt=now - LATE_AFTER
    ).order_by("due_at")  # fmt: skip
    told = Notification.objects.filter(reference=OuterRef("order_no"), kind="case_late")
    rows = []
    for job in waiting.filter(~Exists(told))[:limit]:
        order = Order.objects.select_related("user").filter(order_no=job.order_no).first()
        late = now - print_jobs.unsent_since(job) > LATE_AFTER
        if order is not None and late and messages.addressee(order):
            rows.append(_row(order, "case_late"))
    return outbox.write(rows)
