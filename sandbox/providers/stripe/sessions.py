"""Checkout Sessions: the hosted page's life. The PaymentIntent appears when the shopper pays, not before.

A session ends paid, expired by a call, or expired by its clock; a declined card ends nothing.
"""

from typing import Any

from sandbox import database, jobs
from sandbox.providers.stripe import books, charging, codes, events, intents, methods, wire
from sandbox.providers.stripe.refusal import Refusal

Thing = books.Thing
SHORTEST, LONGEST = 1800, 86_400


def create(call: wire.Call) -> Thing:
    """A session with its page."""
    if call.text("mode", "payment") != "payment":
        raise Refusal("Only mode=payment is simulated.", param="mode")
    lines, currency, total = _lines(call.params.get("line_items"))
    if total:
        try:
            wire.amount(str(total), currency)
        except Refusal as refusal:
            if refusal.error.get("code") == "amount_too_small":
                text = "The Checkout Session's total amount due must add up to at least the smallest charge."
                raise Refusal(text, code="amount_too_small") from None
            raise
    customer = call.text("customer")
    if customer:
        books.get(customer, "customer", "customer")
    ident = books.new_id("checkout.session")
    ends = _ends(call)
    session = books.put(
        _new(call, ident, lines, currency, total) | {"customer": customer or None, "expires_at": ends}
    )
    jobs.add("stripe_expire", {"id": ident}, after=max(ends - books.now(), 1))
    return session


def _new(call: wire.Call, ident: str, lines: list[Thing], currency: str, total: int) -> Thing:
    return {
        "id": ident, "object": "checkout.session", "mode": "payment", "status": "open", "ui_mode": "hosted_page",
        "payment_status": "unpaid" if total else "no_payment_required", "amount_total": total, "amount_subtotal": total,
        "currency": currency, "payment_intent": None, "success_url": call.need("success_url"),
        "cancel_url": call.text("cancel_url") or None, "client_reference_id": call.text("client_reference_id") or None,
        "customer_email": call.text("customer_email") or None, "customer_details": None, "metadata": call.metadata(),
        "customer_creation": call.text("customer_creation", "if_required"), "locale": call.text("locale") or None,
        "payment_method_types": call.params.get("payment_method_types") or ["card"], "client_secret": None,
        "url": f"{call.base}/c/pay/{ident}", "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "after_expiration": None, "allow_promotion_codes": None, "consent": None, "invoice": None, "recovered_from": None,
        "setup_intent": None, "shipping_cost": None, "submit_type": None, "subscription": None, "payment_link": None,
        "automatic_tax": {"enabled": False, "liability": None, "status": None}, "custom_fields": [], "expires_at": 0,
        "_lines": lines, "_intent_data": call.part("payment_intent_data"), "_base": call.base,
    }  # fmt: skip


