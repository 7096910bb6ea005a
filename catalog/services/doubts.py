"""What a shopper should know about a design before buying: small photos, words under the camera or at the edge.

Lives here: finding it and saying it. Not here: refusing anything (a doubt never stops a design; low resolution must be
accepted, `designs`), drawing.
Guarantees: pure; each doubt at most once per design.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from . import fonts, layouts, lettering
from .geometry import Geometry
from .layouts import Layout, TextItem

LOW_RESOLUTION, UNDER_CAMERA, OUTSIDE_SAFE = "low_resolution", "under_camera", "outside_safe"
#: The ink of a letter is looked at in this many steps across and down.
_STEPS = 6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the customer should know before buying; `text` is translated."""

    code: str
    text: str


def about(layout: Layout, geometry: Geometry, photo_sizes: Mapping[str, tuple[int, int]]) -> list[Warned]:
    """Every doubt about a layout on a case. `photo_sizes`: pixels by photo id."""
    found = []
    low = layouts.low_resolution(layout, photo_sizes)
    if low:
        dpi = min(int(layouts.dpi_of(item, photo_sizes[item.photo])) for item in low)
        blurred = _(
            "This photo is small for its place (%(dpi)s dpi) and may look blurred. Make it smaller or choose another one."
        )
        found.append(Warned(LOW_RESOLUTION, blurred % {"dpi": dpi}))
    if any(under_camera(text, geometry) for text in layout.texts):
        found.append(Warned(UNDER_CAMERA, _("Part of your words is under the camera.")))
    if any(outside_safe(text, geometry) for text in layout.texts):
        found.append(
            Warned(OUTSIDE_SAFE, _("Part of your words is very close to the edge and may be cut off."))
        )
    return found


def under_camera(item: TextItem, geometry: Geometry) -> bool:
    """Whether ink of the text, its rim included, lies over a camera hole."""
    return any(hole.covers(x, y) for hole in geometry.cutouts for x, y in _ink(item, _STEPS))


def outside_safe(item: TextItem, geometry: Geometry) -> bool:
    """Whether ink of the text comes nearer to the edge of the case than is safe."""
    low, right, bottom = (
        geometry.safe_mm,
        geometry.width_mm - geometry.safe_mm,
        geometry.height_mm - geometry.safe_mm,
    )
    return any(not (low <= x <= right and low <= y <= bottom) for x, y in _ink(item, 1))


def _ink(item: TextItem, steps: int) -> Iterator[Point]:
    """Points in mm all over the boxes that hold the ink of each letter; with one step their corners."""
    rim = lettering.RIM * item.size if item.outline else 0.0
    for letter in lettering.letters(item):
        box = fonts.ink_box(letter.character, item.font)
        if box is None:
            continue
        left, top, right, bottom = (
            edge * item.size + grow for edge, grow in zip(box, (-rim, -rim, rim, rim), strict=True)
        )
        angle = math.radians(letter.rotation)
        cos, sin = math.cos(angle), math.sin(angle)
        for across in range(steps + 1):
            for down in range(steps + 1):
                x, y = left + (right - left) * across / steps, top + (bottom - top) * down / steps
                yield letter.x + cos * x - sin * y, letter.y + sin * x + cos * y
