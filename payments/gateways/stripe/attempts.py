"""PaymentIntents: made without the instrument, committed by the caller, then confirmed with it.

So a lost answer is survived: the id stands in our row before a card is tried, and after a time-out the PaymentIntent is
read, never made anew. Source: https://docs.stripe.com/api/payment_intents, providers/stripe.md 3.4, 3.6 to 3.8.
"""

from __future__ import annotations

import re
from typing import Any

from payments.gateways.base import (
    BankAccount,
    Card,
    Customer,
    ErrorCode,
    GatewayDeclined,
    GatewayMisuse,
    Instrument,
    PaymentRequest,
    SavedMethod,
    Token,
)
from payments.gateways.stripe import errors, money, reading
from payments.gateways.stripe.wire import Api
from pimpshop.core.money import Money

KIND = "payment_intent"
EXPAND = ["latest_charge"]
MOST_METADATA = 20
#: In the metadata they decide how an object is read.
OUR_MARKS = frozenset({"via", "saves", "out_trade_no", "order_no", "out_refund_no"})
_BRACKETS = re.compile(r"[\[\]]")
_ID = re.compile(r"[a-z]{2,6}_[A-Za-z0-9_]{3,240}", re.ASCII)


def safe(ref: str, prefix: str = "") -> str:
    """`ref` if it has the shape of an id of Stripe's: it becomes a part of a path. Raises GatewayMisuse."""
    if not _ID.fullmatch(ref) or not ref.startswith(prefix):
        raise GatewayMisuse(
            f"no id of Stripe's ({prefix or 'any'}…)", code=ErrorCode.NOT_FOUND, not_sent=True
        )
    return ref


def metadata(request: PaymentRequest) -> dict[str, str]:
    """Our numbers on the object, and what the caller adds, except under the names by which we know what an object is.
    Stripe takes 40 characters by 500, and no square brackets in a name."""
    named = {_BRACKETS.sub("_", key)[:40]: value[:500] for key, value in request.metadata.items()}
    extra = {key: value for key, value in list(named.items())[:MOST_METADATA] if key not in OUR_MARKS}
    kept = {"saves": "1"} if request.save_method else {}
    return {**extra, **kept, "out_trade_no": request.out_trade_no, "order_no": request.order_no}


def ours(page: dict[str, Any], out_trade_no: str) -> dict[str, Any] | None:
    """The object with our number on a page of a list."""
    found = [item for item in page.get("data") or [] if isinstance(item, dict)]
    return next((item for item in found if reading.number(item) == out_trade_no), None)


def create(api: Api, request: PaymentRequest) -> dict[str, Any]:
    """A PaymentIntent without an instrument; one that a `resend` finds is answered as it is. Raises GatewayError."""
    amount = money.to_wire(request.amount)
    bank = request.method == "bank_transfer"
    if bank and request.amount.currency != "USD":
        raise GatewayDeclined("bank transfers are in USD", code=ErrorCode.CURRENCY_UNSUPPORTED, not_sent=True)
    if request.resend:
        known = find(api, request.out_trade_no, subject=request.order_no)
        if known is not None:
            return known
    params: dict[str, Any] = {
        "amount": amount,
        "currency": request.amount.currency.lower(),
        "payment_method_types": ["us_bank_account" if bank else "card"],
        "description": request.description[:500],
        "metadata": metadata(request),
    }
    if not request.capture and not bank:
        params["capture_method"] = "manual"
    customer = _customer_of(api, request)
    if customer:
        params["customer"] = customer
    if request.save_method:
        params["setup_future_usage"] = "off_session"
    return api.call(
        "post", "payment_intents", params, kind=KIND, key=request.idempotency_key, subject=request.order_no
    )


def _customer_of(api: Api, request: PaymentRequest) -> str:
    """Stripe's customer for the shopper: the known one, or a new one where the method shall be kept."""
    if request.customer is not None and request.customer.provider_ref:
        return safe(request.customer.provider_ref, "cus_")
    if isinstance(request.instrument, SavedMethod) and request.instrument.customer_ref:
        return safe(request.instrument.customer_ref, "cus_")
    if not request.save_method:
        return ""
    if request.customer is None:
        raise GatewayMisuse("a method is kept for a customer", not_sent=True)
    return new_customer(api, request.customer, key=request.idempotency_key, subject=request.order_no)


def new_customer(api: Api, customer: Customer, *, key: str, subject: str) -> str:
    """Make a customer at Stripe for ours; its cus_… id."""
    params: dict[str, Any] = {"metadata": {"customer_id": customer.customer_id}}
    params |= {"email": customer.email} if customer.email else {}
    params |= {"name": customer.name} if customer.name else {}
    made = api.call(
        "post", "customers", params, kind="customer", key=f"{key}:customer" if key else "", subject=subject
    )
    return reading.text(made, "id")


def confirm(api: Api, request: PaymentRequest, *, raw_cards: bool) -> dict[str, Any]:
    """Pay the PaymentIntent `request.provider_ref` with the instrument. A declined card is answered as the
    PaymentIntent that it left behind. Raises GatewayError."""
    ref = safe(request.provider_ref, "pi_")
    if request.resend:
        known = get(api, ref, subject=request.order_no)
        if known.get("status") not in ("requires_payment_method", "requires_confirmation") or known.get(
            "last_payment_error"
        ):
            return known
    instrument = request.instrument
    if instrument is None:
        raise GatewayMisuse("nothing to pay with", code=ErrorCode.INVALID_PAYMENT_METHOD, not_sent=True)
    # The shopper is here: no off_session, so a bank may ask for 3-D Secure instead of refusing.
    params: dict[str, Any] = {"return_url": request.return_url, "expand": EXPAND}
    if isinstance(instrument, BankAccount):
        params["mandate_data"] = {"customer_acceptance": acceptance(request.client_ip)}
    try:
        method = payment_method(
            api, instrument, key=request.idempotency_key, subject=request.order_no, raw_cards=raw_cards,
            email=request.customer.email if request.customer else "",
        )  # fmt: skip
        params["payment_method"] = method
        return api.call(
            "post", f"payment_intents/{ref}/confirm", params, kind=KIND, key=f"{request.idempotency_key}:confirm",
            subject=request.order_no, secrets=hidden(instrument),
        )  # fmt: skip
    except errors.CardRefused as exc:
        if reading.text(exc.intent, "id") != ref:
            raise
        return {"last_payment_error": {"code": exc.provider_code}, **exc.intent}


