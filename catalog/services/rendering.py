"""Drawing a design: the print file at 300 dpi and the preview, by the same code at another scale.

Lives here: what is drawn where, in which order; the check of a finished print file. Not here: pixel masks (`shapes`),
letters (`fonts`), reading layouts (`layouts`), storing and freezing (`designs`).

Guarantees: pure and deterministic: the same layout, geometry, template and photos give the same bytes. No database, no
outside call; photos come through the loader. Raises what the loader raises.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat, PngImagePlugin

from . import fonts, layouts, shapes
from .geometry import DPI, MM_PER_INCH, Box, Geometry
from .layouts import Layout, PhotoItem, TextItem
from .shapes import Px
from .template_specs import Ellipse, Frame, Line, Rect, Shape, TemplateSpec

# Gives the encoded bytes of a photo (as `pictures.read_picture` made them), or the path of a file with them.
PhotoLoader = Callable[[str], bytes | Path]

PRINT_SCALE = DPI / MM_PER_INCH  # pixels per millimetre
PREVIEW_WIDTH_PX = (32, 2000)
WHITE = "#ffffff"
_BLANK_SPREAD = 4


class PrintFaulty(Exception):
    """A print file that must not be sent: not_png, wrong_size, wrong_dpi, wrong_mode or blank."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        super().__init__(f"{code} {detail}".strip())


@dataclass(frozen=True, slots=True)
class _Canvas:
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


def render_print(layout: Layout, geometry: Geometry, spec: TemplateSpec | None, load: PhotoLoader) -> bytes:
    """The print file: PNG, RGB (sRGB), 300 dpi, trim and bleed, cut-outs left white.

    Raises `LayoutRefused` for a slot that the template does not have.
    """
    image = Image.new("RGB", geometry.print_size, layout.background)
    canvas = _Canvas(image, PRINT_SCALE, geometry.bleed_mm)
    _draw(canvas, layout, geometry, spec, load)
    for box, mask in _cutouts(canvas, geometry):
        image.paste(WHITE, box, mask)
    out = io.BytesIO()
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\x01")  # relative colorimetric
    image.save(out, "PNG", dpi=(DPI, DPI), pnginfo=chunks, compress_level=3)
    return out.getvalue()


def render_preview(
    layout: Layout,
    geometry: Geometry,
    spec: TemplateSpec | None,
    load: PhotoLoader,
    width_px: int,
    image_format: str = "WEBP",
) -> bytes:
    """What the case will look like: the trim rectangle `width_px` pixels wide, corners and cut-outs transparent.

    `image_format` is WEBP or PNG. Reduced photos (`pictures.make_working_copy`) are enough.
    """
    if not PREVIEW_WIDTH_PX[0] <= width_px <= PREVIEW_WIDTH_PX[1]:
        raise ValueError("a preview is 32 to 2000 pixels wide")
    scale = width_px / geometry.width_mm
    image = Image.new("RGB", (width_px, round(geometry.height_mm * scale)), layout.background)
    canvas = _Canvas(image, scale, 0)
    _draw(canvas, layout, geometry, spec, load)
    alpha = shapes.rounded(image.size, geometry.corner_radius_mm * scale)
    for box, mask in _cutouts(canvas, geometry):
        alpha.paste(0, box, mask)
    image.putalpha(alpha)
    out = io.BytesIO()
    if image_format == "PNG":
        image.save(out, "PNG", compress_level=3)
    else:
        image.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def check_print(png: bytes, geometry: Geometry) -> None:
    """Raise `PrintFaulty` unless this is a print file for the shell: right size, 300 dpi, opaque RGB, not blank."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise PrintFaulty("not_png") from error
    if image.size != geometry.print_size:
        raise PrintFaulty("wrong_size", f"{image.size} instead of {geometry.print_size}")
    if any(abs(value - DPI) > 0.5 for value in image.info.get("dpi", (0, 0))):
        raise PrintFaulty("wrong_dpi")
    if image.mode != "RGB" or "transparency" in image.info:
        raise PrintFaulty("wrong_mode", image.mode)
    # Cut-outs are white on every print: painted over, one colour is left of a blank one.
    corner = image.crop((0, 0, 1, 1))
    for (left, top, right, bottom), _mask in _cutouts(
        _Canvas(image, PRINT_SCALE, geometry.bleed_mm), geometry
    ):
        image.paste(corner.resize((right - left, bottom - top)), (left, top))
    if all(high - low <= _BLANK_SPREAD for low, high in ImageStat.Stat(image).extrema):
        raise PrintFaulty("blank")


def _draw(
    canvas: _Canvas, layout: Layout, geometry: Geometry, spec: TemplateSpec | None, load: PhotoLoader
) -> None:
    """Photos, then the template's overlay, then texts; the background is there already."""
    layouts.check_slots(layout, spec or TemplateSpec())
    for photo in layout.photos:
        radius = spec.slots[photo.slot].radius * geometry.width_mm if spec and spec.slots else 0
        _draw_photo(canvas, photo, layouts.slot_box(geometry, spec, photo.slot), radius, load)
    for shape in spec.overlay if spec else ():
        _draw_shape(canvas, shape, geometry)
    for text in layout.texts:
        _draw_text(canvas, text)


