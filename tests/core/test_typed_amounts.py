"""What people type as an amount is understood exactly, or refused in plain words; nothing is guessed."""

from __future__ import annotations

import pytest
from django.utils import translation

from pimpshop.core import typed_amounts
from pimpshop.core.money import Money


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("1.5", "CNY", 150),
        ("1.50", "GBP", 150),
        ("1,500", "CNY", 150000),
        ("1,500.00", "CNY", 150000),
        ("1,500", "CREDITS", 1500),
        ("1,234,567.89", "USD", 123456789),
        ("１５", "CNY", 1500),
        ("１，５００．５", "CNY", 150050),
        ("1。5", "CNY", 150),
        (" 15 ", "CNY", 1500),
        ("15", "CREDITS", 15),
        ("0.01", "EUR", 1),
        ("500", "JPY", 500),
        ("1,500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("1,500.000", "KWD", 1500000),
        ("1,234,567", "KWD", 1234567000),
    ],
)
def test_what_is_an_amount_is_understood_exactly(
    typed: str, currency: str, minor: int, language: str
) -> None:
    with translation.override(language):
        assert typed_amounts.read(typed, currency) == Money(minor, currency)


POINT, DIGITS, WHOLE = "after a point", "in digits", "no parts"


@pytest.mark.parametrize(
    ("typed", "currency", "told"),
    [
        ("1,5", "CNY", POINT),
        ("1,5", "CREDITS", POINT),
        ("1，5", "CREDITS", POINT),
        ("12,50", "GBP", POINT),
        ("1.500,00", "EUR", POINT),
        ("1,50,000", "CNY", POINT),
        ("0,500", "CNY", POINT),
        (",5", "CNY", POINT),
        ("1,", "CNY", POINT),
        ("1,500", "KWD", POINT),
        ("-1", "CNY", DIGITS),
        ("+1", "CNY", DIGITS),
        ("1e3", "CNY", DIGITS),
        ("0", "CNY", DIGITS),
        ("0.00", "CNY", DIGITS),
        ("", "CNY", DIGITS),
        (".5", "CNY", DIGITS),
        ("5.", "CNY", DIGITS),
        ("1 500", "CNY", DIGITS),
        ("¥15", "CNY", DIGITS),
        ("١٥", "CNY", DIGITS),
        ("NaN", "CNY", DIGITS),
        ("9" * 20, "CNY", DIGITS),
        ("1.5", "CREDITS", WHOLE),
        ("1.000", "CREDITS", WHOLE),
        ("1.5", "JPY", "JPY has no decimals"),
        ("500.00", "JPY", "JPY has no decimals"),
        ("1.500", "GBP", "GBP has at most 2 decimals"),
        ("1.2345", "KWD", "KWD has at most 3 decimals"),
    ],
)
def test_what_may_be_another_sum_is_refused_in_plain_words(typed: str, currency: str, told: str) -> None:
    with pytest.raises(typed_amounts.NotAnAmount) as refusal:
        typed_amounts.read(typed, currency)
    assert told in str(refusal.value.message)
    assert "Nothing was changed." in str(refusal.value.message)
