"""From what happened to a refund to the messages that the buyer gets; as orders.services.news, and with its guarantees.

A refund that is made brings `giving_back` where nobody asked for it in so many words: the payment came twice, or the case
could not be made and all of it goes back. One that has arrived brings `refunded`, whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction
from django.utils import timezone

from orders.models import Order
from orders.services import messages
from payments.models import Refund, RefundEvent
from pimpshop.core import bell, tasks
from pimpshop.core.models import Notification
from pimpshop.core.notifications import outbox
from vending.models import PrintJob
from vending.services import print_jobs

#: Events in one transaction.
BATCH = 100
_DUE = "SELECT EXISTS (SELECT FROM payments_refundevent WHERE NOT told AND to_status IN ('created', 'succeeded'))"


def write_due() -> int:
    """Write the messages that follow from refund events not looked at yet, one batch; a sweep round. Answers how many
    events were looked at."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        if not cursor.fetchone()[0]:
            return 0
    with transaction.atomic():
        events = list(
            RefundEvent.objects.filter(told=False, to_status__in=["created", "succeeded"])
            .select_for_update(skip_locked=True, of=("self",)).select_related("refund__intent__order__user")
            .order_by("pk")[:BATCH]
        )  # fmt: skip
        written = outbox.write(row for event in events for row in _of_event(event))
        RefundEvent.objects.filter(pk__in=[event.pk for event in events]).update(told=True)
        if written:
            bell.ring(tasks.send_notifications, thin=True)
    return len(events)


def _of_event(event: RefundEvent) -> Iterator[Notification]:
    refund = event.refund
    order = refund.intent.order
    if event.to_status == "succeeded" and event.from_status != "succeeded":
        kind = "refunded"
    elif event.to_status == "created" and refund.status in ("created", "pending") and _is_news(refund):
        kind = "giving_back"
    else:
        return
    if messages.addressee(order):
        yield Notification(
            reference=refund.out_refund_no, kind=kind, language=order.language, due_at=timezone.now(),
            data={"order_no": order.order_no},
        )  # fmt: skip


def _is_news(refund: Refund) -> bool:
    """Would the buyer be surprised by money on its way back?"""
    intent = refund.intent
    if refund.origin == Refund.Origin.PROVIDER:
        return False  # made there: it has arrived by the time that we hear of it
    if intent.is_surplus:
        return True
    whole = intent.settles_order and refund.amount_minor == intent.captured_minor
    taken = PrintJob.objects.filter(order_no=intent.order.order_no, status__in=print_jobs.ACCEPTED)
    return whole and intent.order.kind == Order.Kind.CASE and not taken.exists()
