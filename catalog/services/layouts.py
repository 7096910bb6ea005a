"""The layout of a design: photos and texts in millimetres, read strictly, hashed, measured.

Lives here: the frozen form of Design.layout (version 1), its reader, its canonical text and hash, resolution in dpi, the
default layout for a photo. Not here: rows, pictures, drawing (`designs`, `pictures`, `rendering`).

Guarantees: pure. Two layouts that draw the same thing have the same canonical text: keys sorted, numbers rounded to three
decimals, colours in lower case, text in NFC, rotation in [0, 360).
"""

import dataclasses
import hashlib
import json
import math
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from . import fonts, strict_json
from .geometry import MM_PER_INCH, Box, Geometry
from .strict_json import Fields, LayoutRefused
from .template_specs import TemplateSpec

VERSION = 1
MAX_PHOTOS = 6
MAX_TEXTS = 8
MAX_CHARACTERS = 40
LOW_DPI = 150
POSITION_MM = (-1000, 1000)
PHOTO_WIDTH_MM = (5, 1000)
TEXT_SIZE_MM = (2, 40)

_TOO_MANY_PHOTOS = _("A design can have up to %(most)s photos.")
_TOO_MANY_TEXTS = _("A design can have up to %(most)s texts.")
_TEXT_EMPTY = _("Please write something, or remove the empty text.")
_TEXT_TOO_LONG = _("A text can have up to %(most)s characters.")
_UNSUPPORTED = _(
    "The character “%(character)s” cannot be printed. Please leave it out or write it differently."
)
_UNSUPPORTED_EMOJI = _("Emoji cannot be printed. Please take out “%(character)s”.")
_INVISIBLE = _("The text has an invisible character (%(character)s). Please write it again.")


@dataclass(frozen=True, slots=True)
class PhotoItem:
    """A photo: centre and width in mm (its height follows from the photo), degrees clockwise, and the slot it shows in."""

    photo: str  # UUID of the Photo, canonical text
    slot: int
    cx: float
    cy: float
    width: float
    rotation: float


@dataclass(frozen=True, slots=True)
class TextItem:
    """A line of text: centre and em height in mm, degrees clockwise."""

    text: str
    font: str
    cx: float
    cy: float
    size: float
    color: str
    rotation: float


Item = PhotoItem | TextItem


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole design. Items draw in order over the background."""

    template: str | None
    background: str
    items: tuple[Item, ...]

    @property
    def photos(self) -> tuple[PhotoItem, ...]:
        """The photo items in drawing order."""
        return tuple(item for item in self.items if isinstance(item, PhotoItem))

    @property
    def texts(self) -> tuple[TextItem, ...]:
        """The text items in drawing order."""
        return tuple(item for item in self.items if isinstance(item, TextItem))


def parse_layout(source: str | bytes | Mapping[str, object], *, spec: TemplateSpec | None = None) -> Layout:
    """Read a layout from JSON text or a parsed object; with `spec`, slots must be ones that the template has.

    Raises `LayoutRefused` with a stable code; nothing unknown, missing or out of range gets through.
    """
    fields = Fields(strict_json.load(source) if isinstance(source, str | bytes) else source, "layout")
    fields.integer("version", VERSION, VERSION)
    template = _slug(fields.text("template")) if fields.has("template") else None
    background = fields.colour("background", "#ffffff")
    items = tuple(_item(item) for item in fields.items("items", MAX_PHOTOS + MAX_TEXTS))
    fields.done()
    layout = Layout(template, background, items)
    if len(layout.photos) > MAX_PHOTOS:
        raise LayoutRefused("too_many_photos", _TOO_MANY_PHOTOS, most=str(MAX_PHOTOS))
    if len(layout.texts) > MAX_TEXTS:
        raise LayoutRefused("too_many_texts", _TOO_MANY_TEXTS, most=str(MAX_TEXTS))
    if spec is not None:
        check_slots(layout, spec)
    return layout


def check_slots(layout: Layout, spec: TemplateSpec) -> None:
    """Refuse a photo in a slot that the template does not have."""
    if any(item.slot >= spec.slot_count for item in layout.photos):
        raise LayoutRefused("bad_slot", detail="the template has no such place")


def as_json(layout: Layout) -> dict[str, object]:
    """The layout as plain JSON values, in the form of the brief: what a row stores and a page gets."""
    items = []
    for item in layout.items:
        kind = "photo" if isinstance(item, PhotoItem) else "text"
        items.append(
            {"kind": kind, **{field.name: getattr(item, field.name) for field in dataclasses.fields(item)}}
        )
    return {"version": VERSION, "template": layout.template, "background": layout.background, "items": items}


def canonical(layout: Layout) -> str:
    """The one JSON text of this layout."""
    return json.dumps(
        as_json(layout), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def layout_hash(layout: Layout) -> str:
    """SHA-256 of the canonical text, hexadecimal."""
    return hashlib.sha256(canonical(layout).encode()).hexdigest()


def dpi_of(item: PhotoItem, photo_size: tuple[int, int]) -> float:
    """Pixels of the photo per inch of print, for a photo of `photo_size` pixels."""
    return photo_size[0] / item.width * MM_PER_INCH


def low_resolution(
    layout: Layout, photo_sizes: Mapping[str, tuple[int, int]], threshold: int = LOW_DPI
) -> list[PhotoItem]:
    """The photos that would print with fewer than `threshold` dpi. `photo_sizes`: pixels by photo id."""
    missing = [item.photo for item in layout.photos if item.photo not in photo_sizes]
    if missing:
        raise LayoutRefused("unknown_photo", detail="a photo is missing")
    return [item for item in layout.photos if dpi_of(item, photo_sizes[item.photo]) < threshold]


def slot_box(geometry: Geometry, spec: TemplateSpec | None, slot: int) -> Box:
    """Where the photo of this slot shows, in mm; without slots the whole print area."""
    if spec is None or not spec.slots:
        return geometry.print_area
    found = spec.slots[slot]
    return geometry.place(found.x, found.y, found.w, found.h)


def cover_layout(
    photos: Sequence[tuple[str, tuple[int, int]]],
    geometry: Geometry,
    spec: TemplateSpec | None = None,
    template: str | None = None,
) -> Layout:
    """The default layout: each slot filled by a photo, centred, as large as needed and no larger.

    `photos`: id and size in pixels, in order of the slots; with fewer photos than slots they are taken in turn.
    """
    items: list[Item] = []
    for slot in range(spec.slot_count if spec and photos else min(len(photos), 1)):
        photo, (width_px, height_px) = photos[slot % len(photos)]
        box = slot_box(geometry, spec, slot)
        width = max(box.w, box.h * width_px / height_px, PHOTO_WIDTH_MM[0])
        cx, cy = (round(value, strict_json.DECIMALS) for value in box.centre)
        # Rounded up: a thousandth of a millimetre too narrow could show a line of background.
        width = min(math.ceil(width * 1000) / 1000, PHOTO_WIDTH_MM[1])
        items.append(PhotoItem(str(uuid.UUID(photo)), slot, cx, cy, width, 0.0))
    return Layout(template, spec.background if spec else "#ffffff", tuple(items))


def clamp(layout: Layout, geometry: Geometry) -> Layout:
    """The layout with every item's centre on the case and no photo wider than six cases, so that none can get lost."""
    widest = max(PHOTO_WIDTH_MM[0], min(PHOTO_WIDTH_MM[1], 6 * max(geometry.width_mm, geometry.height_mm)))
    items: list[Item] = []
    for item in layout.items:
        cx = round(min(max(item.cx, 0.0), geometry.width_mm), strict_json.DECIMALS)
        cy = round(min(max(item.cy, 0.0), geometry.height_mm), strict_json.DECIMALS)
        if isinstance(item, PhotoItem):
            items.append(dataclasses.replace(item, cx=cx, cy=cy, width=round(min(item.width, widest), 3)))
        else:
            items.append(dataclasses.replace(item, cx=cx, cy=cy))
    return dataclasses.replace(layout, items=tuple(items))


