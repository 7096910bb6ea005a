"""JSON as the manufacturer's servers see it: a number is its literal text, from the wire to the books and back.

Guarantees: no number passes through a float; a doubled key, NaN or Infinity is an error.
"""

import json
from typing import Any


class Literal(str):
    """A JSON number, as the text that stood on the wire."""


def loads(text: str | bytes) -> Any:
    """Parse JSON with numbers as `Literal`. Raises ValueError on anything that is not strict JSON."""
    return json.loads(
        text,
        parse_float=Literal,
        parse_int=Literal,
        parse_constant=_refuse_constant,
        object_pairs_hook=_object,
    )


def dumps(value: Any) -> str:
    """Write JSON without spaces; a `Literal` is written as it came."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
