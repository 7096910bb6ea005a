"""Payment intents: create, confirm, capture, cancel, update, and what follows a 3DS challenge.

Each function is one call of the API inside one transaction; it answers the intent or raises Refusal. A decline is kept:
the intent is back at REQUIRES_PAYMENT_METHOD and its attempt says why.
"""

import secrets
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox import database
from sandbox.providers.airwallex import books, cards, codes, posts
from sandbox.providers.airwallex.refusal import Declined, Refusal
from sandbox.providers.manufacturer import wire

Body = dict[str, Any]


def amount(body: Body, currency: str) -> Decimal:
    """`amount`, a decimal number above zero with no more decimals than Airwallex takes. Raises Refusal."""
    told = body.get("amount")
    try:
        found = Decimal(told) if isinstance(told, wire.Literal) else None
    except InvalidOperation:
        found = None
    most = 0 if currency in codes.NO_DECIMALS else 3 if currency in codes.THREE_DECIMALS else 2
    if found is None or found <= 0 or found % Decimal(1).scaleb(-most):
        raise Refusal(
            "validation_error", "amount must be a number above zero that fits its currency", source="amount"
        )
    return found


def create(body: Body, host: str) -> books.Object:
    """A new intent; the shop's numbers may repeat, only the request_id may not."""
    currency, number = body.get("currency"), body.get("merchant_order_id")
    if not isinstance(currency, str) or not (
        currency.isalpha() and currency.isupper() and len(currency) == 3
    ):
        raise Refusal("validation_error", "currency is required", source="currency")
    if not isinstance(number, str) or not 1 <= len(number) <= 64:
        raise Refusal("validation_error", "merchant_order_id is required", source="merchant_order_id")
    amount(body, currency)
    if body.get("customer_id"):
        books.get("customers", str(body["customer_id"]))
    kept = ("request_id", "amount", "currency", "merchant_order_id", "return_url", "descriptor", "metadata",
            "customer_id", "payment_consent")  # fmt: skip
    made = books.new("payment_intents", {
        **{name: body[name] for name in kept if name in body},
        "status": codes.NEEDS_METHOD, "captured_amount": wire.Literal(0),
        "client_secret": secrets.token_urlsafe(32),
    })  # fmt: skip
    posts.moved("payment_intent.created", made)
    return made


def confirm(intent: books.Object, body: Body, host: str) -> books.Object:
    """Pay it by card, method or consent. A challenge leads to REQUIRES_CUSTOMER_ACTION, a decline raises Declined."""
    if intent["status"] != codes.NEEDS_METHOD:
        raise _wrong_state(intent, "confirmed")
    card, method = _instrument(intent, body)
    options = body.get("payment_method_options", {}).get("card", {})
    attempt = books.new("payment_attempts", {
        "payment_intent_id": intent["id"], "merchant_order_id": intent["merchant_order_id"], "amount": intent["amount"],
        "currency": intent["currency"], "payment_method": method, "status": "RECEIVED",
        "captured_amount": wire.Literal(0), "refunded_amount": wire.Literal(0),
    })  # fmt: skip
    posts.moved("payment_attempt.received", attempt)
    intent["latest_payment_attempt"] = attempt
    intent["auto_capture"] = options.get("auto_capture") is not False
    kind = codes.outcome(card, Decimal(intent["amount"]))
    if kind in codes.CHALLENGES and not body.get("payment_consent_id"):
        return challenge(intent, kind, str(body.get("return_url") or intent.get("return_url") or ""), host)
    return finish(intent, kind)


def _instrument(intent: books.Object, body: Body) -> tuple[str, Body]:
    """(what the card does, what may be kept). Raises Refusal."""
    consent_id = body.get("payment_consent_id")
    if consent_id:
        consent = books.get("payment_consents", str(consent_id))
        if consent["status"] != "VERIFIED":
            raise _wrong_state(consent, "used")
        if body.get("customer_id") and body["customer_id"] != consent["customer_id"]:
            raise Refusal("validation_error", "the consent is another customer's", source="customer_id")
        return books.card_of(consent["id"]), consent["payment_method"]
    told = body.get("payment_method")
    if not isinstance(told, dict):
        raise Refusal("validation_error", "payment_method is required", source="payment_method")
    if told.get("id"):
        method = books.get("payment_methods", str(told["id"]))
        if method["status"] == "DISABLED":
            raise _wrong_state(method, "used")
        return books.card_of(method["id"]), {name: method[name] for name in ("id", "type", "card")}
    return cards.read(told)


