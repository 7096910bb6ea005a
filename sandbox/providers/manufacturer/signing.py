"""The manufacturer's `sign`, written from its document: MD5 over sorted values, system name and fixed key.

Values arrive from `wire.loads`, so a number counts as the text that stood on the wire.
"""

import hashlib
import hmac
from typing import Any

SYSTEM = "mobileShell"


def sign(body: Any, key: str) -> str:
    """The lower-case hex digest for a body parsed by `wire.loads`."""
    fields = body
    if isinstance(body, list):
        fields = body[0] if body and isinstance(body[0], dict) else {}
    if not isinstance(fields, dict):
        fields = {}
    plain = {name: value for name, value in fields.items() if not isinstance(value, (dict, list))}
    ordered = sorted(plain, key=_code_units)
    text = "".join(_as_text(plain[name]) for name in ordered) + SYSTEM + key
    return hashlib.md5(text.encode("utf-8", "surrogatepass")).hexdigest()  # noqa: S324 - the protocol's choice


def matches(body: Any, key: str, given: str) -> bool:
    """Whether the given signature is the right one, compared in constant time."""
    return hmac.compare_digest(sign(body, key).encode(), given.encode("utf-8", "replace"))


def _code_units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
