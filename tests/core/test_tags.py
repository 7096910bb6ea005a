"""Filters of the pages: what a reader sees."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.template import engines
from django.utils import translation

from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop


@pytest.mark.parametrize(
    ("amount", "english", "chinese"),
    [
        (Money(1999, "GBP"), "£19.99", "£19.99"),
        (Money(29, "USD"), "$0.29", "US$0.29"),
        (Money(12800, "CNY"), "CN¥128.00", "¥128.00"),
        (Money(500, "JPY"), "¥500", "JP¥500"),
        (Money(1_234_567, "KWD"), "KWD1,234.567", "KWD1,234.567"),
    ],
)
def test_money_in_the_readers_language(amount: Money, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert shop.money(amount) == english
    with translation.override("zh-hans"):
        assert shop.money(amount) == chinese


@pytest.mark.parametrize(("credits", "text"), [(1, "1 credit"), (1500, "1,500 credits"), (0, "0 credits")])
def test_credits_are_counted(credits: int, text: str) -> None:
    with translation.override("en"):
        assert shop.money(Money(credits, "CREDITS")) == text


@pytest.mark.parametrize(
    ("filter_", "value", "text"),
    [
        (shop.mm, Decimal("73.24"), "73.2 mm"), (shop.mm, "149.25", "149.3 mm"), (shop.mm, None, ""), (shop.mm, 0, "0 mm"),
        (shop.plain, Decimal("73.240"), "73.24"), (shop.plain, Decimal("10"), "10"), (shop.plain, 0, "0"),
        (shop.plain, Decimal("1E+2"), "100"), (shop.plain, "", ""), (shop.plain, None, ""),
        (shop.clock, 125, "2:05"), (shop.clock, 0, "0:00"), (shop.clock, -3, "0:00"), (shop.clock, None, ""),
        (shop.money, None, ""), (shop.money, "", ""),
    ],
)  # fmt: skip
def test_other_values(filter_: Any, value: Any, text: str) -> None:
    with translation.override("en"):
        assert filter_(value) == text


def test_a_form_field_gets_a_point_in_every_language() -> None:
    with translation.override("zh-hans"):
        assert shop.plain(Decimal("1234.50")) == "1234.5"


def test_an_icon_cannot_be_broken_out_of() -> None:
    page = engines["django"].from_string("{% icon name %}").render({"name": '"><script>'})
    assert "<script>" not in page
    assert 'aria-hidden="true"' in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_credits_that_come_and_go(language: str) -> None:
    with translation.override(language):
        assert [shop.signed(amount) for amount in (1500, -200, 0)] == ["+1,500", "−200", "+0"]
        assert shop.grouped(1234567) == "1,234,567"


def test_no_credits_are_said_in_words() -> None:
    with translation.override("en"):
        assert [shop.credits(amount) for amount in (0, 1, 1500)] == [
            "no credits",
            "1 credit",
            "1,500 credits",
        ]


@pytest.mark.parametrize(
    ("minor", "currency", "credits", "text"),
    [
        (200, "USD", 100, "$0.02"),
        (3990, "CNY", 500, "CN¥0.0798"),
        (500, "JPY", 3, "¥166.6667"),
        (1, "USD", 7, "$0.0014"),
    ],
)
def test_what_a_credit_costs(minor: int, currency: str, credits: int, text: str) -> None:
    with translation.override("en"):
        assert shop.per_credit(Money(minor, currency), Money(credits, "CREDITS")) == text
