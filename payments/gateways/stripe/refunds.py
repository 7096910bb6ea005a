"""Refunds at Stripe: make one, ask about one. Source: https://docs.stripe.com/api/refunds, providers/stripe.md 3.9.

Our out_refund_no travels in the metadata; a refund without it was made at Stripe. The answer of the call counts as much
as the events: card refunds often get no further event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.gateways.base import ErrorCode as Code
from payments.gateways.base import (
    ErrorDetail,
    Flag,
    GatewayMisuse,
    RefundNotice,
    RefundRequest,
    RefundResult,
    RefundStatus,
)
from payments.gateways.stripe import attempts, checkout, money, reading, words
from payments.gateways.stripe.wire import Api

#: What Stripe takes as a reason. "fraudulent" also blocks card and address there: staff and merchants only.
REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


def create(api: Api, request: RefundRequest) -> RefundResult:
    """Give `request.amount` back; a `resend` looks for ours first. Raises GatewayError."""
    intent = _intent(api, request)
    if request.resend:
        known = _find(api, request, intent)
        if known is not None:
            return read(known)
    params: dict[str, Any] = {
        "payment_intent": intent,
        "amount": money.to_wire(request.amount),
        "metadata": {"out_refund_no": request.out_refund_no, "out_trade_no": request.out_trade_no},
    }
    if request.reason in REASONS:
        params["reason"] = request.reason
    made = api.call(
        "post", "refunds", params, kind="refund", key=request.idempotency_key, subject=request.out_trade_no
    )
    return read(made)


def query(api: Api, request: RefundRequest) -> RefundResult:
    """How the refund stands; one that Stripe does not know is CREATED with `not_found`. Raises GatewayError."""
    if not request.refund_ref:
        found = _find(api, request, _intent(api, request))
        return read(found) if found else _unknown()
    try:
        path = f"refunds/{attempts.safe(request.refund_ref)}"
        return read(api.call("get", path, kind="refund", subject=request.out_trade_no))
    except GatewayMisuse as exc:
        if exc.code != Code.NOT_FOUND:
            raise
        return _unknown()


#: Stripe takes 150,000 characters of evidence in all, 20,000 in this field.
MOST_EVIDENCE = 20_000


def submit_evidence(api: Api, dispute_ref: str, text: str, *, key: str, subject: str) -> None:
    """Raises GatewayError."""
    params = {"evidence": {"uncategorized_text": text[:MOST_EVIDENCE]}, "submit": True}
    path = f"disputes/{attempts.safe(dispute_ref)}"
    api.call("post", path, params, kind="dispute", key=key, subject=subject)


def _unknown() -> RefundResult:
    return RefundResult(status=RefundStatus.CREATED, flags=(Flag.NOT_FOUND,))


def _intent(api: Api, request: RefundRequest) -> str:
    """The PaymentIntent that was paid: known, or read from the Checkout Session."""
    for ref in (request.transaction_ref, request.provider_ref):
        if ref.startswith("pi_"):
            return attempts.safe(ref)
    session = checkout.get(api, request.provider_ref, subject=request.out_trade_no)
    intent = reading.ref(session, "payment_intent")
    if not intent:
        raise GatewayMisuse("nothing was paid in that session", code=Code.NOT_FOUND, not_sent=True)
    return intent


def _find(api: Api, request: RefundRequest, intent: str) -> dict[str, Any] | None:
    made = api.pages("refunds", {"payment_intent": intent}, subject=request.out_trade_no)
    return next((one for one in made if own_number(one) == request.out_refund_no), None)


def own_number(refund: Mapping[str, Any]) -> str:
    """Our out_refund_no; "" for a refund made at Stripe."""
    return reading.text(reading.part(refund, "metadata"), "out_refund_no")


def _error(refund: Mapping[str, Any]) -> ErrorDetail | None:
    if words.refund_status(reading.text(refund, "status"))[0] != RefundStatus.FAILED:
        return None
    return ErrorDetail(code=Code.PAYMENT_FAILED, provider_code=reading.text(refund, "failure_reason"))


def read(refund: Mapping[str, Any]) -> RefundResult:
    """A refund object as our result."""
    word = reading.text(refund, "status")
    status, flags = words.refund_status(word)
    return RefundResult(
        status=status,
        provider_ref=reading.text(refund, "id"),
        amount=money.from_wire(refund.get("amount"), refund.get("currency")),
        error=_error(refund),
        raw={name: refund.get(name) for name in ("id", "status", "failure_reason") if refund.get(name)},
        provider_status=word,
        flags=flags,
    )


def notice(refund: Mapping[str, Any]) -> RefundNotice:
    """A refund object as an event tells it."""
    result = read(refund)
    return RefundNotice(
        status=result.status,
        provider_ref=result.provider_ref,
        out_refund_no=own_number(refund),
        out_trade_no=reading.number(refund),
        payment_ref=reading.ref(refund, "payment_intent"),
        amount=result.amount,
        error=result.error,
        provider_status=result.provider_status,
    )
