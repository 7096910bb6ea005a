"""What the first studio page lets people do: one photo, one line of text, a template, as a whole layout.

Lives here: turning the page's choices into a layout, and a layout back into the page's fields. Not here: saving
(`designs`), what a valid layout is (`layouts`).
Guarantees: nothing is written when anything is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from catalog import selectors
from catalog.models import Design, DesignTemplate, Photo, Shell
from catalog.services import designs, drawing, layouts

TEXT_SIZE_MM = 8.0
#: Where a text stands at first: this part of the case's height from the top, below every camera.
TEXT_AT = 0.86


def save(
    *, owner: str, shell: Shell, layout: Mapping[str, object], accept_low_resolution: bool
) -> designs.SavedLayout:
    """Save what the page sent as the owner's open design.

    The page knows one photo and no background: the photo fills the template's other slots too, and the background is
    the template's. Raises drawing.LayoutNotTaken, selectors.TemplateUnknown (400), NotFound for a foreign photo.
    """
    parsed, template = drawing.read_layout(layout)
    for item in parsed.photos:
        selectors.photo_of(owner, item.photo)  # before a design is made
    spec = drawing.spec_of(template)
    photos = list(parsed.photos)
    if spec and photos:
        photo = selectors.photo_of(owner, photos[0].photo)
        cover = _cover(photo, shell, template)
        photos += [item for item in cover.photos if item.slot not in {found.slot for found in photos}]
    whole = layouts.Layout(parsed.template, spec.background if spec else "#ffffff", (*photos, *parsed.texts))
    design = designs.design_for(owner=owner, shell=shell)
    return designs.save_layout(
        design=design, layout=layouts.as_json(whole), accept_low_resolution=accept_low_resolution
    )


def layout_from_fields(
    fields: Mapping[str, Any],
    *,
    shell: Shell,
    template: DesignTemplate | None,
    photo: Photo | None,
    fill: bool,
) -> dict[str, object]:
    """The layout for the page's fields (names as in templates/catalog/studio.html; millimetres, degrees).

    `fill`: the photo is new, so it is put where it fills its place, as also when the fields do not say where.
    """
    items: list[dict[str, object]] = []
    place = [fields.get(name) for name in ("photo_cx", "photo_cy", "photo_width")]
    if photo is not None and (fill or None in place):
        items.append({"kind": "photo", **dataclasses.asdict(_cover(photo, shell, template).photos[0])})
    elif photo is not None:
        cx, cy, width = place
        rotation = fields.get("photo_rotation") or 0.0
        items.append({"kind": "photo", "photo": str(photo.pk), "slot": 0, "cx": cx, "cy": cy, "width": width,
                      "rotation": rotation})  # fmt: skip
    if fields.get("text"):
        cx, cy, size = (fields.get(name) for name in ("text_cx", "text_cy", "text_size"))
        items.append({
            "kind": "text", "text": fields["text"], "font": fields.get("text_font") or "latin",
            "color": fields.get("text_color") or "#111111", "rotation": 0.0,
            "cx": float(shell.width_mm) / 2 if cx is None else cx,
            "cy": float(shell.height_mm) * TEXT_AT if cy is None else cy,
            "size": size or TEXT_SIZE_MM,
        })  # fmt: skip
    slug = template.slug if template else None
    return {"version": layouts.VERSION, "template": slug, "background": "#ffffff", "items": items}


def fields_of(design: Design | None) -> dict[str, Any]:
    """A design's layout as the page's fields: its first photo and its first text. Empty without a design."""
    fields: dict[str, Any] = {}
    for item in reversed(design.layout.get("items", []) if design else []):
        if item["kind"] == "photo":
            fields["photo"] = item["photo"]
            fields |= {f"photo_{name}": item[name] for name in ("cx", "cy", "width", "rotation")}
        else:
            fields["text"] = item["text"]
            fields |= {f"text_{name}": item[name] for name in ("font", "cx", "cy", "size", "color")}
    if design:
        fields["template"] = design.layout.get("template") or ""
    return fields


def _cover(photo: Photo, shell: Shell, template: DesignTemplate | None) -> layouts.Layout:
    """The photo filling every slot of the template."""
    return layouts.cover_layout(
        [(str(photo.pk), (photo.width, photo.height))],
        drawing.geometry_of(shell),
        drawing.spec_of(template),
        template.slug if template else None,
    )
