"""Refunds and disputes. What was given back never exceeds what was captured; a refund may fail after it succeeded."""

from typing import Any

from sandbox import database, jobs, knobs
from sandbox.providers.stripe import books, charging, codes, events, wire
from sandbox.providers.stripe.refusal import Refusal, missing

Thing = books.Thing
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_LAST = ("won", "lost", "warning_closed")


def create(call: wire.Call) -> Thing:
    """Give money of a charge back."""
    charge = _charge_of(call)
    reason = call.text("reason")
    if reason and reason not in REASONS:
        raise Refusal(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise Refusal(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if left <= 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = wire.number(call.params["amount"], "amount") if "amount" in call.params else left
    if amount <= 0:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        much, rest = codes.shown(amount, charge["currency"]), codes.shown(left, charge["currency"])
        raise Refusal(
            f"Refund amount ({much}) is greater than unrefunded amount on charge ({rest})", param="amount"
        )
    return make(charge, amount, reason, call.metadata())


def _charge_of(call: wire.Call) -> Thing:
    if call.text("charge"):
        return books.get(call.text("charge"), "charge", "charge")
    intent = books.get(call.need("payment_intent"), "payment_intent", "payment_intent")
    if intent["status"] != "succeeded":
        text = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise Refusal(text, code="payment_intent_unexpected_state", param="payment_intent")
    return books.get(intent["latest_charge"], "charge")


def make(charge: Thing, amount: int, reason: str, metadata: dict[str, str]) -> Thing:
    """Write the refund; the card decides whether it is done at once, later, or not at all in the end."""
    method = books.get(charge["payment_method"], "payment_method")
    then = method["_scenario"]["then"]
    slow = then == "refund_pending" or method["type"] == "us_bank_account"
    entry = charging.transaction("refund", -amount, charge["currency"], "")
    refund = books.put({
        "id": books.new_id("refund"), "object": "refund", "amount": amount, "currency": charge["currency"],
        "charge": charge["id"], "payment_intent": charge["payment_intent"], "status": "pending" if slow else "succeeded",
        "reason": reason or None, "metadata": metadata, "balance_transaction": entry["id"], "failure_reason": None,
        "receipt_number": None, "source_transfer_reversal": None, "transfer_reversal": None,
        "destination_details": {"type": method["type"]},
    })  # fmt: skip
    books.put(entry | {"source": refund["id"]})
    _given(charge, amount)
    events.tell("refund.created", refund)
    if slow:
        jobs.add(
            "stripe_refund",
            {"id": refund["id"], "to": "succeeded"},
            after=knobs.seconds("stripe_settle_seconds"),
        )
    elif then == "refund_fails":
        jobs.add(
            "stripe_refund",
            {"id": refund["id"], "to": "failed"},
            after=knobs.seconds("stripe_settle_seconds"),
        )
    return refund


def _given(charge: Thing, amount: int) -> None:
    total = charge["amount_refunded"] + amount
    changed = charge | {"amount_refunded": total, "refunded": total >= charge["amount_captured"]}
    events.tell("charge.refunded" if amount > 0 else "charge.updated", books.put(changed))


@jobs.handler("stripe_refund")
def decide(payload: dict[str, Any], attempts: int) -> float | None:
    """A refund that took its time is done, or comes back."""
    with database.transaction():
        refund = books.find(payload["id"], "refund")
        if refund is None or refund["status"] not in ("pending", "succeeded"):
            return None
        if payload["to"] == "succeeded":
            events.tell("refund.updated", books.put(refund | {"status": "succeeded"}))
            return None
        failed = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        failed["failure_balance_transaction"] = charging.transaction(
            "refund_failure", refund["amount"], refund["currency"], refund["id"]
        )["id"]
        refund = books.put(refund | failed)
        events.tell("refund.updated", refund)
        events.tell("refund.failed", refund)
        _given(books.get(refund["charge"], "charge"), -refund["amount"])
    return None


def update(call: wire.Call) -> Thing:
    """Only metadata can be changed."""
    refund = books.get(call.id, "refund")
    refund["metadata"] |= call.metadata()
    return books.put(refund)


# --- disputes ---
@jobs.handler("stripe_dispute")
def open_dispute(payload: dict[str, Any], attempts: int) -> float | None:
    """The bank takes the money back."""
    with database.transaction():
        charge = books.find(payload["charge"], "charge")
        if charge is not None and not charge["disputed"]:
            dispute(charge)
    return None


def dispute(charge: Thing, reason: str = "fraudulent") -> Thing:
    """Open a dispute about all of a charge."""
    amount, currency = charge["amount_captured"], charge["currency"]
    made = books.put({
        "id": books.new_id("dispute"), "object": "dispute", "amount": amount, "currency": currency,
        "charge": charge["id"], "payment_intent": charge["payment_intent"], "reason": reason, "status": "needs_response",
        "evidence": {}, "evidence_details": {"due_by": books.now() + 7 * 86_400, "has_evidence": False,
                                             "past_due": False, "submission_count": 0},
        "is_charge_refundable": False, "metadata": {}, "balance_transactions": [],
    })  # fmt: skip
    books.put(charge | {"disputed": True})
    charging.transaction("adjustment", -amount, currency, made["id"], fee=1500)
    events.tell("charge.dispute.created", made)
    events.tell("charge.dispute.funds_withdrawn", made)
    return made


#: Text fields of `evidence` (docs.stripe.com/api/disputes/evidence_object); those that are files are not taken here.
_EVIDENCE = frozenset(
    [
        "access_activity_log",
        "billing_address",
        "cancellation_policy_disclosure",
        "cancellation_rebuttal",
        "customer_email_address",
        "customer_name",
        "customer_purchase_ip",
        "duplicate_charge_explanation",
        "duplicate_charge_id",
        "product_description",
        "refund_policy_disclosure",
        "refund_refusal_explanation",
        "service_date",
        "shipping_address",
        "shipping_carrier",
        "shipping_date",
        "shipping_tracking_number",
        "uncategorized_text",
    ]
)
_LONGEST_FIELD, _LONGEST_EVIDENCE = 20_000, 150_000


def update_dispute(call: wire.Call) -> Thing:
    """Hand evidence in: staged with submit=false, else it goes to the bank, once. "winning_evidence" and
    "losing_evidence" decide it at once, as in Stripe's test mode."""
    found = books.get(call.id, "dispute")
    _must_be_open(found)
    given = call.part("evidence")
    _must_be_evidence(given, {**found["evidence"], **given})
    submits = call.params.get("submit", "true") == "true" and bool({**found["evidence"], **given})
    if submits and found["evidence_details"]["submission_count"]:
        raise Refusal("You can only submit evidence once for this dispute.")
    found["evidence"] |= given
    found["metadata"] |= call.part("metadata")
    details = found["evidence_details"]
    details["has_evidence"] = any(found["evidence"].values())
    if submits:
        details["submission_count"] += 1
        inquiry = str(found["status"]).startswith("warning_")
        found["status"] = "warning_under_review" if inquiry else "under_review"
    events.tell("charge.dispute.updated", books.put(found))
    text = str(found["evidence"].get("uncategorized_text") or "")
    if submits and text in ("winning_evidence", "losing_evidence"):
        return end(found, won=text == "winning_evidence")
    return found


def _must_be_open(found: Thing) -> None:
    if found["status"] in _LAST:
        raise Refusal("This dispute is already closed.")
    if found["evidence_details"]["due_by"] < books.now():
        raise Refusal("The deadline to submit evidence for this dispute has passed.")


def _must_be_evidence(given: Thing, whole: Thing) -> None:
    """Known fields, and no longer than Stripe takes them."""
    for name, text in given.items():
        if name not in _EVIDENCE:
            raise Refusal(
                f"Received unknown parameter: evidence[{name}]",
                code="parameter_unknown",
                param=f"evidence[{name}]",
            )
        if len(str(text)) > _LONGEST_FIELD:
            raise Refusal(
                f"Invalid string: must be at most {_LONGEST_FIELD} characters", param=f"evidence[{name}]"
            )
    if sum(len(str(text)) for text in whole.values()) > _LONGEST_EVIDENCE:
        raise Refusal(
            f"The combined character count of all evidence is limited to {_LONGEST_EVIDENCE}.",
            param="evidence",
        )


def close(call: wire.Call) -> Thing:
    """Give in: the dispute is lost."""
    return end(books.get(call.id, "dispute"), won=False)


def end(found: Thing, *, won: bool) -> Thing:
    """The dispute is over; a won one brings the money back."""
    if found["status"] in _LAST:
        raise Refusal("This dispute is already closed.")
    over = books.put(found | {"status": "won" if won else "lost"})
    if won:
        charging.transaction("adjustment", over["amount"], over["currency"], over["id"])
        charge = books.find(over["charge"], "charge")
        if charge is None:
            raise missing("charge", over["charge"])
        books.put(charge | {"disputed": False})
        events.tell("charge.dispute.funds_reinstated", over)
    events.tell("charge.dispute.closed", over)
    return over
