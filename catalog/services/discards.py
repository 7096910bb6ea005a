"""Removing a design that was refused, and its photos. Nothing that was frozen, ordered or is worked on is removed."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ProtectedError

from catalog.models import Design, Photo
from catalog.services import designs


def discard(design: Design) -> None:
    """Remove an open design that nobody works on, with the photos (rows and files) that no other design shows."""
    with transaction.atomic():
        designs.lock_owner(design.owner)
        try:
            with transaction.atomic():
                gone, _rows = Design.objects.filter(pk=design.pk, frozen_at=None).delete()
        except ProtectedError:  # a session works on it
            return
        if not gone:
            return
        others = Design.objects.filter(owner=design.owner).values_list("layout", flat=True)
        kept = {photo for layout in others for photo in _photos(layout)}
        orphans = list(Photo.objects.filter(owner=design.owner, pk__in=_photos(design.layout) - kept))
        Photo.objects.filter(pk__in=[photo.pk for photo in orphans]).delete()
    for photo in orphans:
        for file in (photo.file, photo.working_copy):
            default_storage.delete(str(file.name))


def _photos(layout: dict[str, Any]) -> set[str]:
    return {item["photo"] for item in layout.get("items", []) if item["kind"] == "photo"}
