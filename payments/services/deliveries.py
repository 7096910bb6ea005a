"""Sending events to the merchants' endpoints: Standard Webhooks, again and again for more than a day.

At least once: an attempt is written before it is sent, and one whose sender died is sent again when its right to send
ends; receivers know repeats by `webhook-id`. Guarantees: no call inside a transaction; the right to send is one
compare-and-set, so two processes never send one attempt twice; an endpoint is posted to only through the guard
(core.http: public address, pinned, https, no redirects, capped); a receiver that hangs keeps nobody else waiting.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import tasks
from payments.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from payments.services import endpoints, outbox, posting
from pimpshop.core import bell, errors, http, redaction
from pimpshop.core.models import AuditEntry
from pimpshop.core.states import advance

log = structlog.get_logger(__name__)

#: After which wait an attempt follows the one before; each is up to a tenth longer. In all 75 hours.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: An endpoint that did not take anything for so long is switched off.
SWITCH_OFF_AFTER = timedelta(days=5)
#: The right to send ends after so long: more than an attempt can take.
RIGHT = timedelta(seconds=60)
TIMEOUT = (5.0, 10.0)  # seconds: connect, each read
DEADLINE = 15.0  # seconds for the whole attempt
MAX_ANSWER = 16 * 1024
EXCERPT = 500  # bytes of the answer that are kept, redacted
#: Of one endpoint so many are sent side by side.
PER_ENDPOINT = 2
#: Who delivered goes on with what is due there for so many seconds: a busy endpoint takes many in a round, and the places
#: (services.posting) are free for others in between.
SLICE = 0.5


class NotEnded(errors.Conflict):
    code = "delivery_pending"
    message = _("This delivery is still under way. Nothing was sent a second time.")


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt. `status` None: no answer."""

    status: int | None
    latency_ms: int
    error: str = ""
    excerpt: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def sign(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one `v1,` signature per valid secret, separated by blanks."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    macs = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def retry_at(delivery: WebhookDelivery, now: datetime) -> datetime | None:
    """When the attempt after number `delivery.tries` is due; None when that was the last. The jitter is drawn from the
    delivery's id, so that a crowd that failed together does not come back together."""
    if delivery.tries > len(RETRIES):
        return None
    wait = RETRIES[delivery.tries - 1]
    drawn = hashlib.sha256(f"{delivery.public_id}/{delivery.tries}".encode()).digest()
    return now + wait + wait * int.from_bytes(drawn[:2], "big") / 655_360


def due(limit: int = 40) -> list[tuple[int, bool]]:
    """(delivery, whether its endpoint fails at present) of what is due: healthy endpoints first, few of each, and each
    has its first before any has its second."""
    turn = Window(RowNumber(), partition_by="endpoint_id", order_by=["next_attempt_at", "pk"])
    failing = Q(endpoint__failing_since__isnull=False)
    rows = (
        WebhookDelivery.objects.filter(next_attempt_at__lte=timezone.now())
        .annotate(turn=turn, fails=ExpressionWrapper(failing, output_field=BooleanField()))
        .filter(turn__lte=PER_ENDPOINT)
        .order_by("fails", "turn", "next_attempt_at")
    )
    return [(row.pk, row.fails) for row in rows[:limit]]


def deliver_due() -> int:
    """Send what is due, side by side; a sweep round. Answers how many attempts ended while it waited."""
    return posting.side_by_side(due(), deliver_on)


def deliver_on(delivery_pk: int) -> bool:
    """`deliver`, and then what else is due there, as long as the endpoint takes it and for SLICE seconds. Answers whether
    the first attempt was made."""
    end, last = time.monotonic() + SLICE, delivery_pk
    made = going = deliver(delivery_pk)
    while going and time.monotonic() < end:
        going = False
        for pk in _following(last):
            if deliver(pk):  # else the other one at this endpoint has it
                last, going = pk, True
                break
    return made


def _following(delivery_pk: int) -> list[int]:
    """What is due at the endpoint of a delivery that has arrived; nothing after one that has not."""
    arrived = WebhookDelivery.objects.filter(pk=delivery_pk, status="delivered")
    rows = WebhookDelivery.objects.filter(
        endpoint_id__in=arrived.values("endpoint_id"), next_attempt_at__lte=timezone.now()
    )
    return list(rows.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:PER_ENDPOINT])


def deliver(delivery_pk: int) -> bool:
    """One attempt of one delivery if it is due and nobody else is at it. Answers whether one was made."""
    delivery = _take(delivery_pk)
    if delivery is None:
        return False
    outcome = _post(delivery)
    _record(delivery, outcome)
    return True


def _take(delivery_pk: int) -> WebhookDelivery | None:
    """Take the right to send and write the attempt down. What its endpoint does not want any more is canceled."""
    now = timezone.now()
    with transaction.atomic():
        mine = WebhookDelivery.objects.filter(pk=delivery_pk, next_attempt_at__lte=now)
        if not mine.update(
            next_attempt_at=now + RIGHT, attempts=F("attempts") + 1, tries=F("tries") + 1, updated_at=now
        ):
            return None
        delivery = WebhookDelivery.objects.select_related("endpoint__user", "event").get(pk=delivery_pk)
        if not delivery.endpoint.is_active:
            why = delivery.endpoint.disabled_reason
            advance(
                delivery, "canceled", source="system", reason=f"endpoint: {why}", next_attempt_at=None,
                attempts=delivery.attempts - 1, tries=delivery.tries - 1,
            )  # fmt: skip
            return None
        DeliveryAttempt.objects.create(delivery=delivery, number=delivery.attempts, at=now)
    return delivery


