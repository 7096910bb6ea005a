"""What the studio's pages let people do, as a whole layout: what the script sends, or the fields of the plain form.

Lives here: turning the form's choices into a layout, and a layout back into the form's fields. Not here: saving
(`designs`), what a valid layout is (`layouts`).
Guarantees: nothing is written when anything is refused. The plain form knows one photo and one line of text: whatever else
a saved layout has (further photos, texts, stickers, colours of photos) stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog import selectors
from catalog.models import Design, DesignTemplate, Photo, Shell
from catalog.services import designs, drawing, layouts, pens
from catalog.services.template_specs import TemplateSpec

TEXT_SIZE_MM = 8.0
#: Where a text stands at first: this part of the case's height from the top, below every camera.
TEXT_AT = 0.86


def save(
    *,
    owner: str,
    shell: Shell,
    layout: str | bytes | Mapping[str, object],
    accept_low_resolution: bool,
    tab: pens.Tab | None = None,
    by_force: bool = False,
) -> designs.SavedLayout:
    """Save a layout exactly as it was sent, as the owner's open design.

    `tab`: the window that writes (`pens`). Raises drawing.LayoutNotTaken, selectors.TemplateUnknown (400), NotFound for a
    foreign photo, pens.DesignStale (409).
    """
    parsed, _template = drawing.read_layout(layout)
    for item in parsed.photos:
        selectors.photo_of(owner, item.photo)  # before a design is made
    design = pens.take(owner=owner, shell=shell, tab=tab, by_force=by_force)
    return designs.save_layout(
        design=design, layout=layouts.as_json(parsed), accept_low_resolution=accept_low_resolution
    )


def layout_from_fields(
    fields: Mapping[str, Any],
    *,
    shell: Shell,
    template: DesignTemplate | None,
    photo: Photo | None,
    fill: bool,
    saved: Design | None = None,
) -> dict[str, object]:
    """The layout for the page's fields (names as in templates/catalog/studio.html; millimetres, degrees).

    `fill`: the photo is new, so it is put where it fills its place, as also when the fields do not say where. `saved`: the
    design that the fields change; another template, or another photo, fills the other slots anew.
    """
    old = _old_items(saved)
    slug = template.slug if template else None
    spec = drawing.spec_of(template) or TemplateSpec()
    same = saved is not None and saved.layout.get("template") == slug
    items: list[dict[str, Any]] = []
    if photo is not None:
        first = next((item for item in old if item["kind"] == "photo"), None)
        kept = first if same and first and first["photo"] == str(photo.pk) else None
        items.append(_photo(fields, photo, shell, template, fill, kept))
        places = [item for item in old if item["kind"] == "photo" and item is not first] if kept else []
        taken = {item["slot"] for item in (*items, *places)}
        items += places
        items += [item for item in _covering(photo, shell, template) if item["slot"] not in taken]
    words = [item for item in old if item["kind"] != "photo"]
    text = next((item for item in words if item["kind"] == "text"), None)
    if fields.get("text"):
        written = _text(fields, shell, text)
        items += [written if item is text else item for item in words] if text else [*words, written]
    else:
        items += [item for item in words if item is not text]
    background = {"background": spec.background}
    if same and saved is not None:
        background = {key: saved.layout[key] for key in ("background", "background2") if key in saved.layout}
    return {"version": layouts.VERSION, "template": slug, **background, "items": items}


def _old_items(saved: Design | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = saved.layout.get("items", []) if saved else []
    return found


def _photo(
    fields: Mapping[str, Any],
    photo: Photo,
    shell: Shell,
    template: DesignTemplate | None,
    fill: bool,
    kept: dict[str, Any] | None,
) -> dict[str, Any]:
    """The form's photo: where it says, else filling its place; crop and colours as they were."""
    place = {name: fields.get(f"photo_{name}") for name in ("cx", "cy", "width")}
    if fill or None in place.values():
        return _covering(photo, shell, template)[0]
    rotation = fields.get("photo_rotation") or 0.0
    return {"kind": "photo", "slot": 0, **(kept or {}), "photo": str(photo.pk), **place, "rotation": rotation}


def _text(fields: Mapping[str, Any], shell: Shell, kept: dict[str, Any] | None) -> dict[str, Any]:
    """The form's line of text; outline, arc and turn as they were."""
    cx, cy, size = (fields.get(f"text_{name}") for name in ("cx", "cy", "size"))
    return {
        "kind": "text", "rotation": 0.0, **(kept or {}), "text": fields["text"],
        "font": fields.get("text_font") or "latin", "color": fields.get("text_color") or "#111111",
        "cx": float(shell.width_mm) / 2 if cx is None else cx,
        "cy": float(shell.height_mm) * TEXT_AT if cy is None else cy,
        "size": size or TEXT_SIZE_MM,
    }  # fmt: skip


def fields_of(design: Design | None) -> dict[str, Any]:
    """A design's layout as the page's fields: its first photo and its first text. Empty without a design."""
    fields: dict[str, Any] = {}
    for item in reversed(_old_items(design)):
        if item["kind"] == "photo":
            fields["photo"] = item["photo"]
            fields |= {f"photo_{name}": item[name] for name in ("cx", "cy", "width", "rotation")}
        elif item["kind"] == "text":
            fields["text"] = item["text"]
            fields |= {f"text_{name}": item[name] for name in ("font", "cx", "cy", "size", "color")}
    if design:
        fields["template"] = design.layout.get("template") or ""
    return fields


def _covering(photo: Photo, shell: Shell, template: DesignTemplate | None) -> list[dict[str, Any]]:
    """The photo filling every slot of the template."""
    layout = layouts.cover_layout(
        [(str(photo.pk), (photo.width, photo.height))],
        drawing.geometry_of(shell),
        drawing.spec_of(template),
        template.slug if template else None,
    )
    found: list[dict[str, Any]] = layouts.as_json(layout)["items"]  # type: ignore[assignment]
    return found
