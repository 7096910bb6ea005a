"""Strict fields: a text is a text. What is wrong is named by its field, and what was sent is never repeated.

Amounts, currencies and payment methods refuse with codes of their own (seed 5's table), everything else is
INVALID_REQUEST.
"""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payments.services import refusals
from pimpshop.core import errors, money, redirects
from pimpshop.core.money import Money

_TOKEN = re.compile(r"pm_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)


class Text(serializers.CharField):
    """A real text without control characters."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or any(ord(sign) < 32 or ord(sign) == 127 for sign in data):
            self.fail("invalid")
        return super().to_internal_value(data)


class Word(Text):
    """One of `words`."""

    default_error_messages = {"choice": _("This is none of the words that are known here.")}

    def __init__(self, words: tuple[str, ...], **more: Any) -> None:
        self.words = words
        super().__init__(max_length=60, **more)

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(data)
        if word not in self.words:
            self.fail("choice")
        return word


class Flag(serializers.BooleanField):
    """A real boolean."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input="")
        return data


@extend_schema_field(OpenApiTypes.UUID)
class Uuid(Text):
    """A UUID in its usual form, whatever its case."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            found = uuid.UUID(text)
        except ValueError:
            self.fail("invalid")
        if str(found) != text.lower():
            self.fail("invalid")
        return found


class Email(Text):
    """An address as people write it."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            validate_email(text)
        except ValidationError:
            self.fail("invalid")
        return text


class ReturnUrl(Text):
    """Where the shopper goes afterwards: our own host, or one of REDIRECT_ALLOWED_HOSTS."""

    def to_internal_value(self, data: Any) -> str:
        return redirects.must_be_allowed(super().to_internal_value(data))


class Metadata(serializers.DictField):
    """At most 20 short texts of the client's, kept and sent back to nobody but the provider."""

    default_error_messages = {
        "size": _("At most 20 entries, names of 40 and texts of 500 characters."),
        "value": _("Only texts, numbers and true or false."),
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type="")
        if len(data) > 20 or any(not key or len(key) > 40 for key in data):
            self.fail("size")
        return {key: self._value(value) for key, value in data.items()}

    def _value(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, (str, int, Decimal)):
            self.fail("value")
        if isinstance(value, int) and abs(value) > 10**30:
            self.fail("size")
        text = str(value)
        if len(text) > 500:
            self.fail("size")
        return text


@extend_schema_field(OpenApiTypes.STR)
class Amount(serializers.Field):
    """Major units as a text ("99.99"); an exact JSON number is taken too. `money_of` reads it with its currency."""

    refusal: Any = refusals.InvalidAmount

    def __init__(self, *, refusal: Any = None, **more: Any) -> None:
        self.refusal = refusal or self.refusal
        super().__init__(**more)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        raise self.refusal

    def to_internal_value(self, data: Any) -> str | int | Decimal:
        if isinstance(data, bool) or not isinstance(data, (str, int, Decimal)):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def money_of(
    value: str | int | Decimal, currency: str, *, refusal: type[errors.ShopError] = refusals.InvalidAmount
) -> Money:
    """`value` of an Amount in `currency`, above zero. Raises `refusal`."""
    try:
        amount = Money.parse(value, currency)
    except money.InvalidAmount:
        raise refusal from None
    if amount.amount_minor <= 0:
        raise refusal
    return amount


@extend_schema_field(OpenApiTypes.STR)
class Currency(serializers.Field):
    """Three letters that we know an exponent of, or CREDITS: the shop's own unit, for the gateway `credits`."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        raise refusals.InvalidCurrency

    def to_internal_value(self, data: Any) -> str:
        known = isinstance(data, str) and data.isascii() and (len(data) == 3 or data.upper() == "CREDITS")
        word = data.upper() if known else ""
        if word not in money.EXPONENTS:
            self.fail("invalid")
        return word

    def to_representation(self, value: Any) -> Any:
        return value


def saved_token(text: str) -> uuid.UUID | None:
    """The id in a token of ours (pm_<uuid>); None for anything else (a provider's own pm_…)."""
    return uuid.UUID(text[3:]) if _TOKEN.match(text) else None