def acceptance(client_ip: str) -> dict[str, Any]:
    """The shopper agreed on our page to the debit (a mandate); without an address it counts as agreed offline."""
    if not client_ip:
        return {"type": "offline"}
    return {"type": "online", "online": {"ip_address": client_ip, "user_agent": "pimpshop"}}


def payment_method(
    api: Api, instrument: Instrument, *, key: str, subject: str, raw_cards: bool, email: str = ""
) -> str:
    """The pm_… id to pay with. Card numbers go to Stripe once, here, and only where they are allowed at all.

    Raises GatewayDeclined (invalid_payment_method, never sent) for a number that is not allowed.
    """
    if isinstance(instrument, Token):
        return _token(instrument.value)
    if isinstance(instrument, SavedMethod):
        return _token(instrument.method_ref)
    if isinstance(instrument, Card) and not raw_cards:
        raise GatewayDeclined(
            "Card numbers are not taken here. Use the payment page, or a token made in the browser (pm_…).",
            code=ErrorCode.INVALID_PAYMENT_METHOD, not_sent=True,
        )  # fmt: skip
    made = api.call(
        "post", "payment_methods", _typed(instrument, email), kind="payment_method", key=f"{key}:method",
        subject=subject, secrets=hidden(instrument),
    )  # fmt: skip
    return safe(reading.text(made, "id"), "pm_")


def _token(value: str) -> str:
    if not _ID.fullmatch(value) or not value.startswith("pm_"):
        raise GatewayDeclined(
            "That is no payment method of Stripe's (pm_…).",
            code=ErrorCode.INVALID_PAYMENT_METHOD,
            not_sent=True,
        )
    return value


def _typed(instrument: Card | BankAccount, email: str) -> dict[str, Any]:
    if isinstance(instrument, Card):
        card = {
            "number": instrument.number,
            "exp_month": instrument.exp_month,
            "exp_year": instrument.exp_year,
            "cvc": instrument.cvc,
        }
        billing = {"name": instrument.name} if instrument.name else {}
        return {"type": "card", "card": card, **({"billing_details": billing} if billing else {})}
    account = {
        "account_number": instrument.account_number,
        "routing_number": instrument.routing_number,
        "account_holder_type": "individual",
    }
    billing = {"name": instrument.account_holder_name, **({"email": email} if email else {})}
    return {"type": "us_bank_account", "us_bank_account": account, "billing_details": billing}


def hidden(instrument: Instrument) -> tuple[str, ...]:
    """The values of an instrument that no record and no message may hold."""
    if isinstance(instrument, Card):
        return (instrument.number, instrument.cvc, instrument.name)
    if isinstance(instrument, BankAccount):
        return (instrument.account_number, instrument.routing_number, instrument.account_holder_name)
    return (instrument.value,) if isinstance(instrument, Token) else (instrument.method_ref,)


def get(api: Api, ref: str, *, subject: str) -> dict[str, Any]:
    """The PaymentIntent with its latest charge. Raises GatewayError."""
    return api.call(
        "get", f"payment_intents/{safe(ref, 'pi_')}", {"expand": EXPAND}, kind=KIND, subject=subject
    )


def find(api: Api, out_trade_no: str, *, subject: str) -> dict[str, Any] | None:
    """The PaymentIntent with our number among the newest hundred: asked only right after an answer was lost."""
    page = api.call("get", "payment_intents", {"limit": 100}, kind="list", subject=subject)
    return ours(page, out_trade_no)


def capture(api: Api, ref: str, amount: Money, *, key: str, subject: str) -> dict[str, Any]:
    """Take `amount` of what was authorized. Raises GatewayError; ALREADY_CAPTURED where it was done."""
    params = {"amount_to_capture": money.to_wire(amount), "expand": EXPAND}
    try:
        return api.call(
            "post", f"payment_intents/{safe(ref, 'pi_')}/capture", params, kind=KIND,
            key=f"{key}:capture:{amount.amount_minor}" if key else "", subject=subject,
        )  # fmt: skip
    except GatewayDeclined as exc:
        if exc.code != ErrorCode.PAYMENT_CLOSED:
            raise
        known = get(api, ref, subject=subject)
        code = ErrorCode.ALREADY_CAPTURED if known.get("status") == "succeeded" else exc.code
        raise GatewayDeclined(
            exc.message, code=code, provider_code=exc.provider_code, trace_id=exc.trace_id
        ) from None


def cancel(api: Api, ref: str, *, subject: str) -> dict[str, Any]:
    """Void it: afterwards nobody can pay it. One that cannot be cancelled any more tells its truth."""
    try:
        return api.call(
            "post",
            f"payment_intents/{safe(ref, 'pi_')}/cancel",
            {"expand": EXPAND},
            kind=KIND,
            subject=subject,
        )
    except GatewayDeclined:
        return get(api, ref, subject=subject)
