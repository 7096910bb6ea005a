"""Payment methods, customers and setup intents. A card's number is never kept: only what it does, and its last digits."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from sandbox.providers.stripe import books, codes, events, wire
from sandbox.providers.stripe.refusal import Refusal, card_error, missing

Thing = books.Thing


# --- payment methods ---
def create(call: wire.Call) -> Thing:
    """A payment method from a card or a US bank account."""
    kind = call.need("type")
    billing = {"name": None, "email": None, "phone": None, "address": None} | call.part("billing_details")
    if kind == "card":
        return from_card(call.part("card"), billing)
    if kind == "us_bank_account":
        return _from_bank(call.part("us_bank_account"), billing)
    raise Refusal(f"Invalid type: {kind}", param="type")


def from_card(card: dict[str, Any], billing: dict[str, Any] | None = None) -> Thing:
    """A payment method for a number, checked as Stripe does. Raises Refusal (card_error)."""
    token = str(card.get("token") or "")
    digits = codes.TOKENS.get(token) or str(card.get("number") or "").replace(" ", "")
    if not digits.isdigit() or not 12 <= len(digits) <= 19 or not _luhn(digits):
        raise card_error("incorrect_number", param="number")
    year, month = str(card.get("exp_year") or "2040"), str(card.get("exp_month") or "12")
    full = int(year) + (2000 if len(year) == 2 else 0) if year.isdigit() else 0
    if not month.isdigit() or not 1 <= int(month) <= 12:
        raise card_error("invalid_expiry_month", param="exp_month")
    today = datetime.now(UTC)
    if (full, int(month)) < (today.year, today.month) or full > today.year + 50:
        raise card_error("invalid_expiry_year", param="exp_year")
    cvc = str(card.get("cvc") or "123")
    if not cvc.isdigit() or len(cvc) not in (3, 4):
        raise card_error("invalid_cvc", param="cvc")
    known = codes.CARDS.get(digits, codes.OTHER)
    facts = {
        "brand": known.brand, "last4": digits[-4:], "exp_month": int(month), "exp_year": full, "country": "US",
        "fingerprint": hashlib.sha256(digits.encode()).hexdigest()[:16], "funding": "credit",
        "checks": {"cvc_check": "pass", "address_line1_check": None, "address_postal_code_check": None},
    }  # fmt: skip
    return _new(
        "card", facts, billing, does=known.does, code=known.code, reason=known.reason, then=known.then
    )


def _from_bank(account: dict[str, Any], billing: dict[str, Any]) -> Thing:
    number, routing = str(account.get("account_number") or ""), str(account.get("routing_number") or "")
    if not routing.isdigit() or len(routing) != 9:
        raise Refusal(
            "Invalid routing number", code="routing_number_invalid", param="us_bank_account[routing_number]"
        )
    if not number.isdigit():
        raise Refusal(
            "Invalid account number", code="account_number_invalid", param="us_bank_account[account_number]"
        )
    if not billing.get("name"):
        raise Refusal("Missing required param: billing_details[name].", param="billing_details[name]")
    facts = {"bank_name": "STRIPE TEST BANK", "last4": number[-4:], "routing_number": routing,
             "account_holder_type": account.get("account_holder_type") or "individual", "account_type": "checking"}  # fmt: skip
    return _new(
        "us_bank_account", facts, billing, does="bank_fails" if number == codes.CLOSED_ACCOUNT else "bank"
    )


def _new(kind: str, facts: Thing, billing: dict[str, Any] | None, **scenario: str) -> Thing:
    return books.put({
        "id": books.new_id("payment_method"), "object": "payment_method", "type": kind, kind: facts,
        "billing_details": billing or {"name": None, "email": None, "phone": None, "address": None},
        "customer": None, "metadata": {}, "allow_redisplay": "unspecified", "_set_up": False, "_detached": False,
        "_scenario": {"does": "ok", "code": "", "reason": "", "then": ""} | scenario,
    })  # fmt: skip


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def usable(ident: str, customer: str | None) -> Thing:
    """The method to pay with: a token of Stripe's makes a new one. Raises Refusal."""
    if ident in codes.TOKENS:
        return from_card({"token": ident})
    found = books.find(ident, "payment_method")
    if found is None:
        raise missing("PaymentMethod", ident, "payment_method", status=400)
    if found["_detached"]:
        raise Refusal("The provided PaymentMethod was previously used or detached; it may not be used again.",
                      param="payment_method")  # fmt: skip
    if found["customer"] and found["customer"] != customer:
        raise Refusal(
            "The payment method supplied belongs to a Customer. Pass it as customer.", param="customer"
        )
    return found


