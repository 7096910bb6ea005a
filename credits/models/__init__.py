"""The ledger's rows: accounts, postings, lots, reversals, holds, plan terms. Who writes them: credits.services."""

from credits.models.accounts import CreditAccount
from credits.models.holds import Hold, HoldEvent
from credits.models.lots import Lot, LotChange, Reversal
from credits.models.postings import Posting
from credits.models.seals import Seal, SealMark
from credits.models.terms import PlanTerm, TermReversal

__all__ = [
    "CreditAccount",
    "Hold",
    "HoldEvent",
    "Lot",
    "LotChange",
    "PlanTerm",
    "Posting",
    "Reversal",
    "Seal",
    "SealMark",
    "TermReversal",
]