def challenge(thing: books.Object, kind: str, return_url: str, host: str) -> books.Object:
    """Send the shopper to the page of 3DS. Raises Refusal without a way back."""
    if not return_url.startswith(("http://", "https://")):
        raise Refusal("validation_error", "return_url is required for 3DS", source="return_url")
    key = secrets.token_hex(16)
    database.execute("INSERT INTO awx_challenges (id, thing, return_url, card) VALUES (?, ?, ?, ?)",
                     key, thing["id"], return_url, kind)  # fmt: skip
    url = f"{host}/airwallex/3ds/{key}/"
    thing["status"] = codes.NEEDS_ACTION
    thing["next_action"] = {"type": "redirect", "method": "GET", "url": url}
    if thing["id"].startswith("int_"):
        _attempt(thing, "AUTHENTICATION_REDIRECTED")
        posts.moved("payment_intent.requires_customer_action", thing)
    return books.save(thing)


def finish(intent: books.Object, kind: str) -> books.Object:
    """The issuer answers. Raises Declined, which keeps what is written here."""
    intent.pop("next_action", None)
    if kind in codes.DECLINES:
        code, issuer = codes.DECLINES[kind]
        decline(intent, code, issuer)
        raise Declined(code, issuer)
    _attempt(intent, "AUTHORIZED")
    intent["status"] = codes.NEEDS_CAPTURE
    _keep_consent(intent)
    if not intent["auto_capture"]:
        posts.moved("payment_intent.requires_capture", intent)
        return books.save(intent)
    return take(intent, Decimal(intent["amount"]))


def decline(intent: books.Object, code: str, issuer: str) -> None:
    """Back to REQUIRES_PAYMENT_METHOD: there is no failed intent."""
    intent.pop("next_action", None)
    attempt = intent["latest_payment_attempt"]
    attempt |= {"failure_code": code} | ({"provider_original_response_code": issuer} if issuer else {})
    _attempt(
        intent,
        "FAILED",
        event="authentication_failed" if code == "authentication_declined" else "authorization_failed",
    )
    intent["status"] = codes.NEEDS_METHOD
    books.save(intent)
    posts.moved("payment_intent.requires_payment_method", intent)


def _attempt(intent: books.Object, status: str, *, event: str = "") -> None:
    attempt = intent["latest_payment_attempt"]
    attempt["status"] = status
    books.save(attempt)
    posts.moved(f"payment_attempt.{event or status.lower()}", attempt)


def _keep_consent(intent: books.Object) -> None:
    """A payment that was to be saved leaves a verified consent."""
    if not (intent.get("payment_consent") and intent.get("customer_id")):
        return
    method = intent["latest_payment_attempt"]["payment_method"]
    consent = books.new("payment_consents", {
        "customer_id": intent["customer_id"], "status": "VERIFIED", "payment_method": method,
        **intent["payment_consent"],
    })  # fmt: skip
    intent["payment_consent_id"] = consent["id"]
    posts.moved("payment_consent.verified", consent)


def capture(intent: books.Object, body: Body, host: str) -> books.Object:
    """Take what was authorized, or a part of it, once."""
    if intent["status"] != codes.NEEDS_CAPTURE:
        raise _wrong_state(intent, "captured")
    wanted = amount(body, intent["currency"]) if "amount" in body else Decimal(intent["amount"])
    if wanted > Decimal(intent["amount"]):
        raise Refusal("amount_above_limit", "more than was authorized", source="amount")
    return take(intent, wanted)


def take(intent: books.Object, wanted: Decimal) -> books.Object:
    """The money moves."""
    taken = wire.Literal(wanted)
    intent |= {"status": codes.SUCCEEDED, "captured_amount": taken}
    intent["latest_payment_attempt"]["captured_amount"] = taken
    _attempt(intent, "CAPTURE_REQUESTED")
    books.save(intent)
    posts.moved("payment_intent.succeeded", intent)
    return intent


def cancel(intent: books.Object, body: Body, host: str) -> books.Object:
    """Nobody can pay it any more; what was authorized is released."""
    if intent["status"] in (codes.SUCCEEDED, codes.CANCELLED):
        raise _wrong_state(intent, "cancelled")
    intent.pop("next_action", None)
    intent |= {"status": codes.CANCELLED, "cancelled_at": books.now()}
    if body.get("cancellation_reason"):
        intent["cancellation_reason"] = body["cancellation_reason"]
    books.save(intent)
    posts.moved("payment_intent.cancelled", intent)
    return intent


def _wrong_state(thing: books.Object, verb: str) -> Refusal:
    return Refusal("invalid_status_for_operation", f"{thing['id']} is {thing['status']} and cannot be {verb}")
