"""What the studio page shows: the context of templates/catalog/studio.html and of its phone step.

Lives here: rows and choices put into the words of the templates' head comments. Not here: deciding anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import selectors
from catalog.models import Design, Photo
from catalog.services import designs, drawing, pens, studio
from catalog.views import stage_page
from catalog.views.places import Place
from pimpshop.core import errors

PREVIEW_PX = 600
MM_PER_INCH, PRINT_DPI, CROP_ROOM = Decimal("25.4"), 300, Decimal("1.3")
FONTS = (("latin", gettext_lazy("Handwriting")), ("chinese", gettext_lazy("Plain · 中文")))
COLOURS = (
    ("#111111", gettext_lazy("Black")), ("#ffffff", gettext_lazy("White")), ("#e11d48", gettext_lazy("Red")),
    ("#f59e0b", gettext_lazy("Yellow")), ("#16a34a", gettext_lazy("Green")), ("#2563eb", gettext_lazy("Blue")),
    ("#9333ea", gettext_lazy("Purple")), ("#f472b6", gettext_lazy("Pink")),
)  # fmt: skip
_NUMBERS = ("photo_cx", "photo_cy", "photo_width", "photo_rotation", "text_cx", "text_cy", "text_size")


def context(
    place: Place,
    fields: Mapping[str, Any],
    *,
    design: Design | None,
    problems: Iterable[object] = (),
    warnings: Iterable[designs.Warned] = (),
) -> dict[str, Any]:
    """Everything the page shows. `fields` are the page's own (studio.StudioForm); `design` what is saved, if any."""
    phone = phone_context(place, fields)
    shown = [shell for shell in phone["shells"] if shell["selected"]]
    return phone | {
        "session": place.words(),
        "photo": photo_context(place, _photo(design, place, fields)),
        "photos": [photo_context(place, row) for row in selectors.photos(place.owner)],
        **stage_page.context(fields, design),
        "design": {name: fields.get(name) for name in (*_NUMBERS, "text", "text_font", "text_color")},
        "fonts": _choices(FONTS, fields.get("text_font"), "id"),
        "colors": _choices(COLOURS, fields.get("text_color"), "value"),
        "preview_url": preview_url(place, design) if design else "",
        "price": shown[0]["price"] if shown else None,
        "shell_chosen": bool(shown),
        "outline": stage_page.outline(shown[0] if shown else None),
        "opened": "photo" if shown else "phone",
        "warnings": [{"code": warned.code, "text": warned.text} for warned in warnings],
        "low_resolution": bool(design and design.low_resolution),
        "accepted": bool(design and design.low_resolution_accepted_at),
        "errors": [str(problem) for problem in problems],
        "print_px": _print_px(phone.pop("offers")),
        "urls": urls(place, pens.new_tab(place.design())),
    }


def _choices(known: Iterable[tuple[str, Any]], chosen: object, key: str) -> list[dict[str, Any]]:
    """Radio buttons; the first is chosen when nothing is."""
    rows = list(known)
    wanted = str(chosen).lower() if chosen else rows[0][0]
    return [{key: value, "name": name, "selected": value == wanted} for value, name in rows]


