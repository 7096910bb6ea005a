"""What a call says: Stripe's nested form (`card[number]`, `line_items[0][price]`), and how a field must look."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from sandbox.providers.stripe import codes
from sandbox.providers.stripe.refusal import Refusal

_PART = re.compile(r"\[([^\]]*)\]")


@dataclass
class Call:
    """One call: its parameters, the ids in its path, where this simulator is (for links), its idempotency key."""

    params: dict[str, Any]
    ids: tuple[str, ...] = ()
    base: str = ""
    key: str = ""
    request_id: str = ""
    kind: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id in the path."""
        return self.ids[0]

    def text(self, name: str, default: str = "") -> str:
        """A text parameter."""
        value = self.params.get(name, default)
        if not isinstance(value, str):
            raise Refusal(f"Invalid string: {name}", param=name)
        return value

    def need(self, name: str) -> str:
        """A text parameter that must be there."""
        if name not in self.params or self.params[name] == "":
            raise Refusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
        return self.text(name)

    def part(self, name: str) -> dict[str, Any]:
        """A nested parameter."""
        value = self.params.get(name) or {}
        if not isinstance(value, dict):
            raise Refusal(f"Invalid object: {name}", param=name)
        return value

    def flag(self, name: str) -> bool:
        """A true or false."""
        return self.params.get(name) == "true"

    def metadata(self) -> dict[str, str]:
        """The metadata that was sent."""
        return {str(key): str(value) for key, value in self.part("metadata").items()}


def parse(form: QueryDict) -> dict[str, Any]:
    """The nested form as dictionaries and lists (an object whose keys are 0, 1, … is a list)."""
    tree: dict[str, Any] = {}
    for name, values in form.lists():
        path = [name.split("[", 1)[0], *_PART.findall(name)]
        _place(tree, path, values)
    return {name: _lists(value) for name, value in tree.items()}


def _place(tree: dict[str, Any], path: list[str], values: list[Any]) -> None:
    spot = tree
    for part in path[:-1]:
        found = spot.setdefault(part, {})
        if not isinstance(found, dict):
            raise Refusal(f"Invalid parameter: {path[0]}", param=path[0])
        spot = found
    if path[-1] == "":  # expand[]=a&expand[]=b
        spot |= {str(number): value for number, value in enumerate(values)}
    else:
        spot[path[-1]] = values[-1]


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    told = {name: _lists(item) for name, item in value.items()}
    numbered = told and all(name.isdigit() for name in told)
    return [told[name] for name in sorted(told, key=int)] if numbered else told


def number(value: Any, param: str) -> int:
    """A whole number."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
        raise Refusal(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
    return int(value)


def currency(value: Any, param: str = "currency") -> str:
    """A currency that can be charged, in lower case."""
    text = str(value or "").lower()
    if text not in codes.CURRENCIES:
        raise Refusal(f"Invalid currency: {text}. Stripe supports these: usd, aed, …", param=param)
    return text


def amount(value: Any, money: str, param: str = "amount", *, free: bool = False) -> int:
    """An amount that can be charged in that currency."""
    minor = number(value, param)
    if free and minor == 0:
        return 0
    if minor < codes.SMALLEST.get(money, 50):
        least = codes.shown(codes.SMALLEST.get(money, 50), money)
        raise Refusal(f"Amount must be at least {least}", code="amount_too_small", param=param)
    if minor > codes.LARGEST:
        raise Refusal("Amount must be no more than 999,999.99", code="amount_too_large", param=param)
    if money in codes.THREE_DECIMAL and minor % 10:
        raise Refusal("The last digit must be 0", code="invalid_charge_amount", param=param)
    return minor
