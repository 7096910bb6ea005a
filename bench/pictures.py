"""B10: from a customer's photo to the print file, and a decompression bomb. Against bare Pillow doing the same pixels.

The same pixels: decode a JPEG of 12 megapixels, turn it upright, encode it (that copy is kept), cut and scale it to the
print area at 300 dpi, lay a frame over it, write the PNG, read it back. CPU time, in turns, in one process.
"""

from __future__ import annotations

import io
import statistics
import struct
import time
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw, ImageOps

from bench import results, stage

SHELL_MM = (76.0, 156.0)
_RIM = {"kind": "frame", "x": 0.04, "y": 0.02, "w": 0.92, "h": 0.96, "thickness": 0.03, "color": "#111111"}
FRAME = {"slots": [], "overlay": [_RIM]}


def photo() -> bytes:
    """A JPEG of 4000 x 3000 that lies on its side (EXIF orientation 6)."""
    image = Image.effect_noise((800, 600), 50).convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
    turned = Image.Exif()
    turned[0x0112] = 6
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, exif=turned)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred kilobytes that claims, and has, 400 megapixels."""
    side = 20_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(bytes((side // 8 + 1) * side), 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def ours(data: bytes) -> Callable[[], object]:
    from catalog.services import geometry, layouts, pictures, rendering, template_specs

    shell = geometry.Geometry.of(*SHELL_MM)
    spec = template_specs.parse_spec(FRAME)

    def do() -> object:
        picture = pictures.read_picture(data, min_side=64)
        layout = layouts.cover_layout([(str(uuid.UUID(int=1)), picture.size)], shell, spec)
        png = rendering.render_print(layout, shell, spec, lambda _photo: picture.data)
        rendering.check_print(png, shell)
        return png

    return do


def bare(data: bytes) -> Callable[[], object]:
    from catalog.services import geometry

    size = geometry.Geometry.of(*SHELL_MM).print_size

    def do() -> object:
        kept = io.BytesIO()
        with Image.open(io.BytesIO(data)) as image:
            ImageOps.exif_transpose(image).convert("RGB").save(kept, "JPEG", quality=92)
        with Image.open(kept) as image:
            area = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
        frame = Image.new("RGBA", size, (0, 0, 0, 0))
        ImageDraw.Draw(frame).rounded_rectangle((35, 35, size[0] - 35, size[1] - 35), 70, None, "#111111", 24)
        area.paste(frame, (0, 0), frame)
        out = io.BytesIO()
        area.save(out, "PNG", dpi=(300, 300), compress_level=3)
        with Image.open(out) as image:
            image.load()
        return out

    return do


def _taken(do: Callable[[], object]) -> float:
    started = time.process_time()
    do()
    return 1000 * (time.process_time() - started)


def _refusal_ms(data: bytes) -> float:
    from catalog.services import pictures

    started = time.perf_counter()
    try:
        pictures.read_picture(data)
    except pictures.PictureRefused as refusal:
        if refusal.code != "too_many_pixels":
            raise
        return 1000 * (time.perf_counter() - started)
    raise AssertionError("a bomb was taken in")


def run(ground: stage.Stage) -> list[results.Row]:
    ground.load()
    data = photo()
    both: dict[str, tuple[Callable[[], object], list[float]]] = {
        "ours": (ours(data), []),
        "bare": (bare(data), []),
    }
    for do, _ in both.values():
        do()
    for _ in range(3 if ground.quick else 9):
        for do, times in both.values():
            times.append(_taken(do))
    mine, theirs = both["ours"][1], both["bare"][1]
    ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    refused = statistics.median(_refusal_ms(bomb()) for _ in range(5))
    cells: dict[str, Any] = {
        "ours": f"{statistics.median(mine):.0f} ms CPU", "floor": f"{statistics.median(theirs):.0f} ms CPU",
    }  # fmt: skip
    return [
        results.Row(
            number="B10", measure="photo of 12 megapixels to print file, against bare Pillow", ratio=f"{ratio:.2f} x",
            target="≤ 1.3 x", met=ratio <= 1.3, **cells,
        ),
        results.at_most("B10", "a bomb of 400 megapixels is refused", refused, 50, "ms"),
    ]  # fmt: skip
