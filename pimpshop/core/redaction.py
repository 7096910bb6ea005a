"""Scrubbing: nothing secret or personal leaves through a log, a stored call, a traceback or an error message.

Lives here: what counts as secret (by key name, by shape of the text, by known value), bounded scrubbing of
any value, a structlog processor and a logging filter. Not here: where logs go (settings), which calls are
kept (http).

Guarantees: pure; never raises on odd input; output is JSON-safe and bounded in bytes, depth and length. A
text is scrubbed before it is cut, so that a cut never hides half a secret from the patterns.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

REDACTED = "[redacted]"
CUT = "…"
MAX_BYTES = 8192
MAX_DEPTH = 6
#: Longest text that the patterns look at; beyond it only the head is kept. 28 MB of base64 must not cost
#: seconds.
MAX_SCAN = 65536

# --- by key name --------------------------------------------------------------------------------------------

# Parts of a name that give it away, and names that count only when they stand alone ("sign", not "design").
_PARTS = re.compile(
    "password|passwd|passphrase|secret|token|authorization|apikey|privatekey|signkey|apiv3key|fixedkey|cookie"
    "|signature|credential|openid|unionid|sessionkey|cardnumber|accountnumber|routingnumber|iban|cvc|cvv|email"
    "|logonid|billingdetails|shippingdetails|customerdetails|cardholder|phonenumber|postalcode"
)
_WHOLE = re.compile(
    "sign|paysign|auth|pass|pwd|pan|cvn|pin|otp|totp|phone|mobile|mobilephone|shipping|firstname|lastname"
    "|fullname|payername|realname|idnumber|line1|line2|birthday|jscode|encrypteddata"
)
_NAME = re.compile(r"[^a-z0-9]")


def is_secret_key(name: object) -> bool:
    """True when a key, header or form field of that name holds a secret or personal data, whatever its
    spelling.
    """
    plain = _NAME.sub("", str(name).lower())
    return bool(_WHOLE.fullmatch(plain) or _PARTS.search(plain))


# --- by shape -----------------------------------------------------------------------------------------------

_DATA_URL = re.compile(
    r"(?<![\w])data:(?=[\w.+-]+/|;base64)[\w.+-]*/?[\w.+-]*((?:;[\w=.+-]{1,60}){0,4}),([A-Za-z0-9+/=_%.~-]*)"
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{400,}={0,2}")
_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.S,
)
_VALUE = r"""(\\?"(?:[^"\\]|\\[^"])*\\?"?|'(?:[^'\\]|\\.)*'?|[^\s&,;{}\[\]()"'<>\\]+)"""
_SEPARATOR = r"""(\\?["']?\s{0,3}(?:=>|[:=])\s{0,3})"""
# A whole header line: the value of a cookie or an authorization has blanks and semicolons of its own.
_HEADER = re.compile(
    r"""(?i)(?<![A-Za-z0-9])((?:proxy-|http_)?authorization|(?:set-|http_)?cookie)"""
    + _SEPARATOR
    + r"""(\\?"[^"]*"?|'[^']*'?|[^\r\n"'\\{}]+)"""
)
_PAIR = re.compile(
    r"""(?i)(?<![A-Za-z0-9])([a-z0-9_.-]{0,40}(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key"""
    r"""|sign[_-]?key|signature|credential|open_?id|union_?id|session_?key|card_?number|account_?number|cvc|cvv"""
    r"""|e-?mail)[a-z0-9_-]{0,40}|pay_?sign|sign|pan|pwd|otp|js_?code)""" + _SEPARATOR + _VALUE
)
_SCHEME = re.compile(
    r"(?i)\b(bearer|basic|WECHATPAY2-SHA256-RSA2048)[ \t]+[^\s'\"}\\]{3,}(?:[^\r\n}]{0,400}serial_no[^\r\n}]{0,400})?"
)
_JWT = re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]+){0,2}")
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|rk|shop_ut|shop_cs|whsec|ek)_[A-Za-z0-9_+/=-]{4,}|(?<=_secret_)[A-Za-z0-9]{4,}"
)
_USERINFO = re.compile(r"(?<=://)[^/\s@'\"]{1,200}@")
_ROW = re.compile(r"(Failing row contains|Key) \([^\n]{0,300}?\)(?:=\([^\n]{0,300}?\))?(?=[ .\n]|$)")
_EMAIL = re.compile(r"[\w.+'-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_OPENID = re.compile(r"(?<![\w-])o(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*[0-9_-])[\w-]{27}(?![\w-])")
_SEGMENT = re.compile(r"(?<=/)([\w=:~-]{20,}(?:\.[\w=:~-]{16,}){0,3})(?=[./?#\s\"'\\]|$)", re.ASCII)
_SESSION_ID = re.compile(r"_\d{8}_\d{6}_[0-9A-F]{8}$")
_RESET_KEY = re.compile(r"(?<=/password/reset/key/)[^/?#\s\"'\\]{1,120}")
_DIGITS = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,}(?!\d)")
_CARD_START = re.compile(r"[3-9]|2[2-7]")


