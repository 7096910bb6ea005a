"""Services of credits: ledger (grant, spend, expire), reversals, terms, waiting; books has what they share.

All are keyword-only, idempotent by reference, and to be called inside the transaction that decides (a settlement, a
refund). None calls outside.
"""
