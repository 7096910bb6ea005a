"""Sharing a design from home: two pictures of it that everybody with the address may see, until it is taken back.

Only on the keeper's press. What is shown is a copy: later changes stay private until they are shared again. Content
checks (`screening`) look at the words and at the finished picture before. Not here: staff who take one
down (`takedowns`). Guarantees: pictures are drawn and looked at outside of any transaction; a second press of the same design
changes nothing; files go after the row has; what staff have taken down is not shared again by its keeper.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import selectors
from catalog.models import Design, Draft, SharedDesign
from catalog.services import cards, drawing, pictures, screening
from pimpshop.core import errors, staff_items

#: Width of the case on the shared page, in pixels.
CASE_PX = 720


class NotShared(errors.Conflict):
    code = "not_shared"
    message = _("This design cannot be shared. It stays yours, and only you see it.")


class TakenDown(errors.ShopError):
    code, status = "taken_down", 410
    message = _("This design is not shown any more.")


class StaysDown(errors.Conflict):
    code = "taken_down"
    message = _(
        "We have taken this design down, so it cannot be shared. It stays yours: change it or have it printed."
    )


#: The kind of item that waits for staff about a shared design, by its token.
REPORTED = "design_reported"


def share(draft: Draft) -> SharedDesign:
    """Show the draft's design, as it is now, at an address that cannot be guessed. Raises drawing.DesignEmpty, NotShared,
    StaysDown."""
    design = selectors.latest_design(draft.owner)
    if design is None or not design.layout.get("items"):
        raise drawing.DesignEmpty
    known = of(draft)
    if known is not None and known.taken_down_at:
        raise StaysDown
    if known is not None and is_current(known, design):
        return known
    case = drawing.draw_preview(design, CASE_PX, "PNG")
    _must_be_fit(design, case, draft.keeper)
    return _store(draft, design, case, cards.draw(case), known.token if known else secrets.token_urlsafe(16))


def _must_be_fit(design: Design, case: bytes, keeper: str) -> None:
    """The words, and the picture as others would see it. Raises NotShared."""
    words = " ".join(item["text"] for item in design.layout["items"] if item["kind"] == "text")
    try:
        screening.check_text(words, owner=keeper)
        screening.check_picture(pictures.read_picture(case))
    except (screening.PictureNotAllowed, screening.TextNotAllowed) as refusal:
        raise NotShared from refusal


def _store(draft: Draft, design: Design, case: bytes, card: bytes, token: str) -> SharedDesign:
    fresh = SharedDesign(draft=draft, token=token, shell=design.shell, layout_hash=design.layout_hash)
    fresh.case.save("case", ContentFile(case), save=False)
    fresh.card.save("card", ContentFile(card), save=False)
    with transaction.atomic():
        Draft.objects.select_for_update(no_key=True).get(pk=draft.pk)
        if SharedDesign.objects.filter(draft=draft).exclude(taken_down_at=None).exists():
            remove(files(fresh))  # taken down while it was drawn
            raise StaysDown
        _take_back(draft)
        fresh.save(force_insert=True)
    return fresh


def of(draft: Draft) -> SharedDesign | None:
    """What everybody may see of the draft."""
    return SharedDesign.objects.filter(draft=draft).first()


def taken_down(drafts: Iterable[Draft]) -> dict[uuid.UUID, str]:
    """Of these, which staff have taken down: draft id -> why, in the reader's language."""
    rows = SharedDesign.objects.filter(draft__in=list(drafts)).exclude(taken_down_at=None)
    return {row.draft_id: row.get_taken_down_for_display() for row in rows}


def is_current(shared: SharedDesign, design: Design) -> bool:
    """Does it still look like that?"""
    return (shared.layout_hash, shared.shell_id) == (design.layout_hash, design.shell_id)


def stop(draft: Draft) -> None:
    """Nobody sees it any more, and nobody has to look at it. What staff took down stays down."""
    with transaction.atomic():
        for token in _take_back(draft):
            staff_items.resolve_about(kind=REPORTED, subject=token, resolution="not shared any more")


def _take_back(draft: Draft) -> list[str]:
    """Rows that are shown, and after the commit their files; answers their tokens."""
    rows = list(SharedDesign.objects.filter(draft=draft, taken_down_at=None))
    for row in rows:
        names = files(row)
        row.delete()
        transaction.on_commit(partial(remove, names))
    return [row.token for row in rows]


def files(row: SharedDesign) -> list[str]:
    return [str(field.name) for field in (row.case, row.card) if field]


def remove(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def shown(token: str) -> SharedDesign:
    """What an address shows. Raises NotFound, TakenDown."""
    rows: Any = SharedDesign.objects.select_related("shell__model__brand", "shell__colour")
    row: SharedDesign | None = rows.filter(token=token).first() if "\x00" not in token else None
    if row is None:
        raise errors.NotFound
    if row.taken_down_at:
        raise TakenDown
    return row
