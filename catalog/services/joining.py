"""Somebody's two accounts become one: their photos, designs and drafts. No call outside, idempotent; the caller has a transaction."""

from __future__ import annotations

from catalog.models import Design, Photo
from catalog.services import drafts


def hand_over(owner: str, to: str) -> dict[str, int]:
    """Everything of `owner` is `to`'s from now on, frozen designs too; answers how many of each."""
    return {
        "photos": Photo.objects.filter(owner=owner).update(owner=to),
        "designs": Design.objects.filter(owner=owner).update(owner=to),
        "drafts": drafts.hand_over(owner, to),
    }
