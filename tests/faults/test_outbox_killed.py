"""Publishers and senders killed (SIGKILL) at each boundary: nothing is lost, nothing is told twice, numbers have no gap.

A delivery is at least once: one whose sender died after posting is posted again under the same `webhook-id`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from payments.models import DeliveryAttempt, OutboundEvent, PaymentEvent, PaymentIntent, WebhookDelivery
from payments.services import deliveries, outbox, posting
from pimpshop.core.states import advance, remark
from tests import factories
from tests.support import receivers, workers
from tests.support.receivers import Receiver
from tests.support.shop import assert_invariants, later, sweep
from tests.support.workers import Point, after, before

pytestmark = pytest.mark.django_db(transaction=True)

_OUTBOX = "payments.services.outbox"
_DELIVERIES = "payments.services.deliveries"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receivers.receiving() as made:
        settings.OUTBOUND_ALLOWED_HOSTS = [made.place]
        factories.webhook_endpoint(url=made.url)
        yield made
    assert_invariants()


def failed_payment() -> PaymentIntent:
    order = factories.order()
    remark(order, source="test", reason="created")
    intent = factories.intent(order)
    remark(intent, source="api", reason="created")
    advance(intent, "failed", source="poll")
    return intent


PUBLISHING = [
    after(f"{_OUTBOX}:_is_the_writer"),
    after(f"{_OUTBOX}:_number"),
    after(f"{_OUTBOX}:record_deliveries"),
    after(f"{_OUTBOX}:_address"),
    before("pimpshop.core.bell:ring"),
    before("pimpshop.core.bell:_send"),  # committed, nobody heard
    after(f"{_OUTBOX}:publish_due"),
]


@pytest.mark.parametrize("point", PUBLISHING, ids=str)
def test_a_publisher_killed_anywhere_loses_and_doubles_nothing(receiver: Receiver, point: Point) -> None:
    first = failed_payment()
    workers.dies(lambda: outbox.publish_due(), point)
    told = OutboundEvent.objects.count()
    assert told == (0 if PaymentEvent.objects.filter(published=False).count() else 2)
    second = failed_payment()
    sweep()
    events = OutboundEvent.objects.order_by("sequence")
    assert [(e.sequence, e.intent_id, e.type) for e in events] == [
        (1, first.pk, "payment.created"), (2, first.pk, "payment.failed"),
        (3, second.pk, "payment.created"), (4, second.pk, "payment.failed"),
    ]  # fmt: skip
    assert sorted(post.json["sequence"] for post in receiver.posts) == [1, 2, 3, 4]
    assert set(WebhookDelivery.objects.values_list("status", "attempts")) == {("delivered", 1)}


#: Where a sender dies, how often the receiver has seen the event then, whether the attempt was written.
SENDING = [
    (before(f"{_DELIVERIES}:_take"), 0, False),
    (after(f"{_DELIVERIES}:_take"), 0, True),
    (before("pimpshop.core.http.wire:exchange"), 0, True),
    (after("pimpshop.core.http.wire:exchange"), 1, True),
    (before(f"{_DELIVERIES}:_record"), 1, True),
    (before(f"{_DELIVERIES}:advance"), 1, True),
    (after(f"{_DELIVERIES}:advance"), 1, True),
]


@pytest.mark.parametrize(("point", "seen", "taken"), SENDING, ids=str)
def test_a_sender_killed_anywhere_sends_again_under_the_same_id(
    receiver: Receiver, point: Point, seen: int, taken: bool
) -> None:
    failed_payment()
    while outbox.publish_due():
        pass
    row = WebhookDelivery.objects.order_by("pk")[0]
    WebhookDelivery.objects.exclude(pk=row.pk).delete()
    workers.dies(lambda: deliveries.deliver(row.pk), point)
    assert len(receiver.posts) == seen
    if taken:
        sweep()
        assert len(receiver.posts) == seen  # its right to send has not ended
        with later(seconds=61):
            sweep()
    else:
        sweep()
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("delivered", 1 + taken)
    assert [post.event_id for post in receiver.posts] == [row.event.event_id] * (seen + 1)
    unknown = DeliveryAttempt.objects.filter(delivery=row, ended_at=None).count()
    assert unknown == (1 if taken and point.at != f"{_DELIVERIES}:advance" else 0)


def test_a_sender_killed_after_its_record_sends_nothing_again(receiver: Receiver) -> None:
    failed_payment()
    sweep()
    before_it = len(receiver.posts)
    row = factories.webhook_delivery(WebhookDelivery.objects.all()[0].endpoint, plain_event())
    workers.dies(lambda: deliveries.deliver(row.pk), after(f"{_DELIVERIES}:_record"))
    with later(seconds=61):
        sweep()
    row.refresh_from_db()
    assert (row.status, row.attempts, len(receiver.posts)) == ("delivered", 1, before_it + 1)


def plain_event() -> OutboundEvent:
    """An event without a number, about no payment."""
    return OutboundEvent.objects.create(
        type="webhook.test",
        api_version=outbox.API_VERSION,
        payload={},
        occurred_at=timezone.now(),
        source="test",
    )


def test_a_receiver_that_hangs_keeps_no_other_waiting(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round ends in time, the healthy get theirs at once, the failing have half of the places at most."""
    with receivers.receiving() as hanging:
        settings.OUTBOUND_ALLOWED_HOSTS = [receiver.place, hanging.place]
        hanging.hangs = True
        monkeypatch.setattr(posting, "WAIT_SECONDS", 5.0)  # and the sender itself gives up after ten
        for _ in range(5):
            ill = factories.webhook_endpoint(url=hanging.url, failing_since=timezone.now())
            factories.webhook_delivery(ill, plain_event())
        quick = [factories.webhook_endpoint(url=receiver.url) for _ in range(4)]
        for healthy in quick:
            factories.webhook_delivery(healthy, plain_event())
        assert deliveries.deliver_due() == 4
        assert not DeliveryAttempt.objects.filter(
            delivery__endpoint__url=hanging.url, ended_at__isnull=False
        ).exists()  # it came back before they did
        assert (len(receiver.posts), len(hanging.posts)) == (4, posting.FAILING)
        delivered = WebhookDelivery.objects.filter(status="delivered")
        assert {row.endpoint_id for row in delivered} == {healthy.pk for healthy in quick}
        hanging.hangs = False
        end = time.monotonic() + 60
        while WebhookDelivery.objects.filter(status="delivered").count() < 9 and time.monotonic() < end:
            deliveries.deliver_due()
        for thread in threading.enumerate():
            if thread.name == "post":
                thread.join()
    assert WebhookDelivery.objects.filter(status="delivered", attempts=1).count() == 9
