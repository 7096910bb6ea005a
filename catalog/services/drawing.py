"""From rows to the renderer: what a shell, a template and an owner's photos are to `rendering`, and both pictures.

Lives here: the translation of rows to plain data, and drawing the print file and the preview of a layout. Not here: how
it is drawn (`rendering`), when and what for (`designs`).
Guarantees: only photos of the given owner are ever read (else NotFound). Reads rows and files; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from catalog import selectors
from catalog.models import Design, DesignTemplate, Shell
from catalog.services import layouts, rendering, strict_json, template_specs
from catalog.services.geometry import Geometry
from catalog.services.layouts import Layout
from catalog.services.template_specs import TemplateSpec
from pimpshop.core import errors


class LayoutNotTaken(errors.ShopError):
    """The layout cannot be printed as it is; `code` (layout_…) says why."""


class DesignEmpty(errors.ShopError):
    code = "design_empty"
    message = _("This case would stay blank. Please choose a photo or write something.")


def read_layout(source: str | bytes | Mapping[str, object]) -> tuple[Layout, DesignTemplate | None]:
    """A layout and the template that it names. Raises LayoutNotTaken, selectors.TemplateUnknown (400)."""
    try:
        layout = layouts.parse_layout(source)
        template = selectors.template_by_slug(layout.template) if layout.template else None
        layouts.check_slots(layout, spec_of(template) or TemplateSpec())
    except strict_json.LayoutRefused as refusal:
        raise LayoutNotTaken(refusal.message, code=f"layout_{refusal.code}") from refusal
    return layout, template


def geometry_of(shell: Shell) -> Geometry:
    """Size and holes of a shell, in millimetres."""
    return Geometry.of(
        shell.width_mm, shell.height_mm, shell.bleed_mm, shell.corner_radius_mm, shell.cutouts, shell.safe_mm
    )


def spec_of(template: DesignTemplate | None) -> TemplateSpec | None:
    """What a template draws; None without one."""
    return template_specs.parse_spec(template.spec) if template else None


def draw_preview(design: Design, width_px: int, image_format: str, *, small: bool = True) -> bytes:
    """The preview of a design's layout as it stands on the object; from the small copies unless told otherwise."""
    layout, template = read_layout(design.layout)
    load = _loader(design.owner, small=small)
    return rendering.render_preview(
        layout, geometry_of(design.shell), spec_of(template), load, width_px, image_format
    )


def draw_print(design: Design) -> bytes:
    """The print file of a design's layout as it stands on the object, checked. Raises DesignEmpty, PrintFaulty."""
    layout, template = read_layout(design.layout)
    if not layout.items:
        raise DesignEmpty
    geometry = geometry_of(design.shell)
    png = rendering.render_print(layout, geometry, spec_of(template), _loader(design.owner, small=False))
    try:
        rendering.check_print(png, geometry)
    except rendering.PrintFaulty as fault:
        if fault.code == "blank":
            raise DesignEmpty from fault
        raise
    return png


def _loader(owner: str, *, small: bool) -> rendering.PhotoLoader:
    def load(photo_id: str) -> bytes:
        photo = selectors.photo_of(owner, photo_id)
        with (photo.working_copy if small else photo.file).open("rb") as file:
            data: bytes = file.read()
            return data

    return load
