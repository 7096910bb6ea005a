"""Refunds: received, accepted, and settled (or failed) a while later."""

from decimal import Decimal
from typing import Any

from sandbox import database, faults, jobs, knobs
from sandbox.providers.airwallex import books, codes, intents, posts
from sandbox.providers.airwallex.refusal import Refusal
from sandbox.providers.manufacturer import wire


def create(body: dict[str, Any], host: str) -> books.Object:
    """Give a part or all of an intent back; never more than was captured."""
    intent = books.get("payment_intents", str(body.get("payment_intent_id")))
    if intent["status"] != codes.SUCCEEDED:
        raise Refusal("invalid_status_for_operation", f"{intent['id']} is {intent['status']}")
    attempt = intent["latest_payment_attempt"]
    left = Decimal(intent["captured_amount"]) - Decimal(attempt["refunded_amount"])
    wanted = intents.amount(body, intent["currency"]) if "amount" in body else left
    if wanted > left:
        raise Refusal("amount_above_limit", f"only {left} is left", source="amount")
    kept = ("request_id", "payment_intent_id", "reason", "metadata")
    made = books.new("refunds", {
        **{name: body[name] for name in kept if name in body}, "payment_attempt_id": attempt["id"],
        "amount": wire.Literal(wanted), "currency": intent["currency"], "status": "RECEIVED",
    })  # fmt: skip
    _count(intent, wanted)
    posts.moved("refund.received", made)
    jobs.add("awx_refund", {"id": made["id"]}, after=knobs.seconds("airwallex_settle_seconds"))
    return made


def _count(intent: books.Object, by: Decimal) -> None:
    attempt = intent["latest_payment_attempt"]
    attempt["refunded_amount"] = wire.Literal(Decimal(attempt["refunded_amount"]) + by)
    books.save(attempt)
    books.save(intent)


@jobs.handler("awx_refund")
def settle(payload: dict[str, Any], attempts: int) -> float | None:
    """One step on: received, accepted, settled."""
    with database.transaction():
        try:
            refund = books.get("refunds", payload["id"])
        except Refusal:
            return None  # the books were emptied
        if refund["status"] == "RECEIVED":
            refund["status"] = "ACCEPTED"
        elif faults.strike(codes.NAME, "refund_failed"):
            refund |= {"status": "FAILED", "failure_code": "provider_declined"}
            _count(books.get("payment_intents", refund["payment_intent_id"]), -Decimal(refund["amount"]))
        else:
            refund["status"] = "SETTLED"
        books.save(refund)
        posts.moved(f"refund.{refund['status'].lower()}", refund)
    return knobs.seconds("airwallex_settle_seconds") if refund["status"] == "ACCEPTED" else None
