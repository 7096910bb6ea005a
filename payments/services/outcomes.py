"""What a payment's attempt means for who started it: seed 5's success, requires_action and failed, with the HTTP status.

Reading only. `type` says what the client does next: nothing (`success`; `payment_status` tells whether the money is
certain), lead the shopper on (`requires_action`), or show why not (`failed`: a decline is HTTP 402).
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from credits.services import ledger
from payments import states
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import intents, offers, refusals, shapes
from payments.services.credit_settling import GATEWAY
from pimpshop.core.clock import iso

_CODE = base.ErrorCode
#: Why it failed -> (HTTP status, seed 5's code). What is not here is PROCESSING_ERROR, 402.
CODES: dict[str, tuple[int, str]] = {
    _CODE.CARD_DECLINED: (402, "CARD_DECLINED"),
    _CODE.AUTHENTICATION_FAILED: (402, "CARD_DECLINED"),
    _CODE.INSUFFICIENT_FUNDS: (402, "INSUFFICIENT_FUNDS"),
    _CODE.EXPIRED_CARD: (402, "EXPIRED_CARD"),
    _CODE.INCORRECT_CVC: (402, "INCORRECT_CVC"),
    _CODE.INVALID_PAYMENT_METHOD: (400, "INVALID_PAYMENT_METHOD"),
    _CODE.AMOUNT_INVALID: (400, "INVALID_AMOUNT"),
    _CODE.AMOUNT_TOO_SMALL: (400, "INVALID_AMOUNT"),
    _CODE.AMOUNT_TOO_LARGE: (400, "INVALID_AMOUNT"),
    _CODE.CURRENCY_UNSUPPORTED: (400, "INVALID_CURRENCY"),
}
#: Our fault, or nobody answered: never told as the card's fault.
OURS = (_CODE.INVALID_REQUEST, _CODE.CREDENTIALS, _CODE.NOT_SUPPORTED, _CODE.NOT_FOUND, _CODE.UNAVAILABLE)
MESSAGES = {
    "CARD_DECLINED": _("Your card was declined."),
    "INSUFFICIENT_FUNDS": _("There is not enough money on this card."),
    "EXPIRED_CARD": _("This card has expired."),
    "INCORRECT_CVC": _("The card's security code is not right."),
    "PROCESSING_ERROR": _("The payment could not be processed. Nothing was charged. Please try again."),
    "INVALID_PAYMENT_METHOD": refusals.InvalidPaymentMethod.message,
    "INVALID_AMOUNT": refusals.InvalidAmount.message,
    "INVALID_CURRENCY": refusals.InvalidCurrency.message,
}
ENDED = _("This payment has ended. Nothing was charged. Please start a new one.")
#: After these the same card is not tried again (Stripe's and the issuers' words); which one it was is nobody's business.
NO_RETRY = frozenset({"fraudulent", "lost_card", "stolen_card", "pickup_card", "risk_declined"})


def outcome(intent: PaymentIntent) -> tuple[int, dict[str, Any]]:
    """(HTTP status, seed 5's body). Raises refusals.ProviderRefused where the failure was ours or the provider's,
    intents.PaymentUncertain while it is being withdrawn: that is no success, and may still become one."""
    if intent.status in ("requires_action", "created"):
        return 200, requires_action(intent)
    if intent.status == "expiring":
        raise intents.PaymentUncertain(retry_after=3)
    if intent.status in states.ENDED:
        return failed(intent)
    return 200, success(intent)


def success(intent: PaymentIntent) -> dict[str, Any]:
    """Paid, held, or being worked on: nothing is left to do for the shopper."""
    return {
        "type": "success",
        "payment_id": intent.payment_id,
        "transaction_id": intent.transaction_ref or intent.provider_ref or None,
        "payment_status": intent.status,
        "payment_method": method(
            intent.method_details, token=intent.metadata.get("saved_method"), intent=intent
        ),
        "receipt_url": intent.receipt_url or None,
    }


def method(
    details: dict[str, Any], *, token: str | None = None, intent: PaymentIntent | None = None
) -> dict[str, Any]:
    """What may be shown of a method; a part that is not known is null."""
    facts = details or {}
    return {
        "method_type": shapes.method_type(
            facts.get("method_type") or (intent.method if intent else "card"),
            intent.gateway if intent else "",
        ),
        "last_four": facts.get("last_four") or None,
        "card_brand": facts.get("card_brand") or None,
        "exp_month": _two_digits(facts.get("exp_month")),
        "exp_year": facts.get("exp_year") or None,
        "cardholder_name": facts.get("cardholder_name") or None,
        "token": token,
    }


def _two_digits(month: Any) -> str | None:
    return str(month).zfill(2) if month else None


def requires_action(intent: PaymentIntent) -> dict[str, Any]:
    """What the shopper's client must do now."""
    kind, data = action(base.next_action_from_dict(intent.next_action), intent)
    return {
        "type": "requires_action",
        "payment_id": intent.payment_id,
        "action_type": kind,
        "action_data": data,
        "expires_at": iso(intent.expires_at),
    }


def action(step: base.NextAction | None, intent: PaymentIntent) -> tuple[str, dict[str, Any]]:
    """(action_type, action_data) of a next action; None: the payment waits for `confirm`."""
    if isinstance(step, base.Redirect):
        return redirect(step, gateway=intent.gateway, card=intent.method in offers.CARD_KEYS)
    if isinstance(step, base.QrCode):
        return "qr_code", {"type": "qr_code", "qr_code": step.content, "expires_at": iso(step.expires_at)}
    if isinstance(step, base.ClientParams):
        return "client_params", {"type": "client_params", "sdk": step.sdk, "params": dict(step.params)}
    if isinstance(step, base.MachinePrompt):
        return "client_params", {
            "type": "machine_prompt",
            "machine_id": step.machine_id,
            "reference": step.reference,
        }
    confirm = f"/api/v1/payments/{intent.payment_id}/confirm"
    return "client_params", {"type": "confirm", "confirm_url": confirm}


def redirect_or_params(step: base.NextAction, *, gateway: str) -> tuple[str, dict[str, Any]]:
    """The same while a card is being saved."""
    if isinstance(step, base.Redirect):
        return redirect(step, gateway=gateway, card=True)
    return "client_params", {"type": "client_params", **step.to_dict()}


def redirect(step: base.Redirect, *, gateway: str, card: bool) -> tuple[str, dict[str, Any]]:
    """Send the browser on. For a card that is 3-D Secure, in the seed's shape; `redirect_url` is all that is needed."""
    where = {"redirect_url": step.url, "method": step.method, "fields": dict(step.fields)}
    if not card:
        return "redirect", {"type": "redirect", **where}
    kind = "use_stripe_sdk" if gateway == "stripe" else "three_d_secure_redirect"
    shown = {"type": "three_d_secure_redirect", "stripe_js": step.url}
    return "three_d_secure", {"type": kind, "stripe_js": shown, **where}


def failed(intent: PaymentIntent) -> tuple[int, dict[str, Any]]:
    """(HTTP status, body) of an attempt that ended without money. Raises refusals.ProviderRefused."""
    why = intent.error_code
    if intent.status == "failed" and why in OURS:
        raise refusals.ProviderRefused
    status, code = CODES.get(why, (402, "PROCESSING_ERROR"))
    message = gettext(str(MESSAGES[code]))
    if intent.gateway == GATEWAY and code == "INSUFFICIENT_FUNDS":
        message = str(ledger.NotEnoughCredits.message)
    if intent.status != "failed":
        message = gettext(ENDED)
    return status, {
        "type": "failed",
        "payment_id": intent.payment_id,
        "error_code": why
        if why in CODES
        else code.lower()
        if intent.status == "failed"
        else f"payment_{intent.status}",
        "error_message": message,
        "retry_allowed": _may_retry(intent),
        "error": {"code": code, "message": message},
    }


def _may_retry(intent: PaymentIntent) -> bool:
    """May the same card be tried again?"""
    last = intent.events.filter(to_status="failed").order_by("-id").first()
    told = str(last.data.get("decline_code", "")) if last else ""
    return not NO_RETRY & set(told.split(":"))


def declined(error: base.GatewayError) -> tuple[int, str, str]:
    """(HTTP status, code, message for people) of a decline that left no payment: a card that cannot be saved."""
    status, code = CODES.get(error.code, (402, "PROCESSING_ERROR"))
    return status, code, gettext(str(MESSAGES[code]))
