"""What happens when somebody pays: the card decides, a charge is written, the PaymentIntent and its page follow.

Call everything here inside a transaction. Later steps are jobs: `sessions.settle` (a
bank transfer's days) and `refunds.open_dispute`.
"""

from typing import Any

from sandbox import jobs, knobs
from sandbox.providers.stripe import books, events, wire
from sandbox.providers.stripe.refusal import Refusal, card_error

Thing = books.Thing


def pay(intent: Thing, method: Thing, call: wire.Call) -> Thing:
    """Try the method on the PaymentIntent. Raises Refusal for a declined card: the intent keeps its error."""
    scenario = method["_scenario"]
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    does = scenario["does"]
    if does == "currency":
        raise Refusal(f"Invalid currency: {intent['currency']}. The card does not take it.", param="currency")
    if does == "3ds_always" or (does == "3ds" and not method["_set_up"]):
        url = f"{call.base}/3ds/{intent['id']}"
        back = {"return_url": intent["_return_url"], "url": url}
        intent |= {
            "status": "requires_action",
            "next_action": {"type": "redirect_to_url", "redirect_to_url": back},
        }
        events.tell("payment_intent.requires_action", intent, key=call.key)
        return books.put(intent)
    if does == "declined":
        raise decline(intent, scenario["code"], scenario["reason"])
    if does in ("processing", "bank", "bank_fails"):
        intent |= {"status": "processing"}
        events.tell("payment_intent.processing", intent, key=call.key)
        jobs.add("stripe_settle", {"id": intent["id"]}, after=knobs.seconds("stripe_settle_seconds"))
        return books.put(intent)
    return take(intent, method)


def take(intent: Thing, method: Thing) -> Thing:
    """The money is taken, or held where it shall be captured later."""
    held = intent["capture_method"] == "manual"
    charge = _charge(intent, method, captured=not held)
    intent |= {"latest_charge": charge["id"], "next_action": None}
    if intent["setup_future_usage"] and intent["customer"] and not method["customer"]:
        method |= {"customer": intent["customer"], "_set_up": True}
        books.put(method)
        events.tell("payment_method.attached", method)
    if held:
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        books.put(intent)
        events.tell("charge.succeeded", charge)
        events.tell("payment_intent.amount_capturable_updated", intent)
        return intent
    charge = _book(charge, charge["amount"], "charge" if method["type"] == "card" else "payment")
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    books.put(intent)
    events.tell("charge.succeeded", charge)
    events.tell("payment_intent.succeeded", intent)
    if method["_scenario"]["then"] == "dispute":
        jobs.add("stripe_dispute", {"charge": charge["id"]}, after=knobs.seconds("stripe_dispute_seconds"))
    return intent


def capture(intent: Thing, amount: int) -> Thing:
    """Take `amount` of what is held."""
    charge = books.get(intent["latest_charge"], "charge")
    charge |= {"captured": True, "amount_captured": amount}
    charge = _book(charge, amount, "charge")
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    books.put(intent)
    events.tell("charge.captured", charge)
    events.tell("payment_intent.succeeded", intent)
    return intent


def _charge(intent: Thing, method: Thing, *, captured: bool, error: dict[str, Any] | None = None) -> Thing:
    """Write a charge: paid, or failed with its error."""
    kind, good, why = method["type"], error is None, error or {}
    ident = books.new_id("charge")
    amount = intent["amount"]
    return books.put({
        "id": ident, "object": "charge", "amount": amount, "currency": intent["currency"],
        "amount_captured": amount if good and captured else 0, "amount_refunded": 0, "captured": good and captured,
        "paid": good, "status": "succeeded" if good else "failed", "refunded": False, "disputed": False,
        "payment_intent": intent["id"], "payment_method": method["id"], "customer": intent["customer"],
        "payment_method_details": {"type": kind, kind: method[kind]}, "billing_details": method["billing_details"],
        "metadata": dict(intent["metadata"]), "description": intent["description"], "balance_transaction": None,
        "receipt_url": f"{intent['_base']}/receipts/{ident}" if good else None, "receipt_email": None,
        "failure_code": why.get("code"), "failure_message": why.get("message"),
        "outcome": {"type": "authorized" if good else "issuer_declined", "network_status": "approved_by_network"},
        "application": None, "invoice": None, "dispute": None, "refunds": None, "source": None, "transfer_data": None,
        "on_behalf_of": None, "order": None, "review": None, "shipping": None, "fraud_details": {},
    })  # fmt: skip


def _book(charge: Thing, amount: int, kind: str) -> Thing:
    """The charge comes to the account's balance, less a fee."""
    entry = transaction(kind, amount, charge["currency"], charge["id"], fee=amount * 29 // 1000 + 30)
    return books.put(charge | {"balance_transaction": entry["id"]})


def transaction(kind: str, amount: int, currency: str, source: str, *, fee: int = 0) -> Thing:
    """A line of the account's balance; `amount` is negative for what leaves."""
    return books.put({
        "id": books.new_id("balance_transaction"), "object": "balance_transaction", "type": kind, "amount": amount,
        "currency": currency, "fee": fee, "net": amount - fee, "source": source, "status": "available",
        "reporting_category": {"adjustment": "dispute"}.get(kind, kind), "description": None, "exchange_rate": None,
        "available_on": books.now(), "fee_details": [],
    })  # fmt: skip


def decline(intent: Thing, code: str, reason: str = "") -> Refusal:
    """The card is declined: a failed charge, an intent that may be tried again; the refusal to answer with."""
    method = books.get(intent["payment_method"], "payment_method")
    refusal = card_error(code, reason)
    authentication = code == "payment_intent_authentication_failure"
    charge = None if authentication else _charge(intent, method, captured=False, error=refusal.error)
    error = refusal.error | ({"charge": charge["id"]} if charge else {})
    intent |= {
        "status": "requires_payment_method", "payment_method": None, "next_action": None,
        "last_payment_error": error | {"payment_method": books.public(method)},
        "latest_charge": charge["id"] if charge else intent["latest_charge"],
    }  # fmt: skip
    books.put(intent)
    if charge:
        events.tell("charge.failed", charge)
    events.tell("payment_intent.payment_failed", intent)
    told = error | {"payment_intent": books.public(intent)}
    return Refusal(told.pop("message"), status=402, kind=told.pop("type"), **told)


def authenticated(intent: Thing, *, approve: bool) -> Thing:
    """The shopper's answer to 3-D Secure. Nothing happens when nobody asks for it any more."""
    if intent["status"] != "requires_action":
        return intent
    method = books.get(intent["payment_method"], "payment_method")
    scenario = method["_scenario"]
    if not approve:
        decline(intent, "payment_intent_authentication_failure")
    elif scenario["code"]:
        decline(intent, scenario["code"], scenario["reason"])
    else:
        take(intent, method)
    return intent
