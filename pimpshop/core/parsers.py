"""JSON bodies, strictly: UTF-8, no NaN, no NUL, bounded in size, depth and exponent; decimals kept exact."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from pimpshop.core import errors

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_EXPONENT = 40
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _decimal(text: str) -> Decimal:
    """A number with a point or an exponent, exactly. 1e999999999 would be a gigabyte of zeros once written out."""
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError("that number is out of every range")
    return number


def _refuse_what_no_row_takes(value: Any, depth: int = 0) -> None:
    """PostgreSQL stores neither NUL nor half a surrogate pair; nothing we read is nested deeply."""
    if depth > MAX_DEPTH:
        raise ParseError(_("The JSON is nested too deeply."))
    if isinstance(value, str):
        if "\x00" in value:
            raise ParseError(_("The body contains a NUL character."))
        if not value.isascii() and _HALF_PAIR.search(value):
            raise ParseError(_("The body contains half of a character."))
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_what_no_row_takes(key, depth)
            _refuse_what_no_row_takes(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _refuse_what_no_row_takes(inner, depth + 1)


def loads(raw: bytes) -> Any:
    """JSON bytes to Python; numbers with a point become Decimal. Raises ParseError in words for people."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_float=_decimal, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not UTF-8 text.")) from error
    except RecursionError as error:
        raise ParseError(_("The JSON is nested too deeply.")) from error
    except ValueError as error:
        raise ParseError(_("The body is not valid JSON.")) from error
    _refuse_what_no_row_takes(value)
    return value


class StrictJSONParser(BaseParser):
    """DRF's door for JSON. The view's `max_body_bytes` widens the cap of 256 KiB."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        context = parser_context or {}
        cap = getattr(context.get("view"), "max_body_bytes", MAX_BYTES)
        raw = stream.read(min(cap, settings.DATA_UPLOAD_MAX_MEMORY_SIZE) + 1)
        if len(raw) > cap:
            raise errors.ShopError(_("That is too large."), code="too_large", status=413)
        if not raw.strip():
            return {}
        return loads(raw)


class UnreadParser(BaseParser):
    """For a call that needs no body: whatever else a client sends along, in whatever form, is not looked at."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        return {}
