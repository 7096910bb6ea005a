"""An endpoint with a long queue: it is emptied as fast as the endpoint takes it, and nobody else waits behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.models import WebhookDelivery
from payments.services import deliveries, posting
from tests import factories
from tests.faults.test_outbox_killed import plain_event
from tests.support import receivers
from tests.support.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = 40


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receivers.receiving() as made:
        settings.OUTBOUND_ALLOWED_HOSTS = [made.place]
        yield made


def queue(receiver: Receiver, length: int, *, since: timedelta) -> list[int]:
    endpoint, due_at = factories.webhook_endpoint(url=receiver.url), timezone.now() - since
    return [
        factories.webhook_delivery(endpoint, plain_event(), next_attempt_at=due_at).pk for _ in range(length)
    ]


def test_a_long_queue_is_no_matter_of_two_a_round(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two a second were less than a shop with one sale a second tells."""
    monkeypatch.setattr(deliveries, "SLICE", 3.0)  # how many fit into half a second is the machine's matter
    queue(receiver, QUEUE, since=timedelta(hours=1))
    rounds = 0
    while WebhookDelivery.objects.filter(status="pending").exists() and rounds < 8:
        deliveries.deliver_due()
        rounds += 1
    assert WebhookDelivery.objects.filter(status="delivered", attempts=1).count() == QUEUE
    assert len({post.event_id for post in receiver.posts}) == len(receiver.posts) == QUEUE


def test_many_long_queues_leave_places_for_a_short_one(receiver: Receiver) -> None:
    receiver.delay = 0.05
    for _ in range(posting.PARALLEL):
        queue(receiver, QUEUE, since=timedelta(hours=1))
    [short] = queue(receiver, 1, since=timedelta(0))
    deliveries.deliver_due()
    assert WebhookDelivery.objects.get(pk=short).status == "delivered"


def test_an_endpoint_that_stops_taking_is_left_alone(receiver: Receiver) -> None:
    receiver.answers, receiver.status = [200], 500
    queue(receiver, 6, since=timedelta(hours=1))
    deliveries.deliver_due()
    assert 2 <= len(receiver.posts) <= 1 + deliveries.PER_ENDPOINT
    assert WebhookDelivery.objects.filter(status="pending", attempts=0).count() >= 3
