"""Sharing a design from home: two pictures of it that everybody with the address may see, until it is taken back.

Only on the keeper's press. What is shown is a copy: later changes stay private until they are shared again. Content
checks (`screening`) look at the words and at the finished picture before. Guarantees: pictures are drawn and looked at
outside of any transaction; a second press of the same design changes nothing; files go after the row has.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import selectors
from catalog.models import Design, Draft, SharedDesign
from catalog.services import cards, drawing, pictures, screening
from pimpshop.core import errors

#: Width of the case on the shared page, in pixels.
CASE_PX = 720


class NotShared(errors.Conflict):
    code = "not_shared"
    message = _("This design cannot be shared. It stays yours, and only you see it.")


def share(draft: Draft) -> SharedDesign:
    """Show the draft's design, as it is now, at an address that cannot be guessed. Raises drawing.DesignEmpty, NotShared."""
    design = selectors.latest_design(draft.owner)
    if design is None or not design.layout.get("items"):
        raise drawing.DesignEmpty
    known = of(draft)
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
        stop(draft)
        fresh.save(force_insert=True)
    return fresh


def of(draft: Draft) -> SharedDesign | None:
    """What everybody may see of the draft."""
    return SharedDesign.objects.filter(draft=draft).first()


def is_current(shared: SharedDesign, design: Design) -> bool:
    """Does it still look like that?"""
    return (shared.layout_hash, shared.shell_id) == (design.layout_hash, design.shell_id)


def stop(draft: Draft) -> None:
    """Nobody sees it any more."""
    with transaction.atomic():
        for row in SharedDesign.objects.filter(draft=draft):
            names = [str(row.case.name), str(row.card.name)]
            row.delete()
            transaction.on_commit(partial(_remove, names))


def _remove(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def shown(token: str) -> SharedDesign:
    """What an address shows. Raises NotFound."""
    rows: Any = SharedDesign.objects.select_related("shell__model__brand", "shell__colour")
    row: SharedDesign | None = rows.filter(token=token).first() if "\x00" not in token else None
    if row is None:
        raise errors.NotFound
    return row