def phone_context(place: Place, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Step 1 (templates/catalog/_phone.html): only what this machine sells and holds can be chosen.

    A colour is proposed as soon as a model is chosen: the chosen one, else the first that is here; before that the brand that
    the browser tells (`brand_hint`, its slug).
    """
    stock = place.stock()
    offers = selectors.offers(place.currency)
    here = {o.shell.pk for o in offers if stock is None or stock.get(o.shell.pk, 0) > 0}
    chosen = next((o.shell for o in offers if o.shell.pk == fields.get("shell")), None)
    brands, hint = selectors.brands_of(offers), fields.get("brand_hint")
    brand_id = fields.get("brand") or (chosen.model.brand_id if chosen else None)
    brand_id = brand_id or next((brand.pk for brand in brands if hint and brand.slug == hint), None)
    model_id = fields.get("model") or (chosen.model_id if chosen else None)
    models = selectors.models_of(offers, brand_id) if brand_id else []
    of_model = [o for o in offers if o.shell.model_id == model_id and model_id in {m.pk for m in models}]
    wanted = chosen.pk if chosen and chosen.model_id == model_id and chosen.pk in here else None
    wanted = wanted or next((o.shell.pk for o in of_model if o.shell.pk in here), None)
    return {
        "brands": [
            {"id": str(brand.pk), "name": str(brand), "selected": brand.pk == brand_id} for brand in brands
        ],
        "models": [
            {
                "id": str(model.pk),
                "name": str(model),
                "selected": model.pk == model_id,
                "in_stock": any(o.shell.pk in here for o in offers if o.shell.model_id == model.pk),
            }
            for model in models
        ],
        "shells": [_shell(offer, offer.shell.pk in here, offer.shell.pk == wanted) for offer in of_model],
        "urls": urls(place),
        "offers": offers,
    }


def _shell(offer: selectors.Offer, in_stock: bool, selected: bool) -> dict[str, Any]:
    shell = offer.shell
    return {
        "id": str(shell.pk),
        "name": str(shell.colour),
        "color": shell.colour.hex,
        "selected": selected,
        "in_stock": in_stock,
        "price": offer.price,
        "width_mm": shell.width_mm,
        "height_mm": shell.height_mm,
        "bleed_mm": shell.bleed_mm,
        "corner_radius_mm": shell.corner_radius_mm,
        "cutouts": json.dumps(shell.cutouts),
        "safe_mm": shell.safe_mm,
    }


def urls(place: Place, tab: pens.Tab | None = None) -> dict[str, str]:
    """Where the page posts to; what it saves, as that window."""
    window = f"?tab={tab}" if tab else ""
    return {
        "save": place.url() + window,
        "phone": place.url("phone"),
        "photo": place.url("photo"),
        "layout": place.url("layout") + window,
    }


def _print_px(offers: Iterable[selectors.Offer]) -> int:
    """How many pixels the longer side of a photo needs at most: the largest case here with its bleed, at the dots of a
    print, and room to crop. 0 when nothing is known: then nothing is made smaller."""
    longest = max(
        (max(o.shell.width_mm, o.shell.height_mm) + 2 * o.shell.bleed_mm for o in offers), default=Decimal(0)
    )
    return math.ceil(longest / MM_PER_INCH * PRINT_DPI * CROP_ROOM)


def _photo(design: Design | None, place: Place, fields: Mapping[str, Any]) -> Photo | None:
    """The photo of the fields; else, before anything is saved, the one that was uploaded last."""
    if fields.get("photo"):
        try:
            return selectors.photo_of(place.owner, fields["photo"])
        except errors.NotFound:
            return None
    return None if design else selectors.latest_photo(place.owner)


def photo_context(place: Place, photo: Photo | None) -> dict[str, Any] | None:
    """A photo as the page and its script know it."""
    if photo is None:
        return None
    return {
        "id": str(photo.pk),
        "url": place.url("photo-copy", photo.pk),
        "width_px": photo.width,
        "height_px": photo.height,
    }


def preview_url(place: Place, design: Design) -> str:
    """The preview's address: another one whenever it looks different, so that it may be kept."""
    look = f"{design.layout_hash[:12]}-{design.shell_id}"
    return f"{place.url('preview')}?w={PREVIEW_PX}&v={look}"


def initial_fields(design: Design | None) -> dict[str, Any]:
    """The page's fields for what is saved."""
    fields = studio.fields_of(design)
    if design:
        fields["shell"] = design.shell_id
    return fields


def missing_phone() -> str:
    """The complaint about a missing choice."""
    return _("Please choose your phone and the colour of the case.")


def empty() -> str:
    return str(drawing.DesignEmpty.message)
