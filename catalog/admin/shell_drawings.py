"""A shell drawn for the desk: its outline, the camera's holes, the bleed and the area where words are safe; one unit is 1 mm.

Not here: the shopper's preview (`services.rendering`).
"""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from catalog.models import Shell
from catalog.services import drawing

HOW = _(
    'Please write a list such as [{"x": 3, "y": 3, "w": 36, "h": 38, "r": 9}]: millimetres from the top left corner, every hole on the case.'
)
#: Pixels of the drawing per millimetre.
ZOOM = 2


def svg(shell: Shell) -> SafeString | str:
    """The drawing; a dash for a shell whose numbers cannot be drawn."""
    try:
        shape = drawing.geometry_of(shell)
    except (ValueError, TypeError, AttributeError):
        return "–"
    area, safe = shape.print_area, shape.safe_mm
    return format_html(
        '<svg class="desk-shell" role="img" aria-label="{}" width="{}" height="{}" viewBox="{} {} {} {}">'
        '<rect class="bleed" x="{}" y="{}" width="{}" height="{}"/>'
        '<rect class="trim" width="{}" height="{}" rx="{}"/>'
        '<rect class="safe" x="{}" y="{}" width="{}" height="{}" rx="{}"/>{}</svg>',
        _("The case with its camera holes"), round(area.w * ZOOM), round(area.h * ZOOM),
        area.x, area.y, area.w, area.h, area.x, area.y, area.w, area.h,
        shape.width_mm, shape.height_mm, shape.corner_radius_mm,
        safe, safe, shape.width_mm - 2 * safe, shape.height_mm - 2 * safe, max(shape.corner_radius_mm - safe, 0),
        format_html_join(
            "", '<rect class="hole" x="{}" y="{}" width="{}" height="{}" rx="{}"/>',
            ((hole.x, hole.y, hole.w, hole.h, hole.r) for hole in shape.cutouts),
        ),
    )  # fmt: skip
