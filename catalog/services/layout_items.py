"""The items of a layout: a photo, a line of text, a sticker; each read strictly from JSON and written back.

Lives here: the frozen form of the items, their limits and readers. Not here: the layout as a whole, its hash (`layouts`),
drawing (`rendering`).

Guarantees: pure. A field with a default is left out of an item's JSON while it stands at that default, so that an item has
one JSON form however it was sent, and designs from before a field existed keep theirs (docs/api/layout.md lists all).
"""

import dataclasses
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from . import filters, fonts, stickers, strict_json
from .strict_json import Fields, LayoutRefused

MAX_PHOTOS = 6
MAX_TEXTS = 8
MAX_STICKERS = 12
MAX_CHARACTERS = 40
POSITION_MM = (-1000, 1000)
PHOTO_WIDTH_MM = (5, 1000)
TEXT_SIZE_MM = (2, 40)
STICKER_WIDTH_MM = (3, 200)
CURVE_DEGREES = (-180, 180)
#: The smallest part of a photo's side that a crop may leave.
CROP_LEAST = 0.05

_TEXT_EMPTY = _("Please write something, or remove the empty text.")
_TEXT_TOO_LONG = _("A text can have up to %(most)s characters.")
_UNSUPPORTED = _(
    "The character “%(character)s” cannot be printed. Please leave it out or write it differently."
)
_UNSUPPORTED_EMOJI = _("Emoji cannot be printed. Please take out “%(character)s”.")
_INVISIBLE = _("The text has an invisible character (%(character)s). Please write it again.")
_UNKNOWN_STICKER = _("We do not have this sticker any more. Please choose another one.")


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a photo that is used, in fractions of its sides from the top left."""

    x: float = 0.0
    y: float = 0.0
    w: float = 1.0
    h: float = 1.0


WHOLE = Crop()


@dataclass(frozen=True, slots=True)
class PhotoItem:
    """A photo: centre and width in mm of its cropped part (the height follows), degrees clockwise, the slot it shows in.

    `filter` is a name of `filters`; brightness, contrast and saturation are whole numbers from -100 to 100.
    """

    photo: str  # UUID of the Photo, canonical text
    slot: int
    cx: float
    cy: float
    width: float
    rotation: float
    filter: str = filters.NONE
    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    crop: Crop = WHOLE


@dataclass(frozen=True, slots=True)
class TextItem:
    """A line of text: centre and em height in mm, degrees clockwise; a rim in `outline`, an arc of `curve` degrees."""

    text: str
    font: str
    cx: float
    cy: float
    size: float
    color: str
    rotation: float
    outline: str | None = None
    curve: float = 0.0


@dataclass(frozen=True, slots=True)
class StickerItem:
    """A sticker of the shop: centre and width in mm (its height follows), degrees clockwise."""

    sticker: str
    cx: float
    cy: float
    width: float
    rotation: float


Item = PhotoItem | TextItem | StickerItem
KINDS: dict[type[Item], str] = {PhotoItem: "photo", TextItem: "text", StickerItem: "sticker"}


def read_item(source: object) -> Item:
    """One item of a layout's list. Raises `LayoutRefused`."""
    fields = Fields(source, "item")
    kind = fields.choice("kind", tuple(KINDS.values()))
    item = _READERS[kind](fields)
    fields.done()
    return item


def as_json(item: Item) -> dict[str, object]:
    """The item as plain JSON values, without what stands at its default."""
    found: dict[str, object] = {"kind": KINDS[type(item)]}
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if field.default is dataclasses.MISSING or value != field.default:
            found[field.name] = dataclasses.asdict(value) if isinstance(value, Crop) else value
    return found


def _photo(fields: Fields) -> PhotoItem:
    photo = fields.text("photo")
    try:
        # uuid.UUID also takes braces and a URN; one photo has one name.
        known = str(uuid.UUID(photo)) if len(photo) == 36 else None
    except ValueError:
        known = None
    if known is None:
        raise LayoutRefused("unknown_photo", detail="photo is not an id")
    tones = {name: fields.integer(name, -100, 100, 0) for name in filters.ADJUSTMENTS}
    return PhotoItem(
        photo=known,
        slot=fields.integer("slot", 0, MAX_PHOTOS - 1, 0),
        cx=fields.number("cx", *POSITION_MM),
        cy=fields.number("cy", *POSITION_MM),
        width=fields.number("width", *PHOTO_WIDTH_MM),
        rotation=_rotation(fields),
        filter=fields.choice("filter", filters.names(), filters.NONE),
        crop=_crop(fields.value("crop")) if fields.has("crop") else WHOLE,
        **tones,
    )


def _crop(source: object) -> Crop:
    fields = Fields(source, "crop")
    x, y = (fields.number(key, 0, 1) for key in ("x", "y"))
    w, h = (fields.number(key, CROP_LEAST, 1) for key in ("w", "h"))
    fields.done()
    # Rounding may have moved either edge by half a thousandth: no refusal for that.
    places = strict_json.DECIMALS
    if round(x + w, places) > 1.001 or round(y + h, places) > 1.001:
        raise LayoutRefused("out_of_range", detail="crop reaches out of the photo")
    return Crop(min(x, round(1 - w, places)), min(y, round(1 - h, places)), w, h)


def _text(fields: Fields) -> TextItem:
    return TextItem(
        text=clean_text(fields.text("text")),
        font=fields.choice("font", fonts.NAMES, fonts.LATIN),
        cx=fields.number("cx", *POSITION_MM),
        cy=fields.number("cy", *POSITION_MM),
        size=fields.number("size", *TEXT_SIZE_MM),
        color=fields.colour("color", "#111111"),
        rotation=_rotation(fields),
        outline=fields.colour("outline") if fields.has("outline") else None,
        curve=fields.number("curve", *CURVE_DEGREES, 0),
    )


def _sticker(fields: Fields) -> StickerItem:
    slug = fields.text("sticker")
    if slug not in stickers.catalogue():
        raise LayoutRefused("unknown_sticker", _UNKNOWN_STICKER)
    return StickerItem(
        sticker=slug,
        cx=fields.number("cx", *POSITION_MM),
        cy=fields.number("cy", *POSITION_MM),
        width=fields.number("width", *STICKER_WIDTH_MM),
        rotation=_rotation(fields),
    )


_READERS: dict[str, Callable[[Fields], Item]] = {"photo": _photo, "text": _text, "sticker": _sticker}


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
