"""The staff's desk of payments: attempts, refunds, the inbox, webhooks out, statements; what they add to timelines and the first page."""

from payments.admin import (
    day,
    finders,
    inbox,
    intents,
    joined,
    outgoing,
    reconcile,
    refunds,
    shipping,
    stories,
    stripe_mirror,
    switching,
)

__all__ = [
    "day",
    "finders",
    "inbox",
    "intents",
    "joined",
    "outgoing",
    "reconcile",
    "refunds",
    "shipping",
    "stories",
    "stripe_mirror",
    "switching",
]
