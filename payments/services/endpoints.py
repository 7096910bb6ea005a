"""The merchants' webhook endpoints: made, changed, their secrets rotated, switched off and deleted.

Guarantees: a secret is told once, when it is made, and stands sealed; at a rotation the old one goes on signing until
its end, so at most two are valid; an address is one that the guard would post to (https, public). A deleted endpoint
stays as a row without secrets: its deliveries are evidence. No call leaves but the question to the name service.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import tasks
from payments.models import DeliveryAttempt, OutboundEvent, WebhookDelivery, WebhookEndpoint
from payments.models.outbox import TEST_EVENT
from payments.services import outbox
from pimpshop.core import bell, crypto, errors, http, staff_items
from pimpshop.core.models import AuditEntry, Notification
from pimpshop.core.states import advance_all

log = structlog.get_logger(__name__)

#: Random bytes of a secret; Standard Webhooks asks for 24 to 64.
SECRET_BYTES = 32
#: How long the old secret goes on signing after a rotation, unless the caller says otherwise; at most a week.
OLD_SECRET_FOR = timedelta(hours=24)
OLD_SECRET_AT_MOST = timedelta(days=7)
#: Endpoints of one owner that are not deleted.
MOST_ENDPOINTS = 20
SWITCHED_OFF = "webhook_endpoint_off"


class EndpointAddressRefused(errors.ShopError):
    code = "invalid_request"
    message = _(
        "That address cannot be used. It must be https, without a log-in, and on the public internet."
    )


class UnknownEvents(errors.ShopError):
    code = "invalid_request"
    message = _("There is no event of that name.")


class TooManyEndpoints(errors.Conflict):
    code = "too_many_endpoints"
    message = _("You have as many endpoints as one may have. Delete one first.")


class EndpointOff(errors.Conflict):
    code = "endpoint_disabled"
    message = _("This endpoint is switched off. Switch it on first. Nothing was sent.")


def create_endpoint(
    *, user_id: int | None, api_key_id: int | None, url: str, events: list[str], description: str = ""
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; answers it and its secret, which is never shown again.

    Raises EndpointAddressRefused, UnknownEvents, TooManyEndpoints.
    """
    events = _known(events)
    _check(url)
    secret = _new_secret()
    with transaction.atomic():
        mine = WebhookEndpoint.objects.filter(user=user_id, deleted_at=None)
        if mine.count() >= MOST_ENDPOINTS:
            raise TooManyEndpoints
        endpoint = WebhookEndpoint.objects.create(
            user_id=user_id, api_key_id=api_key_id, url=url, events=events, description=description[:200],
            secret_sealed=crypto.seal(secret),
        )  # fmt: skip
    log.info("webhook_endpoint_created", endpoint=endpoint.endpoint_id)
    return endpoint, secret


