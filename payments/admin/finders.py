"""How what waits for a person finds its row: disputes, events, statements, ways to pay, endpoints."""

from __future__ import annotations

import uuid
from datetime import date

from payments.models import Dispute, GatewaySwitch, StatementRun, WebhookEndpoint, WebhookEvent
from pimpshop.core.admin import finding


@finding.finder("dispute", permission="payments.view_dispute")
def _dispute(number: str) -> Dispute | None:
    return Dispute.objects.filter(provider_ref=number).order_by("-pk").first()


@finding.finder("event", permission="payments.view_webhookevent")
def _event(name: str) -> WebhookEvent | None:
    """By "gateway:event id"."""
    gateway, _colon, event_id = name.partition(":")
    return WebhookEvent.objects.filter(gateway=gateway, event_id=event_id).first() if event_id else None


@finding.finder("statement", permission="payments.view_statementrun")
def _statement(name: str) -> StatementRun | None:
    """By "gateway day"; of several accounts the one that differs most."""
    gateway, _space, day = name.partition(" ")
    try:
        runs = StatementRun.objects.filter(gateway=gateway, day=date.fromisoformat(day))
        return runs.order_by("-differences", "pk").first()
    except ValueError:
        return None


@finding.finder("way to pay", permission="payments.view_gatewayswitch")
def _way(gateway: str) -> GatewaySwitch | None:
    return GatewaySwitch.objects.filter(gateway=gateway).first()


@finding.finder("endpoint", permission="payments.view_webhookendpoint")
def _endpoint(number: str) -> WebhookEndpoint | None:
    try:
        return WebhookEndpoint.objects.filter(public_id=uuid.UUID(number.removeprefix("we_"))).first()
    except ValueError:
        return None
