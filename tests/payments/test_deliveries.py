"""Sending to the merchants' endpoints: what is posted, the schedule, the end, what is kept of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from payments.models import DeliveryAttempt, OutboundEvent, WebhookDelivery, WebhookEndpoint
from payments.services import deliveries, endpoints
from pimpshop.core.models import AuditEntry, Notification, StaffItem
from tests import factories
from tests.support import receivers
from tests.support.receivers import Receiver

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receivers.receiving() as made:
        settings.OUTBOUND_ALLOWED_HOSTS = [made.place]
        yield made


def fresh_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(24)).decode()


def delivery_to(receiver: Receiver, **more: Any) -> WebhookDelivery:
    return factories.webhook_delivery(factories.webhook_endpoint(url=receiver.url, **more))


def send(row: WebhookDelivery) -> WebhookDelivery:
    """One attempt, which must be made."""
    assert deliveries.deliver(row.pk) is True
    row.refresh_from_db()
    return row


# --- What is posted ---------------------------------------------------------------------------------------------------
def test_the_reference_library_verifies_what_is_posted(receiver: Receiver) -> None:
    secret = fresh_secret()
    row = send(delivery_to(receiver, secret=secret))
    [post] = receiver.posts
    event = row.event
    assert Webhook(secret).verify(post.body, post.headers) == post.json
    assert post.json == {
        "id": event.event_id, "type": "payment.created", "api_version": "2026-01-28", "sequence": event.sequence,
        "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"), "data": event.payload,
    }  # fmt: skip
    assert (post.path, post.event_id, post.headers["content-type"]) == (
        "/hooks",
        event.event_id,
        "application/json",
    )
    assert (row.status, row.attempts, row.last_status, row.last_error, row.response_excerpt) == (
        "delivered", 1, 200, "", "ok",
    )  # fmt: skip
    with pytest.raises(WebhookVerificationError):
        Webhook(fresh_secret()).verify(post.body, post.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(post.body.replace(b"payment", b"paymenX"), post.headers)


def test_both_secrets_sign_during_a_rotation_and_only_the_new_one_after(receiver: Receiver) -> None:
    old = fresh_secret()
    endpoint = factories.webhook_endpoint(url=receiver.url, secret=old)
    new = endpoints.rotate_secret(endpoint=endpoint, old_for=timedelta(hours=1))
    send(factories.webhook_delivery(endpoint))
    post = receiver.posts[-1]
    assert len(post.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(post.body, post.headers)
    row = factories.webhook_delivery(endpoint)
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1), tick=True):
        send(row)
        post = receiver.posts[-1]
        Webhook(new).verify(post.body, post.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(post.body, post.headers)


def test_a_second_rotation_ends_the_oldest_secret() -> None:
    first = fresh_secret()
    endpoint = factories.webhook_endpoint(secret=first)
    second = endpoints.rotate_secret(endpoint=endpoint)
    third = endpoints.rotate_secret(endpoint=endpoint)
    assert endpoints.valid_secrets(endpoint) == [third, second]
    fourth = endpoints.rotate_secret(endpoint=endpoint, old_for=timedelta(0))
    assert endpoints.valid_secrets(endpoint) == [fourth]


# --- The schedule -----------------------------------------------------------------------------------------------------
def test_the_schedule_is_longer_than_a_day_and_its_jitter_adds_a_tenth_at_most(receiver: Receiver) -> None:
    receiver.status = 500
    with time_machine.travel(START, tick=False) as clock:
        row = delivery_to(receiver)
        for wait in deliveries.RETRIES:
            row = send(row)
            assert row.status == "pending"
            planned = row.next_attempt_at - timezone.now()
            assert wait <= planned < wait * 1.1
            clock.move_to(row.next_attempt_at - timedelta(seconds=1))
            assert deliveries.deliver(row.pk) is False
            clock.move_to(row.next_attempt_at)
        row = send(row)
        lasted = timezone.now() - START
    assert (row.status, row.next_attempt_at, row.attempts) == ("failed", None, 10)
    assert timedelta(hours=24) < sum(deliveries.RETRIES, timedelta()) <= lasted < timedelta(days=4)
    assert len(receiver.posts) == 10
    assert len({post.event_id for post in receiver.posts}) == 1
    assert len({post.body for post in receiver.posts}) == 1
    assert [(a.number, a.answered, a.error) for a in row.log.all()] == [
        (n, 500, "answered 500") for n in range(1, 11)
    ]


def test_deliveries_that_failed_together_do_not_come_back_together(receiver: Receiver) -> None:
    receiver.status = 503
    with time_machine.travel(START, tick=False):
        waits = {send(delivery_to(receiver)).next_attempt_at for _ in range(8)}
    assert len(waits) > 5


def test_a_killed_senders_attempt_is_made_again_when_its_right_ends(receiver: Receiver) -> None:
    with time_machine.travel(START, tick=False) as clock:
        row = delivery_to(receiver)
        assert deliveries._take(row.pk) is not None  # and then its process dies
        assert deliveries.deliver(row.pk) is False
        clock.shift(deliveries.RIGHT)
        row = send(row)
    assert (row.status, row.attempts, len(receiver.posts)) == ("delivered", 2, 1)
    lost, made = row.log.all()
    assert (lost.ended_at, lost.answered, made.answered) == (None, None, 200)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"status": 302, "headers": {"Location": "http://169.254.169.254/"}}, 302, "redirects are not followed: answered 302"),
        ({"status": 404}, 404, "answered 404"), ({"status": 429}, 429, "answered 429"),
    ],
)  # fmt: skip
def test_anything_but_2xx_is_a_failure(
    receiver: Receiver, change: dict[str, Any], status: int, error: str
) -> None:
    for name, value in change.items():
        setattr(receiver, name, value)
    row = send(delivery_to(receiver))
    assert (row.status, row.last_status, row.last_error) == ("pending", status, error)
    assert len(receiver.posts) == 1
    assert row.endpoint.failing_since is not None


def test_a_long_answer_is_cut_off_and_its_status_counts(receiver: Receiver) -> None:
    receiver.body = b"x" * 100_000
    row = send(delivery_to(receiver))
    assert (row.status, row.last_status, row.response_excerpt) == ("delivered", 200, "")


def test_nobody_there_is_a_failure_without_an_answer(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1:9"]
    row = send(factories.webhook_delivery(factories.webhook_endpoint(url="http://127.0.0.1:9/")))
    assert (row.status, row.last_status) == ("pending", None)
    assert row.last_error.startswith("not reached: ")


def test_an_address_that_became_private_gets_nothing(receiver: Receiver, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = []
    row = send(delivery_to(receiver))
    assert (row.status, row.last_status, row.last_error) == ("pending", None, "address refused: only https")
    assert receiver.posts == []


# --- The end ----------------------------------------------------------------------------------------------------------
def test_gone_switches_the_endpoint_off_at_once(receiver: Receiver) -> None:
    receiver.status = 410
    owner = factories.user()
    row = send(delivery_to(receiver, user=owner))
    endpoint = WebhookEndpoint.objects.get()
    assert (row.status, endpoint.is_active, endpoint.disabled_reason) == (
        "failed", False, "it answered 410 Gone",
    )  # fmt: skip
    item, note = StaffItem.objects.get(), Notification.objects.get()
    assert (item.kind, item.subject) == ("webhook_endpoint_off", endpoint.endpoint_id)
    assert (note.kind, note.recipient) == ("webhook_endpoint_off", owner.email)


def test_five_days_of_failures_switch_it_off_and_what_waits_is_canceled(receiver: Receiver) -> None:
    receiver.status = 500
    with time_machine.travel(START, tick=False) as clock:
        first = delivery_to(receiver)
        endpoint = send(first).endpoint
        waiting = factories.webhook_delivery(endpoint)
        clock.shift(deliveries.SWITCH_OFF_AFTER - timedelta(seconds=1))
        assert send(first).endpoint.is_active
        clock.shift(timedelta(days=1))
        send(first)
        endpoint.refresh_from_db()
        assert (endpoint.is_active, endpoint.disabled_reason) == (False, "failing since 2026-03-01 12:00 UTC")
        assert deliveries.deliver(waiting.pk) is False
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts, waiting.next_attempt_at) == ("canceled", 0, None)
    assert len(receiver.posts) == 3
    assert StaffItem.objects.filter(kind="webhook_endpoint_off", resolved_at=None).count() == 1
    endpoints.switch_on(endpoint=endpoint, actor="carol", reason="they moved")
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.failing_since, endpoint.disabled_reason) == (True, None, "")
    assert not StaffItem.objects.filter(resolved_at=None).exists()
    assert AuditEntry.objects.get().actor == "carol"


def test_a_success_forgets_the_failures(receiver: Receiver) -> None:
    receiver.answers = [500, 200]
    with time_machine.travel(START, tick=False) as clock:
        row = send(delivery_to(receiver))
        clock.move_to(row.next_attempt_at)
        row = send(row)
    assert (row.status, row.endpoint.failing_since) == ("delivered", None)
    assert [(c.from_status, c.to_status) for c in row.changes.all()] == [("pending", "delivered")]


@pytest.mark.parametrize("ended", [200, 500])
def test_what_ended_is_sent_again_by_hand(receiver: Receiver, ended: int) -> None:
    receiver.status = ended
    row = delivery_to(receiver, failing_since=None)
    WebhookDelivery.objects.filter(pk=row.pk).update(tries=len(deliveries.RETRIES), attempts=9)
    row = send(row)
    assert row.status == ("delivered" if ended == 200 else "failed")
    receiver.status = 200
    deliveries.resend(delivery=row, source="admin", actor="carol", reason="they lost it")
    row = send(row)
    assert (row.status, row.attempts, row.tries) == ("delivered", 11, 1)
    assert len(receiver.posts) == 2
    assert receiver.posts[0].event_id == receiver.posts[1].event_id
    assert AuditEntry.objects.get().reason == "they lost it"


def test_what_is_under_way_or_off_is_not_sent_again(receiver: Receiver) -> None:
    row = delivery_to(receiver)
    with pytest.raises(deliveries.NotEnded):
        deliveries.resend(delivery=row, source="api")
    row = send(row)
    WebhookEndpoint.objects.update(is_active=False)
    row.endpoint.refresh_from_db()
    with pytest.raises(endpoints.EndpointOff):
        deliveries.resend(delivery=row, source="api")
    row.refresh_from_db()
    assert (row.status, len(receiver.posts)) == ("delivered", 1)


def test_a_test_event_goes_the_usual_way_without_a_number(receiver: Receiver) -> None:
    endpoint = factories.webhook_endpoint(url=receiver.url, events=["refund.failed"])
    send(endpoints.send_test(endpoint=endpoint))
    [post] = receiver.posts
    assert (post.json["type"], post.json["sequence"]) == ("webhook.test", None)
    assert post.json["data"] == {"endpoint_id": endpoint.endpoint_id}
    assert OutboundEvent.objects.get().sequence is None


# --- What is kept -----------------------------------------------------------------------------------------------------
def test_no_secret_stands_in_a_row_or_a_log(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """Not even when the receiver sends it back."""
    endpoint, secret = endpoints.create_endpoint(
        user_id=None, api_key_id=None, url=receiver.url, events=["*"]
    )
    receiver.status, receiver.body = 500, f"you signed with {secret} and sk_live_{'9' * 24}".encode()
    row = send(factories.webhook_delivery(endpoint))
    newer = endpoints.rotate_secret(endpoint=endpoint)
    kept = repr([
        *WebhookEndpoint.objects.values(), *WebhookDelivery.objects.values(), *DeliveryAttempt.objects.values(),
        *row.changes.values(), caplog.text,
    ])  # fmt: skip
    for word in (secret, newer):
        assert word not in kept
        assert word.removeprefix("whsec_") not in kept
    assert "9" * 12 not in kept  # not fewer: ids and times have nines of their own
    assert row.response_excerpt.startswith("you signed with ")


def test_a_secret_that_cannot_be_read_sends_nothing(receiver: Receiver) -> None:
    row = delivery_to(receiver)
    WebhookEndpoint.objects.update(secret_sealed="broken")
    row = send(row)
    assert (row.status, row.last_error) == ("pending", "the signing secret cannot be read; rotate it")
    assert receiver.posts == []


# --- What the documentation says --------------------------------------------------------------------------------------
def test_the_example_of_the_documentation_verifies(receiver: Receiver) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "api" / "webhooks.md").read_text()
    example: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], example)
    old = fresh_secret()
    endpoint = factories.webhook_endpoint(url=receiver.url, secret=old)
    new = endpoints.rotate_secret(endpoint=endpoint)
    send(factories.webhook_delivery(endpoint))
    [post] = receiver.posts
    assert example["verify"](old, post.headers, post.body) is True
    assert example["verify"](new, post.headers, post.body) is True
    assert example["verify"](fresh_secret(), post.headers, post.body) is False
    assert example["verify"](new, post.headers, post.body + b" ") is False
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert example["verify"](new, post.headers, post.body) is False
