"""The shapes that a template lays over the photos, drawn on a canvas.

Lives here: rect, frame, line and ellipse in millimetres. Not here: their form (`template_specs`), masks (`shapes`).
Guarantees: pure and deterministic.
"""

from PIL import Image, ImageChops

from . import shapes
from .canvas import Canvas
from .geometry import Box, Geometry
from .shapes import Px
from .template_specs import Ellipse, Frame, Line, Rect, Shape


def draw(canvas: Canvas, shape: Shape, geometry: Geometry) -> None:
    """One shape, onto what is there."""
    if isinstance(shape, Line):
        ends = [
            canvas.point(x * geometry.width_mm, y * geometry.height_mm)
            for x, y in ((shape.x1, shape.y1), (shape.x2, shape.y2))
        ]
        mask, box = shapes.line(ends[0], ends[1], shape.thickness * geometry.width_mm * canvas.scale)
        canvas.image.paste(shape.color, box, _faded(mask, shape.opacity))
        return
    box = canvas.box(geometry.place(shape.x, shape.y, shape.w, shape.h))
    size = (box[2] - box[0], box[3] - box[1])
    if isinstance(shape, Rect):
        canvas.image.paste(*_filled(shape, box, size, shape.radius * geometry.width_mm * canvas.scale))
    elif isinstance(shape, Frame):
        canvas.image.paste(shape.color, box, _faded(_rim(canvas, shape, geometry, box), shape.opacity))
    elif isinstance(shape, Ellipse):
        box = canvas.box(
            Box(
                shape.x * geometry.width_mm,
                shape.y * geometry.height_mm,
                shape.w * geometry.width_mm,
                shape.h * geometry.height_mm,
            )
        )
        mask = shapes.ellipse((box[2] - box[0], box[3] - box[1]))
        canvas.image.paste(shape.color, box, _faded(mask, shape.opacity))


def _filled(
    shape: Rect, box: Px, size: tuple[int, int], radius: float
) -> tuple[Image.Image, Px, Image.Image]:
    """Colour, place and mask of a rect, with its gradient."""
    colour, mask = Image.new("RGB", size, shape.color), _faded(shapes.rounded(size, radius), shape.opacity)
    if (shape.color, shape.opacity) != (shape.color2, shape.opacity2):
        ramp = shapes.gradient(size, shape.direction)
        colour.paste(shape.color2, (0, 0, *size), ramp)
        start, rise = shape.opacity * 255, shape.opacity2 - shape.opacity
        fade = ramp.point([round(start + rise * value) for value in range(256)])
        mask = ImageChops.multiply(shapes.rounded(size, radius), fade)
    return colour, box, mask


def _rim(canvas: Canvas, shape: Frame, geometry: Geometry, box: Px) -> Image.Image:
    """The mask of a frame: its box without its window. On the edge of the trim the outside has no round corners."""
    thickness, radius = shape.thickness * geometry.width_mm, shape.radius * geometry.width_mm
    x, y = shape.x * geometry.width_mm, shape.y * geometry.height_mm
    width, height = shape.w * geometry.width_mm, shape.h * geometry.height_mm
    bled = shape.x <= 0 or shape.y <= 0 or shape.x + shape.w >= 1 or shape.y + shape.h >= 1
    outer = (radius + thickness) * canvas.scale if radius and not bled else 0
    mask = shapes.rounded((box[2] - box[0], box[3] - box[1]), outer)
    inside = Box(x + thickness, y + thickness, max(width - 2 * thickness, 0), max(height - 2 * thickness, 0))
    if inside.w and inside.h:
        left, top, right, bottom = canvas.box(inside)
        window = shapes.rounded((right - left, bottom - top), radius * canvas.scale)
        mask.paste(0, (left - box[0], top - box[1], right - box[0], bottom - box[1]), window)
    return mask


def _faded(mask: Image.Image, opacity: float) -> Image.Image:
    return mask if opacity == 1 else mask.point([round(value * opacity) for value in range(256)])
