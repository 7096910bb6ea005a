"""States of a hold on somebody's credits."""

from __future__ import annotations

from pimpshop.core import states

HOLD = states.table(
    "hold",
    "held",
    {"held": "committed released", "committed": "", "released": ""},
    meanings={
        "held": "Set apart for something that is being paid; nobody else can spend it, and it can always be committed.",
        "committed": "Spent: exactly one posting says so. What is given back later is counted on the row.",
        "released": "Given free again: taken off, in vain, or its time was over.",
    },
)

#: A subject has at the most one of these.
LIVE = ("held", "committed")
