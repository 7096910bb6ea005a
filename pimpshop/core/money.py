"""Money as integers of minor units with a currency exponent. No float comes in, no float goes out.

Lives here: the value object, its exponents, parsing and formatting. Not here: prices (catalog), how a provider
writes an amount (its gateway). Pure, no I/O.
"""

from __future__ import annotations

import decimal
import re
from dataclasses import dataclass
from decimal import Decimal

#: Digits after the point, ISO 4217. A currency that is not listed is refused, never guessed.
#: CREDITS is the shop's own unit (credits and points are one unit); it has no minor unit.
EXPONENTS: dict[str, int] = {
    "CREDITS": 0, "JPY": 0, "KRW": 0, "VND": 0,
    "AUD": 2, "CAD": 2, "CHF": 2, "CNY": 2, "EUR": 2, "GBP": 2, "HKD": 2, "MYR": 2, "NZD": 2,
    "PHP": 2, "SGD": 2, "THB": 2, "TWD": 2, "USD": 2,
    "BHD": 3, "KWD": 3,
}  # fmt: skip

_MOST_DIGITS = 15  # before the point; with three decimals it still fits a BIGINT
_PLAIN_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?\Z", re.ASCII)


class InvalidAmount(ValueError):
    """The text is no exact amount of that currency."""


class UnknownCurrency(ValueError):
    """No exponent is known for that currency, so no amount can be written in it."""


def exponent(currency: str) -> int:
    """Digits after the decimal point of `currency` (ISO 4217). Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency(f"unknown currency {currency!r}") from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: `amount_minor` minor units (pence, fen, yen, credits) of `currency`."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:  # bool and float are refused, not converted
            raise InvalidAmount("amount_minor is an int of minor units")
        exponent(self.currency)

    @classmethod
    def parse(cls, value: str | int | Decimal, currency: str) -> Money:
        """Major units ("19.99", Decimal, int) to Money. More digits than the currency has, exponents, signs
        other than a leading minus, NaN and floats raise InvalidAmount: nothing is ever rounded."""
        if isinstance(value, (bool, float)) or not isinstance(value, (str, int, Decimal)):
            raise InvalidAmount(f"not an exact amount: {type(value).__name__}")
        if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS):
            raise InvalidAmount(
                "not an amount"
            )  # before format(): Decimal("1e999999999") is a gigabyte of zeros
        if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
            raise InvalidAmount("not an amount")
        text = format(value, "f") if isinstance(value, Decimal) else str(value).strip()
        if not _PLAIN_NUMBER.match(text):
            raise InvalidAmount("not a plain decimal number")
        scaled = Decimal(text).scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            raise InvalidAmount(f"{currency} has {exponent(currency)} decimal places")
        return cls(int(scaled), currency)

    def to_decimal(self) -> Decimal:
        """Major units with exactly the currency's number of decimals: Money(1999, "GBP") -> Decimal("19.99")."""
        with decimal.localcontext() as context:
            context.prec = 40
            return Decimal(self.amount_minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.to_decimal():f} {self.currency}"

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise InvalidAmount(f"{self.currency} and {other.currency} do not mix")
        return other.amount_minor

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= self._same(other)
