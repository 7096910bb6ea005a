"""An endpoint that is switched off: what waits is canceled at once, and what is on its way is told as it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from payments.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from payments.services import deliveries, endpoints
from tests import factories
from tests.payments.test_deliveries import delivery_to, receiver, send
from tests.support.receivers import Receiver

__all__ = ["receiver"]

pytestmark = pytest.mark.django_db

OFF: dict[str, tuple[Callable[[WebhookEndpoint], Any], str]] = {
    "by its owner": (lambda e: endpoints.update_endpoint(endpoint=e, is_active=False), "by its owner"),
    "deleted": (lambda e: endpoints.delete_endpoint(endpoint=e), "deleted"),
    "by us": (lambda e: endpoints.switch_off(e, reason="it failed"), "it failed"),
}


@pytest.mark.parametrize("how", OFF)
def test_what_waits_is_canceled_at_once(receiver: Receiver, how: str) -> None:
    receiver.answers = [200, 500]
    done = send(delivery_to(receiver))
    endpoint = done.endpoint
    waits = send(factories.webhook_delivery(endpoint))
    fresh, other = factories.webhook_delivery(endpoint), delivery_to(receiver)
    assert waits.next_attempt_at > timezone.now()
    off, why = OFF[how]
    off(endpoint)
    for row in (done, waits, fresh, other):
        row.refresh_from_db()
    assert (done.status, other.status) == ("delivered", "pending")
    assert [(row.status, row.attempts, row.next_attempt_at) for row in (waits, fresh)] == [
        ("canceled", 1, None), ("canceled", 0, None),
    ]  # fmt: skip
    for row in (waits, fresh):
        change = row.changes.order_by("-id").first()
        assert (change.from_status, change.to_status, change.source, change.reason) == (
            "pending", "canceled", "system", f"endpoint: {why}",
        )  # fmt: skip
        assert deliveries.deliver(row.pk) is False
    assert len(receiver.posts) == 2


@pytest.mark.parametrize(("answer", "status"), [(200, "delivered"), (500, "canceled")])
def test_what_is_on_its_way_is_told_by_its_answer(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: int, status: str
) -> None:
    receiver.status, real = answer, deliveries._post
    row = delivery_to(receiver)

    def post(delivery: WebhookDelivery) -> Any:
        endpoints.update_endpoint(endpoint=row.endpoint, is_active=False)
        assert WebhookDelivery.objects.get().status == "pending"
        return real(delivery)

    monkeypatch.setattr(deliveries, "_post", post)
    row = send(row)
    assert (row.status, row.last_status, row.next_attempt_at) == (status, answer, None)
    assert DeliveryAttempt.objects.get().answered == answer


def test_one_that_arrived_after_it_was_canceled_is_delivered(receiver: Receiver) -> None:
    row = delivery_to(receiver)
    taken = deliveries._take(row.pk)
    assert taken is not None
    assert deliveries.advance(row, "canceled", source="system", next_attempt_at=None)
    deliveries._record(taken, deliveries.Outcome(200, 5))
    row.refresh_from_db()
    assert (row.status, row.last_status) == ("delivered", 200)


def test_a_success_that_began_before_a_failure_forgets_it(receiver: Receiver) -> None:
    """Else five days later the next failure alone would switch it off."""
    row = delivery_to(receiver)
    taken = deliveries._take(row.pk)
    assert taken is not None
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    deliveries._record(taken, deliveries.Outcome(200, 5))
    assert WebhookEndpoint.objects.get().failing_since is None


def test_a_new_address_has_not_failed_yet(receiver: Receiver) -> None:
    """Else the first failure there ended an endpoint whose owner had just mended it."""
    row = delivery_to(receiver, failing_since=timezone.now() - deliveries.SWITCH_OFF_AFTER)
    endpoints.update_endpoint(endpoint=row.endpoint, description="the same address")
    assert WebhookEndpoint.objects.get().failing_since is not None
    endpoints.update_endpoint(endpoint=row.endpoint, url=f"{receiver.url}/moved")
    receiver.status = 503
    row = send(row)
    assert (row.status, WebhookEndpoint.objects.get().is_active) == ("pending", True)
