"""Saved cards: customers and payment consents of Airwallex.

Here: making a customer once, a consent and its verification (which may want 3DS), reading and disabling it. Not here:
paying with one (gateway). Guarantees: every step has a request_id that follows from the row's key, and one that was
used already is looked up, so a repeat after a lost answer neither doubles a customer nor a consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.gateways import base
from payments.gateways.airwallex import objects, wire, words
from payments.gateways.airwallex.client import Client


def instrument(held: base.Instrument | None, *, raw_cards: bool) -> dict[str, Any]:
    """The part of a body that names what the shopper pays with. Raises GatewayMisuse, GatewayDeclined; nothing is sent."""
    if isinstance(held, base.Card):
        if not raw_cards:
            raise base.GatewayMisuse(
                "card numbers are switched off", code=base.ErrorCode.METHOD_UNAVAILABLE, not_sent=True
            )
        return {"payment_method": {"type": "card", "card": _card(held)}}
    if isinstance(held, base.Token):
        ref = _ref(held.value)
        return {"payment_consent_id": ref} if ref.startswith("cst_") else {"payment_method": {"id": ref}}
    if isinstance(held, base.SavedMethod):
        return {"payment_consent_id": _ref(held.method_ref)}
    raise base.GatewayMisuse("no card", code=base.ErrorCode.INVALID_PAYMENT_METHOD, not_sent=True)


def hidden(held: base.Instrument | None, customer: base.Customer | None = None) -> tuple[str, ...]:
    """The texts of it that no record, error or log may show."""
    found: tuple[str, ...] = (customer.email, customer.name) if customer else ()
    if isinstance(held, base.Card):
        found += (held.number, held.cvc, held.name)
    elif isinstance(held, base.Token):
        found += (held.value,)
    elif isinstance(held, base.SavedMethod):
        found += (held.method_ref,)
    return tuple(filter(None, found))


def _card(card: base.Card) -> dict[str, str]:
    told = {
        "number": card.number,
        "expiry_month": f"{card.exp_month:02d}",
        "expiry_year": f"{card.exp_year:04d}",
        "cvc": card.cvc,
        "name": card.name,
    }
    return {name: value for name, value in told.items() if value}


def _ref(value: str) -> str:
    """A token comes from the shopper's client, so a strange one is refused as a card would be."""
    try:
        return wire.checked_id(value)
    except base.GatewayMisuse as exc:
        raise base.GatewayDeclined(
            "not a saved card", code=base.ErrorCode.INVALID_PAYMENT_METHOD, not_sent=True
        ) from exc


def customer(client: Client, who: base.Customer) -> str:
    """Airwallex's id of our customer, made on first use. Raises GatewayError."""
    if who.provider_ref:
        return who.provider_ref
    if not who.customer_id:
        raise base.GatewayMisuse("whose card is it?", not_sent=True)
    body = {
        "request_id": wire.request_id(who.customer_id, "customer"),
        "merchant_customer_id": who.customer_id,
    }
    body |= {"email": who.email} if who.email else {}
    try:
        made = client.post("customers/create", body)
    except base.GatewayError as error:
        if not words.asks_for_a_look(error):
            raise
        found = client.items("customers", merchant_customer_id=who.customer_id)
        made = next((one for one in found if one.get("merchant_customer_id") == who.customer_id), {})
        if not made:
            raise
    ref = wire.text(made.get("id"), 100)
    if not ref:
        raise base.GatewayUnavailable("no customer", code=base.ErrorCode.BAD_ANSWER)
    return ref


def save(client: Client, request: base.SaveMethodRequest, *, raw_cards: bool) -> base.SavedMethodResult:
    """Customer, consent, verification. Raises GatewayError; a repeat goes on where the first was lost."""
    how = instrument(request.instrument, raw_cards=raw_cards)
    if "payment_method" not in how:
        raise base.GatewayMisuse(
            "it is saved already", code=base.ErrorCode.INVALID_PAYMENT_METHOD, not_sent=True
        )
    who = customer(client, request.customer)
    made = _new_consent(client, who, wire.request_id(request.idempotency_key, "consent"))
    ref = wire.checked_id(wire.text(made.get("id"), 100))
    if wire.text(made.get("status")) != words.NEEDS_METHOD:
        return objects.consent(made)
    body = {"request_id": wire.request_id(request.idempotency_key, "verify"), **how}
    body |= {"return_url": request.return_url} if request.return_url else {}
    try:
        return objects.consent(client.post(f"payment_consents/{ref}/verify", body), after_verify=True)
    except base.GatewayError as error:
        if not words.asks_for_a_look(error):
            raise
        return query(client, ref)


def _new_consent(client: Client, who: str, request_id: str) -> Mapping[str, Any]:
    """The shopper will be there for later payments ("customer")."""
    body = {"request_id": request_id, "customer_id": who, "next_triggered_by": "customer"}
    try:
        return client.post("payment_consents/create", body)
    except base.GatewayError as error:
        if not words.asks_for_a_look(error):
            raise
        found = client.items("payment_consents", customer_id=who)
        made = next((one for one in found if one.get("request_id") == request_id), None)
        if made is None:
            raise
        return made


def query(client: Client, setup_ref: str) -> base.SavedMethodResult:
    """How a consent stands. Raises GatewayError."""
    return objects.consent(client.get(f"payment_consents/{wire.checked_id(setup_ref)}"))


def disable(client: Client, method: base.SavedMethod) -> None:
    """Disable a consent; one that is disabled or gone already is done. Raises GatewayError."""
    ref = wire.checked_id(method.method_ref)
    try:
        client.post(f"payment_consents/{ref}/disable", {"request_id": wire.request_id(ref, "disable")})
    except base.GatewayError as error:
        if words.is_missing(error):
            return
        if not words.asks_for_a_look(error) or query(client, ref).status != base.PaymentStatus.CANCELED:
            raise
