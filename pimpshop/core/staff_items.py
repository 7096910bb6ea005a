"""Items for staff: open one (idempotent by kind and subject), own it, write notes, close it with a word on how.

`open_item` may run inside the caller's transaction: the item then exists exactly if the change does. `keep` is for
sweeps that look at rows again and again: it opens what is there and closes what has passed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from pimpshop.core.models import StaffItem, StaffNote

log = structlog.get_logger(__name__)

#: Who closes an item that passed by itself.
SYSTEM = "system"
#: What a person has closed is not opened again by a sweep for so long, even if the trouble is still there.
ANSWERED_FOR = timedelta(hours=24)


def open_item(*, kind: str, subject: str, title: str, detail: str = "", **data: Any) -> bool:
    """Open an item unless one of that kind is open about that subject. Answers whether it was new."""
    now = timezone.now()
    params: list[Any] = [kind[:64], subject[:120], title[:200], detail, Jsonb(data), now, now]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO core_staffitem
                   (kind, subject, title, detail, data, created_at, updated_at, resolved_by, resolution)
               VALUES (%s, %s, %s, %s, %s, %s, %s, '', '')
               ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING RETURNING id""",
            params,
        )
        new = cursor.fetchone() is not None
    if new:
        log.warning("staff_item_opened", kind=kind, subject=subject, title=title)
    return new


def resolve(item: StaffItem, *, actor: str, resolution: str) -> bool:
    """Close an item once; answers False when somebody else did."""
    return bool(
        StaffItem.objects.filter(pk=item.pk, resolved_at=None).update(
            resolved_at=timezone.now(),
            resolved_by=actor[:120],
            resolution=resolution[:500],
            updated_at=timezone.now(),
        )
    )


def resolve_about(*, kind: str, subject: str, resolution: str, actor: str = SYSTEM) -> int:
    """Close the open items of a kind about a subject, because the trouble passed by itself."""
    return StaffItem.objects.filter(kind=kind[:64], subject=subject[:120], resolved_at=None).update(
        resolved_at=timezone.now(),
        resolved_by=actor[:120],
        resolution=resolution[:500],
        updated_at=timezone.now(),
    )


def was_answered(*, kind: str, subject: str, **data: Any) -> bool:
    """Has a person closed an item of that kind about that subject, with just these words in its details?"""
    closed = StaffItem.objects.filter(
        kind=kind[:64], subject=subject[:120], resolved_at__isnull=False, data__contains=data
    )
    return closed.exclude(resolved_by=SYSTEM).exists()


def keep(*, kind: str, found: Mapping[str, dict[str, Any]], passed: str) -> int:
    """Make the open items of `kind` agree with `found` (subject -> title, detail, data): open what is new, close what is
    not there any more with the word `passed`. What a person closed stays closed for a day. Answers how many changed."""
    known = set(StaffItem.objects.filter(kind=kind, resolved_at=None).values_list("subject", flat=True))
    subjects = {subject[:120]: words for subject, words in found.items()}
    changed = sum(
        resolve_about(kind=kind, subject=subject, resolution=passed) for subject in known - set(subjects)
    )
    new = set(subjects) - known
    answered = StaffItem.objects.filter(
        kind=kind, subject__in=new, resolved_at__gt=timezone.now() - ANSWERED_FOR
    ).exclude(resolved_by=SYSTEM)
    new -= set(answered.values_list("subject", flat=True)) if new else set()
    return changed + sum(
        open_item(kind=kind, subject=subject, **subjects[subject]) for subject in sorted(new)
    )


def hand_to(item: StaffItem, *, owner: str) -> bool:
    """Somebody takes an open item, or is given it; `owner` "": nobody's again. False: closed, or theirs already."""
    open_rows = StaffItem.objects.filter(pk=item.pk, resolved_at=None).exclude(owner=owner[:120])
    return bool(open_rows.update(owner=owner[:120], updated_at=timezone.now()))


def note(item: StaffItem, *, author: str, text: str) -> StaffNote:
    """Write a note on an item, open or closed. Notes are never changed."""
    return StaffNote.objects.create(item=item, author=author[:120], text=text[:2000])
