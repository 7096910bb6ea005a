"""Amounts as people type them: understood exactly or refused in plain words, in English and in Chinese alike.

A point begins the decimals; a comma parts thousands and nothing else: "1,500" is fifteen hundred, "1,5" and "12,50" are
refused, because one more or one less digit would be another sum. Full-width digits (from a Chinese keyboard) are digits.
Pure, no I/O, no float. Not here: amounts of APIs (`Money.parse`), which have one spelling.
"""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors
from pimpshop.core.money import InvalidAmount, Money, exponent

#: What a Chinese keyboard makes of digits and of what stands between them.
_NARROW = str.maketrans("０１２３４５６７８９．，。", "0123456789.,.")
_PLAIN = re.compile(r"\d+(?:\.(\d+))?", re.ASCII)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.(\d+))?", re.ASCII)


class NotAnAmount(errors.ShopError):
    code = "not_an_amount"
    message: Any = _("Type an amount in digits, such as 12.50, and more than nothing. Nothing was changed.")


COMMA = _(
    "Decimals come after a point, such as 12.50; a comma only parts thousands, such as 1,500. Nothing was changed."
)
NO_PARTS = _("A credit has no parts: type a whole number. Nothing was changed.")
NO_DECIMALS = _("%(currency)s has no decimals: type a whole number. Nothing was changed.")
TOO_MANY_DECIMALS = _("%(currency)s has at most %(places)s decimals. Nothing was changed.")


def read(typed: str, currency: str) -> Money:
    """What was typed, in major units of `currency`. Raises NotAnAmount, which says what to type instead."""
    text, places = typed.strip().translate(_NARROW), exponent(currency)
    found = _PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)
    if found is None or _may_be_decimals(text, places):
        raise NotAnAmount(COMMA if "," in text else None)
    if (
        len(found[1] or "") > places
    ):  # "1.000" of a currency without decimals is a thousand to some, and one to others
        raise NotAnAmount(_decimals(currency, places))
    try:
        amount = Money.parse(text.replace(",", ""), currency)
    except InvalidAmount as error:
        raise NotAnAmount from error
    if amount.amount_minor <= 0:
        raise NotAnAmount
    return amount


def _may_be_decimals(text: str, places: int) -> bool:
    """ "1,500" of a currency with three decimals: fifteen hundred to some, one and a half to others."""
    return places == 3 and text.count(",") == 1 and "." not in text


def _decimals(currency: str, places: int) -> Any:
    if currency == "CREDITS":
        return NO_PARTS
    return (TOO_MANY_DECIMALS if places else NO_DECIMALS) % {"currency": currency, "places": places}
