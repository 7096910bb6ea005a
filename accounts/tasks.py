"""Rounds of the sweeper for accounts."""

from __future__ import annotations

from accounts.services import addresses
from pimpshop.core import sweeper


@sweeper.round("sign-ups that nobody confirmed", every=3600)
def _forget_unproven() -> int:
    return addresses.forget_unproven()
