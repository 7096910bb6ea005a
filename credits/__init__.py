"""Credits: points that people pay for, in a ledger, and the terms of their plans."""