def _draw_photo(canvas: _Canvas, item: PhotoItem, slot: Box, radius_mm: float, load: PhotoLoader) -> None:
    window = canvas.box(slot)
    clip = shapes.crossing(window, canvas.bounds)
    if clip is None:
        return
    source = load(item.photo)
    with Image.open(
        io.BytesIO(source) if isinstance(source, bytes) else source, formats=["JPEG", "PNG"]
    ) as photo:
        width = item.width * canvas.scale
        size = (width, width * photo.height / photo.width)
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
    canvas: _Canvas, item: PhotoItem, photo: Image.Image, size: tuple[float, float], clip: Px
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
    return _scaled(photo, whole, part, (box[2] - box[0], box[3] - box[1])), box


def _place_turned(
    canvas: _Canvas, item: PhotoItem, photo: Image.Image, size: tuple[float, float], clip: Px
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
    patch = _scaled(photo, size, (left, top, right, bottom), fit)
    # A transparent rim lets the turned edge fade over a pixel; Pillow premultiplies, so no dark fringe.
    rimmed = Image.new("RGBA", (fit[0] + 4, fit[1] + 4))
    rimmed.paste(patch, (2, 2))
    zoom = (fit[0] / (right - left), fit[1] / (bottom - top))
    pivot = ((size[0] / 2 - left) * zoom[0] + 2, (size[1] / 2 - top) * zoom[1] + 2)
    return shapes.turn(rimmed, pivot, zoom, (cx, cy), item.rotation, clip)


def _scaled(
    photo: Image.Image, whole: tuple[float, float], part: tuple[float, ...], fit: tuple[int, int]
) -> Image.Image:
    """`part` of the photo as it is when `whole` pixels large, resampled to `fit` pixels. Decodes no more than needed."""
    # A JPEG can be decoded at a half, a quarter or an eighth: at the smallest size that still has all pixels.
    photo.draft("RGB", (math.ceil(whole[0]), math.ceil(whole[1])))
    if photo.mode not in ("RGB", "RGBA"):
        photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    across, down = photo.width / whole[0], photo.height / whole[1]
    box = (
        part[0] * across,
        part[1] * down,
        min(part[2] * across, photo.width),
        min(part[3] * down, photo.height),
    )
    return photo.resize(fit, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def _draw_text(canvas: _Canvas, item: TextItem) -> None:
    # Always drawn at print size and reduced from there: letters of a preview never jump to whole pixels.
    mask = fonts.draw_line(item.text, item.font, item.size * PRINT_SCALE)
    ratio = canvas.scale / PRINT_SCALE
    if ratio != 1:
        size = (max(round(mask.width * ratio), 1), max(round(mask.height * ratio), 1))
        mask = mask.resize(size, Image.Resampling.LANCZOS)
    cx, cy = canvas.point(item.cx, item.cy)
    if not item.rotation:
        canvas.image.paste(item.color, (round(cx - mask.width / 2), round(cy - mask.height / 2)), mask)
        return
    turned = shapes.turn(
        mask, (mask.width / 2, mask.height / 2), (1, 1), (cx, cy), item.rotation, canvas.bounds
    )
    if turned is not None:
        canvas.image.paste(item.color, turned[1], turned[0])


def _draw_shape(canvas: _Canvas, shape: Shape, geometry: Geometry) -> None:
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


def _rim(canvas: _Canvas, shape: Frame, geometry: Geometry, box: Px) -> Image.Image:
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


def _cutouts(canvas: _Canvas, geometry: Geometry) -> list[tuple[Px, Image.Image]]:
    """Box and mask of every hole of the shell."""
    found = []
    for hole in geometry.cutouts:
        box = canvas.box(Box(hole.x, hole.y, hole.w, hole.h))
        found.append((box, shapes.rounded((box[2] - box[0], box[3] - box[1]), hole.r * canvas.scale)))
    return found
