"""A line of text drawn on a canvas: straight or on an arc, turned, with a rim.

Lives here: where each letter stands (also for `placement`), its ink on the canvas. Not here: the letters themselves
(`fonts`).
Guarantees: pure and deterministic. Letters are drawn at print size whatever the scale, and reduced from there: those of a
preview never jump to whole pixels.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops

from . import fonts, shapes
from .canvas import PRINT_SCALE, Canvas
from .layout_items import TextItem
from .shapes import Px

#: Width of a text's rim, in parts of the em height, outside of the letters.
RIM = 1 / 12
#: Letters on an arc are turned one by one; smaller than this many pixels they are drawn twice as large and reduced.
_FINE_BELOW = 160


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: the middle of its advance on the baseline in mm, degrees clockwise, advance in mm."""

    character: str
    x: float
    y: float
    rotation: float
    advance: float


def letters(item: TextItem) -> Iterator[Letter]:
    """Where each letter of a text stands on the case.

    On an arc the line's length is kept; the middle of the baseline stays where it is when straight. A positive arc has its
    circle beneath the line, a negative one above.
    """
    advances = [width * item.size for width in fonts.advances(item.text, item.font)]
    total = sum(advances)
    radius = total / math.radians(item.curve) if item.curve and total else 0.0
    turned = math.radians(item.rotation)
    cos, sin = math.cos(turned), math.sin(turned)
    along = -total / 2
    for character, advance in zip(item.text, advances, strict=True):
        middle = along + advance / 2
        along += advance
        angle = middle / radius if radius else 0.0
        x = radius * math.sin(angle) if radius else middle
        y = fonts.BASELINE * item.size + (radius * (1 - math.cos(angle)) if radius else 0.0)
        yield Letter(
            character,
            item.cx + cos * x - sin * y,
            item.cy + sin * x + cos * y,
            item.rotation + math.degrees(angle),
            advance,
        )


def draw(canvas: Canvas, item: TextItem) -> None:
    """The text, onto what is there: all rims beneath all letters."""
    place = _bent if item.curve else _straight
    for colour, rim in ((item.outline, RIM), (item.color, 0.0)):
        if colour is None:
            continue
        placed = place(canvas, item, rim)
        if placed is not None:
            canvas.image.paste(colour, placed[1], placed[0])


def _straight(canvas: Canvas, item: TextItem, rim: float) -> tuple[Image.Image, Px] | None:
    """Mask and place of the whole line."""
    em = item.size * PRINT_SCALE
    mask = fonts.draw_line(item.text, item.font, em, rim * em)
    ratio = canvas.scale / PRINT_SCALE
    if ratio != 1:
        size = (max(round(mask.width * ratio), 1), max(round(mask.height * ratio), 1))
        mask = mask.resize(size, Image.Resampling.LANCZOS)
    cx, cy = canvas.point(item.cx, item.cy)
    if not item.rotation:
        left, top = round(cx - mask.width / 2), round(cy - mask.height / 2)
        return mask, (left, top, left + mask.width, top + mask.height)
    pivot = (mask.width / 2, mask.height / 2)
    return shapes.turn(mask, pivot, (1, 1), (cx, cy), item.rotation, canvas.bounds)


def _bent(canvas: Canvas, item: TextItem, rim: float) -> tuple[Image.Image, Px] | None:
    """Mask and place of a line on an arc: as large as the canvas, for an arc reaches far."""
    zoom = PRINT_SCALE / canvas.scale
    width, height = round(canvas.image.width * zoom), round(canvas.image.height * zoom)
    mask = Image.new("L", (width, height), 0)
    em = item.size * PRINT_SCALE
    finer = 2 if em < _FINE_BELOW else 1
    drawn = _drawer(item, em * finer, rim * em * finer)
    for letter in letters(item):
        glyph, pivot = drawn(letter.character)
        x, y = canvas.point(letter.x, letter.y)
        place = (x * width / canvas.image.width, y * height / canvas.image.height)
        turned = shapes.turn(glyph, pivot, (finer, finer), place, letter.rotation, (0, 0, width, height))
        if turned is not None:
            ink, box = turned
            mask.paste(ImageChops.lighter(ink, mask.crop(box)), box)
    if mask.size != canvas.image.size:
        mask = mask.resize(canvas.image.size, Image.Resampling.LANCZOS)
    return mask, canvas.bounds


def _drawer(
    item: TextItem, em: float, rim: float
) -> Callable[[str], tuple[Image.Image, tuple[float, float]]]:
    """Draws a letter, and tells where in its mask the middle of its baseline is."""

    def drawn(character: str) -> tuple[Image.Image, tuple[float, float]]:
        glyph = fonts.draw_line(character, item.font, em, rim)
        return glyph, (glyph.width / 2, glyph.height / 2 + fonts.BASELINE * em)

    return drawn
