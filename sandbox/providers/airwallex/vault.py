"""Customers, payment methods and payment consents: what is kept for later payments."""

from typing import Any

from sandbox.providers.airwallex import books, cards, codes, intents, posts
from sandbox.providers.airwallex.refusal import Declined, Refusal

Body = dict[str, Any]


def create_customer(body: Body, host: str) -> books.Object:
    """One customer per number of the shop's."""
    number = body.get("merchant_customer_id")
    if not isinstance(number, str) or not number:
        raise Refusal("validation_error", "merchant_customer_id is required", source="merchant_customer_id")
    if any(one.get("merchant_customer_id") == number for one in books.every("customers")):
        raise Refusal("resource_already_exists", "there is such a customer already")
    kept = ("request_id", "merchant_customer_id", "email", "first_name", "last_name", "metadata")
    return books.new("customers", {name: body[name] for name in kept if name in body})


def create_method(body: Body, host: str) -> books.Object:
    """A card of a customer, as the shopper's client would make it."""
    kind, shown = cards.read(body)
    customer_id = str(books.get("customers", str(body.get("customer_id")))["id"])
    made = {"request_id": body["request_id"], "customer_id": customer_id, "status": "CREATED", **shown}
    return books.new("payment_methods", made, card=kind)


def disable_method(method: books.Object, body: Body, host: str) -> books.Object:
    """Nobody pays with it any more."""
    return books.save(method | {"status": "DISABLED"})


def create_consent(body: Body, host: str) -> books.Object:
    """A consent that waits for its card."""
    customer_id = books.get("customers", str(body.get("customer_id")))["id"]
    who = body.get("next_triggered_by")
    if who not in ("customer", "merchant"):
        raise Refusal(
            "validation_error", "next_triggered_by is customer or merchant", source="next_triggered_by"
        )
    return books.new("payment_consents", {
        "request_id": body["request_id"], "customer_id": customer_id, "next_triggered_by": who, "status": codes.NEEDS_METHOD,
    })  # fmt: skip


def verify_consent(consent: books.Object, body: Body, host: str) -> books.Object:
    """Ask the issuer about the card, perhaps the shopper too. Raises Refusal, Declined."""
    if consent["status"] != codes.NEEDS_METHOD:
        raise Refusal("invalid_status_for_operation", f"the consent is {consent['status']}")
    told = body.get("payment_method")
    if not isinstance(told, dict):
        raise Refusal("validation_error", "payment_method is required", source="payment_method")
    if told.get("id"):
        method = books.get("payment_methods", str(told["id"]))
        kind, shown = books.card_of(method["id"]), {name: method[name] for name in ("id", "type", "card")}
    else:
        kind, shown = cards.read(told)
    consent["payment_method"] = shown
    books.set_card(consent["id"], kind)
    if kind in codes.CHALLENGES:
        return intents.challenge(consent, kind, str(body.get("return_url") or ""), host)
    return finish(consent, kind)


def finish(consent: books.Object, kind: str) -> books.Object:
    """The issuer answers. Raises Declined, which keeps what is written here."""
    consent.pop("next_action", None)
    if kind in codes.DECLINES:
        code, issuer = codes.DECLINES[kind]
        refuse(consent, code)
        raise Declined(code, issuer)
    consent["status"] = "VERIFIED"
    books.save(consent)
    posts.moved("payment_consent.verified", consent)
    return consent


def refuse(consent: books.Object, code: str) -> None:
    """Back to where it waits for a card."""
    consent.pop("next_action", None)
    consent |= {"status": codes.NEEDS_METHOD, "failure_code": code}
    books.save(consent)
    posts.moved("payment_consent.verification_failed", consent)


def disable_consent(consent: books.Object, body: Body, host: str) -> books.Object:
    """Nobody pays with it any more."""
    if consent["status"] == "DISABLED":
        raise Refusal("invalid_status_for_operation", "the consent is DISABLED")
    consent["status"] = "DISABLED"
    books.save(consent)
    posts.moved("payment_consent.disabled", consent)
    return consent
