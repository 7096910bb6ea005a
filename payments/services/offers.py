"""What clients of the API may pay with: seed 5's list, and the gateway's own method for what a client chose.

A gateway has several methods for one thing of the client's (WeChat Pay's code, page and app are all `wechat_pay`): those
are its `flows`. Reading only: what gateways and the switches say. No call leaves.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from credits import selectors as credits
from payments import registry
from payments.gateways import base
from payments.services import refusals, switches
from pimpshop.core.money import Money

CREDITS = "credits"
#: Ways to hand over one and the same card.
CARD_KEYS = ("card", "token", "saved_card")
#: payment_method.type of the API, in the order in which they are offered.
TYPES = (*CARD_KEYS, "bank_transfer", "wechat_pay", "alipay", "credits")
GATEWAY_NAMES = {
    "stripe": "Stripe",
    "airwallex": "Airwallex",
    "wechatpay": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "credits": _("Credits"),
}
NAMES = {
    "card": _("Credit or debit card"),
    "token": _("Credit or debit card"),
    "saved_card": _("Saved card"),
    "bank_transfer": _("US bank transfer"),
    "wechat_pay": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "credits": _("Credits"),
}
#: By the field's name: the gateways' labels are English.
LABELS = {
    "number": _("Card number"),
    "exp_month": _("Expiry month"),
    "exp_year": _("Expiry year"),
    "cvc": _("Security code"),
    "account_number": _("Account number"),
    "routing_number": _("Routing number"),
    "account_holder_name": _("Account holder"),
    "bank_name": _("Bank"),
    "token": _("Token"),
}


def type_of(info: base.MethodInfo) -> str:
    """What the API calls a gateway's method; "" for one that it does not offer (a hosted page, a machine)."""
    name = info.method_type or info.key
    return name if name in TYPES else ""


def listed(amount: Money, *, user_id: int | None = None) -> list[dict[str, Any]]:
    """Seed 5's answer to POST …/payments/methods: gateways that are configured and switched on, with what they take.

    Credits only for the user whose they are, as far as their balance goes, which is the maximum."""
    found = []
    for key in switches.usable():
        methods = _methods(registry.get(key), amount)
        if key == CREDITS:
            methods = _within_balance(methods, amount, user_id)
        if methods:
            found.append(
                {
                    "gateway_id": key,
                    "gateway_name": gettext(GATEWAY_NAMES.get(key, key)),
                    "payment_methods": methods,
                }
            )
    return found


def _within_balance(
    methods: list[dict[str, Any]], amount: Money, user_id: int | None
) -> list[dict[str, Any]]:
    available = credits.available(user_id) if user_id is not None and methods else 0
    if available < amount.amount_minor:
        return []
    return [{**method, "max_amount": str(available)} for method in methods]


def _methods(gateway: base.Gateway, amount: Money) -> list[dict[str, Any]]:
    offered = [info for info in gateway.methods(amount.currency, amount) if type_of(info)]
    kinds = {type_of(info) for info in offered}
    hidden = {"token", "saved_card"} if "card" in kinds else {"saved_card"}
    shown = sorted(kinds - hidden, key=TYPES.index)
    return [_method(kind, [info for info in offered if type_of(info) == kind]) for kind in shown]


def _method(kind: str, infos: list[base.MethodInfo]) -> dict[str, Any]:
    first = infos[0]
    told: dict[str, Any] = {
        "method_type": kind,
        "enabled": True,
        "display_name": gettext(NAMES[kind]),
        "requires_redirect": first.requires_redirect,
        "supports_3ds": first.supports_3ds,
        "supports_tokenization": first.supports_tokenization,
        "supports_recurring": first.supports_recurring,
        "required_fields": [_field(info) for info in first.required_fields],
        "supported_currencies": list(first.currencies),
        "min_amount": _text(first.min_amount),
        "max_amount": _text(first.max_amount),
    }
    if len(infos) > 1:
        told["flows"] = [{"flow": info.key, "action_type": info.action_kind} for info in infos]
    return told


def _field(info: base.FieldInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "label": gettext(LABELS.get(info.name, info.label)),
        "field_type": info.field_type,
        "required": info.required,
        "pattern": info.pattern or None,
        "placeholder": info.placeholder or None,
    }


def _text(amount: Money | None) -> str | None:
    return f"{amount.to_decimal():f}" if amount is not None else None


def method_for(gateway: base.Gateway, kind: str, amount: Money, *, flow: str = "") -> str:
    """The gateway's own method for the client's `kind` ("" : its card, else its first) and `flow`.

    Raises InvalidCurrency, InvalidAmount, InvalidPaymentMethod: nothing was started.
    """
    there = gateway.methods(amount.currency, amount)
    offered = [info for info in there if type_of(info)]
    if there and not offered:
        raise refusals.InvalidPaymentMethod(gettext("This gateway is not paid through the API."))
    if not offered:
        raise refusals.InvalidAmount if _sells_in(gateway, amount.currency) else refusals.InvalidCurrency
    kinds = [type_of(info) for info in offered]
    if not kind:
        kind = next((name for name in CARD_KEYS if name in kinds), kinds[0])
    fitting = [info.key for info in offered if type_of(info) == kind]
    if kind == "card" and not fitting and "token" in kinds:
        raise refusals.InvalidPaymentMethod(
            gettext("Card numbers are not taken here. Send a token that was made in the browser (pm_…).")
        )
    if kind == "bank_transfer" and not fitting and set(CARD_KEYS) & set(kinds):
        raise refusals.InvalidCurrency(gettext("Bank transfers are in US dollars. Nothing was charged."))
    if not fitting or (flow and flow not in fitting):
        raise refusals.InvalidPaymentMethod(
            gettext("This gateway does not take that payment method. Nothing was charged.")
        )
    return flow or fitting[0]


def _sells_in(gateway: base.Gateway, currency: str) -> bool:
    """Does it take any amount of that currency at all?"""
    return any(gateway.methods(currency, Money(10**digits, currency)) for digits in range(9))
