"""Drawing a design: the print file at 300 dpi and the preview, by the same code at another scale.

Lives here: what is drawn in which order; the check of a finished print file. Not here: how each thing is drawn
(`photo_drawing`, `overlays`, `lettering`, `stickers`), reading layouts (`layouts`), storing and freezing (`designs`).

Guarantees: pure and deterministic: the same layout, geometry, template and photos give the same bytes. No database, no
outside call; photos come through the loader. Raises what the loader raises.
"""

import io

from PIL import Image, ImageStat, PngImagePlugin

from . import layouts, lettering, overlays, photo_drawing, shapes, stickers
from .canvas import PRINT_SCALE, Canvas
from .geometry import DPI, Box, Geometry
from .layouts import Layout, PhotoItem, StickerItem
from .photo_drawing import PhotoLoader
from .template_specs import TemplateSpec

__all__ = ["PRINT_SCALE", "PhotoLoader", "PrintFaulty", "check_print", "render_preview", "render_print"]
PREVIEW_WIDTH_PX = (32, 2000)
_BLANK_SPREAD = 4


class PrintFaulty(Exception):
    """A print file that must not be sent: not_png, wrong_size, wrong_dpi, wrong_mode or blank."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        super().__init__(f"{code} {detail}".strip())


def render_print(layout: Layout, geometry: Geometry, spec: TemplateSpec | None, load: PhotoLoader) -> bytes:
    """The print file: PNG, RGB (sRGB), 300 dpi, trim and bleed.

    It knows nothing of the camera: cut-outs are measured roughly, and a white rim around a real hole would look worse than
    ink that falls into it. Raises `LayoutRefused` for a slot that the template does not have.
    """
    image = Image.new("RGB", geometry.print_size, layout.background)
    canvas = Canvas(image, PRINT_SCALE, geometry.bleed_mm)
    _draw(canvas, layout, geometry, spec, load)
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
    canvas = Canvas(image, scale, 0)
    _draw(canvas, layout, geometry, spec, load)
    alpha = shapes.rounded(image.size, geometry.corner_radius_mm * scale)
    for hole in geometry.cutouts:
        box = canvas.box(Box(hole.x, hole.y, hole.w, hole.h))
        alpha.paste(0, box, shapes.rounded((box[2] - box[0], box[3] - box[1]), hole.r * scale))
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
    if all(high - low <= _BLANK_SPREAD for low, high in ImageStat.Stat(image).extrema):
        raise PrintFaulty("blank")


def _draw(
    canvas: Canvas, layout: Layout, geometry: Geometry, spec: TemplateSpec | None, load: PhotoLoader
) -> None:
    """The background's second colour, photos, the template's overlay, then texts and stickers as they come."""
    layouts.check_slots(layout, spec or TemplateSpec())
    if layout.background2:
        box = canvas.box(geometry.print_area)
        ramp = shapes.gradient((box[2] - box[0], box[3] - box[1]), "down")
        canvas.image.paste(layout.background2, box[:2], ramp)
    for photo in layout.photos:
        radius = spec.slots[photo.slot].radius * geometry.width_mm if spec and spec.slots else 0
        photo_drawing.draw(canvas, photo, layouts.slot_box(geometry, spec, photo.slot), radius, load)
    for shape in spec.overlay if spec else ():
        overlays.draw(canvas, shape, geometry)
    for item in layout.items:
        if isinstance(item, StickerItem):
            _draw_sticker(canvas, item)
        elif not isinstance(item, PhotoItem):
            lettering.draw(canvas, item)


def _draw_sticker(canvas: Canvas, item: StickerItem) -> None:
    sticker, centre = stickers.catalogue()[item.sticker], canvas.point(item.cx, item.cy)
    stickers.draw(canvas.image, sticker, centre, item.width * canvas.scale, item.rotation)
