"""States of an order (seed 4's words)."""

from __future__ import annotations

from pimpshop.core import states

ORDER = states.table(
    "order",
    "pending",
    {
        "pending": "paid cancelled",
        "paid": "completed refunded",
        "completed": "refunded",
        "cancelled": "paid",
        "refunded": "paid",
    },
    meanings={
        "pending": "Nothing is paid yet.",
        "paid": "Paid once, not yet delivered.",
        "completed": "Paid and delivered.",
        "cancelled": "Ended unpaid. A late payment is still honoured.",
        "refunded": "Paid back in full.",
    },
)
