"""Webhook endpoints, deliveries and outgoing events at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.models import WebhookDelivery, WebhookEndpoint
from pimpshop.core.models import AuditEntry, Notification, StaffItem
from tests import factories

pytestmark = pytest.mark.django_db

ENDPOINT, DELIVERY, EVENT = "payments_webhookendpoint", "payments_webhookdelivery", "payments_outboundevent"


def off(**more: Any) -> WebhookEndpoint:
    return factories.webhook_endpoint(
        is_active=False, disabled_at=timezone.now(), disabled_reason="it answered 410 Gone", **more
    )


def test_endpoint_filters(admin: Any) -> None:
    factories.webhook_endpoint()
    rows = {
        "off": off(),
        "failing": factories.webhook_endpoint(failing_since=timezone.now()),
        "deleted": off(deleted_at=timezone.now()),
    }
    for asked, row in rows.items():
        assert [found.pk for found in admin.rows(ENDPOINT, show=asked)] == [row.pk], asked


def test_an_endpoint_shows_no_secret_and_is_switched_on_with_a_reason(admin: Any) -> None:
    endpoint = off(failing_since=timezone.now() - timedelta(days=6))
    html = admin.page(ENDPOINT, endpoint).content.decode()
    assert "it answered 410 Gone" in html
    assert endpoint.secret_sealed not in html
    assert "whsec_" not in html
    admin.act(ENDPOINT, endpoint, "switch-on", "")
    assert not WebhookEndpoint.objects.get().is_active
    admin.act(ENDPOINT, endpoint, "switch-on", "they have moved")
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.failing_since, endpoint.disabled_reason) == (True, None, "")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.reason) == (
        "switch on webhooks", endpoint.endpoint_id, "they have moved",
    )  # fmt: skip


def test_an_endpoint_is_switched_off_with_a_reason_and_its_owner_is_told(admin: Any) -> None:
    """A key that was stolen is revoked; the endpoint that it had made goes on until somebody ends it."""
    owner = factories.user()
    endpoint = factories.webhook_endpoint(user=owner)
    waiting = factories.webhook_delivery(endpoint)
    admin.act(ENDPOINT, endpoint, "switch-off", "")
    assert WebhookEndpoint.objects.get().is_active
    admin.act(ENDPOINT, endpoint, "switch-off", "made by a stolen key")
    endpoint.refresh_from_db()
    waiting.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, "by staff: made by a stolen key")
    assert (waiting.status, waiting.next_attempt_at) == ("canceled", None)
    entry, note = AuditEntry.objects.get(), Notification.objects.get()
    assert (entry.action, entry.subject, entry.reason) == (
        "switch off webhooks", endpoint.endpoint_id, "made by a stolen key",
    )  # fmt: skip
    assert (note.kind, note.recipient) == ("webhook_endpoint_off", owner.email)
    assert not StaffItem.objects.exists()
    admin.act(ENDPOINT, endpoint, "switch-off", "again")
    assert AuditEntry.objects.count() == 1


def test_a_test_is_sent_from_the_page(admin: Any) -> None:
    endpoint = factories.webhook_endpoint()
    admin.act(ENDPOINT, endpoint, "test")
    delivery = WebhookDelivery.objects.get()
    assert (delivery.endpoint_id, delivery.status, delivery.event.type) == (
        endpoint.pk,
        "pending",
        "webhook.test",
    )


def test_delivery_filters(admin: Any) -> None:
    rows = {
        "waiting": factories.webhook_delivery(),
        "failed": factories.webhook_delivery(status="failed", next_attempt_at=None),
        "again": factories.webhook_delivery(status="delivered", next_attempt_at=None, attempts=2),
    }
    for asked, row in rows.items():
        assert [found.pk for found in admin.rows(DELIVERY, show=asked)] == [row.pk], asked


def test_an_ended_delivery_is_sent_again_with_a_reason(admin: Any) -> None:
    row = factories.webhook_delivery(status="failed", next_attempt_at=None, attempts=10, tries=10)
    row.log.create(number=10, ended_at=timezone.now(), answered=500, error="answered 500")
    assert "answered 500" in admin.page(DELIVERY, row).content.decode()
    admin.act(DELIVERY, row, "resend", "")
    row.refresh_from_db()
    assert row.status == "failed"
    admin.act(DELIVERY, row, "resend", "they lost it")
    row.refresh_from_db()
    assert (row.status, row.tries, row.attempts) == ("pending", 0, 10)
    change = row.changes.get()
    assert (change.source, change.reason, change.actor) == ("admin", "they lost it", str(admin.user))
    assert AuditEntry.objects.get().subject == row.delivery_id


def test_an_event_shows_its_content(admin: Any) -> None:
    event = factories.outbound_event()
    delivery = factories.webhook_delivery(of=event)
    html = admin.page(EVENT, event).content.decode()
    assert event.event_id in html
    assert event.intent.payment_id in html
    assert f"webhookdelivery/{delivery.pk}/" in html
