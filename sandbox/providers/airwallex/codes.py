"""Airwallex's numbers and words: decimals, test cards, what can go wrong. From its document; no behaviour here."""

from decimal import Decimal

from sandbox.faults import Kind

NAME = "airwallex"
ACCOUNT = "acct_sandbox"
VERSION = "2025-06-30"

NO_DECIMALS = {
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "HUF",
    "IDR",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "MGA",
    "PYG",
    "RWF",
    "TWD",
    "UGX",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
}
THREE_DECIMALS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}

NEEDS_METHOD, NEEDS_ACTION, NEEDS_CAPTURE = (
    "REQUIRES_PAYMENT_METHOD",
    "REQUIRES_CUSTOMER_ACTION",
    "REQUIRES_CAPTURE",
)
SUCCEEDED, CANCELLED = "SUCCEEDED", "CANCELLED"

# --- what a card does ---
GOOD, CHALLENGED, CHALLENGED_THEN_DECLINED = "good", "3ds", "3ds, then declined"
CHALLENGES = (CHALLENGED, CHALLENGED_THEN_DECLINED)
#: (failure code, the issuer's own code) by what the card is for.
DECLINES = {
    "declined": ("issuer_declined", "05"),
    "no funds": ("issuer_declined", "51"),
    "expired": ("issuer_declined", "54"),
    "wrong cvc": ("issuer_declined", "N7"),
    "provider": ("provider_declined", ""),
    "risk": ("risk_declined", ""),
    CHALLENGED_THEN_DECLINED: ("issuer_declined", "05"),
}
#: Airwallex's demo cards, then the ones that every developer has at the tip of the fingers.
CARDS = {
    "4035501000000008": GOOD,
    "4012000300001003": "80.59 80.07",
    "4646464646464644": "risk",
    "2223000010181375": "80.05 80.14",
    "4242424242424242": GOOD,
    "4000000000000002": "declined",
    "4000000000009995": "no funds",
    "4000000000000069": "expired",
    "4000000000000127": "wrong cvc",
    "4000000000000119": "provider",
    "4100000000000019": "risk",
    "4000002500003155": CHALLENGED,
    "4000000000003220": CHALLENGED,
    "4000000000003063": CHALLENGED,
    "4000008400001629": CHALLENGED_THEN_DECLINED,
}


def outcome(kind: str, amount: Decimal) -> str:
    """What a card of that kind does with an amount: `good`, `3ds`, or a key of DECLINES. A kind that is a list of amounts
    declines those alone."""
    if "." in kind:
        return "declined" if str(amount) in kind.split() else GOOD
    return kind


# --- what can go wrong ---
LOGIN = "authentication/login"
MOVES = (
    "payment_intents/create", "payment_intents/confirm", "payment_intents/capture", "payment_intents/cancel",
    "refunds/create", "customers/create", "payment_consents/create", "payment_consents/verify",
    "payment_consents/disable", "payment_methods/create",
)  # fmt: skip
READS = ("payment_intents/get", "payment_intents/list", "refunds/get", "refunds/list")
CALLS = (LOGIN, *MOVES, *READS)
USUAL = ("payment_intents/create", "payment_intents/confirm", "payment_intents/capture", "refunds/create")
INTENT_POST, ATTEMPT_POST, REFUND_POST = "post/payment_intent", "post/payment_attempt", "post/refund"
CONSENT_POST = "post/payment_consent"
POSTS = (INTENT_POST, ATTEMPT_POST, REFUND_POST, CONSENT_POST)

FAULTS = (
    Kind("slow", "Calls are answered late", CALLS, seconds=5),
    Kind("down", "Calls are answered 503", CALLS),
    Kind("dropped", "The connection is dropped before anything is done", CALLS),
    Kind("answer_lost_after_accepting", "The work is done, then the connection is dropped", CALLS, usual=USUAL),
    Kind("error_after_accepting", "The work is done, then the answer is 500", CALLS, usual=USUAL),
    Kind("rate_limited", "Calls are answered 429", CALLS),
    Kind("token_expired", "The token is void: 401", CALLS[1:]),
    Kind("refund_failed", "A refund fails instead of settling"),
    Kind("wrong_amount", "Webhooks carry another amount", POSTS, usual=(INTENT_POST,)),
    Kind("wrong_signature", "Webhooks carry a wrong signature", POSTS),
    Kind("duplicate_webhook", "A post arrives twice", POSTS, seconds=0.5),
    Kind("late_webhook", "A post arrives late", POSTS, seconds=30),
    Kind("lost_webhook", "A post never arrives", POSTS),
    Kind("reordered", "An older state is posted after a newer one", POSTS, usual=(INTENT_POST,), seconds=2),
)  # fmt: skip