def _post(delivery: WebhookDelivery) -> Outcome:
    """The call. Never raises: whatever goes wrong is an outcome."""
    secrets = endpoints.valid_secrets(delivery.endpoint)
    if not secrets:
        return Outcome(None, 0, "the signing secret cannot be read; rotate it")
    event, started = delivery.event, time.monotonic()
    body = json.dumps(outbox.envelope(event), ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(timezone.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": event.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, message_id=event.event_id, timestamp=timestamp, body=body),
    }
    answer, error = None, ""
    try:
        answer = http.guarded_post(
            delivery.endpoint.url, body=body, headers=headers, max_bytes=MAX_ANSWER, timeout=TIMEOUT,
            deadline=DEADLINE, allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS,
        )  # fmt: skip
    except http.HttpError as failure:
        answer, error = failure.answer, f"{_WORDS.get(type(failure), 'failed')}: {failure}"
    latency = round((time.monotonic() - started) * 1000)
    if answer is None:
        return Outcome(None, latency, redaction.scrub_text(error, secrets=secrets, max_bytes=190))
    excerpt = redaction.scrub_text(answer.text, secrets=secrets, max_bytes=EXCERPT)
    refusal = "" if 200 <= answer.status < 300 else error or f"answered {answer.status}"
    return Outcome(answer.status, latency, refusal[:200], excerpt)


_WORDS = {
    http.HttpRefused: "address refused",
    http.HttpTimeout: "timed out",
    http.HttpUnavailable: "not reached",
    http.HttpRedirected: "redirects are not followed",
    http.HttpTooLarge: "answer too long",
}


def _record(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Write down what became of the attempt, unless a later one has been made meanwhile (its sender was too slow)."""
    now = timezone.now()
    DeliveryAttempt.objects.filter(delivery=delivery, number=delivery.attempts).update(
        ended_at=now, answered=outcome.status, latency_ms=outcome.latency_ms, error=outcome.error,
        response_excerpt=outcome.excerpt,
    )  # fmt: skip
    seen: dict[str, Any] = {
        "last_status": outcome.status, "last_latency_ms": outcome.latency_ms, "last_error": outcome.error,
        "response_excerpt": outcome.excerpt,
    }  # fmt: skip
    with transaction.atomic():
        row = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        if row.attempts != delivery.attempts and not outcome.delivered:
            return
        if outcome.delivered:
            seen |= {"next_attempt_at": None, "delivered_at": now}
            advance(row, "delivered", source="system", data=_told(row, outcome), **seen)
        elif (at := retry_at(row, now)) is None or outcome.status == 410:
            seen |= {"next_attempt_at": None}
            advance(row, "failed", source="system", reason=outcome.error, data=_told(row, outcome), **seen)
        elif (off := _why_off(row)) is not None:
            seen |= {"next_attempt_at": None}
            why = f"endpoint: {off}"
            advance(row, "canceled", source="system", reason=why, data=_told(row, outcome), **seen)
        else:
            WebhookDelivery.objects.filter(pk=row.pk, next_attempt_at__isnull=False).update(
                **seen, next_attempt_at=at, updated_at=now
            )
    _judge(delivery.endpoint, outcome, now)


def _why_off(row: WebhookDelivery) -> str | None:
    """Why its endpoint was switched off while this attempt was under way; None: it was not."""
    off = WebhookEndpoint.objects.filter(pk=row.endpoint_id, is_active=False)
    return off.values_list("disabled_reason", flat=True).first()


def _told(row: WebhookDelivery, outcome: Outcome) -> dict[str, int | None]:
    return {"attempt": row.attempts, "status": outcome.status}


def _judge(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    """The endpoint's health: 410 and five days of failures switch it off; any success forgets the failures."""
    if outcome.delivered:  # not as it was read before the attempt: another one may have failed meanwhile
        WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since__isnull=False).update(failing_since=None)
        return
    if outcome.status == 410:
        endpoints.switch_off(endpoint, reason="it answered 410 Gone")
        return
    WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since=None).update(failing_since=now)
    since = WebhookEndpoint.objects.values_list("failing_since", flat=True).get(pk=endpoint.pk)
    if since is not None and now - since >= SWITCH_OFF_AFTER:
        endpoints.switch_off(endpoint, reason=f"failing since {since:%Y-%m-%d %H:%M} UTC")


def resend(*, delivery: WebhookDelivery, source: str, actor: str = "", reason: str = "") -> WebhookDelivery:
    """Send an ended delivery again, now, with the whole schedule behind it. Raises NotEnded, endpoints.EndpointOff."""
    if not delivery.endpoint.is_active:
        raise endpoints.EndpointOff
    with transaction.atomic():
        if not advance(
            delivery, "pending", source=source, actor=actor, reason=reason or "sent again",
            next_attempt_at=timezone.now(), tries=0, delivered_at=None,
        ):  # fmt: skip
            raise NotEnded
        if source == "admin":
            AuditEntry.objects.create(
                actor=actor, action="resend webhook", subject=delivery.delivery_id, reason=reason[:500]
            )
        bell.ring(tasks.deliver_webhooks, thin=True)
    return delivery
