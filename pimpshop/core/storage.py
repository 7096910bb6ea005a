"""Private files (uploads, previews, print files) and the signed links through which they are seen.

A link is `/pictures/<token>.png`: the token is in the path, the link has no query, works from any address, as often
as somebody asks, until it expires. The token names the file by its id, never by its place in storage.
"""

from __future__ import annotations

import base64
import hmac
import struct
import time
import uuid
from datetime import timedelta

from django.conf import settings

#: Longer than the longest retry of the manufacturer's fetch (at least 48 h, manufacturer.md "pic").
PRINT_LINK_LIFE = timedelta(days=30)
PREVIEW_LINK_LIFE = timedelta(hours=12)

KINDS = {"print": 1, "preview": 2}
_NAMES = {number: name for name, number in KINDS.items()}
_LENGTH = 1 + 16 + 5 + 16


def make_token(kind: str, design_id: uuid.UUID, life: timedelta, now: float | None = None) -> str:
    """A URL-safe token for one picture of a design that expires after `life`."""
    expires = int((time.time() if now is None else now) + life.total_seconds())
    body = bytes([KINDS[kind]]) + design_id.bytes + struct.pack(">Q", expires)[3:]
    return _text(body + _mac(body))


def read_token(token: str, now: float | None = None) -> tuple[str, uuid.UUID] | None:
    """(kind, design id) of a token; None when it is forged, malformed or expired."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if _text(raw) != token:  # base64 forgives strange characters and spare bits; one picture has one spelling
        return None
    if len(raw) != _LENGTH or not hmac.compare_digest(_mac(raw[:-16]), raw[-16:]) or raw[0] not in _NAMES:
        return None
    expires = struct.unpack(">Q", b"\0\0\0" + raw[17:22])[0]
    if expires < (time.time() if now is None else now):
        return None
    return _NAMES[raw[0]], uuid.UUID(bytes=raw[1:17])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(body: bytes) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"picture\0" + body, "sha256")[:16]


def picture_path(kind: str, design_id: uuid.UUID, life: timedelta) -> str:
    """The path of a signed picture link, `/pictures/<token>.png`."""
    return f"/pictures/{make_token(kind, design_id, life)}.png"


def public_url(path: str) -> str:
    """`path` on this shop as others reach it."""
    return f"{settings.PUBLIC_BASE_URL}{path}"
