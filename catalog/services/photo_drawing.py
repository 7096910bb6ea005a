"""A photo of a layout drawn on a canvas: cropped, scaled, toned, turned, clipped to its slot.

Lives here: the way from a photo's file to pixels of the canvas, at any scale. Not here: its place (`layouts`), the colour
matrices (`filters`).
Guarantees: pure and deterministic; decodes no more of a file than the scale needs.
"""

import io
import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops

from . import filters, shapes
from .canvas import Canvas
from .geometry import Box
from .layout_items import PhotoItem
from .shapes import Px

# Gives the encoded bytes of a photo (as `pictures.read_picture` made them), or the path of a file with them.
PhotoLoader = Callable[[str], bytes | Path]


def draw(canvas: Canvas, item: PhotoItem, slot: Box, radius_mm: float, load: PhotoLoader) -> None:
    """One photo, clipped to its slot (mm) with round corners. Raises what the loader raises."""
    window = canvas.box(slot)
    clip = shapes.crossing(window, canvas.bounds)
    if clip is None:
        return
    source = load(item.photo)
    with Image.open(
        io.BytesIO(source) if isinstance(source, bytes) else source, formats=["JPEG", "PNG"]
    ) as photo:
        width = item.width * canvas.scale
        crop = item.crop
        size = (width, width * (photo.height * crop.h) / (photo.width * crop.w))
        placed = (_place_turned if item.rotation else _place)(canvas, item, photo, size, clip)
    if placed is None:
        return
    patch, box = placed
    mask = patch.getchannel("A") if patch.mode == "RGBA" else None
    if radius_mm:
        rounded = shapes.rounded((window[2] - window[0], window[3] - window[1]), radius_mm * canvas.scale)
        left, top = window[:2]
        rounded = rounded.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        mask = ImageChops.multiply(mask, rounded) if mask else rounded
    canvas.image.paste(patch, box, mask)


def _place(
    canvas: Canvas, item: PhotoItem, photo: Image.Image, size: tuple[float, float], clip: Px
) -> tuple[Image.Image, Px] | None:
    """The visible part of an unturned photo, scaled in one step, and its box on the canvas."""
    cx, cy = canvas.point(item.cx, item.cy)
    left, top = round(cx - size[0] / 2), round(cy - size[1] / 2)
    right, bottom = max(round(cx + size[0] / 2), left + 1), max(round(cy + size[1] / 2), top + 1)
    box = shapes.crossing((left, top, right, bottom), clip)
    if box is None:
        return None
    whole = (right - left, bottom - top)
    part = tuple(edge - start for edge, start in zip(box, (left, top, left, top), strict=True))
    return _scaled(item, photo, whole, part, (box[2] - box[0], box[3] - box[1])), box


def _place_turned(
    canvas: Canvas, item: PhotoItem, photo: Image.Image, size: tuple[float, float], clip: Px
) -> tuple[Image.Image, Px] | None:
    """The visible part of a turned photo with smooth edges, and its box on the canvas."""
    cx, cy = canvas.point(item.cx, item.cy)
    angle = math.radians(item.rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(x - cx, y - cy) for x in (clip[0], clip[2]) for y in (clip[1], clip[3])]
    across = [cos * x + sin * y + size[0] / 2 for x, y in corners]
    down = [cos * y - sin * x + size[1] / 2 for x, y in corners]
    # Two pixels more than the window shows, so that smoothing never sees the cut.
    left, right = max(min(across) - 2, 0), min(max(across) + 2, size[0])
    top, bottom = max(min(down) - 2, 0), min(max(down) + 2, size[1])
    if left >= right or top >= bottom:
        return None
    fit = (math.ceil(right - left), math.ceil(bottom - top))
    patch = _scaled(item, photo, size, (left, top, right, bottom), fit)
    # A transparent rim lets the turned edge fade over a pixel; Pillow premultiplies, so no dark fringe.
    rimmed = Image.new("RGBA", (fit[0] + 4, fit[1] + 4))
    rimmed.paste(patch, (2, 2))
    zoom = (fit[0] / (right - left), fit[1] / (bottom - top))
    pivot = ((size[0] / 2 - left) * zoom[0] + 2, (size[1] / 2 - top) * zoom[1] + 2)
    return shapes.turn(rimmed, pivot, zoom, (cx, cy), item.rotation, clip)


def _scaled(
    item: PhotoItem,
    photo: Image.Image,
    whole: tuple[float, float],
    part: tuple[float, ...],
    fit: tuple[int, int],
) -> Image.Image:
    """`part` of the cropped photo as it is when `whole` pixels large, resampled to `fit` pixels, in its own colours.

    Decodes no more than needed.
    """
    crop = item.crop
    # A JPEG can be decoded at a half, a quarter or an eighth: at the smallest size that still has all pixels.
    photo.draft("RGB", (math.ceil(whole[0] / crop.w), math.ceil(whole[1] / crop.h)))
    if photo.mode not in ("RGB", "RGBA"):
        photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    across, down = photo.width * crop.w / whole[0], photo.height * crop.h / whole[1]
    left, top = photo.width * crop.x, photo.height * crop.y
    box = (
        left + part[0] * across,
        top + part[1] * down,
        min(left + part[2] * across, photo.width),
        min(top + part[3] * down, photo.height),
    )
    patch = photo.resize(fit, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    matrix = filters.matrix_of(item)
    return filters.applied(patch, matrix) if matrix else patch
