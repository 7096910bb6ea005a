"""The columns of the catalogue's sheets: what each is called in the file, how it is written and read.

Here: brands, phone models, shells. Not here: reading a file and bringing it in (`importing`). Words in errors are for people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import Colour, PhoneBrand, PhoneModel, Shell

YES = ("yes", "y", "true", "1", "是", "on")
NO = ("no", "n", "false", "0", "否", "off")


class Unreadable(ValueError):
    """A cell that cannot be read; the text says why."""


@dataclass(frozen=True)
class Column:
    """`name` in the file, `attribute` of the row; `read` raises Unreadable. `needed`: a new row must have it. `only_told`:
    what stands in it is for people and not brought in."""

    name: str
    attribute: str
    read: Callable[[str], Any] = str
    show: Callable[[Any], str] = lambda value: "" if value is None else str(value)
    needed: bool = False
    only_told: bool = False


@dataclass(frozen=True)
class Sheet:
    """`key`: the columns that say which row is meant. `prices`: further columns "price GBP" of the case of that model."""

    name: str
    model: Any
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    related: tuple[str, ...] = ()
    prices: bool = False

    def column(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name == name), None)

    def cells(self, row: Any) -> list[str]:
        return [one.show(value_of(row, one.attribute)) for one in self.columns]


def value_of(row: Any, path: str) -> Any:
    """`model__name` of a row."""
    for part in path.split("__"):
        row = getattr(row, part)
    return row


def yes_no(text: str) -> bool:
    word = text.strip().lower()
    if word in YES or word in NO:
        return word in YES
    raise Unreadable(_("“%s” is neither yes nor no.") % text)


def whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise Unreadable(_("“%s” is no whole number.") % text)
    return int(text)


def millimetres(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not text.isascii() or abs(number.adjusted()) > 6:
        raise Unreadable(_("“%s” is no number of millimetres, such as 71.50.") % text)
    return number


def _one(model: Any, by: str, told: Callable[[], str]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        found = model.objects.filter(**{by: text}).first() if "\x00" not in text else None
        if found is None:
            raise Unreadable(told() % text)
        return found

    return read


def _yes(value: Any) -> str:
    return "yes" if value else "no"


def _attribute(name: str) -> Callable[[Any], str]:
    return lambda row: "" if row is None else str(getattr(row, name))


def _number(value: Any) -> str:
    return f"{Decimal(value):f}"


_SHOWN = Column("shown", "is_active", yes_no, _yes)
_ORDER = Column("order", "sort_order", whole)
_brand = _one(PhoneBrand, "manufacturer_id", lambda: _("There is no brand “%s”."))
_model = _one(PhoneModel, "manufacturer_id", lambda: _("There is no phone model “%s”."))
_colour = _one(
    Colour, "slug", lambda: _("There is no colour “%s”. Its short name is asked, such as natural-titanium.")
)

BRANDS = Sheet(
    "brands", PhoneBrand, ("manufacturer_id",),
    (
        Column("manufacturer_id", "manufacturer_id", needed=True), Column("name", "name", needed=True),
        Column("name_zh", "name_zh"), Column("slug", "slug", needed=True), _SHOWN, _ORDER,
    ),
)  # fmt: skip
MODELS = Sheet(
    "phone-models", PhoneModel, ("manufacturer_id",),
    (
        Column("manufacturer_id", "manufacturer_id", needed=True),
        Column("brand", "brand", _brand, _attribute("manufacturer_id"), needed=True),
        Column("name", "name", needed=True), Column("name_zh", "name_zh"), _SHOWN, _ORDER,
    ),
    related=("brand",),
)  # fmt: skip
SHELLS = Sheet(
    "shells", Shell, ("model", "manufacturer_id"),
    (
        Column("model", "model", _model, _attribute("manufacturer_id"), needed=True),
        Column("manufacturer_id", "manufacturer_id", needed=True),
        Column("model_name", "model__name", only_told=True), Column("colour", "colour", _colour, _attribute("slug"), needed=True),
        Column("sku", "sku"),
        *(
            Column(name, name, millimetres, _number, needed=name in ("width_mm", "height_mm"))
            for name in ("width_mm", "height_mm", "bleed_mm", "corner_radius_mm", "safe_mm")
        ),
        _SHOWN,
    ),
    related=("model__brand", "colour"), prices=True,
)  # fmt: skip
