"""Numbers and names that people and providers see: order numbers, third_ids, session ids, unguessable tokens.

Nothing here derives a number from the clock alone: the manufacturer's ids come from a counter in the database, the
rest carries enough random bits. Call `next_third_id` outside a transaction: it takes the day's counter row.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.utils import timezone

#: PYEN/OREN + yymmdd + 6 digits, the manufacturer's format for our payment and order numbers.
THIRD_ID = re.compile(r"(PYEN|OREN)\d{12}\Z", re.ASCII)
#: {machine}_{YYYYMMDD}_{HHMMSS}_{8 hex upper}; a machine id may itself contain "_".
SESSION_ID = re.compile(
    r"(?P<machine>[A-Za-z0-9][A-Za-z0-9_]{0,59})_(?P<day>\d{8})_(?P<time>\d{6})_[0-9A-F]{8}\Z",
    re.ASCII,
)

_DAY_SIZE = 1_000_000


class SequenceExhausted(RuntimeError):
    """A million numbers of that kind were taken today (UTC)."""


def next_third_id(prefix: str) -> str:
    """The next PYEN or OREN number of the UTC day, for example PYEN250830540573.

    Guarantees: unique in this database (one atomic statement); the day starts at a random point, since several
    databases may share one account. Source: the manufacturer's document, "third_id". Raises SequenceExhausted.
    """
    if prefix not in {"PYEN", "OREN"}:
        raise ValueError(f"no number is called {prefix!r}: PYEN or OREN")
    today = timezone.now().astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO core_dailysequence (name, day, start, value) VALUES (%s, %s, %s, 1)
               ON CONFLICT (name, day) DO UPDATE SET value = core_dailysequence.value + 1
               RETURNING start, value""",
            [prefix, today, secrets.randbelow(_DAY_SIZE)],
        )
        start, value = cursor.fetchone()
    if value > _DAY_SIZE:
        raise SequenceExhausted(prefix)
    return f"{prefix}{today:%y%m%d}{(start + value) % _DAY_SIZE:06d}"


def new_order_no(now: datetime | None = None) -> str:
    """P + YYYYMMDDHHMMSS (UTC) + 8 hex: seed 4's order number, for every kind of order. Unique by constraint."""
    now = (now or timezone.now()).astimezone(UTC)
    return f"P{now:%Y%m%d%H%M%S}{secrets.token_hex(4)}"


def out_trade_no(order_no: str, attempt: int) -> str:
    """Our number of one attempt at a provider: the order number itself, then `<order_no>_2`, `_3` …"""
    if attempt < 1:
        raise ValueError("attempts count from 1")
    return order_no if attempt == 1 else f"{order_no}_{attempt}"


def new_session_id(machine_id: str, now: datetime | None = None) -> str:
    """{machine}_{YYYYMMDD}_{HHMMSS}_{8 hex upper}, UTC (seed 1)."""
    now = (now or timezone.now()).astimezone(UTC)
    return f"{machine_id}_{now:%Y%m%d}_{now:%H%M%S}_{secrets.token_hex(4).upper()}"


def new_token() -> str:
    """An unguessable token of 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored of a token: its SHA-256 in hex (tokens have 256 random bits, so no salt is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_key(purpose: str, subject: str) -> str:
    """The signature in a signed link: 22 URL-safe characters (132 bits) bound to purpose and subject."""
    mac = hmac.digest(settings.SECRET_KEY.encode(), f"link\0{purpose}\0{subject}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).decode()[:22]


def link_key_matches(purpose: str, subject: str, key: str) -> bool:
    """Constant-time check of `link_key`."""
    return hmac.compare_digest(link_key(purpose, subject).encode(), str(key).encode())


def keyed_fingerprint(*parts: bytes) -> str:
    """HMAC-SHA-256 (hex) over length-prefixed parts; used where a plain hash of a request could be guessed."""
    mac = hmac.new(settings.SECRET_KEY.encode(), b"fingerprint", hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big") + part)
    return mac.hexdigest()