def _data_url(match: re.Match[str]) -> str:
    payload = match[2]
    size = len(payload.rstrip("=")) * 3 // 4 if ";base64" in match[1] else len(payload)
    return f"<data {size} bytes>"


def _segment(match: re.Match[str]) -> str:
    """A path segment that looks drawn at random is a signed link's token; words, uuids and session ids
    stay.
    """
    text = match[1]
    if _SESSION_ID.search(text):
        return text
    mixed = re.search(r"[A-Z]", text) and re.search(r"[a-z]", text) and re.search(r"\d", text)
    hexadecimal = len(text) >= 40 and re.fullmatch(r"[0-9a-f]+", text)
    return REDACTED if ":" in text or mixed or hexadecimal else text


def _luhn(digits: str) -> bool:
    total = 0
    for position, char in enumerate(reversed(digits)):
        value = int(char) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _cards(match: re.Match[str]) -> str:
    """Replace each run of digit groups that forms a card number; a CVC or date beside it must not save it."""
    parts = re.split(r"([ -])", match[0])
    groups, start, out = parts[::2], 0, ""
    while start < len(groups):
        digits, hit = "", 0
        for end in range(start, len(groups)):
            digits += groups[end]
            if len(digits) > 19:
                break
            if len(digits) >= 13 and _CARD_START.match(digits) and _luhn(digits):
                hit = end + 1
        out += "[card]" if hit else groups[start]
        start = hit or start + 1
        if start < len(groups):
            out += parts[2 * start - 1]
    return out


def _pair(match: re.Match[str]) -> str:
    quote = re.match(r"\\?[\"']", match[3])
    mark = quote[0] if quote else ""
    return f"{match[1]}{match[2]}{mark}{REDACTED}{mark}"


def _encode_len(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _cut(text: str, max_bytes: int) -> str:
    raw = text.encode("utf-8", "replace")
    return raw.decode() if len(raw) <= max_bytes else raw[:max_bytes].decode("utf-8", "ignore") + CUT


def scrub_text(text: str, *, secrets: Iterable[str] = (), max_bytes: int = MAX_BYTES) -> str:
    """`text` without secrets, personal data and bulk, at most `max_bytes` bytes of UTF-8 and a cut mark.

    `secrets` are known values (of at least 4 characters) that are removed wherever they stand.
    """
    text = _BASE64.sub(
        lambda m: f"<data {len(m[0].rstrip('=')) * 3 // 4} bytes>",
        _DATA_URL.sub(_data_url, text),
    )
    text = text.replace("\x00", "\ufffd")  # PostgreSQL text cannot hold it
    if len(text) > MAX_SCAN:
        text = text[:MAX_SCAN] + CUT
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = _PEM.sub(REDACTED, text)
    text = _ROW.sub(rf"\1 ({REDACTED})", text)
    text = _SCHEME.sub(rf"\1 {REDACTED}", text)
    text = _PAIR.sub(_pair, _HEADER.sub(_pair, text))
    text = _SEGMENT.sub(_segment, text)
    for pattern in (_JWT, _KEYS, _OPENID, _RESET_KEY):
        text = pattern.sub(REDACTED, text)
    text = _USERINFO.sub(f"{REDACTED}@", text)
    return _cut(_DIGITS.sub(_cards, _EMAIL.sub("[email]", text)), max_bytes)


def scrub_url(url: str, *, secrets: Iterable[str] = (), max_bytes: int = 1024) -> str:
    """A URL without user info, secret parameters and signed tokens in its path."""
    return scrub_text(str(url), secrets=secrets, max_bytes=max_bytes)


# --- any value ----------------------------------------------------------------------------------------------


class _Walk:
    """One scrubbing of one value, with a budget of bytes for the whole result."""

    def __init__(self, secrets: Iterable[str], max_bytes: int, max_depth: int) -> None:
        self.secrets = tuple(secrets)
        self.left = max_bytes
        self.max_depth = max_depth

    def text(self, value: str) -> str:
        result = (
            scrub_text(value, secrets=self.secrets, max_bytes=max(self.left, 0)) if self.left > 0 else CUT
        )
        self.left -= _encode_len(result) + 2
        return result

    def value(self, value: Any, depth: int = 0) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float, Decimal)):
            text = self.text(str(value))
            return value if text == str(value) and not isinstance(value, Decimal) else text
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"<{len(value)} bytes>"
        if isinstance(value, BaseException):
            return self.text(f"{type(value).__name__}: {value}")
        if isinstance(value, Mapping):
            return CUT if depth >= self.max_depth else self.mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return CUT if depth >= self.max_depth else self.items(value, depth)
        return self.text(value if isinstance(value, str) else _safe_str(value))

    def mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in value.items():
            if self.left <= 0:
                result[CUT] = f"{len(value) - len(result)} more"
                break
            name = self.text(str(key))
            keep = item is None or isinstance(item, bool) or item == ""
            result[name] = REDACTED if is_secret_key(key) and not keep else self.value(item, depth + 1)
        return result

    def items(self, value: Iterable[Any], depth: int) -> list[Any]:
        result: list[Any] = []
        for item in value:
            if self.left <= 0:
                result.append(CUT)
                break
            result.append(self.value(item, depth + 1))
            self.left -= 2
        return result


