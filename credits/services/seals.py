"""Sealing postings, and proving that what was sealed is still as it was (docs/adr/0020).

Guarantees: a posting is sealed only when none with a lower id can still be committed; each seal includes the digest of
the one before, so nothing can be changed, removed or slipped in without changing all digests after it, and the newest is
in the log as well. Nothing here is on the way of a grant or a spending: sealing reads what was committed. Locks: an
advisory one (two sweepers do not seal twice). No call outside.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

import structlog
from django.db import connection, transaction
from django.utils import timezone

from credits.models import Posting, Seal, SealMark

log = structlog.get_logger(__name__)

#: Postings of one seal at the most; a mark takes 24 bytes.
LARGEST = 5000
BEGINNING = b"\x00" * 32
_MARK = struct.Struct(">q16s")
_LOCK = 0x5EA15
#: A posting as text that reads the same in every session, whatever its time zone and language.
_TEXT = """json_build_array(p.id, p.kind, p.reference, p.source_id, p.destination_id, p.amount, p.source_after,
    p.destination_after, p.actor, p.reason, to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))::text"""
_WRITING = """SELECT DISTINCT virtualtransaction FROM pg_locks
              WHERE locktype = 'relation' AND relation = 'credits_posting'::regclass AND mode = 'RowExclusiveLock'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_MARKS = """SELECT COALESCE(string_agg(int8send(p.id) || substring(sha256(convert_to(TEXT, 'UTF8')) for 16),
                                       ''::bytea ORDER BY p.id), ''::bytea), COUNT(*), MAX(p.id)
            FROM (SELECT * FROM credits_posting WHERE id > %s AND id <= %s ORDER BY id LIMIT %s) p""".replace(
    "TEXT", _TEXT, 1
)


def seal_due() -> int:
    """Seal what is safely behind; a sweep round. Answers how many postings.

    Ids are taken before they are committed, and in any order. So: look which is the newest, then who is writing at this
    moment. When all of those have ended, nothing can appear below that id any more: at once when nobody writes, else in
    the next round.
    """
    with transaction.atomic():
        mark, last = SealMark.objects.first(), Seal.objects.order_by("-last_id").first()
        after = last.last_id if last is not None else 0
        newest = Posting.objects.order_by("-id").values_list("id", flat=True).first() or 0
        if newest <= after or not _alone():
            return 0
        writing = _writing()  # after `newest` was read
        if not writing:
            until = newest
        elif mark is not None and not set(mark.writing) & set(writing):
            until = mark.last_id
        else:
            until = 0
        if until or mark is None:
            SealMark.objects.update_or_create(
                pk=1, defaults={"last_id": newest, "writing": writing, "made_at": timezone.now()}
            )
        return _seal(after, until)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _writing() -> list[str]:
    """The transactions that have written postings or are about to: PostgreSQL locks the table for each before it takes an
    id, and until what it wrote can be seen."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITING)
        return [name for (name,) in cursor.fetchall()]


def _seal(after: int, until: int) -> int:
    total = 0
    while True:
        marks, count, last_id = marks_of(after, until, LARGEST)
        if not count:
            return total
        before = Seal.objects.order_by("-last_id").first()
        digest = digest_of(bytes(before.digest) if before is not None else BEGINNING, marks)
        seal = Seal.objects.create(after_id=after, last_id=last_id, count=count, marks=marks, digest=digest)
        log.info("credits_sealed", up_to=last_id, count=count, seal=digest.hex(), number=seal.pk)
        after, total = last_id, total + count


def marks_of(after: int, until: int, most: int | None = None) -> tuple[bytes, int, int]:
    """(marks, how many, the last id) of the postings as they are now; `after` where there are none."""
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, [after, until, most])
        marks, count, last_id = cursor.fetchone()
    return bytes(marks), count, last_id or after


def digest_of(before: bytes, marks: bytes) -> bytes:
    return hashlib.sha256(before + marks).digest()


def broken() -> Iterator[str]:
    """What is not as it was sealed, each as a sentence that names it; nothing when all is well."""
    before, after = BEGINNING, 0
    for seal in Seal.objects.order_by("last_id").iterator(chunk_size=20):
        sealed = bytes(seal.marks)
        if seal.after_id != after or len(sealed) != seal.count * _MARK.size:
            yield f"seal {seal.pk} does not follow posting {after}: a seal is missing or was changed"
        if bytes(seal.digest) != digest_of(before, sealed):
            yield f"seal {seal.pk} does not fit the seal before it: one of them was changed"
        now, _count, _last = marks_of(seal.after_id, seal.last_id)
        if now != sealed:
            yield from _differences(sealed, now)
        before, after = bytes(seal.digest), seal.last_id


def _differences(sealed: bytes, now: bytes) -> Iterator[str]:
    size = len(sealed) // _MARK.size * _MARK.size
    then, today = dict(_MARK.iter_unpack(sealed[:size])), dict(_MARK.iter_unpack(now))
    for posting in sorted({*then, *today}):
        if posting not in today:
            yield f"posting {posting} was removed after it was sealed"
        elif posting not in then:
            yield f"posting {posting} was slipped in below what was sealed"
        elif then[posting] != today[posting]:
            yield f"posting {posting} was changed after it was sealed"
