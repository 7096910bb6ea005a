"""How Airwallex writes things: amounts, JSON, ids, times, and the keys that its calls carry.

Here: Money to and from decimal major units by Airwallex's own table of decimals, JSON whose amounts are the exact
literal, `request_id`. Not here: what is sent (gateway), the call (client). Pure.
Source: "Payment Acceptance", currencies (it differs from ISO 4217 for HUF, IDR and TWD).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from payments.gateways.base import ErrorCode, GatewayMisuse
from pimpshop.core.money import EXPONENTS, InvalidAmount, Money, UnknownCurrency

_NONE = "BIF CLP DJF GNF HUF IDR ISK JPY KMF KRW MGA PYG RWF TWD UGX VND VUV XAF XOF XPF"  # no decimals
_THREE = "BHD IQD JOD KWD LYD OMR TND"
DECIMALS: dict[str, int] = {**dict.fromkeys(_NONE.split(), 0), **dict.fromkeys(_THREE.split(), 3)}
#: What the shop can price and Airwallex can take.
CURRENCIES: tuple[str, ...] = tuple(code for code in EXPONENTS if len(code) == 3)

#: Longest request_id that Airwallex takes.
LONGEST_KEY = 64
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "airwallex.pimpshop")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def decimals(currency: str) -> int:
    """Digits after the point that Airwallex takes in `currency`."""
    return DECIMALS.get(currency, 2)


def fits(amount: Money) -> bool:
    """Can this amount be written with Airwallex's decimals? NT$ 19.50 cannot."""
    if amount.currency not in CURRENCIES:
        return False
    quantum = Decimal(1).scaleb(-decimals(amount.currency))
    return amount.to_decimal() % quantum == 0


def to_wire(amount: Money) -> Decimal:
    """Major units with exactly Airwallex's number of decimals. Raises GatewayMisuse before anything is sent."""
    if amount.amount_minor <= 0:
        raise GatewayMisuse("nothing to pay", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
    if not fits(amount):
        raise GatewayMisuse("not an amount of that currency", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
    value = amount.to_decimal()
    return value.quantize(Decimal(1).scaleb(-decimals(amount.currency)))


def from_wire(value: Any, currency: Any) -> Money | None:
    """Money as Airwallex told it, exactly; None when there is none or it cannot be read."""
    try:
        return Money.parse(value, currency)
    except (InvalidAmount, UnknownCurrency):
        return None


def dumps(value: Any) -> bytes:
    """JSON in UTF-8 in which a Decimal is its plain literal (19.99, never 1.999E+1). Raises ValueError for a float."""
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a number")
        return format(value, "f")
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_text, value)) + "]"
    raise ValueError(f"{type(value).__name__} cannot be sent")


def loads(body: bytes) -> Any:
    """JSON with fractions as Decimal. Raises ValueError (also for NaN, broken UTF-8 and absurd depth)."""
    try:
        return json.loads(body.decode(), parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as exc:
        raise ValueError("too deep") from exc


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def request_id(key: str, operation: str = "") -> str:
    """`request_id` of one operation on one row: the row's key, marked with the operation; a UUID5 of that where it
    would be longer than Airwallex takes. The same row and operation give the same id for ever."""
    if not key:
        raise GatewayMisuse("a call that changes something needs a key", not_sent=True)
    marked = f"{key}:{operation}" if operation else key
    return marked if len(marked) <= LONGEST_KEY else str(uuid.uuid5(_NAMESPACE, marked))


def checked_id(value: str, *, code: str = ErrorCode.NOT_FOUND) -> str:
    """An id that may stand in a path. Raises GatewayMisuse with `code` before anything is sent."""
    if not _ID.fullmatch(value):
        raise GatewayMisuse("not an id of Airwallex", code=code, not_sent=True)
    return value


def moment(value: Any) -> datetime | None:
    """A time as Airwallex writes it (2026-05-12T00:00:00+0000), in UTC; None when it is none."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found and found.tzinfo else None


def text(value: Any, longest: int = 200) -> str:
    """A text of an answer; empty for anything else."""
    return value[:longest] if isinstance(value, str) else ""


def row(value: Any) -> Mapping[str, Any]:
    """An object of an answer; empty for anything else."""
    return value if isinstance(value, Mapping) else {}
