"""The stickers of the shop: coloured polygons, one file for the server's drawing and the page's.

Lives here: reading static/studio/stickers.json and drawing one sticker. Not here: where it lies (`layout_items`).

Guarantees: pure and deterministic; the same polygons at every scale, their edges averaged from finer ones.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from . import shapes

_FILE = Path(__file__).resolve().parents[2] / "static" / "studio" / "stickers.json"
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layer:
    """A filled polygon. Points: 0 to 1 of the sticker's width across, 0 to its aspect down."""

    color: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Sticker:
    """Layers from the back to the front; `aspect` is height by width."""

    slug: str
    name_en: str
    name_zh: str
    aspect: float
    layers: tuple[Layer, ...]


@functools.cache
def catalogue() -> dict[str, Sticker]:
    """All stickers by slug, in the order in which they are offered."""
    return {
        slug: Sticker(
            slug,
            found["name_en"],
            found["name_zh"],
            found["aspect"],
            tuple(
                Layer(layer["color"], tuple((x, y) for x, y in layer["points"])) for layer in found["layers"]
            ),
        )
        for slug, found in json.loads(_FILE.read_text("utf-8")).items()
    }


def draw(image: Image.Image, sticker: Sticker, centre: Point, width: float, degrees: float) -> None:
    """Onto the image: the sticker `width` pixels wide about `centre`, turned clockwise."""
    place = _placing(sticker, centre, width, degrees)
    for layer in sticker.layers:
        found = shapes.polygon([place(point) for point in layer.points], (0, 0, *image.size))
        if found is not None:
            image.paste(layer.color, found[1], found[0])


def _placing(sticker: Sticker, centre: Point, width: float, degrees: float) -> Callable[[Point], Point]:
    angle = math.radians(degrees)
    cos, sin = math.cos(angle) * width, math.sin(angle) * width

    def place(point: Point) -> Point:
        x, y = point[0] - 0.5, point[1] - sticker.aspect / 2
        return centre[0] + cos * x - sin * y, centre[1] + sin * x + cos * y

    return place
