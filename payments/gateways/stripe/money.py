"""Amounts as Stripe writes them: integers of its own minor unit, which for a few currencies is not ISO's.

Lives here: the table of exponents and of smallest charges, both directions. Pure; no float, nothing is rounded.
Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal and special cases, minimum charge amounts).
"""

from __future__ import annotations

from payments.gateways.base import ErrorCode, GatewayMisuse, GatewayUnavailable
from pimpshop.core import money
from pimpshop.core.money import Money

ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - read as on their page
)
#: Three decimals, the last of which must be 0.
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
#: Written with two decimals which must be 00: the currency has none any more.
WHOLE_ONLY = frozenset({"ISK", "UGX"})
#: Eight digits are the most that fit a charge.
LARGEST = 99_999_999
#: Smallest charges in major units; for the others Stripe asks for about half a dollar and decides itself.
SMALLEST = {
    "USD": "0.50", "AED": "2", "AUD": "0.50", "BGN": "1", "BRL": "0.50", "CAD": "0.50", "CHF": "0.50", "CZK": "15",
    "DKK": "2.50", "EUR": "0.50", "GBP": "0.30", "HKD": "4", "HUF": "175", "INR": "0.50", "JPY": "50", "MXN": "10",
    "MYR": "2", "NOK": "3", "NZD": "0.50", "PLN": "2", "RON": "2", "SEK": "3", "SGD": "0.50", "THB": "10",
}  # fmt: skip
#: What the shop may sell in through Stripe, the three of the API's own example first.
CURRENCIES = ("USD", "EUR", "GBP", *sorted(set(money.EXPONENTS) - {"CREDITS", "USD", "EUR", "GBP"}))


def exponent(currency: str) -> int:
    """Digits after the point in Stripe's integers for `currency`."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_wire(amount: Money) -> int:
    """`amount` as Stripe's integer. Raises GatewayMisuse (never sent) for what cannot be charged."""
    if amount.amount_minor <= 0:
        raise GatewayMisuse("nothing to pay", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
    if amount.currency not in CURRENCIES:
        raise GatewayMisuse("no such currency", code=ErrorCode.CURRENCY_UNSUPPORTED, not_sent=True)
    shift = exponent(amount.currency) - money.exponent(amount.currency)
    minor: int = amount.amount_minor * 10**shift if shift >= 0 else amount.amount_minor
    step = 10 if amount.currency in THREE_DECIMAL else 10 ** exponent(amount.currency)
    if (amount.currency in THREE_DECIMAL or amount.currency in WHOLE_ONLY) and minor % step:
        raise GatewayMisuse("more decimals than Stripe takes", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
    if minor > LARGEST:
        raise GatewayMisuse("too much for one charge", code=ErrorCode.AMOUNT_TOO_LARGE, not_sent=True)
    return minor


def from_wire(minor: object, currency: object) -> Money | None:
    """Stripe's integer as Money; None where it told none. Raises GatewayUnavailable for what is no amount of ours."""
    if minor is None or currency is None:
        return None
    code = str(currency).upper()
    if type(minor) is not int or code not in CURRENCIES:
        raise GatewayUnavailable("an amount that cannot be read", code=ErrorCode.BAD_ANSWER)
    shift = exponent(code) - money.exponent(code)
    if shift > 0 and minor % 10**shift:
        raise GatewayUnavailable("an amount with parts of a unit", code=ErrorCode.BAD_ANSWER)
    return Money(minor // 10**shift if shift > 0 else minor, code)


def smallest(currency: str) -> Money:
    """The smallest charge that we offer: Stripe's own, else half a unit, or 50 where there are no parts."""
    known = SMALLEST.get(currency)
    if known is not None:
        return Money.parse(known, currency)
    return Money.parse("50" if money.exponent(currency) == 0 else "0.50", currency)


def largest(currency: str) -> Money:
    """The largest charge: 999,999.99 of a currency with two decimals."""
    digits = LARGEST - LARGEST % 10 if currency in THREE_DECIMAL else LARGEST
    return Money(digits, currency)
