"""Sending the notifications that are due. The row is the queue.

A row is taken by one sender (compare-and-set on `due_at`, which is then when the right to send ends), sent outside any
transaction and marked right after. Guarantees: any number of senders send a row once; a sender that dies before it
handed the message over loses nothing. One that dies between the mail server's yes and our mark leaves a row that is sent
again under the same Message-ID: at least once, and the window is one statement (ADR 17 says why). Errors are tried again
with back-off for three days, then staff get an item.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors, staff_items, sweeper
from pimpshop.core.models import AuditEntry, Notification, StaffItem
from pimpshop.core.notifications import kinds, letters, mail, subscription

log = structlog.get_logger(__name__)

#: After which wait a try follows the one before; each is up to a tenth longer. In all three days.
RETRIES = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 6 * 60, 12 * 60, 24 * 60, 24 * 60)
)
#: The right to send ends after so long: more than a mail server can take (EMAIL_TIMEOUT for each of its answers).
RIGHT = timedelta(minutes=5)
#: What the worker's bell did not start for so long the sweeper sends itself.
UNHEARD = timedelta(seconds=5)
#: A mail server that cannot be reached is left alone for so many seconds.
REST_SECONDS = 30.0
NOT_SENT_KIND = "message_not_sent"

_rests_until = 0.0


class StillDue(errors.Conflict):
    code = "message_under_way"
    message = _("This message is under way. Nothing was sent a second time.")


@dataclass(frozen=True)
class Ended:
    """How a row ended: its outcome, by which way and to whom."""

    outcome: str
    channel: str = ""
    recipient: str = ""
    error: str = ""


def write(rows: Iterable[Notification]) -> int:
    """Store notifications inside the caller's transaction; those that exist (reference, kind) stay as they are. Answers
    how many were given."""
    given = list(rows)
    Notification.objects.bulk_create(given, ignore_conflicts=True)
    return len(given)


def due(limit: int = 50, *, unheard: bool = False) -> list[int]:
    """Notifications to be sent now, oldest first; with `unheard` only those that no worker took in time."""
    at = timezone.now() - (UNHEARD if unheard else timedelta())
    rows = Notification.objects.filter(due_at__lte=at).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def send_due(*, unheard: bool = False) -> int:
    """Send what is due; a sweep round. Answers how many rows ended or were put off."""
    return sweeper.each(due(unheard=unheard), send)


def send(pk: int) -> bool:
    """Send one notification if it is due and nobody else is at it. Answers whether it was taken."""
    if time.monotonic() < _rests_until:
        return False
    note = _take(pk)
    if note is None:
        return False
    try:
        _end(note, _deliver(note))
    except mail.NotSent as error:
        _not_sent(note, error)
    except Exception as error:
        log.exception("message_failed", notification=note.pk, kind=note.kind)
        _not_sent(note, mail.NotSent(f"failed: {type(error).__name__}"))
    return True


def _take(pk: int) -> Notification | None:
    """Take the right to send. The try is counted and committed before the message leaves."""
    now = timezone.now()
    mine = Notification.objects.filter(pk=pk, due_at__lte=now)
    if not mine.update(due_at=now + RIGHT, attempts=F("attempts") + 1, updated_at=now):
        return None
    return Notification.objects.get(pk=pk)


def _deliver(note: Notification) -> Ended:
    """Put it into words and hand it over. Raises mail.NotSent."""
    kind = kinds.find(note.kind)
    if kind is None:
        return Ended(Notification.Outcome.SHOWN)
    letter = kind.compose(note)
    if letter is None:
        return Ended(Notification.Outcome.OVERTAKEN)
    note.language = letters.language_of(letter.language)
    if letter.to.email:
        written = letters.write(kind.name, letter.language, letter.context)
        mail.send(written, to=letter.to.email, message_id=mail.message_id(note.pk, note.again))
        return Ended(Notification.Outcome.SENT, "mail", letter.to.email)
    if letter.to.openid and subscription.speaks_of(kind.name):
        subscription.send(kind.name, letter)
        return Ended(Notification.Outcome.SENT, "wechat", "WeChat")
    return Ended(Notification.Outcome.NOBODY)


def _end(note: Notification, ended: Ended) -> bool:
    """What was sent is marked whoever has the row meanwhile; anything else only by who holds it. Answers whether it was."""
    now = timezone.now()
    sent = ended.outcome == Notification.Outcome.SENT
    told = sent or ended.outcome == Notification.Outcome.OVERTAKEN  # or there is nothing left to tell
    mine: dict[str, Any] = {"again": note.again} if sent else {"attempts": note.attempts, "again": note.again}
    with transaction.atomic():
        moved = Notification.objects.filter(pk=note.pk, due_at__isnull=False, **mine).update(
            due_at=None, sent_at=now if sent else None, outcome=ended.outcome, channel=ended.channel,
            recipient=ended.recipient or note.recipient, language=note.language, last_error=ended.error[:500],
            updated_at=now,
        )  # fmt: skip
        if moved and told and note.again:
            _close_item(note)
    log.info("message_ended", notification=note.pk, kind=note.kind, outcome=ended.outcome)
    return bool(moved)


def retry_at(note: Notification, now: datetime) -> datetime | None:
    """When the try after number `note.attempts` is due; None when that was the last. The jitter is drawn from the row, so
    that a crowd that failed together does not come back together."""
    if note.attempts > len(RETRIES):
        return None
    wait = RETRIES[note.attempts - 1]
    drawn = hashlib.sha256(f"notification/{note.pk}/{note.attempts}".encode()).digest()
    return now + wait + wait * int.from_bytes(drawn[:2], "big") / 655_360


def _not_sent(note: Notification, error: mail.NotSent) -> None:
    global _rests_until
    if error.unreachable:
        _rests_until = time.monotonic() + REST_SECONDS
    if not error.wanted:
        _end(note, Ended(Notification.Outcome.UNWANTED, error=error.why))
        return
    now = timezone.now()
    at = None if error.permanent else retry_at(note, now)
    log.warning(
        "message_not_sent", notification=note.pk, kind=note.kind, error=error.why, again=at is not None
    )
    if at is not None:
        Notification.objects.filter(pk=note.pk, attempts=note.attempts, due_at__isnull=False).update(
            due_at=at, last_error=error.why[:500], updated_at=now
        )
        return
    with transaction.atomic():
        if _end(note, Ended(Notification.Outcome.GAVE_UP, error=error.why)):
            _open_item(note, error.why)


def _open_item(note: Notification, why: str) -> None:
    staff_items.open_item(
        kind=NOT_SENT_KIND, subject=note.reference, why=why, message=note.kind,
        title=f"A customer could not be told ({note.kind.replace('_', ' ')}, {note.reference})",
        detail="Look at the address, then send the message again or tell them another way.",
        path=reverse("admin:core_notification_change", args=[note.pk]),
    )  # fmt: skip


def _close_item(note: Notification) -> None:
    """What staff sent again has arrived. An item is about the first of a reference's messages that failed: another one
    that nobody got is put before them after it."""
    about = {"kind": NOT_SENT_KIND, "subject": note.reference}
    if not StaffItem.objects.filter(**about, resolved_at=None, data__message=note.kind).exists():
        return
    staff_items.resolve_about(**about, resolution="it was sent again")
    other = Notification.objects.filter(
        reference=note.reference, outcome=Notification.Outcome.GAVE_UP
    ).first()
    if other is not None:
        _open_item(other, other.last_error)


def send_again(*, note: Notification, actor: str, reason: str) -> None:
    """Staff send an ended message once more, as a message of its own. Raises StillDue."""
    now = timezone.now()
    with transaction.atomic():
        ended = Notification.objects.filter(pk=note.pk, due_at=None)
        if not ended.update(
            due_at=now,
            attempts=0,
            again=F("again") + 1,
            sent_at=None,
            outcome="",
            last_error="",
            updated_at=now,
        ):
            raise StillDue
        AuditEntry.objects.create(
            actor=actor, action="send message again", subject=note.reference, reason=reason[:500],
            data={"kind": note.kind, "notification": note.pk},
        )  # fmt: skip
