"""Methods kept for later: a SetupIntent saves one for a customer, perhaps after 3-D Secure. Detaching deletes it.

Source: https://docs.stripe.com/api/setup_intents, providers/stripe.md 3.8. Who owns a method is the caller's to check.
"""

from __future__ import annotations

from typing import Any

from payments.gateways.base import (
    BankAccount,
    ErrorCode,
    GatewayDeclined,
    GatewayMisuse,
    PaymentStatus,
    SavedMethod,
    SavedMethodResult,
    SaveMethodRequest,
)
from payments.gateways.stripe import attempts, reading
from payments.gateways.stripe.wire import Api

STATUS = {
    "requires_payment_method": PaymentStatus.FAILED,
    "requires_confirmation": PaymentStatus.CREATED,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "processing": PaymentStatus.PROCESSING,
    "canceled": PaymentStatus.CANCELED,
    "succeeded": PaymentStatus.SUCCEEDED,
}
EXPAND = ["payment_method"]


def save(api: Api, request: SaveMethodRequest, *, raw_cards: bool) -> SavedMethodResult:
    """Keep the instrument for the customer. Raises GatewayError; a refused card is GatewayDeclined."""
    key, subject = request.idempotency_key, request.customer.customer_id
    method = attempts.payment_method(
        api, request.instrument, key=key, subject=subject, raw_cards=raw_cards, email=request.customer.email
    )
    customer = request.customer.provider_ref or attempts.new_customer(
        api, request.customer, key=key, subject=subject
    )
    bank = isinstance(request.instrument, BankAccount)
    params: dict[str, Any] = {
        "customer": customer,
        "payment_method": method,
        "payment_method_types": ["us_bank_account" if bank else "card"],
        "confirm": True,
        "expand": EXPAND,
    }  # `usage` is off_session unless told otherwise
    if request.return_url:
        params["return_url"] = request.return_url
    if bank:
        params["mandate_data"] = {"customer_acceptance": attempts.acceptance(request.client_ip)}
    made = api.call(
        "post", "setup_intents", params, kind="setup_intent", key=key, subject=subject,
        secrets=attempts.hidden(request.instrument),
    )  # fmt: skip
    return _read(made)


def query(api: Api, setup_ref: str) -> SavedMethodResult:
    """How the saving stands. Raises GatewayError."""
    path = f"setup_intents/{attempts.safe(setup_ref, 'seti_')}"
    return _read(api.call("get", path, {"expand": EXPAND}, kind="setup_intent"))


def _read(setup: dict[str, Any]) -> SavedMethodResult:
    status = STATUS.get(reading.text(setup, "status"), PaymentStatus.PROCESSING)
    method = reading.part(setup, "payment_method")
    done = status == PaymentStatus.SUCCEEDED
    return SavedMethodResult(
        status=status,
        method_ref=reading.ref(setup, "payment_method") if done else "",
        customer_ref=reading.ref(setup, "customer"),
        setup_ref=reading.text(setup, "id"),
        details=reading.describe(method, reading.part(method, "billing_details")),
        next_action=reading.next_action(setup) if status == PaymentStatus.REQUIRES_ACTION else None,
        error=reading.last_error(setup, "last_setup_error") if status == PaymentStatus.FAILED else None,
    )


def delete(api: Api, method: SavedMethod) -> None:
    """Detach it: nobody can pay with it again. One that is gone already is no error. Raises GatewayError."""
    path = f"payment_methods/{attempts.safe(method.method_ref, 'pm_')}/detach"
    try:
        api.call("post", path, kind="payment_method", secrets=(method.method_ref,))
    except (GatewayMisuse, GatewayDeclined) as exc:
        gone = exc.code in (ErrorCode.NOT_FOUND, ErrorCode.INVALID_PAYMENT_METHOD)
        if not gone and "not attached" not in exc.message:
            raise
