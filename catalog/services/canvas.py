"""The image being drawn, and where a millimetre lies in it.

Lives here: `Canvas`. Not here: what is drawn on it (`photo_drawing`, `lettering`, `overlays`, `stickers`), or the pictures
themselves (`rendering`).
"""

from dataclasses import dataclass

from PIL import Image

from .geometry import DPI, MM_PER_INCH, Box
from .shapes import Px

PRINT_SCALE = DPI / MM_PER_INCH  # pixels per millimetre


@dataclass(frozen=True, slots=True)
class Canvas:
    """The image being drawn: `scale` pixels per mm, its left and top edge `margin` mm outside of the trim."""

    image: Image.Image
    scale: float
    margin: float

    @property
    def bounds(self) -> Px:
        return 0, 0, self.image.width, self.image.height

    def point(self, x: float, y: float) -> tuple[float, float]:
        return (x + self.margin) * self.scale, (y + self.margin) * self.scale

    def box(self, box: Box) -> Px:
        left, top = self.point(box.x, box.y)
        right, bottom = self.point(box.x + box.w, box.y + box.h)
        return round(left), round(top), max(round(right), round(left) + 1), max(round(bottom), round(top) + 1)
