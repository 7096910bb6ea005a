"""What the simulated Stripe knows by heart: test cards and tokens, prices, currencies, and what can go wrong.

Cards have Stripe's own meaning (docs.stripe.com/testing); two are extensions of the sandbox: 3089 stays "processing" for
a while, 0010 is refused for its currency.
"""

from dataclasses import dataclass

from sandbox.faults import Kind

NAME = "stripe"
API_VERSION = "2026-08-26.dahlia"
ACCOUNT = "acct_1Sandbox0Pimpshop"


@dataclass(frozen=True)
class TestCard:
    """What a number does. `does` is ok, declined, 3ds, 3ds_always, processing, currency; `code`/`reason` of a decline;
    `then` is what happens later: dispute, refund_pending, refund_fails."""

    title: str
    does: str = "ok"
    code: str = ""
    reason: str = ""
    then: str = ""
    brand: str = "visa"


CARDS: dict[str, TestCard] = {
    "4242424242424242": TestCard("Succeeds"),
    "5555555555554444": TestCard("Succeeds (Mastercard)", brand="mastercard"),
    "378282246310005": TestCard("Succeeds (American Express)", brand="amex"),
    "4000000000003220": TestCard("3-D Secure", "3ds_always"),
    "4000000000003063": TestCard("3-D Secure", "3ds_always"),
    "4000002500003155": TestCard("3-D Secure unless saved", "3ds"),
    "4000002760003184": TestCard("3-D Secure always", "3ds_always"),
    "4000008400001629": TestCard(
        "3-D Secure, then declined", "3ds_always", "card_declined", "generic_decline"
    ),
    "4000000000000002": TestCard("Declined", "declined", "card_declined", "generic_decline"),
    "4000000000009995": TestCard("Insufficient funds", "declined", "card_declined", "insufficient_funds"),
    "4000000000009987": TestCard("Lost card", "declined", "card_declined", "lost_card"),
    "4000000000009979": TestCard("Stolen card", "declined", "card_declined", "stolen_card"),
    "4000000000000069": TestCard("Expired card", "declined", "expired_card", "expired_card"),
    "4000000000000127": TestCard("Wrong security code", "declined", "incorrect_cvc", "incorrect_cvc"),
    "4000000000000119": TestCard("Processing error", "declined", "processing_error", "processing_error"),
    "4100000000000019": TestCard("Blocked as fraudulent", "declined", "card_declined", "fraudulent"),
    "4000000000000259": TestCard("Succeeds, then disputed", then="dispute"),
    "4000000000007726": TestCard("Refund stays pending for a while", then="refund_pending"),
    "4000000000005126": TestCard("Refund fails later", then="refund_fails"),
    "4000000000003089": TestCard("Processing for a while (sandbox)", "processing"),
    "4000000000000010": TestCard("Currency not supported (sandbox)", "currency"),
}
#: A number that is none of the above: real cards do not work here, as in Stripe's test mode.
OTHER = TestCard("Not a test card", "declined", "card_declined", "test_mode_live_card")
TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeDeclinedFraudulent": "4100000000000019",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequired": "4000002500003155",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
#: The bank account that does not exist any more: a debit of it fails after its days.
CLOSED_ACCOUNT = "000111111116"
MESSAGES = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "incorrect_number": "Your card number is incorrect.",
    "invalid_expiry_month": "Your card's expiration month is invalid.",
    "invalid_expiry_year": "Your card's expiration year is invalid.",
    "invalid_cvc": "Your card's security code is invalid.",
}

# --- prices and money ---
#: id, name, cents (seed 3)
PRICES = (
    ("price_1QlYNRHVMy0i1BlJA1y0DxB2", "Starter Plan", 500),
    ("price_1QlYO1HVMy0i1BlJyDD3GlsN", "Advanced Plan", 1500),
    ("price_1QlYOaHVMy0i1BlJ1ZpdOMAO", "Professional Plan", 9900),
    ("price_1QlYOrHVMy0i1BlJDHxIswM7", "Lifetime Plan", 40000),
    ("price_1Qme87HVMy0i1BlJR1PRWOgz", "Small Points Pack", 200),
    ("price_1Qme9BHVMy0i1BlJwFyjwZwj", "Medium Points Pack", 500),
    ("price_1QmeA6HVMy0i1BlJQD5dc34Z", "Large Points Pack", 1200),
)
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())  # noqa: SIM905 - their list
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | frozenset(
    "usd aed aud bgn brl cad chf cny czk dkk eur gbp hkd huf idr inr isk mxn myr nok nzd php pln ron sek sgd thb try twd zar".split()  # noqa: SIM905
)  # fmt: skip
#: Smallest charge in minor units; about half a dollar for the rest.
SMALLEST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "cny": 400, "twd": 1600, "krw": 700, "vnd": 13000,
    "php": 3000, "bhd": 190, "kwd": 160,
}  # fmt: skip
LARGEST = 99_999_999


def shown(minor: int, currency: str) -> str:
    """An amount for people: 19.99 GBP."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    text = f"{minor:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]} {currency.upper()}" if digits else f"{text} {currency.upper()}"


# --- faults ---
WRITES = (
    "checkout.sessions.create", "checkout.sessions.expire", "payment_intents.create", "payment_intents.update",
    "payment_intents.confirm", "payment_intents.capture", "payment_intents.cancel", "payment_methods.create",
    "payment_methods.attach", "payment_methods.detach", "customers.create", "setup_intents.create",
    "setup_intents.confirm", "refunds.create", "disputes.close",
)  # fmt: skip
READS = (
    "checkout.sessions.retrieve", "payment_intents.retrieve", "setup_intents.retrieve", "refunds.retrieve",
    "list", "retrieve",
)  # fmt: skip
POSTS = (
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "payment_intent.created", "payment_intent.succeeded",
    "payment_intent.processing", "payment_intent.requires_action", "payment_intent.payment_failed",
    "payment_intent.canceled", "payment_intent.amount_capturable_updated", "charge.succeeded", "charge.failed",
    "charge.captured", "charge.refunded", "refund.created", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.closed", "charge.dispute.updated", "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)  # fmt: skip
CALLS = WRITES + READS
FAULTS = (
    Kind("slow", "Calls are answered late", CALLS, seconds=3),
    Kind("down", "Calls are answered 503", CALLS),
    Kind("rate_limited", "Calls are answered 429", CALLS),
    Kind("dropped", "The connection is dropped before anything is done", CALLS),
    Kind("answer_lost_after_accepting", "The work is done, then the connection is dropped", WRITES),
    Kind("error_after_accepting", "The work is done, then the answer is 500", WRITES),
    Kind("lost_webhook", "A post never arrives", POSTS),
    Kind("late_webhook", "A post arrives late", POSTS, seconds=30),
    Kind("duplicate_webhook", "A post arrives twice", POSTS, seconds=1),
    Kind("reordered", "An older state is posted after a newer one", POSTS, seconds=3),
    Kind("wrong_amount", "Payment posts carry another amount", POSTS),
    Kind("wrong_signature", "A post is signed with another secret", POSTS),
)
