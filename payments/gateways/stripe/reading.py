"""Stripe's objects read into our results. Pure: no call leaves. What is copied out is never a secret.

`via` in a PaymentIntent's metadata says that it belongs to a Checkout Session: then cs_… is the attempt's own id, and a
declined card ends nothing while the page is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.gateways.base import ErrorDetail, MethodDetails, PaymentResult, PaymentStatus, Redirect
from payments.gateways.stripe import errors, money, words
from payments.gateways.stripe.config import Config
from pimpshop.core import redaction

CHECKOUT = "checkout"


def text(thing: Mapping[str, Any], name: str) -> str:
    """A text field, "" when it is absent or something else."""
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def part(thing: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object field, {} when it is absent, unexpanded or something else."""
    value = thing.get(name)
    return value if isinstance(value, dict) else {}


def ref(thing: Mapping[str, Any], name: str) -> str:
    """The id behind a field that may be expanded."""
    value = thing.get(name)
    return text(value, "id") if isinstance(value, dict) else value if isinstance(value, str) else ""


def number(thing: Mapping[str, Any]) -> str:
    """Our out_trade_no, as we wrote it into the object."""
    return text(part(thing, "metadata"), "out_trade_no")


def via_checkout(intent: Mapping[str, Any]) -> bool:
    """Does this PaymentIntent (or its charge) belong to a Checkout Session of ours?"""
    return part(intent, "metadata").get("via") == CHECKOUT


def method_details(charge: Mapping[str, Any]) -> MethodDetails | None:
    """What may be shown of the method that paid, from a charge."""
    return describe(part(charge, "payment_method_details"), part(charge, "billing_details"))


def describe(method: Mapping[str, Any], billing: Mapping[str, Any]) -> MethodDetails | None:
    """The same from a PaymentMethod or a charge's payment_method_details: both keep the facts below their type."""
    kind = text(method, "type")
    facts = part(method, kind)
    if not kind:
        return None
    return MethodDetails(
        method_type=kind,
        last_four=text(facts, "last4"),
        card_brand=text(facts, "brand"),
        exp_month=str(facts.get("exp_month") or ""),
        exp_year=str(facts.get("exp_year") or ""),
        cardholder_name=text(billing, "name"),
    )


def next_action(thing: Mapping[str, Any]) -> Redirect | None:
    """Where the shopper goes now: 3-D Secure, or the page that verifies a bank account. We always send a return_url,
    so no client-side code of Stripe is needed."""
    action = part(thing, "next_action")
    url = text(part(action, "redirect_to_url"), "url")
    url = url or text(part(action, "verify_with_microdeposits"), "hosted_verification_url")
    return Redirect(url=url) if url else None


def last_error(intent: Mapping[str, Any], name: str = "last_payment_error") -> ErrorDetail | None:
    """Why the last try with a card failed."""
    error = part(intent, name)
    if not error:
        return None
    ours, theirs = errors.card_code(error)
    message = redaction.scrub_text(text(error, "message"), max_bytes=300)
    return ErrorDetail(code=ours, message=message, provider_code=theirs)


def intent_result(intent: Mapping[str, Any], config: Config) -> PaymentResult:
    """What a PaymentIntent says (with `latest_charge` expanded: also receipt, method and refunds)."""
    word, checkout = text(intent, "status"), via_checkout(intent)
    status, flags = words.intent_status(word)
    error = last_error(intent)
    if word == "requires_payment_method":
        if checkout:
            status = PaymentStatus.REQUIRES_ACTION
        elif error:
            status = PaymentStatus.FAILED
    charge, currency = part(intent, "latest_charge"), intent.get("currency")
    return PaymentResult(
        status=status,
        provider_ref="" if checkout else text(intent, "id"),
        transaction_ref=text(intent, "id"),
        amount=money.from_wire(intent.get("amount"), currency),
        captured=_taken(intent, currency),
        refunded=money.from_wire(charge.get("amount_refunded"), currency),
        next_action=next_action(intent) if status == PaymentStatus.REQUIRES_ACTION else None,
        error=error if status in (PaymentStatus.FAILED, PaymentStatus.REQUIRES_ACTION) else None,
        raw=_raw(intent),
        out_trade_no=number(intent),
        account=config.account,
        live=_live(intent),
        provider_status=word,
        flags=flags,
        method_details=method_details(charge),
        receipt_url=text(charge, "receipt_url"),
        saved_ref=ref(intent, "payment_method") if intent.get("setup_future_usage") else "",
        customer_ref=ref(intent, "customer"),
    )


def _taken(intent: Mapping[str, Any], currency: object) -> Any:
    received = intent.get("amount_received")
    return money.from_wire(received, currency) if received else None


def _live(thing: Mapping[str, Any]) -> bool | None:
    live = thing.get("livemode")
    return live if isinstance(live, bool) else None


def _raw(thing: Mapping[str, Any]) -> dict[str, Any]:
    names = ("object", "id", "status", "payment_status", "latest_charge", "cancellation_reason", "created")
    return {name: ref(thing, name) or thing.get(name) for name in names if thing.get(name) is not None}


def session_result(session: Mapping[str, Any], config: Config) -> PaymentResult:
    """What a Checkout Session says (with `payment_intent` expanded: also why, with what, and how much was given back)."""
    intent = part(session, "payment_intent")
    paid_by = text(intent, "status")
    facts = (text(session, "status"), text(session, "payment_status"), paid_by)
    status, flags = words.session_status(*facts)
    told = intent_result(intent, config) if intent else None
    url = text(session, "url")
    failed = status in (PaymentStatus.FAILED, PaymentStatus.REQUIRES_ACTION)
    return PaymentResult(
        status=status,
        provider_ref=text(session, "id"),
        transaction_ref=ref(session, "payment_intent"),
        amount=money.from_wire(session.get("amount_total"), session.get("currency")),
        captured=told.captured if told else None,
        refunded=told.refunded if told else None,
        next_action=Redirect(url=url) if url and status == PaymentStatus.REQUIRES_ACTION else None,
        error=last_error(intent) if failed else None,
        raw=_raw(session),
        out_trade_no=number(session) or text(session, "client_reference_id"),
        account=config.account,
        live=_live(session),
        provider_status=words.session_word(*facts),
        flags=flags,
        method_details=told.method_details if told else None,
        receipt_url=told.receipt_url if told else "",
        saved_ref=told.saved_ref if told else "",
        customer_ref=ref(session, "customer"),
        payer_email=text(part(session, "customer_details"), "email"),
    )