def update_endpoint(
    *,
    endpoint: WebhookEndpoint,
    url: str | None = None,
    events: list[str] | None = None,
    description: str | None = None,
    is_active: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given. Switching on forgets the failures. Raises EndpointAddressRefused, UnknownEvents."""
    fields: dict[str, Any] = {}
    if events is not None:
        fields["events"] = _known(events)
    if description is not None:
        fields["description"] = description[:200]
    if url is not None and url != endpoint.url:
        _check(url)
        fields |= {"url": url, "failing_since": None}  # nothing has failed there yet
    if is_active is True and not endpoint.is_active:
        fields |= {"is_active": True, "disabled_at": None, "disabled_reason": "", "failing_since": None}
    if is_active is False and endpoint.is_active:
        fields |= {"is_active": False, "disabled_at": timezone.now(), "disabled_reason": "by its owner"}
    with transaction.atomic():
        if not WebhookEndpoint.objects.filter(pk=endpoint.pk, deleted_at=None).update(
            **fields, updated_at=timezone.now()
        ):
            raise errors.NotFound
        if fields.get("is_active") is False:
            _cancel_waiting(endpoint, why=fields["disabled_reason"])
        if fields.get("is_active"):
            staff_items.resolve_about(
                kind=SWITCHED_OFF, subject=endpoint.endpoint_id, resolution="switched on again"
            )
    endpoint.refresh_from_db()
    return endpoint


def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """Nothing is sent there any more; the row stays without its secrets. Twice is once."""
    now = timezone.now()
    with transaction.atomic():
        WebhookEndpoint.objects.filter(pk=endpoint.pk, deleted_at=None).update(
            deleted_at=now, is_active=False, disabled_at=now, disabled_reason="deleted", secret_sealed="",
            old_secret_sealed="", old_secret_until=None, updated_at=now,
        )  # fmt: skip
        _cancel_waiting(endpoint, why="deleted")
        staff_items.resolve_about(kind=SWITCHED_OFF, subject=endpoint.endpoint_id, resolution="deleted")
    log.info("webhook_endpoint_deleted", endpoint=endpoint.endpoint_id)


def rotate_secret(*, endpoint: WebhookEndpoint, old_for: timedelta = OLD_SECRET_FOR) -> str:
    """A new secret, told once. The one before signs too for `old_for` (0: no more); an older one ends now."""
    secret = _new_secret()
    old_for = min(max(old_for, timedelta(0)), OLD_SECRET_AT_MOST)
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk, deleted_at=None).first()
        if row is None:
            raise errors.NotFound
        row.old_secret_sealed = row.secret_sealed if old_for else ""
        row.old_secret_until = timezone.now() + old_for if old_for else None
        row.secret_sealed = crypto.seal(secret)
        row.save(update_fields=["secret_sealed", "old_secret_sealed", "old_secret_until", "updated_at"])
    endpoint.refresh_from_db()
    log.info("webhook_secret_rotated", endpoint=endpoint.endpoint_id)
    return secret


def valid_secrets(endpoint: WebhookEndpoint) -> list[str]:
    """What signs now, the newest first. Empty when SECRET_KEY changed and nothing can be read."""
    sealed = [endpoint.secret_sealed]
    if (
        endpoint.old_secret_sealed
        and endpoint.old_secret_until
        and endpoint.old_secret_until > timezone.now()
    ):
        sealed.append(endpoint.old_secret_sealed)
    return [secret for text in sealed if text and (secret := crypto.unseal(text))]


def send_test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A delivery of an event that says nothing, through the usual way. Raises EndpointOff."""
    if not endpoint.is_active:
        raise EndpointOff
    now = timezone.now()
    with transaction.atomic():
        event = OutboundEvent.objects.create(
            type=TEST_EVENT, api_version=outbox.API_VERSION, occurred_at=now, user_id=endpoint.user_id,
            source=OutboundEvent.Source.TEST, payload={"endpoint_id": endpoint.endpoint_id},
        )  # fmt: skip
        delivery = WebhookDelivery(endpoint=endpoint, event=event)
        outbox.record_deliveries([delivery], source="api")
        bell.ring(tasks.deliver_webhooks, thin=True)
    return delivery


def switch_off(endpoint: WebhookEndpoint, *, reason: str, tell_staff: bool = True) -> bool:
    """It said 410, failed for days or staff said so: nothing more is sent, the owner and (who did not do it) staff are
    told. Answers whether it was on."""
    now = timezone.now()
    with transaction.atomic():
        if not WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=True).update(
            is_active=False, disabled_at=now, disabled_reason=reason[:200], updated_at=now
        ):
            return False
        _cancel_waiting(endpoint, why=reason[:200])
        if tell_staff:
            staff_items.open_item(
                kind=SWITCHED_OFF, subject=endpoint.endpoint_id, why=reason,
                title=f"Webhooks to {endpoint.endpoint_id} were switched off",
                detail="Its owner misses events until it is switched on again; the list of events has them all.",
            )  # fmt: skip
        Notification.objects.get_or_create(
            reference=f"{endpoint.endpoint_id}/{now:%Y%m%dT%H%M%S}", kind=SWITCHED_OFF,
            defaults={
                "recipient": (endpoint.user.email or "") if endpoint.user else "",
                "language": endpoint.user.language if endpoint.user else "en",
                "data": {"endpoint_id": endpoint.endpoint_id, "reason": reason},
            },
        )  # fmt: skip
    log.warning("webhook_endpoint_off", endpoint=endpoint.endpoint_id, reason=reason)
    return True


def _cancel_waiting(endpoint: WebhookEndpoint, *, why: str) -> None:
    """What waits for another attempt is canceled at once, so that nobody reads of attempts that will not be made. What is
    on its way this moment is told by its own answer. Inside the caller's transaction."""
    attempt = DeliveryAttempt.objects.filter(
        delivery=OuterRef("pk"), number=OuterRef("attempts"), ended_at=None
    )
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, status="pending").exclude(
        Exists(attempt), next_attempt_at__gt=timezone.now()
    )
    advance_all(
        WebhookDelivery, list(waiting.values_list("pk", flat=True)), "canceled", source="system",
        reason=f"endpoint: {why}", next_attempt_at=None,
    )  # fmt: skip


def switch_on(*, endpoint: WebhookEndpoint, actor: str, reason: str) -> bool:
    """Staff switch it on again. Answers whether it was off."""
    if endpoint.is_active or endpoint.deleted_at:
        return False
    update_endpoint(endpoint=endpoint, is_active=True)
    AuditEntry.objects.create(
        actor=actor, action="switch on webhooks", subject=endpoint.endpoint_id, reason=reason[:500]
    )
    return True


def switch_off_by_staff(*, endpoint: WebhookEndpoint, actor: str, reason: str) -> bool:
    """Staff end it at once (a key that made it was stolen, say). Answers whether it was on."""
    if not endpoint.is_active:
        return False
    with transaction.atomic():
        off = switch_off(endpoint, reason=f"by staff: {reason}", tell_staff=False)
        if off:
            AuditEntry.objects.create(
                actor=actor, action="switch off webhooks", subject=endpoint.endpoint_id, reason=reason[:500]
            )
    return off


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _known(events: list[str]) -> list[str]:
    """Without repeats, in the order of the table. Raises UnknownEvents, which names the strange ones."""
    strange = sorted(set(events) - {"*", *outbox.EVENT_TYPES})
    if strange or not events:
        raise UnknownEvents(details={"unknown_events": strange, "known_events": ["*", *outbox.EVENT_TYPES]})
    return ["*"] if "*" in events else [name for name in outbox.EVENT_TYPES if name in events]


def _check(url: str) -> None:
    try:
        http.check_address(url, allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS)
    except http.HttpRefused as refused:
        raise EndpointAddressRefused(details={"reason": str(refused)}) from refused
