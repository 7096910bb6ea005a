"""Sweep rounds of the catalogue."""

from __future__ import annotations

from pimpshop.core import sweeper


@sweeper.round("designs at home to forget", every=3600)
def _forget() -> int:
    from catalog.services import drafts

    return drafts.forget_old()
