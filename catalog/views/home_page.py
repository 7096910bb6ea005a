"""What pages show of designs at home: the list, what stands beside the studio, what a machine's studio offers of them.

Lives here: rows put into the words of the templates. Not here: deciding anything (`services.drafts`).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from catalog import selectors
from catalog.models import Design, Draft, Shell
from catalog.services import drafts, sharing
from catalog.views import visitors
from catalog.views.places import AtHome, AtMachine, Place

#: Width of a picture in a list, in pixels.
SMALL_PX = 240
#: How many a machine's studio offers.
MOST_OFFERED = 3


def beside(request: HttpRequest, place: Place, design: Design | None) -> dict[str, Any]:
    """For templates/catalog/_home.html: {ready, all} addresses of a design at home; designs to take along to a machine."""
    if isinstance(place, AtHome):
        return {"home": {"ready": place.url("ready"), "all": reverse("studio-home")}, "from_home": []}
    empty = design is None or not design.layout.get("items")
    offered = _offered(request, place) if empty and isinstance(place, AtMachine) else []
    return {"home": None, "from_home": offered}


def _offered(request: HttpRequest, place: Place) -> list[dict[str, Any]]:
    keeper = visitors.recognise(request)
    return [
        {**shown, "take": reverse("studio-from-home", args=[place.key])}
        for shown in (cards(keeper)[:MOST_OFFERED] if keeper else [])
        if shown["picture"]
    ]


def cards(keeper: str) -> list[dict[str, Any]]:
    """{id, name, picture ("" for an empty one), changed_at, url, ready, mine, taken_down (why, or "")} of what the keeper has,
    the newest first."""
    rows = list(drafts.kept(keeper))
    found = drafts.designs_of(rows)
    down = sharing.taken_down(draft for draft in rows if draft.keeper == keeper)
    return [
        _card(draft, found.get(draft.owner), keeper) | {"taken_down": down.get(draft.pk, "")}
        for draft in rows
    ]


def _card(draft: Draft, design: Design | None, keeper: str) -> dict[str, Any]:
    return {
        "id": str(draft.pk),
        "name": named(design.shell) if design else "",
        "picture": picture(draft, design, SMALL_PX),
        "changed_at": draft.updated_at,
        "url": reverse("home-studio", args=[draft.pk]),
        "ready": reverse("home-studio-ready", args=[draft.pk]),
        "mine": draft.keeper == keeper,
    }


def picture(draft: Draft, design: Design | None, width_px: int) -> str:
    """The preview's address; "" while nothing is on the case."""
    if design is None or not design.layout.get("items"):
        return ""
    look = f"{design.layout_hash[:12]}-{design.shell_id}"
    return f"{reverse('home-studio-preview', args=[draft.pk])}?w={width_px}&v={look}"


def named(shell: Shell) -> str:
    """The phone and the colour, in the reader's language."""
    return f"{shell.model} · {shell.colour}"


def fitting(place: Place, wanted: Shell) -> Shell | None:
    """The case of that phone that this place has: in that colour, else in another; None when it has none."""
    stock = place.stock()
    here = [
        offer.shell
        for offer in selectors.offers(place.currency)
        if offer.shell.model_id == wanted.model_id and (stock is None or stock.get(offer.shell.pk, 0) > 0)
    ]
    return next((shell for shell in here if shell.pk == wanted.pk), here[0] if here else None)
