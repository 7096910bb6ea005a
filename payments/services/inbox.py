"""The inbox: verify, store, acknowledge; then work on what was stored, as often as it takes.

`receive` is one statement per event (or none: what does not verify or names no payment of ours leaves no row). That of
a usual signed success settles it too (`at_the_door`), and no work is left.
`process` is leased, idempotent and asks the provider: a hint never moves money by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb
from redis.exceptions import RedisError

from payments import registry, states, tasks
from payments.gateways import base
from payments.models import PaymentIntent, WebhookEvent
from payments.services import at_once, at_the_door, facts, settlement, stripe_mirror, sync
from pimpshop.core import bell, budget, cache, errors, staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import InvalidAmount, Money
from pimpshop.core.states import advance

log = structlog.get_logger(__name__)

#: A repeat of the same hint within so many seconds is acknowledged and counted; it is asked about when they are over.
HINT_GAP_SECONDS = 3
ENDED = ("processed", "ignored")
#: payments_store_event's word (migration 0014) for a number that is another gateway's.
FOREIGN = "foreign"
LEASE = timedelta(seconds=60)
RETRY_SECONDS = (3, 5, 10, 30, 60, 300)
MAX_ATTEMPTS = 200
#: A hint that the provider does not confirm is asked about so many times (within two minutes).
UNCONFIRMED_LOOKS = 6


class WorkIsDue(errors.Conflict):
    code = "work_is_due"
    message = _("This event is waiting to be worked on already. Nothing was changed.")


@dataclass(frozen=True)
class Received:
    """`stored`: new rows or repeats that asked for work; `known`: events about payments of ours."""

    stored: int
    known: int


def receive(gateway: base.Gateway, post: base.WebhookRequest) -> Received:
    """Verify a provider's post and store its events. Raises base.WebhookRejected (nothing is stored then).

    Returns only when the rows are committed: then the provider may be told that all is well.
    """
    events = gateway.read_webhook(post)
    stored = known = 0
    for event in events:
        row_id, became = _store(gateway, event)
        known += row_id is not None
        stored += became in ("settled", "due")
        if row_id is not None and became == "due":
            bell.ring(tasks.process_inbox_event, row_id, thin=True)
    if known < len(events):
        count("webhook_unknown_id", len(events) - known)
    return Received(stored, known)


#: One statement (migration 0003): is the number ours, was the same said just now, else insert or count. A repeat writes
#: nothing here.
_STORE = "SELECT payments_store_event(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def _store(gateway: base.Gateway, event: base.WebhookEvent) -> tuple[int | None, str]:
    """(row id or None when the number is not ours, what became of it: settled, due, repeat or unknown).

    Raises base.WebhookRejected when a signed event names another gateway's payment; nothing is stored then."""
    now, content = timezone.now(), _stored(event)
    if at_the_door.is_usual(gateway, event):
        row = at_the_door.take_in(gateway, event, content=content, now=now)
    else:
        row = _keep(gateway, event, content, now)
    if row.settled:
        return row.stored, "settled"
    if row.known is None and row.stored is None and row.same is None:
        if row.same_status == FOREIGN:
            raise base.WebhookRejected(
                "another gateway's payment", code=base.ErrorCode.FOREIGN, http_status=403
            )
        return None, "unknown"
    if row.stored is None:
        count("webhook_repeat")
        if not gateway.webhook_is_proof and row.same_status in ENDED:
            _ask_after_the_gap(row.same or 0, now)
        return row.same or 0, "repeat"
    if row.stored_status != "received":
        if gateway.webhook_is_proof:
            # The same post came twice at once, and the other one was settled meanwhile.
            return row.stored, "repeat"
        # A hint that was worked on says the same again: ask again.
        again = WebhookEvent.objects.get(pk=row.stored)
        advance(again, "received", source="webhook", reason="said again", due_at=now, attempts=0)
    return row.stored, "due"


def _keep(
    gateway: base.Gateway, event: base.WebhookEvent, content: dict[str, Any], now: datetime
) -> at_the_door.Row:
    params: list[Any] = [
        gateway.key, event.account, event.dedupe_key[:128], event.kind[:64], _subject(event), gateway.live,
        Jsonb(content), gateway.webhook_is_proof, now, now - timedelta(seconds=HINT_GAP_SECONDS),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_STORE, params)
        (told,) = cursor.fetchone()
    return at_the_door.as_row(told)


def _subject(event: base.WebhookEvent) -> str:
    """What the event is about: our number, or where it does not say it the provider's."""
    refund, dispute = event.refund, event.dispute
    told = (refund.payment_ref if refund else "") or (dispute.payment_ref if dispute else "")
    return (event.out_trade_no or event.provider_ref or told)[:128]


def _stored(event: base.WebhookEvent) -> dict[str, Any]:
    """The row's content: what the gateway let through of the post, and of a signed one its facts."""
    content = dict(event.payload)
    if event.confirmed and (told := base.pack(event)):
        content["facts"] = told
    return content


def _ask_after_the_gap(event_pk: int, now: datetime) -> None:
    """The same was said within seconds of a look: this one may be the true one, so look once more when the gap is over."""
    row = WebhookEvent.objects.get(pk=event_pk)
    due_at = now + timedelta(seconds=HINT_GAP_SECONDS)
    advance(
        row, "received", source="webhook", reason="said again", due_at=due_at, attempts=0, only_from=ENDED
    )


#: So many updates of counters per process and second; in a flood they are added up here first.
_may_count = budget.Budget(200, 1)
_uncounted: Counter[str] = Counter()


