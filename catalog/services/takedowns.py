"""Shared designs that should not be shown: anybody reports one, staff take it down or allow it again.

Not here: sharing itself (`sharing`). Guarantees: taken down once, with its pictures, in one transaction with the items about it;
its address answers 410 as long as its draft lives; a report is one item for staff per design until that is resolved, and
nothing of whoever reports is kept.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from catalog.models import Draft, SharedDesign, TakenDownFor
from catalog.services import sharing
from pimpshop.core import staff_items


def report(token: str) -> bool:
    """Somebody says that it should not be shown. False: staff know already. Raises NotFound, sharing.TakenDown."""
    shared = sharing.shown(token)
    return staff_items.open_item(
        kind=sharing.REPORTED, subject=shared.token,
        title=f"Somebody reported the shared design {shared}",
        detail="Look at it. Take it down if it must not be shown; else close this with a word on why it stays.",
    )  # fmt: skip


def take_down(shared: SharedDesign, *, why: str, actor: str) -> bool:
    """Nobody sees it any more; its keeper reads `why` (TakenDownFor). False: it was down, or not shared any more."""
    why = TakenDownFor(why)
    with transaction.atomic():
        Draft.objects.select_for_update(no_key=True).filter(pk=shared.draft_id).first()
        row = SharedDesign.objects.filter(pk=shared.pk, taken_down_at=None).first()
        if row is None:
            return False
        names = sharing.files(row)
        SharedDesign.objects.filter(pk=row.pk).update(
            taken_down_at=timezone.now(), taken_down_for=why, case="", card=""
        )
        staff_items.resolve_about(
            kind=sharing.REPORTED, subject=row.token, resolution="taken down", actor=actor
        )
        transaction.on_commit(partial(sharing.remove, names))
    return True


def allow_again(shared: SharedDesign) -> bool:
    """Its keeper may share it again; nothing is shown before they do. False: it was not down."""
    deleted, _by_model = SharedDesign.objects.filter(pk=shared.pk).exclude(taken_down_at=None).delete()
    return bool(deleted)
