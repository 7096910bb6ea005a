"""What a provider tells besides payments: refunds, disputes, statements. And the storable form of a signed event.

Guarantees: immutable; amounts are `Money`; times aware UTC. `pack` and `unpack` are inverse, JSON-safe, and carry only
what a gateway put in (which it redacted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from payments.gateways.base.data import ErrorDetail, PaymentResult, RefundNotice, WebhookEvent
from payments.gateways.base.instruments import MethodDetails
from payments.gateways.base.words import DisputeStatus, PaymentStatus, RefundStatus
from pimpshop.core.money import Money


@dataclass(frozen=True, kw_only=True)
class DisputeNotice:
    """A dispute as the provider tells it. `deadline` is the last moment for evidence; `reason` their word."""

    provider_ref: str
    status: DisputeStatus
    amount: Money
    out_trade_no: str = ""
    payment_ref: str = ""
    reason: str = ""
    deadline: datetime | None = None
    money_moved: bool = True  # False: an inquiry, nothing was taken yet
    provider_status: str = ""


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One line of a provider's daily statement. `kind` is payment, refund, dispute or fee; `amount` is positive."""

    kind: str
    amount: Money
    at: datetime
    provider_ref: str = ""
    out_trade_no: str = ""
    out_refund_no: str = ""
    fee: Money | None = None
    provider_status: str = ""


def pack(event: WebhookEvent) -> dict[str, Any]:
    """The facts of a signed event as JSON, for its row in the inbox."""
    facts = {
        "payment": _plain(event.payment) if event.payment else None,
        "refund": _plain(event.refund) if event.refund else None,
        "dispute": _plain(event.dispute) if event.dispute else None,
    }
    return {name: value for name, value in facts.items() if value}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a stored event says."""

    payment: PaymentResult | None = None
    refund: RefundNotice | None = None
    dispute: DisputeNotice | None = None


def unpack(stored: Mapping[str, Any]) -> Facts:
    """The inverse of `pack`. Raises ValueError, KeyError or TypeError for what `pack` did not write."""
    return Facts(
        payment=_payment(stored["payment"]) if stored.get("payment") else None,
        refund=_refund(stored["refund"]) if stored.get("refund") else None,
        dispute=_dispute(stored["dispute"]) if stored.get("dispute") else None,
    )


def _plain(value: Any) -> dict[str, Any]:
    told = {
        f.name: getattr(value, f.name)
        for f in fields(value)
        if f.name not in ("next_action", "raw", "payer_email")
    }
    return {name: _json(part) for name, part in told.items() if part not in (None, "", ())}


def _json(part: Any) -> Any:
    if isinstance(part, Money):
        return {"minor": part.amount_minor, "currency": part.currency}
    if isinstance(part, datetime):
        return part.isoformat()
    if isinstance(part, (ErrorDetail, MethodDetails)):
        return asdict(part)
    return list(part) if isinstance(part, tuple) else part


def _money(stored: Mapping[str, Any] | None) -> Money | None:
    return Money(stored["minor"], stored["currency"]) if stored else None


def _error(stored: Mapping[str, Any]) -> ErrorDetail | None:
    return ErrorDetail(**stored["error"]) if stored.get("error") else None


def _payment(stored: Mapping[str, Any]) -> PaymentResult:
    told = dict(stored)
    told["status"] = PaymentStatus(told["status"])
    for name in ("amount", "captured", "refunded"):
        told[name] = _money(told.get(name))
    told["error"] = _error(stored)
    told["method_details"] = MethodDetails(**told["method_details"]) if told.get("method_details") else None
    told["flags"] = tuple(told.get("flags", ()))
    return PaymentResult(**told)


def _refund(stored: Mapping[str, Any]) -> RefundNotice:
    told = dict(stored)
    told["status"] = RefundStatus(told["status"])
    told["amount"], told["error"] = _money(told.get("amount")), _error(stored)
    return RefundNotice(**told)


def _dispute(stored: Mapping[str, Any]) -> DisputeNotice:
    told = dict(stored)
    deadline = told.get("deadline")
    amount = _money(told["amount"])
    if amount is None:
        raise ValueError("a dispute has an amount")
    told.setdefault("provider_ref", "")
    told |= {"status": DisputeStatus(told["status"]), "amount": amount}
    told["deadline"] = datetime.fromisoformat(deadline) if deadline else None
    return DisputeNotice(**told)