def count(name: str, by: int = 1) -> None:
    """Count what leaves no row (unknown ids, rejected posts, repeats) in the shared cache; never fails.

    A process that ends in a flood takes at most the last second's sum with it.
    """
    if not _may_count.allows():
        _uncounted[name] += by
        return
    by += _uncounted.pop(name, 0)
    try:
        cache.tally(f"count:{name}:{timezone.now():%Y%m%d}", by, timeout=3 * 24 * 3600)
    except (RedisError, OSError):
        log.info("uncounted", name=name, by=by)


def process(event_pk: int) -> bool:
    """Work on one stored event if it is due and nobody else is at it. Answers whether it ended (or was parked)."""
    found = at_once.take_up(event_pk, lease=LEASE)
    if found is None:
        return False
    try:
        return _work_on(found)
    except (
        Exception
    ) as error:  # ours or the database's: it is tried again, and ends with staff, never in a loop
        log.exception("inbox_event_failed", event_id=found.event.event_id)
        return _later(found.event, f"failed: {type(error).__name__}")


def _work_on(found: at_once.TakenUp) -> bool:
    event = found.event
    told = facts.read(event)
    intent = found.intent or facts.find_intent(event, told)
    if intent is None:
        return _end(event, "ignored", "no payment with this number")
    if done := facts.apply(event, intent, told):
        return _end(event, "processed", done)
    if intent.status not in states.ASKABLE:
        return _end(event, "processed", f"payment is {intent.status} already")
    differs = _differs(event, intent)
    checked = sync.check_now(
        intent=intent, source="webhook", may_ask=found.may_ask, event=None if differs else event
    )
    if event.status == "processed":  # by the statement that settled
        return True
    if differs:
        _compare(event, intent, checked.applied)
    if checked.applied is None:
        return _later(
            event, "somebody asked just now" if not checked.asked else "the provider does not answer"
        )
    if _not_confirmed(event, intent, checked):
        return _later(event, f"told {event.payload['status']}, the provider says {checked.provider_status}")
    return _end(event, "processed", f"asked the provider: {checked.provider_status or checked.applied}")


def _not_confirmed(event: WebhookEvent, intent: PaymentIntent, checked: sync.Checked) -> bool:
    """The post may be ahead of what a query tells, and the provider was acknowledged: it will not say it again, and an
    old payment is not polled any more. So look a few times more before the hint counts as wrong."""
    told = str(event.payload.get("status", "")) if not event.payload.get("facts") else ""
    if not told or told == checked.provider_status or event.attempts + 1 >= UNCONFIRMED_LOOKS:
        return False
    intent.refresh_from_db(fields=["status"])
    return intent.status in states.ASKABLE


def _compare(event: WebhookEvent, intent: PaymentIntent, applied: settlement.Applied | None) -> None:
    """A hint that names another amount neither moves nor stops anything. Anybody can post it, so it is only counted,
    unless this very hint led to the money: then it came from whoever knew, and people compare."""
    if applied not in (settlement.Applied.SETTLED, settlement.Applied.SURPLUS):
        count("webhook_amount")
    else:
        staff_items.open_item(
            kind="webhook_amount", subject=intent.out_trade_no, told=str(event.payload.get("pay_amount"))[:40],
            title=f"A post names another amount for payment {intent.out_trade_no}",
            detail="The provider confirmed the payment; compare the amount on the machine's side.",
        )  # fmt: skip


def _differs(event: WebhookEvent, intent: PaymentIntent) -> bool:
    """Does the post name an amount, and another one than ours?"""
    told = str(event.payload.get("pay_amount") or "")
    try:
        return bool(told) and Money.parse(told, intent.currency) != intent.amount
    except InvalidAmount:
        return True


def _later(event: WebhookEvent, why: str) -> bool:
    attempts = event.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        staff_items.open_item(
            kind="inbox_parked", subject=f"{event.gateway}:{event.event_id}"[:120],
            title=f"An event about {event.subject} could not be worked on", detail=f"{why}. Process it again.",
        )  # fmt: skip
        return _end(event, "parked", why)
    seconds = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    WebhookEvent.objects.filter(pk=event.pk, status="received").update(
        attempts=attempts,
        due_at=timezone.now() + timedelta(seconds=seconds),
        leased_until=None,
        outcome=why[:200],
    )
    return False


def _end(event: WebhookEvent, status: str, outcome: str) -> bool:
    return advance(
        event, status, source="worker", due_at=None, leased_until=None, attempts=event.attempts + 1,
        outcome=outcome[:200],
        **stripe_mirror.wanted(event),
    )  # fmt: skip


def due(limit: int = 100) -> Sequence[int]:
    """Stored events with work due that nobody is at, oldest first."""
    now = timezone.now()
    return list(
        WebhookEvent.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now), due_at__lte=now)
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )


def process_again(*, event: WebhookEvent, actor: str, reason: str) -> bool:
    """Staff: work on an ended or parked event once more."""
    with transaction.atomic():
        before = event.status
        moved = advance(
            event, "received", source="admin", actor=actor, reason=reason, due_at=timezone.now(), attempts=0
        )
        if moved:
            AuditEntry.objects.create(
                actor=actor, action="process event again", subject=str(event)[:120], reason=reason,
                data={"changes": [{"field": "status", "before": before, "after": "received"}], "about": event.subject},
            )  # fmt: skip
            bell.ring(tasks.process_inbox_event, event.pk)
    return moved


def must_be_ended(event: WebhookEvent) -> None:
    """Raises WorkIsDue."""
    if event.status == "received":
        raise WorkIsDue


def payment_of(event: WebhookEvent) -> PaymentIntent | None:
    """The payment of ours that it names."""
    return facts.find_intent(event, facts.read(event))


def gateway(key: str) -> base.Gateway:
    """The gateway whose webhook door this is. Raises registry.GatewayUnknown, also for one to which nobody posts."""
    found = registry.get(key)
    if not found.has_webhooks:
        raise registry.GatewayUnknown
    return found
