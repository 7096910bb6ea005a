"""Money: exact or refused."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimpshop.core import money
from pimpshop.core.money import InvalidAmount, Money, UnknownCurrency


class Five(IntEnum):
    FIVE = 5


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("19.99", "GBP", 1999),
        (Decimal("19.99"), "GBP", 1999),
        ("0.29", "USD", 29),
        (Decimal("0.29"), "USD", 29),
        ("500", "JPY", 500),
        ("500.00", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("1500", "CREDITS", 1500),
        (20, "GBP", 2000),
        (0, "GBP", 0),
        ("0", "GBP", 0),
        ("-0.00", "GBP", 0),
        ("-3.5", "GBP", -350),
        (-3, "GBP", -300),
        (" 19.99\n", "GBP", 1999),
        ("007", "GBP", 700),
        ("1.100000", "GBP", 110),
        (Decimal("1E+3"), "GBP", 100_000),
        (Decimal("1.0E-1"), "GBP", 10),
        ("999999999999999", "GBP", 99_999_999_999_999_900),
        ("999999999999999.999", "KWD", 999_999_999_999_999_999),
    ],
)
def test_an_exact_amount_is_taken(value: str | int | Decimal, currency: str, minor: int) -> None:
    assert Money.parse(value, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("1.005", "GBP"),
        (Decimal("1.005"), "GBP"),
        ("500.5", "JPY"),
        ("1.2345", "KWD"),
        ("0.5", "CREDITS"),
        ("1e3", "GBP"),
        ("1E3", "GBP"),
        ("+1", "GBP"),
        ("--1", "GBP"),
        ("1.", "GBP"),
        (".5", "GBP"),
        ("1,50", "GBP"),
        ("1 000", "GBP"),
        ("1_000", "GBP"),
        ("£5", "GBP"),
        ("0x10", "GBP"),
        ("٣", "GBP"),
        ("３", "GBP"),
        ("", "GBP"),
        ("   ", "GBP"),
        ("19.99\x00", "GBP"),
        ("NaN", "GBP"),
        ("Infinity", "GBP"),
        (Decimal("NaN"), "GBP"),
        (Decimal("sNaN"), "GBP"),
        (Decimal("Infinity"), "GBP"),
        (Decimal("-Infinity"), "GBP"),
        (Decimal("1E+999999999"), "GBP"),
        (Decimal("1E-999999999"), "GBP"),
        (Decimal("1E+16"), "GBP"),
        ("9" * 16, "GBP"),
        ("1." + "0" * 7, "GBP"),
        (10**15, "GBP"),
        pytest.param(10**5000, "GBP", id="5000-digits"),
        (-(10**15), "GBP"),
    ],
)
def test_anything_else_is_refused_and_nothing_is_rounded(value: str | int | Decimal, currency: str) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse(value, currency)


@pytest.mark.parametrize("value", [19.99, 20.0, float("nan"), True, False, None, b"1", ["1"], {"a": 1}, 1j])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse(value, "GBP")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["XXX", "gbp", "", None, 5, "GB P", ["GBP"]])
def test_a_currency_without_an_exponent_is_refused(currency: object) -> None:
    with pytest.raises(UnknownCurrency):
        Money.parse("1", currency)  # type: ignore[arg-type]
    with pytest.raises(UnknownCurrency):
        Money(1, currency)  # type: ignore[arg-type]


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1), None, Five.FIVE])
def test_minor_units_are_plain_integers(minor: object) -> None:
    with pytest.raises(InvalidAmount):
        Money(minor, "GBP")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(1999, "GBP"), "19.99 GBP"),
        (Money(29, "USD"), "0.29 USD"),
        (Money(2000, "GBP"), "20.00 GBP"),
        (Money(-5, "GBP"), "-0.05 GBP"),
        (Money(500, "JPY"), "500 JPY"),
        (Money(1234, "KWD"), "1.234 KWD"),
        (Money(0, "CNY"), "0.00 CNY"),
    ],
)
def test_it_is_written_with_the_currencys_decimals(amount: Money, text: str) -> None:
    assert str(amount) == text
    assert str(amount.to_decimal()) == text.split()[0]


def test_arithmetic_is_exact_and_keeps_to_one_currency() -> None:
    assert Money(10, "GBP") + Money(20, "GBP") == Money(30, "GBP")
    assert Money(10, "GBP") - Money(20, "GBP") == Money(-10, "GBP")
    assert Money(10, "GBP") != Money(10, "USD")
    assert Money(9, "GBP") < Money(10, "GBP") <= Money(10, "GBP")
    assert Money(11, "GBP") > Money(10, "GBP") >= Money(10, "GBP")
    for mix in ("__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"):
        with pytest.raises(InvalidAmount):
            getattr(Money(1, "GBP"), mix)(Money(1, "USD"))


def test_the_exponents_are_those_of_iso_4217() -> None:
    assert {currency: money.exponent(currency) for currency in ("GBP", "CNY", "JPY", "KRW", "KWD", "CREDITS")} == {
        "GBP": 2, "CNY": 2, "JPY": 0, "KRW": 0, "KWD": 3, "CREDITS": 0,
    }  # fmt: skip


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from(sorted(money.EXPONENTS)))
def test_every_amount_survives_being_written_and_read(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert Money.parse(amount.to_decimal(), currency) == amount
    assert Money.parse(str(amount).split()[0], currency) == amount
