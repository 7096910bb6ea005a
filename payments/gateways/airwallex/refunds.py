"""Refunds at Airwallex: give back, look up. Settled days later; a signed event or a query says so.

Guarantees: our `out_refund_no` stands in the metadata and the request_id follows from the row's key; a repeat, or a
request_id that was used, finds the refund that stands and never makes a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payments.gateways import base
from payments.gateways.airwallex import objects, wire, words
from payments.gateways.airwallex.client import Client


def create(client: Client, request: base.RefundRequest) -> base.RefundResult:
    """Ask for the refund of a part or all of an intent. Raises GatewayError."""
    amount = wire.to_wire(request.amount)
    if request.resend:
        found = find(client, request)
        if found is not None:
            return objects.refund(found)
    body = {
        "request_id": wire.request_id(request.idempotency_key),
        "payment_intent_id": _intent(request),
        "amount": amount,
        "reason": request.reason[:128] or "requested_by_customer",
        "metadata": {
            objects.OUT_REFUND_NO: request.out_refund_no,
            objects.OUT_TRADE_NO: request.out_trade_no,
        },
    }
    try:
        return objects.refund(client.post("refunds/create", body))
    except base.GatewayError as error:
        if words.asks_for_a_look(error):
            found = find(client, request)
            if found is not None:
                return objects.refund(found)
        raise _mapped(error) from error


def query(client: Client, request: base.RefundRequest) -> base.RefundResult:
    """How a refund stands; CREATED with `not_found` where Airwallex knows none. Raises GatewayError."""
    if request.refund_ref:
        try:
            told: Mapping[str, Any] | None = client.get(f"refunds/{wire.checked_id(request.refund_ref)}")
        except base.GatewayError as error:
            if not words.is_missing(error):
                raise
            told = None
        if told is not None and not _is_ours(told, request):
            raise base.GatewayUnavailable(
                "the answer is about another refund", code=base.ErrorCode.BAD_ANSWER
            )
    else:
        told = find(client, request)
    if told is None:
        return base.RefundResult(status=base.RefundStatus.CREATED, flags=(base.Flag.NOT_FOUND,))
    return objects.refund(told)


def find(client: Client, request: base.RefundRequest) -> Mapping[str, Any] | None:
    """Our refund among those of the intent."""
    found = client.items("refunds", payment_intent_id=_intent(request))
    return next((one for one in found if _is_ours(one, request)), None)


def _intent(request: base.RefundRequest) -> str:
    """The intent by Airwallex's own id alone: our number may stand on an intent of another database, too."""
    return wire.checked_id(request.provider_ref)


def _is_ours(told: Mapping[str, Any], request: base.RefundRequest) -> bool:
    number = objects.mark(told, objects.OUT_REFUND_NO)
    if number:
        return number == request.out_refund_no
    return bool(request.refund_ref) and told.get("id") == request.refund_ref


def _mapped(error: base.GatewayError) -> base.GatewayError:
    """Too much is the same refusal in two words here: what is left is less than what was asked for."""
    if error.provider_code != "amount_above_limit":
        return error
    return base.GatewayDeclined(
        error.message, code=base.ErrorCode.REFUND_AMOUNT_INVALID, provider_code=error.provider_code,
        trace_id=error.trace_id,
    )  # fmt: skip
