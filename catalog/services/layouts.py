"""The layout of a design: photos, texts and stickers in millimetres, read strictly, hashed, measured.

Lives here: the frozen form of Design.layout (version 1), its reader, its canonical text and hash, resolution in dpi, the
default layout for a photo. Not here: what an item consists of (`layout_items`), rows, pictures, drawing (`designs`,
`pictures`, `rendering`). Every field, unit and limit: docs/api/layout.md.

Guarantees: pure. Two layouts that draw the same thing have the same canonical text: keys sorted, numbers rounded to three
decimals, colours in lower case, text in NFC, rotation in [0, 360), what stands at a later field's default left out.
"""

import dataclasses
import hashlib
import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from . import layout_items, strict_json
from .geometry import MM_PER_INCH, Box, Geometry
from .layout_items import (
    MAX_CHARACTERS,
    MAX_PHOTOS,
    MAX_STICKERS,
    MAX_TEXTS,
    PHOTO_WIDTH_MM,
    POSITION_MM,
    TEXT_SIZE_MM,
    Crop,
    Item,
    PhotoItem,
    StickerItem,
    TextItem,
    clean_text,
)
from .strict_json import Fields, LayoutRefused
from .template_specs import TemplateSpec

__all__ = [
    "MAX_CHARACTERS", "PHOTO_WIDTH_MM", "POSITION_MM", "TEXT_SIZE_MM", "Crop", "Item", "Layout", "LayoutRefused",
    "PhotoItem", "StickerItem", "TextItem", "clean_text",
]  # fmt: skip
VERSION = 1
LOW_DPI = 150

_TOO_MANY = {
    PhotoItem: ("too_many_photos", _("A design can have up to %(most)s photos."), MAX_PHOTOS),
    TextItem: ("too_many_texts", _("A design can have up to %(most)s texts."), MAX_TEXTS),
    StickerItem: ("too_many_stickers", _("A design can have up to %(most)s stickers."), MAX_STICKERS),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole design over its background, which runs to `background2` at the bottom when there is one.

    Photos draw in order, beneath the template's overlay; texts and stickers in order above it.
    """

    template: str | None
    background: str
    items: tuple[Item, ...]
    background2: str | None = None

    @property
    def photos(self) -> tuple[PhotoItem, ...]:
        """The photo items in drawing order."""
        return tuple(item for item in self.items if isinstance(item, PhotoItem))

    @property
    def texts(self) -> tuple[TextItem, ...]:
        """The text items in drawing order."""
        return tuple(item for item in self.items if isinstance(item, TextItem))

    @property
    def stickers(self) -> tuple[StickerItem, ...]:
        """The stickers in drawing order."""
        return tuple(item for item in self.items if isinstance(item, StickerItem))


def parse_layout(source: str | bytes | Mapping[str, object], *, spec: TemplateSpec | None = None) -> Layout:
    """Read a layout from JSON text or a parsed object; with `spec`, slots must be ones that the template has.

    Raises `LayoutRefused` with a stable code; nothing unknown, missing or out of range gets through.
    """
    fields = Fields(strict_json.load(source) if isinstance(source, str | bytes) else source, "layout")
    fields.integer("version", VERSION, VERSION)
    template = _slug(fields.text("template")) if fields.has("template") else None
    background = fields.colour("background", "#ffffff")
    background2 = fields.colour("background2") if fields.has("background2") else None
    most = sum(limit for _code, _text, limit in _TOO_MANY.values())
    items = tuple(layout_items.read_item(item) for item in fields.items("items", most))
    fields.done()
    layout = Layout(template, background, items, background2 if background2 != background else None)
    for kind, (code, text, limit) in _TOO_MANY.items():
        if sum(isinstance(item, kind) for item in items) > limit:
            raise LayoutRefused(code, text, most=str(limit))
    if spec is not None:
        check_slots(layout, spec)
    return layout


def check_slots(layout: Layout, spec: TemplateSpec) -> None:
    """Refuse a photo in a slot that the template does not have."""
    if any(item.slot >= spec.slot_count for item in layout.photos):
        raise LayoutRefused("bad_slot", detail="the template has no such place")


def as_json(layout: Layout) -> dict[str, object]:
    """The layout as plain JSON values, in the form of the brief: what a row stores and a page gets."""
    found: dict[str, object] = {
        "version": VERSION,
        "template": layout.template,
        "background": layout.background,
        "items": [layout_items.as_json(item) for item in layout.items],
    }
    return found if layout.background2 is None else {**found, "background2": layout.background2}


def canonical(layout: Layout) -> str:
    """The one JSON text of this layout."""
    return json.dumps(
        as_json(layout), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def layout_hash(layout: Layout) -> str:
    """SHA-256 of the canonical text, hexadecimal."""
    return hashlib.sha256(canonical(layout).encode()).hexdigest()


def dpi_of(item: PhotoItem, photo_size: tuple[int, int]) -> float:
    """Pixels of the photo per inch of print, for a photo of `photo_size` pixels (before its crop)."""
    return photo_size[0] * item.crop.w / item.width * MM_PER_INCH


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


def _slug(text: str) -> str:
    if not 0 < len(text) <= 60 or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise LayoutRefused("unknown_template", detail="template")
    return text
