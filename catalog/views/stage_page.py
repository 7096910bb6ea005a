"""What the studio's stage needs of the page: the design as JSON, templates with what they draw, backgrounds.

Lives here: the part of the context of templates/catalog/studio.html that only its script reads. Not here: the plain form
(`studio_page`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import selectors
from catalog.models import Design
from catalog.views import sketches
from pimpshop.core.templatetags import shop

BACKGROUNDS = (
    ("#ffffff", gettext_lazy("White")), ("#fff4e6", gettext_lazy("Cream")), ("#ffcf24", gettext_lazy("Yellow")),
    ("#f97362", gettext_lazy("Coral")), ("#f472b6", gettext_lazy("Pink")), ("#7b2ff7", gettext_lazy("Purple")),
    ("#00b4d8", gettext_lazy("Sky")), ("#16a34a", gettext_lazy("Green")), ("#111111", gettext_lazy("Black")),
)  # fmt: skip
FILTERS = (
    ("none", gettext_lazy("Original")), ("mono", gettext_lazy("Grey")), ("sepia", gettext_lazy("Sepia")),
    ("warm", gettext_lazy("Warm")), ("cool", gettext_lazy("Cool")), ("vivid", gettext_lazy("Vivid")),
    ("fade", gettext_lazy("Faded")),
)  # fmt: skip


#: mm around the case, for handles (static/js/studio/scene.js has the same).
MARGIN_X, MARGIN_Y = 14, 9
SIZES, SOME_SIZES = ("width_mm", "height_mm", "corner_radius_mm"), (73, 149, 11)


def outline(shell: Mapping[str, Any] | None) -> dict[str, Any]:
    """The case that the stage shows before its script draws: the chosen one, else some phone's (SOME_SHELL of geometry.js)."""
    width, height, radius = (shell[name] for name in SIZES) if shell else SOME_SIZES
    view_box = " ".join(
        shop.plain(n) for n in (-MARGIN_X, -MARGIN_Y, width + 2 * MARGIN_X, height + 2 * MARGIN_Y)
    )
    return {
        "view_box": view_box,
        **{name: shop.plain(n) for name, n in {"width": width, "height": height, "radius": radius}.items()},
        "holes": [
            {key: shop.plain(n) for key, n in hole.items()}
            for hole in (json.loads(shell["cutouts"]) if shell else ())
        ],
    }


def context(fields: Mapping[str, Any], design: Design | None) -> dict[str, Any]:
    """`fields` are the page's own (studio.StudioForm); what was posted comes before what is saved."""
    posted = fields.get("layout") or ""
    saved = json.dumps(design.layout) if design and design.layout else ""
    return {
        "layout": posted or saved,
        "templates": _templates(str(fields.get("template") or "classic")),
        "backgrounds": _backgrounds(),
        "filters": [{"id": slug, "name": name} for slug, name in FILTERS],
        "filters_url": static("studio/filters.json"),
        "stickers_url": static("studio/stickers.json"),
    }


def _templates(chosen: str) -> list[dict[str, Any]]:
    return [
        {
            "id": row.slug,
            "name": str(row),
            "sketch": sketches.svg(row),
            "selected": row.slug == chosen,
            "slots": json.dumps(row.spec.get("slots", [])),
            "overlay": json.dumps(row.spec.get("overlay", [])),
            "background": row.spec.get("background", "#ffffff"),
        }
        for row in selectors.templates()
    ]


def _backgrounds() -> list[dict[str, Any]]:
    colours = [{"value": value, "name": name} for value, name in BACKGROUNDS]
    return [
        {"id": "background", "name": _("Background"), "none": "", "colors": colours},
        {"id": "background2", "name": _("Fading into"), "none": _("No other"), "colors": colours},
    ]
