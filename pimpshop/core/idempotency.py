"""Idempotency keys in the database: key + keyed fingerprint + owner + lease.

`begin()` answers a Claim on a key, replays a finished answer, or refuses; `finish()` stores the answer of a claim;
`release()` gives the key back (5xx and validation errors are not stored). Anonymous callers have none. Each verb is one
statement; the claim is committed before the work starts, so call them outside a transaction. A claim whose lease has
lapsed and that somebody else took over meanwhile can neither store an answer nor give the key away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors, ids
from pimpshop.core.models import IdempotencyRecord

#: A first request that takes longer than this was killed: its key may be claimed again.
LEASE = timedelta(seconds=60)
#: How long an answer is replayed.
KEEP = timedelta(days=3)
MAX_KEY = 255
MAX_OWNER = 120


class KeyReused(errors.Conflict):
    """The same key came with another body or route."""

    code = "IDEMPOTENCY_KEY_REUSED"
    message = _("This idempotency key was used for another request. Nothing was done. Use a new key.")


class StillRunning(errors.Conflict):
    """The first request with this key is still being worked on."""

    code = "IDEMPOTENCY_KEY_REUSED"
    message = _("The first request with this key is still running. Ask again in a moment.")


class BadKey(errors.ShopError):
    code = "invalid_request"
    message = _("An idempotency key is 1 to 255 printable characters, the same in header and body.")


@dataclass(frozen=True)
class Claim:
    """The right to work under a key, until `lease_until`."""

    owner: str
    key: str
    lease_until: datetime


@dataclass(frozen=True)
class Replay:
    """A stored answer."""

    status: int
    body: Any


def fingerprint(route: str, body: Any) -> str:
    """Keyed hash of route and canonical body (so that a stored row never reveals a card number by guessing)."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return ids.keyed_fingerprint(route.encode(), canonical.encode())


#: One statement: what is known of the key; unless that is an answer, the claim. A lapsed lease or an old answer is claimed
#: anew by the same statement that a fresh key is; a replay writes nothing.
_BEGIN = """
    WITH known AS MATERIALIZED (
        SELECT fingerprint, response_status, response_body FROM core_idempotencyrecord
        WHERE owner = %(owner)s AND key = %(key)s AND created_at >= %(oldest)s
    ), claimed AS (
        INSERT INTO core_idempotencyrecord (owner, key, fingerprint, lease_until, created_at)
        SELECT %(owner)s, %(key)s, %(fingerprint)s, %(lease_until)s, %(now)s
        WHERE NOT EXISTS (SELECT 1 FROM known WHERE response_status IS NOT NULL)
        ON CONFLICT (owner, key) DO UPDATE
           SET lease_until = EXCLUDED.lease_until, created_at = EXCLUDED.created_at,
               fingerprint = EXCLUDED.fingerprint, response_status = NULL, response_body = NULL
         WHERE (core_idempotencyrecord.response_status IS NULL AND core_idempotencyrecord.lease_until < %(now)s
                AND core_idempotencyrecord.fingerprint = EXCLUDED.fingerprint)
            OR core_idempotencyrecord.created_at < %(oldest)s
        RETURNING id
    )
    SELECT (SELECT id FROM claimed), known.* FROM (SELECT) AS one LEFT JOIN known ON TRUE
"""


def begin(*, owner: str, key: str, fingerprint: str) -> Claim | Replay:
    """Claim `key` for `owner`: a Claim means go on, a Replay is the answer of the first time.

    Raises KeyReused (another body), StillRunning (409 with Retry-After), BadKey.
    """
    if not key or len(key) > MAX_KEY or not key.isprintable() or not owner or len(owner) > MAX_OWNER:
        raise BadKey
    now = timezone.now()
    claim = Claim(owner, key, now + LEASE)
    with connection.cursor() as cursor:
        cursor.execute(
            _BEGIN,
            {
                "owner": owner, "key": key, "fingerprint": fingerprint, "lease_until": claim.lease_until, "now": now,
                "oldest": now - KEEP,
            },
        )  # fmt: skip
        claimed, known, status, body = cursor.fetchone()
    if claimed:
        return claim
    if known is None:  # somebody was faster by a moment
        raise StillRunning(retry_after=1)
    if known != fingerprint:
        raise KeyReused
    if status is None:
        raise StillRunning(retry_after=2)
    return Replay(status, None if body is None else json.loads(body))


def finish(claim: Claim, *, status: int, body: Any) -> bool:
    """Store the answer for replays; False when the claim was lost. `body` is JSON and carries no secret."""
    return bool(_claimed(claim).update(response_status=status, response_body=body, lease_until=None))


def release(claim: Claim) -> bool:
    """Give the key back, because nothing was done under it; False when the claim was lost."""
    return bool(_claimed(claim).delete()[0])


def _claimed(claim: Claim) -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.objects.filter(
        owner=claim.owner, key=claim.key, lease_until=claim.lease_until, response_status=None
    )


def forget_old() -> int:
    """Remove answers that are past KEEP; a sweep round."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEEP).delete()[0]


def hand_over(owner: str, to: str) -> int:
    """Keys of `owner` are `to`'s: two accounts of one person were joined. One that both used stays where it is."""
    taken = IdempotencyRecord.objects.filter(owner=to).values("key")
    return IdempotencyRecord.objects.filter(owner=owner).exclude(key__in=taken).update(owner=to)