def _ends(call: wire.Call) -> int:
    if "expires_at" not in call.params:
        return books.now() + LONGEST
    ends = wire.number(call.params["expires_at"], "expires_at")
    if not books.now() + SHORTEST - 5 <= ends <= books.now() + LONGEST:
        raise Refusal(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    return ends


def _lines(sent: Any) -> tuple[list[Thing], str, int]:
    """(lines, currency, total) of line_items, each a price of the account or price_data."""
    if not isinstance(sent, list) or not sent:
        raise Refusal("Missing required param: line_items.", code="parameter_missing", param="line_items")
    lines, currency, total = [], "", 0
    for place, item in enumerate(sent):
        name, money, each = _price(item, f"line_items[{place}]")
        if currency and money != currency:
            raise Refusal("All lines must be in one currency.", param="line_items")
        quantity = wire.number(str(item.get("quantity", "1")), f"line_items[{place}][quantity]")
        currency, total = money, total + each * quantity
        lines.append({"name": name, "quantity": quantity, "amount_total": each * quantity, "currency": money})
    return lines, currency, total


def _price(item: dict[str, Any], where: str) -> tuple[str, str, int]:
    if "price" in item:
        price = books.find(str(item["price"]), "price")
        if price is None:
            text = f"No such price: '{item['price']}'"
            raise Refusal(text, code="resource_missing", param=f"{where}[price]")
        if not price["active"]:
            text = "The price specified is inactive. This field only accepts active prices."
            raise Refusal(text, param=f"{where}[price]")
        product = books.get(price["product"], "product")
        return product["name"], price["currency"], price["unit_amount"]
    data = item.get("price_data") or {}
    currency = wire.currency(data.get("currency"), "currency")
    each = wire.number(data.get("unit_amount"), f"{where}[price_data][unit_amount]")
    if not 0 <= each <= codes.LARGEST:
        raise Refusal(
            "Amount must be no more than 999,999.99", code="amount_too_large", param=f"{where}[price_data]"
        )
    return str((data.get("product_data") or {}).get("name") or "Item"), currency, each


def expire(call: wire.Call) -> Thing:
    """Close an open page."""
    session = books.get(call.id, "checkout.session")
    if session["status"] != "open":
        text = f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of "{session["status"]}".'
        raise Refusal(text)
    return close(session)


def close(session: Thing) -> Thing:
    """The page is over; nobody can pay there."""
    if session["payment_intent"]:
        intent = books.get(session["payment_intent"], "payment_intent")
        if intent["status"] in intents.OPEN:
            intents.void(intent, "automatic")
    gone = books.put(session | {"status": "expired", "url": None})
    events.tell("checkout.session.expired", gone)
    return gone


@jobs.handler("stripe_expire")
def run_out(payload: dict[str, Any], attempts: int) -> float | None:
    """The page's time is over."""
    with database.transaction():
        session = books.find(payload["id"], "checkout.session")
        if session is not None and session["status"] == "open":
            close(session)
    return None


def line_items(call: wire.Call) -> Thing:
    """What is bought on the page."""
    session = books.get(call.id, "checkout.session")
    data = [
        {"id": f"li_{place}", "object": "item", "description": line["name"], "quantity": line["quantity"],
         "amount_total": line["amount_total"], "currency": line["currency"]}
        for place, line in enumerate(session["_lines"])
    ]  # fmt: skip
    return {
        "object": "list",
        "data": data,
        "has_more": False,
        "url": f"/v1/checkout/sessions/{call.id}/line_items",
    }


def pay(session: Thing, card: dict[str, Any], *, email: str = "", name: str = "") -> Thing:
    """The shopper presses Pay. Raises Refusal where the card is refused; the page stays open then."""
    if session["status"] != "open":
        raise Refusal("This page is closed: it was paid or has run out.")
    call = wire.Call(params={}, base=session["_base"])
    session["customer_details"] = {"email": email or session["customer_email"], "name": name or None, "phone": None,
                                   "address": None, "tax_exempt": "none", "tax_ids": []}  # fmt: skip
    if not session["amount_total"]:
        return _complete(session, "no_payment_required")
    method = methods.from_card(
        card, {"name": name or None, "email": email or None, "phone": None, "address": None}
    )
    intent = _intent_of(session, call)
    charging.pay(intent, method, call)
    return follow(intent)


def _intent_of(session: Thing, call: wire.Call) -> Thing:
    """The page's PaymentIntent, made at the first try."""
    if session["payment_intent"]:
        books.put(session)
        intent = books.get(session["payment_intent"], "payment_intent")
        return intent | {"status": "requires_payment_method"}
    data = session["_intent_data"]
    if not session["customer"] and session["customer_creation"] == "always":
        facts = {"email": session["customer_details"]["email"], "name": session["customer_details"]["name"]}
        session["customer"] = methods.new_customer(facts, {})["id"]
    intent = intents.new(call, session["amount_total"], session["currency"], {
        "metadata": {str(k): str(v) for k, v in (data.get("metadata") or {}).items()},
        "description": data.get("description"), "capture_method": data.get("capture_method", "automatic_async"),
        "setup_future_usage": data.get("setup_future_usage"), "customer": session["customer"],
        "_session": session["id"], "_return_url": f"{session['_base']}/c/pay/{session['id']}/back",
    })  # fmt: skip
    books.put(session | {"payment_intent": intent["id"]})
    return intent


def follow(intent: Thing, *, later: bool = False) -> Thing:
    """The page follows its PaymentIntent. `later`: it was complete already and the money is decided now."""
    session = books.find(intent["_session"], "checkout.session") if intent["_session"] else None
    if session is None:
        return {}
    status = intent["status"]
    if session["status"] == "open":
        if status in ("succeeded", "processing", "requires_capture"):
            return _complete(session, "paid" if status == "succeeded" else "unpaid")
        return session
    if later and session["payment_status"] == "unpaid":
        if status == "succeeded":
            session = books.put(session | {"payment_status": "paid"})
            events.tell("checkout.session.async_payment_succeeded", session)
        elif status == "requires_payment_method":
            events.tell("checkout.session.async_payment_failed", session)
    return session


def _complete(session: Thing, payment_status: str) -> Thing:
    done = books.put(session | {"status": "complete", "payment_status": payment_status, "url": None})
    events.tell("checkout.session.completed", done)
    return done


@jobs.handler("stripe_settle")
def settle(payload: dict[str, Any], attempts: int) -> float | None:
    """A payment that took its time is decided, and its page with it."""
    with database.transaction():
        intent = books.find(payload["id"], "payment_intent")
        if intent is None or intent["status"] != "processing":
            return None
        method = books.get(intent["payment_method"], "payment_method")
        if method["_scenario"]["does"] == "bank_fails":
            charging.decline(intent, "account_closed")
        else:
            charging.take(intent, method)
        follow(intent, later=True)
    return None
