"""Credits and plans bought online, by rows alone: an attempt, the provider's word about it, refunds and disputes."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from orders.models import OrderLine
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import disputes, refund_steps, refunds, settlement
from tests import factories


def bought(kind: str = "credits", *, user: User | None = None, **snapshot: Any) -> PaymentIntent:
    """An attempt at Alipay for a pack of 500 credits, 39.90 CNY, not paid yet."""
    order = factories.order(lines=0, kind=kind, user=user, currency="CNY", total_minor=3990)
    said = {"name": "500", "credits": 500} | snapshot
    OrderLine.objects.create(order=order, unit_minor=3990, snapshot=said)
    factories.created(order)
    intent = factories.intent(
        order, gateway="alipay", method="precreate", account="2021000000000001", out_trade_no=order.order_no
    )
    factories.created(intent)
    return intent


def told(intent: PaymentIntent, status: str = "succeeded", **more: Any) -> base.PaymentResult:
    values = {"status": base.PaymentStatus(status), "amount": intent.amount, "provider_ref": f"T{intent.pk}"}
    return base.PaymentResult(**(values | more))


def pay(intent: PaymentIntent, **more: Any) -> settlement.Applied:
    return settlement.apply_result(intent, told(intent, **more), source="webhook")


def stands(intent: PaymentIntent) -> tuple[str, str, int, int]:
    """Order, payment, and what of it is reserved for refunds and paid back (minor units)."""
    intent.refresh_from_db()
    intent.order.refresh_from_db()
    return intent.order.status, intent.status, intent.refund_reserved_minor, intent.refunded_minor


def end(refund: Refund, status: str) -> bool:
    """The provider's word about a refund."""
    return refund_steps.apply_result(
        refund, base.RefundResult(status=base.RefundStatus(status)), source="poll"
    )


def ask(intent: PaymentIntent, minor: int | None = None) -> Refund:
    return refunds.request_refund(
        intent=intent, amount_minor=minor, origin="staff", actor="ada", reason="requested", source="admin"
    )


def dispute(intent: PaymentIntent, status: str, **more: Any) -> base.DisputeNotice:
    values = {"provider_ref": "dp_1", "status": base.DisputeStatus(status), "amount": intent.amount}
    return base.DisputeNotice(**(values | more))


def bank_says(intent: PaymentIntent, *statuses: str, **more: Any) -> None:
    """Each word twice, as providers repeat themselves."""
    for status in statuses:
        for _ in range(2):
            disputes.apply_notice(intent, dispute(intent, status, **more), source="webhook")