def _safe_str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # a broken __str__ must not break the log line that reports it
        return f"<{type(value).__name__}>"


def scrub(
    value: Any,
    *,
    secrets: Iterable[str] = (),
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
) -> Any:
    """A JSON-safe copy of `value` without secrets, about `max_bytes` long in all and `max_depth` levels deep.

    Decimals become text, bytes only their size, unknown objects their scrubbed str(). Cycles end at the
    depth.
    """
    return _Walk(secrets, max_bytes, max_depth).value(value)


def scrub_headers(headers: Mapping[str, Any], *, secrets: Iterable[str] = ()) -> dict[str, str]:
    """Headers with the secret ones redacted."""
    return {k: str(v) for k, v in scrub(dict(headers), secrets=secrets, max_bytes=4096).items()}


# --- exceptions and logs ------------------------------------------------------------------------------------


def scrub_exception(exc: BaseException, *, secrets: Iterable[str] = ()) -> str:
    """`Type: message` of an exception, scrubbed, at most 1 KB."""
    return scrub_text(f"{type(exc).__name__}: {_safe_str(exc)}", secrets=secrets, max_bytes=1024)


def format_exception(exc: BaseException, *, secrets: Iterable[str] = ()) -> str:
    """The traceback with its causes, without local variables, scrubbed, at most 16 KB."""
    lines = traceback.format_exception(exc, limit=-30)
    return "\n".join(
        scrub_text(part, secrets=secrets, max_bytes=4096) for part in "".join(lines).split("\n")[-200:]
    )


def _current(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        exc: BaseException | None = exc_info[1]
        return exc
    return sys.exc_info()[1] if exc_info else None


#: Written by the processors that run before ours (pimpshop.core.logs), whatever the caller named so: nothing to scrub.
_WRITTEN_BY_LOGS = frozenset({"level", "logger", "timestamp"})


def structlog_processor(
    logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Scrub a structlog event. Place it last before the renderer; keys that begin with "_" are structlog's
    own.

    An `exc_info` that nobody has rendered yet becomes the scrubbed text `exception`.
    """
    if "exc_info" in event_dict:
        exc = _current(event_dict.pop("exc_info"))
        if exc is not None:
            event_dict["exception"] = format_exception(exc)
    for key in [key for key in event_dict if not key.startswith("_") and key not in _WRITTEN_BY_LOGS]:
        value = event_dict[key]
        if key in ("exception", "stack") and isinstance(value, str):
            event_dict[key] = scrub_text(value, max_bytes=16384)
        elif is_secret_key(key) and value is not None and not isinstance(value, bool):
            event_dict[key] = REDACTED
        else:
            event_dict[key] = scrub(value)
    return event_dict


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
}


class LogFilter(logging.Filter):
    """For handlers of the standard library: scrubs message, arguments, extras and traceback of every
    record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, Mapping):  # structlog's own events, scrubbed by the processor too
            record.msg = scrub(record.msg)
        else:
            try:
                text = record.getMessage()
            except Exception:
                text = _safe_str(record.msg)
            record.msg, record.args = scrub_text(text), ()
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = format_exception(record.exc_info[1])  # formatters print this and skip their own
        if record.stack_info:
            record.stack_info = scrub_text(record.stack_info)
        for key in set(vars(record)) - _STANDARD:
            if not key.startswith("_"):
                keep = not is_secret_key(key)
                setattr(record, key, scrub(getattr(record, key)) if keep else REDACTED)
        return True
