"""The fonts of the designer: which characters can be printed, and one line of text as an exact mask.

Lives here: the two committed fonts (static/fonts), their characters, the choice of a font per character, the drawing of a
line. Not here: where a line lands on the case (`rendering`), limits of its length and size (`layouts`).

Guarantees: pure. Glyphs stand side by side by their unhinted advance widths, without kerning or shaping engine, because a
browser draws the WOFF2 files (which carry no such tables either) in exactly the same way.
"""

import functools
import struct
import unicodedata
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

LATIN = "latin"
CHINESE = "chinese"
NAMES = (LATIN, CHINESE)
# The alphabetic baseline of a line lies this part of the em height below its centre: half of a capital letter's height.
BASELINE = 0.36

_FOLDER = Path(__file__).resolve().parents[2] / "static" / "fonts"
_FILES = {LATIN: "pacifico.ttf", CHINESE: "noto-sans-sc.otf"}
_MEASURED = 200  # pixels per em of a character whose ink is measured
_UNITS = 1000  # both fonts have 1000 units per em: at this size an advance width is exact


@functools.cache
def characters(name: str) -> frozenset[str]:
    """The characters that the font `name` has a glyph for."""
    table = _table((_FOLDER / _FILES[name]).read_bytes(), b"cmap")
    for at in range(4, 4 + 8 * int.from_bytes(table[2:4], "big"), 8):
        platform, encoding, offset = struct.unpack_from(">HHI", table, at)
        if (platform, encoding) == (3, 1):
            found = map(chr, _format_4(table[offset:]))
            # A font may have an empty glyph for NUL, CR or the soft hyphen: nothing that anybody means to print.
            return frozenset(character for character in found if unicodedata.category(character)[0] != "C")
    raise LookupError(f"the font {name} has no Unicode table")


def unprintable(text: str) -> str | None:
    """The first character of `text` that no font can draw, or None."""
    known = characters(LATIN) | characters(CHINESE)
    return next((character for character in text if character not in known), None)


def advances(text: str, name: str) -> list[float]:
    """How far each character of a line takes it, in ems."""
    return [_advance(character, _font_of(character, name)) / _UNITS for character in text]


@functools.lru_cache(maxsize=4096)
def ink_box(character: str, name: str) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of a character's ink in ems, from the middle of its advance on the baseline, y down;
    None for one without ink. Right to a hundredth of an em."""
    mask = draw_line(character, name, _MEASURED)
    box = mask.getbbox()
    if box is None:
        return None
    x, y = mask.width / 2, mask.height / 2 + BASELINE * _MEASURED
    left, top, right, bottom = box
    return (left - x) / _MEASURED, (top - y) / _MEASURED, (right - x) / _MEASURED, (bottom - y) / _MEASURED


def draw_line(text: str, name: str, em_px: float, rim_px: float = 0) -> Image.Image:
    """One line as a mask (mode L, 255 = ink), `em_px` pixels per em, each letter made larger by `rim_px` on all sides.

    The line's centre (half its advance width; `BASELINE` above the baseline) is the centre of the mask. The mask is
    larger than the line by an em all around, for swashes and accents. Every character must be printable.
    """
    fonts = [_font_of(character, name) for character in text]
    widths = [_advance(character, font) * em_px / _UNITS for character, font in zip(text, fonts, strict=True)]
    total = sum(widths)
    width, height = round(total + 2 * em_px), round(3 * em_px)
    mask = Image.new("L", (max(width, 1), max(height, 1)), 0)
    draw = ImageDraw.Draw(mask)
    x, y = (mask.width - total) / 2, mask.height / 2 + BASELINE * em_px
    for character, font, advance in zip(text, fonts, widths, strict=True):
        draw.text((x, y), character, fill=255, font=_face(font, em_px), anchor="ls", stroke_width=rim_px)
        x += advance
    return mask


def _font_of(character: str, wanted: str) -> str:
    """The wanted font, or the other one for a character that only that one has."""
    if character in characters(wanted):
        return wanted
    return LATIN if wanted == CHINESE else CHINESE


@functools.lru_cache(maxsize=32)
def _face(name: str, size: float) -> ImageFont.FreeTypeFont:
    # The basic engine is compiled in everywhere; the other one depends on what is installed on the machine.
    return ImageFont.truetype(_FOLDER / _FILES[name], size, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=4096)
def _advance(character: str, name: str) -> float:
    """Advance width in thousandths of an em."""
    return _face(name, _UNITS).getlength(character)


def _table(font: bytes, tag: bytes) -> bytes:
    """One table of an OpenType file (OpenType 1.9, "Table Directory")."""
    for at in range(12, 12 + 16 * int.from_bytes(font[4:6], "big"), 16):
        if font[at : at + 4] == tag:
            offset, length = struct.unpack_from(">II", font, at + 8)
            return font[offset : offset + length]
    raise LookupError(f"no table {tag!r}")


def _format_4(table: bytes) -> list[int]:
    """The code points of a cmap subtable of format 4 (OpenType 1.9, "cmap"): segments of start, end, delta, range."""
    kind, _length, _language, double = struct.unpack_from(">HHHH", table)
    if kind != 4:
        raise LookupError(f"cmap format {kind}")
    count = double // 2
    ends = struct.unpack_from(f">{count}H", table, 14)
    starts = struct.unpack_from(f">{count}H", table, 16 + double)
    deltas = struct.unpack_from(f">{count}H", table, 16 + 2 * double)
    ranges_at = 16 + 3 * double
    ranges = struct.unpack_from(f">{count}H", table, ranges_at)
    found = []
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code + deltas[index]
            if ranges[index]:
                at = ranges_at + 2 * index + ranges[index] + 2 * (code - start)
                glyph = int.from_bytes(table[at : at + 2], "big")
                glyph = glyph + deltas[index] if glyph else 0
            if glyph & 0xFFFF:
                found.append(code)
    return found
