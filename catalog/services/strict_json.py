"""Strict reading of small JSON objects that come from strangers: layouts and template specs.

Lives here: `LayoutRefused`, and `Fields`, which takes one object apart and refuses what it does not know. Not here: what a
layout or a template consists of (`layouts`, `template_specs`).

Guarantees: pure. Numbers are finite, in range, and rounded to `DECIMALS` places when read, so that what is hashed is exactly
what is drawn.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DECIMALS = 3
MAX_TEXT = 64 * 1024

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_MALFORMED = _("This design could not be read (%(detail)s).")
_REQUIRED = object()


class LayoutRefused(Exception):
    """The layout or spec is not valid. `code` is stable, `message` translatable text for the customer, `params` its parts."""

    def __init__(self, code: str, message: Promise | str = _MALFORMED, **params: str) -> None:
        self.code = code
        self.params = params
        self._template = message
        super().__init__(code, params)

    @property
    def message(self) -> str:
        """The text in the language that is active now."""
        return str(self._template) % self.params

    def __str__(self) -> str:
        return self.message


def load(text: str | bytes) -> Any:
    """Parse JSON text of at most 64 KB. NaN, Infinity and keys given twice are refused."""
    if len(text) > MAX_TEXT:
        raise LayoutRefused("too_large", detail="too large")
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twins)
    except (ValueError, RecursionError) as error:
        raise LayoutRefused("bad_json", detail="not JSON") from error


def _refuse_constant(word: str) -> None:
    raise LayoutRefused("not_a_number", detail=word)


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise LayoutRefused("duplicate_key", detail="a key is given twice")
    return found


class Fields:
    """One JSON object being read: each method takes a field away, `done()` refuses what is left."""

    def __init__(self, source: object, name: str) -> None:
        if not isinstance(source, Mapping):
            raise LayoutRefused("wrong_type", detail=f"{name} is not an object")
        self._left = dict(source)
        self._name = name

    def number(self, key: str, low: float, high: float, default: object = _REQUIRED) -> float:
        """A finite number between `low` and `high`, rounded to `DECIMALS` places."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise LayoutRefused("not_a_number", detail=f"{self._name}.{key}")
        # An integer may be larger than any float: compare before anything is computed with it.
        if not low <= value <= high or not math.isfinite(value):
            raise LayoutRefused("out_of_range", detail=f"{self._name}.{key}")
        return round(value * 1.0, DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0

    def integer(self, key: str, low: int, high: int, default: object = _REQUIRED) -> int:
        """A whole number between `low` and `high`, written without a fraction."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise LayoutRefused("not_a_number", detail=f"{self._name}.{key}")
        if not low <= value <= high:
            raise LayoutRefused("out_of_range", detail=f"{self._name}.{key}")
        return value

    def text(self, key: str, default: object = _REQUIRED) -> str:
        """A string as it is; its content is for the caller to judge."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise LayoutRefused("wrong_type", detail=f"{self._name}.{key}")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: object = _REQUIRED) -> str:
        """One of the words of `allowed`."""
        value = self.text(key, default)
        if value not in allowed:
            raise LayoutRefused("bad_choice", detail=f"{self._name}.{key}")
        return value

    def colour(self, key: str, default: object = _REQUIRED) -> str:
        """A colour `#rrggbb`, in lower case."""
        value = self.text(key, default)
        if not _COLOUR.fullmatch(value):
            raise LayoutRefused("bad_colour", detail=f"{self._name}.{key}")
        return value.lower()

    def items(self, key: str, most: int, default: object = _REQUIRED) -> list[object]:
        """A list of at most `most` elements."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple):
            raise LayoutRefused("wrong_type", detail=f"{self._name}.{key}")
        if len(value) > most:
            raise LayoutRefused("too_many_items", detail=f"{self._name}.{key}: at most {most}")
        return list(value)

    def value(self, key: str) -> object:
        """Whatever stands there, for another reader."""
        return self._take(key, _REQUIRED)

    def has(self, key: str) -> bool:
        """Whether the field is there and is not null; a null is taken away."""
        if self._left.get(key) is None:
            self._left.pop(key, None)
            return False
        return True

    def done(self) -> None:
        """Refuse fields that nobody asked for."""
        if self._left:
            first = repr(next(iter(self._left)))[:40]
            raise LayoutRefused("unknown_key", detail=f"{self._name}: {first}")

    def _take(self, key: str, default: object) -> Any:
        value = self._left.pop(key, default)
        if value is _REQUIRED:
            raise LayoutRefused("missing", detail=f"{self._name}.{key}")
        return value