def _item(source: object) -> Item:
    fields = Fields(source, "item")
    kind = fields.choice("kind", ("photo", "text"))
    item = _photo(fields) if kind == "photo" else _text(fields)
    fields.done()
    return item


def _photo(fields: Fields) -> PhotoItem:
    photo = fields.text("photo")
    try:
        # uuid.UUID also takes braces and a URN; one photo has one name.
        known = str(uuid.UUID(photo)) if len(photo) == 36 else None
    except ValueError:
        known = None
    if known is None:
        raise LayoutRefused("unknown_photo", detail="photo is not an id")
    return PhotoItem(
        photo=known,
        slot=fields.integer("slot", 0, MAX_PHOTOS - 1, 0),
        cx=fields.number("cx", *POSITION_MM),
        cy=fields.number("cy", *POSITION_MM),
        width=fields.number("width", *PHOTO_WIDTH_MM),
        rotation=_rotation(fields),
    )


def _text(fields: Fields) -> TextItem:
    return TextItem(
        text=clean_text(fields.text("text")),
        font=fields.choice("font", fonts.NAMES, fonts.LATIN),
        cx=fields.number("cx", *POSITION_MM),
        cy=fields.number("cy", *POSITION_MM),
        size=fields.number("size", *TEXT_SIZE_MM),
        color=fields.colour("color", "#111111"),
        rotation=_rotation(fields),
    )


def clean_text(text: str) -> str:
    """The line as it will be printed: trimmed, composed (NFC), without variation selectors.

    Raises `LayoutRefused`: text_empty, text_too_long, or unsupported_character, naming the first character without glyph.
    """
    if len(text) > 10 * MAX_CHARACTERS:
        raise LayoutRefused("text_too_long", _TEXT_TOO_LONG, most=str(MAX_CHARACTERS))
    # Phones add a variation selector to ♥ and the like; the character itself prints well.
    line = (
        unicodedata.normalize("NFC", text).replace("\ufe0e", "").replace("\ufe0f", "").strip(" \u00a0\u3000")
    )
    if not line:
        raise LayoutRefused("text_empty", _TEXT_EMPTY)
    if len(line) > MAX_CHARACTERS:
        raise LayoutRefused("text_too_long", _TEXT_TOO_LONG, most=str(MAX_CHARACTERS))
    stranger = fonts.unprintable(line)
    if stranger is None:
        return line
    if unicodedata.category(stranger)[0] in "CZ":
        raise LayoutRefused("unsupported_character", _INVISIBLE, character=f"U+{ord(stranger):04X}")
    emoji = ord(stranger) >= 0x1F000 or unicodedata.category(stranger) == "So"
    raise LayoutRefused(
        "unsupported_character", _UNSUPPORTED_EMOJI if emoji else _UNSUPPORTED, character=stranger
    )


def _rotation(fields: Fields) -> float:
    return round(fields.number("rotation", -3600, 3600, 0) % 360, strict_json.DECIMALS) % 360


def _slug(text: str) -> str:
    if not 0 < len(text) <= 60 or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise LayoutRefused("unknown_template", detail="template")
    return text
