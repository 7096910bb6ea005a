"""The manufacturer's `sign` and the exact bytes it stands for.

Lives here: serialising a body once and signing the very literals that go out. Not here: sending. Pure.
Source: the manufacturer's document, "sign" (six published vectors are in the tests). MD5 with a fixed key, without
time or nonce: it proves little, so nothing of ours relies on it alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

SYSTEM_NAME = "mobileShell"


class Literal(str):
    """The JSON text of a number, exactly as it stands or shall stand in the body."""

    __slots__ = ()


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def dumps(value: Any) -> str:
    """JSON without blanks in which a Decimal is the plain shortest number (19.99, 20; never 2E+1).

    Raises ValueError for null and floats: the manufacturer must never get the one, money never is the other.
    """
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a number")
        # 19.90 goes out as 19.9 and 20.00 as 20: the one spelling that is the same whether the other side signs the
        # literal or a number it parsed.
        return format(value.normalize() + 0, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_string(str(key))}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    raise ValueError(f"{type(value).__name__} cannot be sent")


def loads(text: str | bytes) -> Any:
    """JSON whose numbers keep their literal text, for checking the `sign` of a post. Raises ValueError."""
    return json.loads(text, parse_int=Literal, parse_float=Literal)


def sign(body: Any, key: str) -> str:
    """MD5 in lower-case hex over the values of `body`, the system name and `key`.

    `body` is a parsed object or array, or JSON text, whose literals are then kept. An array counts by its first
    element when that is an object; keys with an object or array (or null, which nobody should send) are left out;
    the rest is sorted by key and only the values are joined.
    """
    if isinstance(body, (str, bytes)):
        body = loads(body)
    if isinstance(body, (list, tuple)):
        body = body[0] if body and isinstance(body[0], Mapping) else {}
    values = ""
    # By UTF-16 code unit, as the manufacturer's own language sorts; the same as by code point for all its keys.
    for name in sorted(body, key=lambda item: str(item).encode("utf-16-be")):
        value = body[name]
        if value is not None and not isinstance(value, (Mapping, list, tuple)):
            values += str(value) if isinstance(value, str) else dumps(value)
    return hashlib.md5(f"{values}{SYSTEM_NAME}{key}".encode(), usedforsecurity=False).hexdigest()


def verify(body: str | bytes, signature: str, key: str) -> bool:
    """True when `signature` is the sign of the raw `body` under a key that is not empty (constant time)."""
    try:
        expected = sign(body, key)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False
    return bool(key) and hmac.compare_digest(expected.encode(), signature.strip().lower().encode())
