"""The publisher and the senders in many threads: numbers without a gap, each event told once, each attempt sent once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import transaction

from payments.models import DeliveryAttempt, OutboundEvent, PaymentEvent, PaymentIntent, WebhookDelivery
from payments.services import deliveries, outbox
from pimpshop.core.states import advance, remark
from tests import factories
from tests.support import receivers
from tests.support.shop import assert_invariants
from tests.support.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12


def _story(fails: bool) -> None:
    """One payment from its creation to its end, or all of it rolled back."""
    with transaction.atomic():
        intent = factories.intent(_order())
        remark(intent, source="api", reason="created")
        transaction.set_rollback(fails)
    if fails:
        return
    for status in ("requires_action", "processing"):
        advance(intent, status, source="api")
    with transaction.atomic():
        advance(intent, "failed", source="poll")
        transaction.set_rollback(True)
    advance(intent, "canceled", source="poll", next_query_at=None)


def _order() -> Any:
    order = factories.order()
    remark(order, source="test", reason="created")
    return order


def test_eight_writers_and_three_publishers_give_numbers_without_a_gap() -> None:
    """Writers commit and roll back while publishers race; whatever is left is published at the end."""
    factories.webhook_endpoint()

    def work(n: int) -> None:
        for turn in range(ROUNDS):
            if n < 8:
                _story(fails=(n + turn) % 3 == 0)
            else:
                outbox.publish_due()

    together(11, work)
    while outbox.publish_due():
        pass
    payments = PaymentIntent.objects.count()
    assert payments == 8 * ROUNDS * 2 // 3
    numbers = list(OutboundEvent.objects.order_by("sequence").values_list("sequence", flat=True))
    assert numbers == list(range(1, 4 * payments + 1))
    for intent in PaymentIntent.objects.all():
        told = list(intent.outbound_events.order_by("sequence").values_list("type", flat=True))
        assert told == [
            "payment.created", "payment.requires_action", "payment.action_completed", "payment.canceled",
        ]  # fmt: skip
    assert WebhookDelivery.objects.count() == len(numbers)
    assert not PaymentEvent.objects.filter(published=False).exists()
    assert_invariants()


def test_a_reader_that_follows_the_numbers_misses_nothing() -> None:
    """Whoever has seen number n will never again see a lower one that it has not seen."""
    seen: list[int] = []

    def work(n: int) -> None:
        for _ in range(ROUNDS):
            if n == 0:
                after = seen[-1] if seen else 0
                rows = OutboundEvent.objects.filter(sequence__gt=after).order_by("sequence")
                seen.extend(rows.values_list("sequence", flat=True))
            elif n < 3:
                outbox.publish_due()
            else:
                _story(fails=False)

    together(8, work)
    while outbox.publish_due():
        pass
    last = seen[-1] if seen else 0
    seen.extend(
        OutboundEvent.objects.filter(sequence__gt=last)
        .order_by("sequence")
        .values_list("sequence", flat=True)
    )
    assert seen == list(range(1, OutboundEvent.objects.count() + 1))
    assert len(seen) == 4 * 5 * ROUNDS


def test_eight_senders_send_each_attempt_once(settings: Any) -> None:
    with receivers.receiving() as receiver:
        settings.OUTBOUND_ALLOWED_HOSTS = [receiver.place]
        endpoint = factories.webhook_endpoint(url=receiver.url)
        rows = [factories.webhook_delivery(endpoint) for _ in range(10)]
        receiver.delay = 0.05
        together(8, lambda n: [deliveries.deliver(row.pk) for row in rows[n:] + rows[:n]])
    posted = Counter(post.event_id for post in receiver.posts)
    assert posted == {row.event.event_id: 1 for row in rows}
    assert DeliveryAttempt.objects.count() == 10
    assert set(WebhookDelivery.objects.values_list("status", "attempts")) == {("delivered", 1)}
