"""Cards: reading one from a body, and what may be said of it afterwards. The number is looked at and forgotten."""

from datetime import UTC, datetime
from typing import Any

from sandbox.providers.airwallex import codes
from sandbox.providers.airwallex.refusal import Refusal

_BRANDS = {"2": "mastercard", "3": "american express", "4": "visa", "5": "mastercard", "6": "unionpay"}


def read(method: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(what it does, what may be kept) of {type: card, card: {…}}. Raises Refusal with the field in `source`."""
    card = method.get("card")
    if method.get("type") != "card" or not isinstance(card, dict):
        raise Refusal("validation_error", "only cards here", source="payment_method.type")
    number, cvc = str(card.get("number", "")), str(card.get("cvc", ""))
    month, year = str(card.get("expiry_month", "")), str(card.get("expiry_year", ""))
    if not (number.isascii() and number.isdigit() and 13 <= len(number) <= 19 and _luhn(number)):
        raise _wrong("number")
    if not (month.isdigit() and len(month) == 2 and 1 <= int(month) <= 12):
        raise _wrong("expiry_month")
    today = datetime.now(UTC)
    if not (year.isdigit() and len(year) == 4) or (int(year), int(month)) < (today.year, today.month):
        raise _wrong("expiry_year")
    if cvc and not (cvc.isdigit() and len(cvc) in (3, 4)):
        raise _wrong("cvc")
    kept = {
        "brand": _BRANDS.get(number[0], "visa"),
        "last4": number[-4:],
        "expiry_month": month,
        "expiry_year": year,
    }
    return codes.CARDS.get(number, codes.GOOD), {
        "type": "card",
        "card": kept | ({"name": card["name"]} if card.get("name") else {}),
    }


def _wrong(field: str) -> Refusal:
    return Refusal("validation_error", f"{field} is not valid", source=f"payment_method.card.{field}")


def _luhn(number: str) -> bool:
    digits = [int(one) for one in reversed(number)]
    doubled = [two * 2 - 9 if two > 4 else two * 2 for two in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
