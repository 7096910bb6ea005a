"""Forgetting pictures: what somebody uploaded and what was drawn of it, long after it was printed or when they ask.

The rows of ordered designs stay with their hashes (what was printed can still be proven), without files, photos and words.
Guarantees: idempotent; a photo that another design of the same owner still shows stays; files go after the rows have
committed, so that a rollback loses nothing. The caller knows that nothing is still to be printed. No call outside.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from catalog.models import Design, Photo
from catalog.services import designs

_EMPTY: dict[str, Any] = {"version": 1, "template": None, "background": "#ffffff", "items": []}


@transaction.atomic
def forget(design_ids: Iterable[uuid.UUID]) -> int:
    """Forget ordered designs, and the photos that nothing else shows; answers how many designs."""
    rows = list(
        Design.objects.select_for_update().filter(pk__in=list(design_ids), forgotten_at=None).order_by("pk")
    )
    for owner in sorted({row.owner for row in rows}):
        designs.lock_owner(owner)
    files = [str(file.name) for row in rows for file in (row.print_file, row.preview) if file]
    gone = [row.pk for row in rows]
    Design.objects.filter(pk__in=gone).update(
        layout=_EMPTY, print_file="", preview="", forgotten_at=timezone.now(), updated_at=timezone.now()
    )
    for row in rows:
        files += _forget_photos(
            row.owner, {item["photo"] for item in row.layout.get("items", []) if "photo" in item}
        )
    transaction.on_commit(partial(_remove, files))
    return len(rows)


@transaction.atomic
def forget_owner(owner: str) -> dict[str, int]:
    """Everything of `owner`: open designs go, ordered ones are forgotten, photos go. Answers how many of each."""
    designs.lock_owner(owner)
    ordered = list(Design.objects.filter(owner=owner).exclude(frozen_at=None).values_list("pk", flat=True))
    done = {"designs": forget(ordered)}
    done["drafts"] = sum(_delete(pk) for pk in _drafts(owner))
    photos = {str(pk) for pk in Photo.objects.filter(owner=owner).values_list("pk", flat=True)}
    files = _forget_photos(owner, photos)
    done["photos"] = len(files) // 2
    transaction.on_commit(partial(_remove, files))
    return done


@transaction.atomic
def forget_unused_photos(owner: str) -> int:
    """Photos of `owner` that none of their designs shows; answers how many."""
    designs.lock_owner(owner)
    photos = {str(pk) for pk in Photo.objects.filter(owner=owner).values_list("pk", flat=True)}
    files = _forget_photos(owner, photos)
    transaction.on_commit(partial(_remove, files))
    return len(files) // 2


def _drafts(owner: str) -> list[uuid.UUID]:
    return list(
        Design.objects.filter(owner=owner, frozen_at=None).order_by("pk").values_list("pk", flat=True)
    )


def _delete(pk: uuid.UUID) -> int:
    try:
        with transaction.atomic():
            return Design.objects.filter(pk=pk, frozen_at=None).delete()[0]
    except ProtectedError:  # a session works on it
        return 0


def _forget_photos(owner: str, photos: set[str]) -> list[str]:
    """Remove the rows of photos that no design of the owner shows any more; answers their files."""
    layouts = Design.objects.filter(owner=owner).values_list("layout", flat=True)
    shown = {item.get("photo") for layout in layouts for item in layout.get("items", [])}
    rows = list(Photo.objects.filter(owner=owner, pk__in=photos - shown))
    Photo.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return [str(file.name) for row in rows for file in (row.file, row.working_copy)]


def _remove(files: list[str]) -> None:
    for name in files:
        default_storage.delete(name)
