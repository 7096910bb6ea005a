"""States of a payment attempt, a refund, an inbox event and a webhook delivery."""

from __future__ import annotations

from pimpshop.core import states

_OPEN = "requires_action processing authorized expiring succeeded failed canceled expired"

PAYMENT = states.table(
    "payment",
    "created",
    {
        "created": _OPEN,
        "requires_action": "processing authorized expiring succeeded failed canceled expired",
        "processing": "requires_action authorized expiring succeeded failed canceled expired",
        "authorized": "expiring succeeded failed canceled expired",
        "expiring": "processing authorized succeeded failed canceled expired",
        "succeeded": "partially_refunded refunded",
        "partially_refunded": "refunded succeeded",
        "refunded": "partially_refunded succeeded",
        "failed": "succeeded",
        "canceled": "succeeded",
        "expired": "succeeded",
    },
    meanings={
        "created": "Recorded here; the provider may not know it yet.",
        "requires_action": "The shopper must do something (tap a card, scan, confirm).",
        "processing": "The provider is working on it, or we do not understand its word for it.",
        "authorized": "Held, not yet taken.",
        "expiring": "We asked the provider to close it and do not know the answer yet.",
        "succeeded": "The money is ours.",
        "partially_refunded": "Part of it was paid back.",
        "refunded": "All of it was paid back.",
        "failed": "The provider said so, or refused the first request. A late success is still honoured.",
        "canceled": "Ended by somebody. A late success is still honoured.",
        "expired": "We saw no payment in time; we go on asking for three days. A late success is still honoured.",
    },
)

#: From here a query may still learn something new.
UNDECIDED = ("created", "requires_action", "processing", "authorized", "expiring")

#: Ended without money, as far as is known; a success may still come.
ENDED = ("failed", "canceled", "expired")

#: The money came.
PAID = ("succeeded", "partially_refunded", "refunded")

#: Some of it, or all, went back.
PAID_BACK = ("partially_refunded", "refunded")

#: Whoever asks about one of these may learn something.
ASKABLE = (*UNDECIDED, *ENDED)

REFUND = states.table(
    "refund",
    "created",
    {
        "created": "pending succeeded failed",
        "pending": "succeeded failed",
        "succeeded": "failed",
        "failed": "",
    },
    meanings={
        "created": "Recorded, not yet sent (a manual refund: to be done by staff).",
        "pending": "The provider is working on it; this may take days.",
        "succeeded": "Paid back.",
        "failed": "Not paid back, perhaps after it had been said to be; staff are told.",
    },
)

DISPUTE = states.table(
    "dispute",
    "opened",
    {
        "opened": "under_review won lost closed",
        "under_review": "opened won lost closed",
        "won": "lost closed",
        "lost": "won closed",
        "closed": "won lost",
    },
    meanings={
        "opened": "The buyer's bank asks for the money back; evidence is due by the deadline.",
        "under_review": "Evidence was sent; the bank decides.",
        "won": "The money stays ours; what was frozen is free again.",
        "lost": "The money is gone.",
        "closed": "Ended without a verdict (an inquiry, or withdrawn).",
    },
)

#: The buyer's bank has not decided yet: nothing more is paid back meanwhile.
DISPUTED = ("opened", "under_review")

#: What was frozen is free again. A bank may still turn round.
DISPUTE_FREED = ("won", "closed")

DIFFERENCE = states.table(
    "difference",
    "open",
    {"open": "resolved", "resolved": "open"},
    meanings={
        "open": "Statement and books do not agree; a person looks.",
        "resolved": "It passed by itself, or somebody said why it is right.",
    },
)

INBOX = states.table(
    "inbox event",
    "received",
    {
        "received": "processed ignored parked",
        "processed": "received",
        "ignored": "received",
        "parked": "received processed ignored",
    },
    meanings={
        "received": "Stored and acknowledged; work on it is due.",
        "processed": "Done, with its outcome noted.",
        "ignored": "Understood, and nothing was to be done.",
        "parked": "Could not be worked on; staff decide.",
    },
)

DELIVERY = states.table(
    "webhook delivery",
    "pending",
    {
        "pending": "delivered failed canceled",
        "delivered": "pending",
        "failed": "pending",
        "canceled": "pending delivered",
    },
    meanings={
        "pending": "To be sent, or to be sent again.",
        "delivered": "The receiver answered 2xx.",
        "failed": "Given up after the last attempt of the schedule; it can be sent again by hand.",
        "canceled": "Its endpoint was switched off or deleted before it arrived (one that was on its way may still arrive).",
    },
)

#: By these names the API's description knows the words (settings.SPECTACULAR_SETTINGS).
PAYMENT_WORDS = list(PAYMENT.statuses)
DELIVERY_WORDS = DELIVERY.choices()