def attach(call: wire.Call) -> Thing:
    """Keep a method for a customer."""
    customer = books.get(call.need("customer"), "customer", "customer")
    method = usable(call.id, customer["id"])
    return keep(method, customer["id"])


def keep(method: Thing, customer: str) -> Thing:
    """The method belongs to the customer now, and its bank has agreed to later payments."""
    kept = books.put(method | {"customer": customer, "_set_up": True})
    events.tell("payment_method.attached", kept)
    return kept


def detach(call: wire.Call) -> Thing:
    """Let a customer's method go for good."""
    method = books.get(call.id, "payment_method", "payment_method")
    if not method["customer"]:
        raise Refusal(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    gone = books.put(method | {"customer": None, "_detached": True})
    events.tell("payment_method.detached", gone)
    return gone


# --- customers ---
_CUSTOMER = ("email", "name", "description", "phone")


def create_customer(call: wire.Call) -> Thing:
    """A customer."""
    return new_customer({name: call.text(name) or None for name in _CUSTOMER}, call.metadata())


def new_customer(facts: dict[str, Any], metadata: dict[str, str]) -> Thing:
    """A customer with these facts."""
    made = books.put({
        "id": books.new_id("customer"), "object": "customer", "email": None, "name": None, "phone": None,
        "description": None, "metadata": metadata, "invoice_settings": {"default_payment_method": None},
        "default_source": None, "balance": 0, "currency": None, "delinquent": False, "address": None, "shipping": None,
    } | facts)  # fmt: skip
    events.tell("customer.created", made)
    return made


def update_customer(call: wire.Call) -> Thing:
    """New facts of a customer; his default method."""
    found = books.get(call.id, "customer")
    for name in _CUSTOMER:
        if name in call.params:
            found[name] = call.text(name) or None
    found["metadata"] |= call.metadata()
    found["invoice_settings"] |= call.part("invoice_settings")
    events.tell("customer.updated", found)
    return books.put(found)


# --- setup intents ---
def create_setup(call: wire.Call) -> Thing:
    """Save a method for later, at once with confirm=true."""
    customer = call.text("customer")
    if customer:
        books.get(customer, "customer", "customer")
    ident = books.new_id("setup_intent")
    setup = books.put({
        "id": ident, "object": "setup_intent", "status": "requires_payment_method", "customer": customer or None,
        "payment_method": None, "client_secret": f"{ident}_secret_{books.new_id('mandate')[8:]}", "usage": "off_session",
        "payment_method_types": call.params.get("payment_method_types") or ["card"], "metadata": call.metadata(),
        "next_action": None, "last_setup_error": None, "description": None, "latest_attempt": None, "mandate": None,
        "cancellation_reason": None, "_base": call.base, "_return_url": "",
    })  # fmt: skip
    events.tell("setup_intent.created", setup)
    return confirm_setup_of(setup, call) if call.flag("confirm") else setup


def confirm_setup(call: wire.Call) -> Thing:
    """Confirm a setup intent."""
    return confirm_setup_of(books.get(call.id, "setup_intent"), call)


def confirm_setup_of(setup: Thing, call: wire.Call) -> Thing:
    """Check the method with its bank: saved, 3-D Secure first, or refused. Raises Refusal."""
    method = usable(call.need("payment_method"), setup["customer"])
    setup |= {
        "payment_method": method["id"],
        "_return_url": call.text("return_url"),
        "last_setup_error": None,
    }
    does = method["_scenario"]["does"]
    if does in ("3ds", "3ds_always"):
        url = f"{call.base}/3ds/{setup['id']}"
        back = {"return_url": setup["_return_url"], "url": url}
        setup |= {
            "status": "requires_action",
            "next_action": {"type": "redirect_to_url", "redirect_to_url": back},
        }
        events.tell("setup_intent.requires_action", setup)
        return books.put(setup)
    if does == "declined":
        raise refuse_setup(setup, method["_scenario"]["code"], method["_scenario"]["reason"])
    return finish_setup(setup)


def finish_setup(setup: Thing) -> Thing:
    """The method is saved."""
    if setup["customer"]:
        keep(books.get(setup["payment_method"], "payment_method"), setup["customer"])
    done = books.put(setup | {"status": "succeeded", "next_action": None})
    events.tell("setup_intent.succeeded", done)
    return done


def refuse_setup(setup: Thing, code: str, reason: str = "") -> Refusal:
    """The method is refused; the refusal to answer with."""
    refusal = card_error(code, reason)
    failed = setup | {
        "status": "requires_payment_method", "payment_method": None, "next_action": None,
        "last_setup_error": refusal.error,
    }  # fmt: skip
    books.put(failed)
    events.tell("setup_intent.setup_failed", failed)
    return card_error(code, reason, setup_intent=books.public(failed))
