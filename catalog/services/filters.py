"""The colours of a photo: its filter and adjustments as one matrix.

Lives here: the presets (static/studio/filters.json, which the page reads too), the formulas of the adjustments, their
product. Not here: which photo has which (`layout_items`), the pixels around it (`rendering`).

Guarantees: pure. A matrix is 12 numbers, rows r, g, b, with an offset of 0 to 255 as the fourth of a row, as Pillow's
`Image.convert("RGB", matrix)` takes it. static/js/studio/filters.js computes the same with the same formulas: change both.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Protocol

from PIL import Image

Matrix = tuple[float, ...]

NONE = "none"
ADJUSTMENTS = ("brightness", "contrast", "saturation")
_FILE = Path(__file__).resolve().parents[2] / "static" / "studio" / "filters.json"
_LUMA = (0.299, 0.587, 0.114)
_MIDDLE = 127.5


class Toned(Protocol):
    """What has colours to be changed: a photo item."""

    @property
    def filter(self) -> str: ...
    @property
    def brightness(self) -> int: ...
    @property
    def contrast(self) -> int: ...
    @property
    def saturation(self) -> int: ...


@functools.cache
def presets() -> dict[str, Matrix]:
    """The filters by name, without "none"."""
    return {slug: tuple(numbers) for slug, numbers in json.loads(_FILE.read_text("utf-8")).items()}


@functools.cache
def names() -> tuple[str, ...]:
    """What a photo's `filter` may be."""
    return (NONE, *presets())


def matrix_of(item: Toned) -> Matrix | None:
    """Filter, then saturation, contrast and brightness; None when the colours stay as they are."""
    steps = [presets()[item.filter]] if item.filter != NONE else []
    if item.saturation:
        steps.append(saturation(item.saturation))
    if item.contrast:
        steps.append(contrast(item.contrast))
    if item.brightness:
        steps.append(brightness(item.brightness))
    return functools.reduce(lambda first, second: multiplied(second, first), steps) if steps else None


def applied(image: Image.Image, matrix: Matrix) -> Image.Image:
    """An RGB or RGBA image with other colours, clamped once; transparency stays."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    toned = image.convert("RGB").convert("RGB", matrix)
    if alpha is not None:
        toned.putalpha(alpha)
    return toned


def saturation(value: int) -> Matrix:
    """-100 is grey, 100 twice as colourful."""
    keep = 1 + value / 100
    return tuple(
        number
        for row in range(3)
        for number in (*(part * (1 - keep) + keep * (row == n) for n, part in enumerate(_LUMA)), 0.0)
    )


def contrast(value: int) -> Matrix:
    """Away from the middle grey, or towards it: -100 is all grey, 100 twice the distance."""
    zoom = 1 + value / 100
    offset = _MIDDLE * (1 - zoom)
    return (zoom, 0.0, 0.0, offset, 0.0, zoom, 0.0, offset, 0.0, 0.0, zoom, offset)


def brightness(value: int) -> Matrix:
    """Lighter or darker by up to half of the whole range."""
    offset = value / 100 * _MIDDLE
    return (1.0, 0.0, 0.0, offset, 0.0, 1.0, 0.0, offset, 0.0, 0.0, 1.0, offset)


def multiplied(second: Matrix, first: Matrix) -> Matrix:
    """The matrix that does `first`, then `second`."""
    found = []
    for row in range(3):
        r, g, b, offset = second[4 * row : 4 * row + 4]
        for column in range(4):
            value = r * first[column] + g * first[4 + column] + b * first[8 + column]
            found.append(value + (offset if column == 3 else 0))
    return tuple(found)
