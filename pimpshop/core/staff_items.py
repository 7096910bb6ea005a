"""Items for staff: open one (idempotent by kind and subject), close it with a word on how.

`open_item` may run inside the caller's transaction: the item then exists exactly if the change does.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from pimpshop.core.models import StaffItem

log = structlog.get_logger(__name__)


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


def resolve_about(*, kind: str, subject: str, resolution: str, actor: str = "system") -> int:
    """Close the open items of a kind about a subject, because the trouble passed by itself."""
    return StaffItem.objects.filter(kind=kind[:64], subject=subject[:120], resolved_at=None).update(
        resolved_at=timezone.now(),
        resolved_by=actor[:120],
        resolution=resolution[:500],
        updated_at=timezone.now(),
    )
