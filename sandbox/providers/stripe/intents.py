"""PaymentIntents: create, update, confirm, capture, cancel, with Stripe's states."""

from typing import Any

from sandbox.providers.stripe import books, charging, codes, events, methods, wire
from sandbox.providers.stripe.refusal import Refusal

Thing = books.Thing
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def unexpected(intent: Thing, verb: str) -> Refusal:
    """It is in a state in which that cannot be done."""
    text = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return Refusal(text, code="payment_intent_unexpected_state", payment_intent=books.public(intent))


def create(call: wire.Call) -> Thing:
    """A PaymentIntent; with confirm=true it is tried at once."""
    currency = wire.currency(call.need("currency"))
    amount = wire.amount(call.need("amount"), currency)
    intent = new(call, amount, currency, {
        "metadata": call.metadata(), "description": call.text("description") or None,
        "capture_method": call.text("capture_method", "automatic_async"), "customer": call.text("customer") or None,
        "setup_future_usage": call.text("setup_future_usage") or None,
        "payment_method_types": call.params.get("payment_method_types") or ["card"],
        "receipt_email": call.text("receipt_email") or None,
    })  # fmt: skip
    if call.flag("confirm"):
        return _confirm(intent, call)
    if call.text("payment_method"):
        method = methods.usable(call.text("payment_method"), intent["customer"])
        return books.put(intent | {"payment_method": method["id"], "status": "requires_confirmation"})
    return intent


def new(call: wire.Call, amount: int, currency: str, facts: dict[str, Any]) -> Thing:
    """Write a PaymentIntent that nobody has paid."""
    if facts.get("customer"):
        books.get(facts["customer"], "customer", "customer")
    if "us_bank_account" in facts.get("payment_method_types", ()) and currency != "usd":
        raise Refusal("The payment method type us_bank_account takes usd only.", param="currency")
    ident = books.new_id("payment_intent")
    intent = books.put({
        "id": ident, "object": "payment_intent", "status": "requires_payment_method", "amount": amount,
        "currency": currency, "amount_capturable": 0, "amount_received": 0, "amount_details": {"tip": {}},
        "client_secret": f"{ident}_secret_{books.new_id('mandate')[8:]}", "payment_method": None, "latest_charge": None,
        "last_payment_error": None, "next_action": None, "cancellation_reason": None, "canceled_at": None,
        "confirmation_method": "automatic", "setup_future_usage": None, "customer": None, "receipt_email": None,
        "payment_method_types": ["card"], "payment_method_options": {}, "automatic_payment_methods": None,
        "invoice": None, "application": None, "application_fee_amount": None, "on_behalf_of": None, "processing": None,
        "review": None, "shipping": None, "source": None, "statement_descriptor": None, "transfer_data": None,
        "transfer_group": None, "_base": call.base, "_return_url": "", "_session": "",
    } | facts)  # fmt: skip
    events.tell("payment_intent.created", intent, key=call.key)
    return intent


def update(call: wire.Call) -> Thing:
    """Change what may still be changed."""
    intent = books.get(call.id, "payment_intent")
    if intent["status"] not in OPEN and set(call.params) - {"metadata", "description", "expand"}:
        raise unexpected(intent, "update")
    if call.text("customer"):
        intent["customer"] = books.get(call.text("customer"), "customer", "customer")["id"]
    if "amount" in call.params:
        intent["amount"] = wire.amount(call.params["amount"], intent["currency"])
    for name in ("description", "setup_future_usage"):
        intent[name] = call.text(name) or intent[name]
    intent["metadata"] |= call.metadata()
    return books.put(intent)


def confirm(call: wire.Call) -> Thing:
    """Try it. Raises Refusal (402) for a declined card."""
    intent = books.get(call.id, "payment_intent")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise unexpected(intent, "confirm")
    return _confirm(intent, call)


def _confirm(intent: Thing, call: wire.Call) -> Thing:
    ident = call.text("payment_method") or intent["payment_method"] or ""
    if not ident:
        raise Refusal(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = methods.usable(ident, intent["customer"])
    if method["type"] not in intent["payment_method_types"]:
        raise Refusal(
            f"The type {method['type']} is not allowed for this PaymentIntent.", param="payment_method"
        )
    if method["type"] == "us_bank_account" and not call.part("mandate_data"):
        raise Refusal("Missing required param: mandate_data.", param="mandate_data")
    if call.params.get("setup_future_usage"):
        intent["setup_future_usage"] = call.text("setup_future_usage")
    intent["_return_url"] = call.text("return_url") or intent["_return_url"]
    if method["_scenario"]["does"].startswith("3ds") and not intent["_return_url"]:
        raise Refusal("A return_url is needed where the bank may ask for 3-D Secure.", param="return_url")
    return charging.pay(intent, method, call)


def capture(call: wire.Call) -> Thing:
    """Take what is held, or a part of it."""
    intent = books.get(call.id, "payment_intent")
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "capture")
    amount = intent["amount"]
    if "amount_to_capture" in call.params:
        amount = wire.number(call.params["amount_to_capture"], "amount_to_capture")
    if not 0 < amount <= intent["amount_capturable"]:
        shown = codes.shown(intent["amount_capturable"], intent["currency"])
        raise Refusal(
            f"The amount must be between 1 and {shown}.", code="amount_too_large", param="amount_to_capture"
        )
    return charging.capture(intent, amount)


def cancel(call: wire.Call) -> Thing:
    """Void it."""
    intent = books.get(call.id, "payment_intent")
    if intent["status"] not in (*OPEN, "requires_capture"):
        raise unexpected(intent, "cancel")
    session = books.find(intent["_session"], "checkout.session") if intent["_session"] else None
    if session and session["status"] == "open":
        raise Refusal(
            "You cannot cancel the PaymentIntent of a Checkout Session that is open. Expire the session."
        )
    return void(intent, call.text("cancellation_reason") or "")


def void(intent: Thing, reason: str) -> Thing:
    """It can never be paid any more; what is held goes back."""
    if intent["status"] == "requires_capture":
        charge = books.get(intent["latest_charge"], "charge")
        books.put(charge | {"refunded": True, "amount_refunded": charge["amount"]})
    gone = books.put(intent | {
        "status": "canceled", "canceled_at": books.now(), "cancellation_reason": reason or None, "next_action": None,
        "amount_capturable": 0,
    })  # fmt: skip
    events.tell("payment_intent.canceled", gone)
    return gone
