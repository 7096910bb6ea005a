"""Sweep rounds of credits."""

from __future__ import annotations

from pimpshop.core import sweeper


@sweeper.round("credits to expire", every=60)
def _expire() -> int:
    from credits.services import ledger

    return ledger.expire_due()


@sweeper.round("holds of credits that are over", every=5)
def _let_go() -> int:
    from credits.services import holds

    return holds.release_due()


@sweeper.round("who owes credits", every=60)
def _debts() -> int:
    from credits.services import staff_kinds

    return staff_kinds.tell_of_debts()


@sweeper.round("postings to seal", every=60)
def _seal() -> int:
    from credits.services import seals

    return seals.seal_due()
