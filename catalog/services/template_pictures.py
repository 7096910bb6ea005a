"""What a template looks like with photos in it: a small picture for people who choose and keep templates.

Drawn by the same renderer as every case, on a phone of usual size, with plain pictures, a colour for each slot. Guarantees:
pure and deterministic; raises LayoutRefused for a spec that cannot be read. Not here: rows.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import uuid
from typing import Any

from PIL import Image

from catalog.services import layouts, rendering, shapes, template_specs
from catalog.services.geometry import Geometry

WIDTH_PX = 160
#: An iPhone-sized case without camera: the template is looked at, not the phone.
_CASE = Geometry.of("71.50", "147.60", 2, 11)
_PHOTO_PX = (240, 320)
#: Upper and lower colour of the picture in each slot.
_COLOURS = (
    ("#7dd3fc", "#0369a1"), ("#fda4af", "#be123c"), ("#fde68a", "#b45309"), ("#86efac", "#15803d"),
    ("#c4b5fd", "#6d28d9"), ("#fdba74", "#c2410c"),
)  # fmt: skip


def mark(spec: Any) -> str:
    """Changes exactly when the picture does."""
    text = json.dumps(spec, sort_keys=True, default=str)
    return hashlib.sha256(f"{WIDTH_PX}/1/{text}".encode()).hexdigest()[:16]


def draw(spec: Any) -> bytes:
    """The picture as WebP, the case's corners transparent. Raises LayoutRefused."""
    parsed = template_specs.parse_spec(spec)
    photos = [(str(uuid.UUID(int=slot + 1)), _PHOTO_PX) for slot in range(parsed.slot_count)]
    layout = layouts.cover_layout(photos, _CASE, parsed)
    return rendering.render_preview(layout, _CASE, parsed, _photo, WIDTH_PX)


def _photo(photo_id: str) -> bytes:
    return _sample((uuid.UUID(photo_id).int - 1) % len(_COLOURS))


@functools.cache
def _sample(number: int) -> bytes:
    """A sky and a sun, so that one sees where a photo ends and which side is up."""
    upper, lower = _COLOURS[number]
    image = Image.new("RGB", _PHOTO_PX, upper)
    image.paste(lower, (0, 0), shapes.gradient(_PHOTO_PX, "down"))
    image.paste("#ffffff", (130, 50), shapes.ellipse((64, 64)))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
