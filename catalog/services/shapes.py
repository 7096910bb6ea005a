"""Masks with smooth edges, in pixels: rounded boxes, frames, lines, ellipses, gradients; turning an image about a point.

Lives here: pixel work that knows no millimetres. Not here: what is drawn where (`rendering`).

Guarantees: pure and deterministic. A mask is an image of mode L, 255 = painted.
"""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

Px = tuple[int, int, int, int]  # left, top, right, bottom
_FINER = 4  # edges are drawn this many times larger and averaged
_LARGE = 500_000  # pixels; the edges of a polygon larger than that are half as fine


def crossing(one: Px, other: Px) -> Px | None:
    """The part that two boxes share, or None."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def rounded(size: tuple[int, int], radius: float) -> Image.Image:
    """A full mask of this size with rounded corners; only the corners cost anything."""
    mask = Image.new("L", size, 255)
    radius = min(radius, min(size) / 2)
    side = math.ceil(radius)
    if side < 1:
        return mask
    corner = Image.new("L", (side * _FINER, side * _FINER), 0)
    ImageDraw.Draw(corner).ellipse((0, 0, 2 * radius * _FINER, 2 * radius * _FINER), fill=255)
    corner = corner.reduce(_FINER)
    mirrored, flipped = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
    right, bottom = size[0] - side, size[1] - side
    mask.paste(corner, (0, 0))
    mask.paste(corner.transpose(mirrored), (right, 0))
    mask.paste(corner.transpose(flipped), (0, bottom))
    mask.paste(corner.transpose(mirrored).transpose(flipped), (right, bottom))
    return mask


def ellipse(size: tuple[int, int]) -> Image.Image:
    """A filled ellipse that touches all four sides."""
    large = Image.new("L", (size[0] * _FINER, size[1] * _FINER), 0)
    ImageDraw.Draw(large).ellipse((0, 0, large.width - 1, large.height - 1), fill=255)
    return large.reduce(_FINER)


def line(start: tuple[float, float], end: tuple[float, float], thickness: float) -> tuple[Image.Image, Px]:
    """A straight line with flat ends, as a mask and the box it belongs into."""
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    # ImageDraw counts in centres of pixels and paints the edge's own pixels too: half a fine pixel less on all sides.
    half, less = max(thickness - 1 / _FINER, 0) / 2, 0.5 / _FINER
    along = ((x2 - x1) / length, (y2 - y1) / length)
    across = (-along[1] * half, along[0] * half)
    x1, y1, x2, y2 = x1 + along[0] * less, y1 + along[1] * less, x2 - along[0] * less, y2 - along[1] * less
    points = [
        (x1 + across[0], y1 + across[1]),
        (x2 + across[0], y2 + across[1]),
        (x2 - across[0], y2 - across[1]),
        (x1 - across[0], y1 - across[1]),
    ]
    left, top = (math.floor(min(values)) - 1 for values in zip(*points, strict=True))
    right, bottom = (math.ceil(max(values)) + 1 for values in zip(*points, strict=True))
    large = Image.new("L", ((right - left) * _FINER, (bottom - top) * _FINER), 0)
    fine = [(round((x - left) * _FINER - 0.5), round((y - top) * _FINER - 0.5)) for x, y in points]
    ImageDraw.Draw(large).polygon(fine, fill=255)
    return large.reduce(_FINER), (left, top, right, bottom)


def polygon(points: Sequence[tuple[float, float]], clip: Px) -> tuple[Image.Image, Px] | None:
    """A filled polygon, as a mask and the box it belongs into: no more than the part within `clip`; None without any."""
    left, top = (math.floor(min(values)) - 1 for values in zip(*points, strict=True))
    right, bottom = (math.ceil(max(values)) + 1 for values in zip(*points, strict=True))
    box = crossing((left, top, right, bottom), clip)
    if box is None:
        return None
    width, height = box[2] - box[0], box[3] - box[1]
    finer = _FINER if width * height < _LARGE else _FINER // 2
    large = Image.new("L", (width * finer, height * finer), 0)
    # ImageDraw counts in centres of pixels: half a fine pixel less.
    fine = [(round((x - box[0]) * finer - 0.5), round((y - box[1]) * finer - 0.5)) for x, y in points]
    ImageDraw.Draw(large).polygon(fine, fill=255)
    return large.reduce(finer), box


def gradient(size: tuple[int, int], direction: str) -> Image.Image:
    """From 0 to 255, downwards or to the right."""
    ramp = Image.linear_gradient("L")
    if direction == "right":
        ramp = ramp.transpose(Image.Transpose.TRANSPOSE)
    return ramp.resize(size, Image.Resampling.BILINEAR)


def turn(
    image: Image.Image,
    pivot: tuple[float, float],
    zoom: tuple[float, float],
    centre: tuple[float, float],
    degrees: float,
    clip: Px,
) -> tuple[Image.Image, Px] | None:
    """The image turned clockwise so that its point `pivot` lies on `centre`, and the box of the canvas that it fills.

    `zoom`: pixels of the image per pixel of the canvas, across and down. Only the part within `clip` is made; None if that
    is empty. What the turned image does not reach is 0 (transparent).
    """
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    xs, ys = [], []
    for x in (0, image.width):
        for y in (0, image.height):
            across, down = (x - pivot[0]) / zoom[0], (y - pivot[1]) / zoom[1]
            xs.append(centre[0] + cos * across - sin * down)
            ys.append(centre[1] + sin * across + cos * down)
    box = crossing((math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))), clip)
    if box is None:
        return None
    # Pillow asks the other way round: for a pixel of the result, where in the image it comes from.
    left, top = box[0] - centre[0], box[1] - centre[1]
    matrix = (
        zoom[0] * cos,
        zoom[0] * sin,
        zoom[0] * (cos * left + sin * top) + pivot[0],
        -zoom[1] * sin,
        zoom[1] * cos,
        zoom[1] * (cos * top - sin * left) + pivot[1],
    )
    size = (box[2] - box[0], box[3] - box[1])
    return image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC), box
