"""The ledger's rows: accounts, postings, lots, reversals, plan terms. Who writes them: credits.services."""

from credits.models.accounts import CreditAccount
from credits.models.lots import Lot, LotChange, Reversal
from credits.models.postings import Posting
from credits.models.terms import PlanTerm, TermReversal

__all__ = ["CreditAccount", "Lot", "LotChange", "PlanTerm", "Posting", "Reversal", "TermReversal"]
