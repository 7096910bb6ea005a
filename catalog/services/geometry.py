"""The printable shape of a shell, in millimetres, and its size in pixels.

Lives here: `Geometry` (what the rows of a Shell say, as plain numbers), boxes, the translation of template fractions to
millimetres. Not here: the rows, the drawing.

Guarantees: pure. Origin of all millimetres is the top-left corner of the trim rectangle (the case's visible back), x to the
right, y down; the bleed lies outside of it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DPI = 300
MM_PER_INCH = 25.4
DEFAULT_BLEED_MM = 2
DEFAULT_SAFE_MM = 3
MAX_SIDE_MM = 400

Number = int | float | Decimal | str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in millimetres: its top-left corner, width and height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre in millimetres."""
        return self.x + self.w / 2, self.y + self.h / 2


@dataclass(frozen=True, slots=True)
class Cutout:
    """A hole of the shell (camera), millimetres from the trim corner, with the radius of its corners."""

    x: float
    y: float
    w: float
    h: float
    r: float = 0.0

    def covers(self, x: float, y: float) -> bool:
        """Whether the point lies in the hole, its round corners regarded."""
        radius = min(self.r, self.w / 2, self.h / 2)
        across = max(abs(x - self.x - self.w / 2) - self.w / 2 + radius, 0.0)
        down = max(abs(y - self.y - self.h / 2) - self.h / 2 + radius, 0.0)
        return math.hypot(across, down) <= radius


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size of a shell in millimetres: trim rectangle, bleed around it, radius of its corners, holes, and how far inside
    the edge words should stay."""

    width_mm: float
    height_mm: float
    bleed_mm: float = DEFAULT_BLEED_MM
    corner_radius_mm: float = 0.0
    cutouts: tuple[Cutout, ...] = ()
    safe_mm: float = DEFAULT_SAFE_MM

    @classmethod
    def of(
        cls,
        width_mm: Number,
        height_mm: Number,
        bleed_mm: Number = DEFAULT_BLEED_MM,
        corner_radius_mm: Number = 0,
        cutouts: Iterable[Mapping[str, Number]] = (),
        safe_mm: Number = DEFAULT_SAFE_MM,
    ) -> "Geometry":
        """From the values of a Shell row (Decimals; cutouts as JSON objects x, y, w, h, r). ValueError if impossible."""
        width, height, bleed, radius = map(float, (width_mm, height_mm, bleed_mm, corner_radius_mm))
        holes = tuple(Cutout(**{key: float(value) for key, value in hole.items()}) for hole in cutouts)
        if not (0 < width <= MAX_SIDE_MM and 0 < height <= MAX_SIDE_MM and 0 <= bleed <= 20 and radius >= 0):
            raise ValueError(
                "a shell has sides of up to 400 mm, a bleed of up to 20 mm and no negative radius"
            )
        if any(hole.w <= 0 or hole.h <= 0 or hole.r < 0 for hole in holes):
            raise ValueError("a cut-out has a positive width and height and no negative radius")
        safe = float(safe_mm)
        if not 0 <= safe < min(width, height) / 2:
            raise ValueError("the safe distance leaves room for words")
        return cls(width, height, bleed, radius, holes, safe)

    @property
    def print_size(self) -> tuple[int, int]:
        """Width and height of the print file in pixels: trim and bleed at 300 dpi."""
        per_mm = DPI / MM_PER_INCH
        return (
            round((self.width_mm + 2 * self.bleed_mm) * per_mm),
            round((self.height_mm + 2 * self.bleed_mm) * per_mm),
        )

    @property
    def print_area(self) -> Box:
        """Trim and bleed."""
        bleed = self.bleed_mm
        return Box(-bleed, -bleed, self.width_mm + 2 * bleed, self.height_mm + 2 * bleed)

    def place(self, x: float, y: float, w: float, h: float) -> Box:
        """The box for fractions of the trim rectangle. A side on the edge of the trim is drawn out over the bleed."""
        left = -self.bleed_mm if x <= 0 else x * self.width_mm
        top = -self.bleed_mm if y <= 0 else y * self.height_mm
        right = self.width_mm + self.bleed_mm if x + w >= 1 else (x + w) * self.width_mm
        bottom = self.height_mm + self.bleed_mm if y + h >= 1 else (y + h) * self.height_mm
        return Box(left, top, right - left, bottom - top)


_SIZES = ("width_mm", "height_mm", "bleed_mm", "corner_radius_mm", "cutouts", "safe_mm")


def must_hold_its_holes(shell: Any, values: Mapping[str, Any] | None = None) -> None:
    """Raises ValueError, TypeError or AttributeError when a shell (with other `values`) is no possible case, or a hole lies
    beside it."""
    shape = Geometry.of(*((values or {}).get(name, getattr(shell, name)) for name in _SIZES))
    for hole in shape.cutouts:
        beside = hole.x + hole.w > shape.width_mm or hole.y + hole.h > shape.height_mm
        if hole.x < 0 or hole.y < 0 or beside:
            raise ValueError("a hole beside the case")
