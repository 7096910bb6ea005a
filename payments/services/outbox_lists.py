"""What a caller of the API may see of the outbox: endpoints, deliveries, events. Reads only; a foreign row is a 404."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet

from payments.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from pimpshop.core import errors

MOST = 100
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Viewer:
    """Who looks. A key of the shop itself sees everything, any other one what is its owner's."""

    user_id: int | None
    sees_all: bool

    def own(self, rows: QuerySet[Row], path: str = "user_id") -> QuerySet[Row]:
        if self.sees_all:
            return rows
        return rows.filter(**{path: self.user_id}) if self.user_id is not None else rows.none()


@dataclass(frozen=True)
class Page:
    """Part of a list; `has_more`: there is more behind it."""

    rows: list[Any]
    has_more: bool


def endpoint(viewer: Viewer, endpoint_id: str) -> WebhookEndpoint:
    """Raises NotFound, also for a deleted one."""
    return _find(viewer.own(WebhookEndpoint.objects.filter(deleted_at=None)), "we_", endpoint_id)


def endpoints(viewer: Viewer, *, limit: int, after: str = "") -> Page:
    """The newest first; `after` is the id of the last one seen."""
    return _newest(viewer.own(WebhookEndpoint.objects.filter(deleted_at=None)), "we_", after, limit)


def delivery(viewer: Viewer, delivery_id: str) -> WebhookDelivery:
    rows = WebhookDelivery.objects.select_related("endpoint", "event")
    return _find(viewer.own(rows, "endpoint__user_id"), "wd_", delivery_id)


def deliveries(of: WebhookEndpoint, *, limit: int, after: str = "", status: str = "") -> Page:
    """The newest first; `after` is the id of the last one seen."""
    rows = of.deliveries.select_related("endpoint", "event")
    return _newest(rows.filter(status=status) if status else rows, "wd_", after, limit)


def event(viewer: Viewer, event_id: str) -> OutboundEvent:
    return _find(viewer.own(OutboundEvent.objects.all()), "evt_", event_id)


def events(viewer: Viewer, *, after: int, limit: int, type_: str = "") -> Page:
    """By number, upwards from behind `after`. Who goes on from the last number that it saw misses nothing."""
    rows = viewer.own(OutboundEvent.objects.filter(sequence__gt=after))
    return _page(rows.filter(type=type_) if type_ else rows, "sequence", limit)


def _find(rows: QuerySet[Row], prefix: str, public_id: str) -> Row:
    found = rows.filter(public_id=_uuid(prefix, public_id)).first()
    if found is None:
        raise errors.NotFound
    return found


def _uuid(prefix: str, public_id: str) -> uuid.UUID:
    """The UUID behind a public id, written as we write it and no other way."""
    try:
        parsed = uuid.UUID(public_id.removeprefix(prefix))
    except ValueError:
        raise errors.NotFound from None
    if public_id != f"{prefix}{parsed}":
        raise errors.NotFound
    return parsed


def _newest(rows: QuerySet[Row], prefix: str, after: str, limit: int) -> Page:
    if after:
        rows = rows.filter(pk__lt=_find(rows, prefix, after).pk)
    return _page(rows, "-pk", limit)


def _page(rows: QuerySet[Row], order: str, limit: int) -> Page:
    found = list(rows.order_by(order)[: limit + 1])
    return Page(found[:limit], len(found) > limit)
