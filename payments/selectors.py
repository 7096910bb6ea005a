"""Reading payments: for machines and staff. Nothing here decides or asks a provider."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from payments.gateways import base
from payments.models import PaymentIntent
from pimpshop.core import errors, ids
from pimpshop.core.clock import iso
from vending.models import PrintJob

#: Our words as the manufacturer's numbers: 1 waiting, 2 paying, 3 paid, 4 failed, 5 abnormal.
MACHINE_STATUS = {
    "created": 1,
    "requires_action": 1,
    "processing": 2,
    "authorized": 2,
    "expiring": 2,
    "succeeded": 3,
    "partially_refunded": 3,
    "refunded": 3,
    "failed": 4,
    "canceled": 4,
    "expired": 4,
}


def by_payment_id(payment_id: str) -> PaymentIntent | None:
    """The attempt with the id that API clients see (pay_<uuid>); None for anything else."""
    public_id = _uuid(payment_id, "pay_")
    if public_id is None:
        return None
    return PaymentIntent.objects.select_related("order").filter(public_id=public_id).first()


def wechat_payment(out_trade_no: str, *, user_id: int | None, all_of_them: bool) -> PaymentIntent:
    """The WeChat payment with our number, if it is that user's or the caller may see all. Raises NotFound."""
    found = PaymentIntent.objects.select_related("order__user").filter(
        out_trade_no=out_trade_no, gateway="wechatpay"
    )
    intent = found.first() if "\x00" not in out_trade_no else None
    if intent is None or not (all_of_them or (user_id is not None and intent.order.user_id == user_id)):
        raise errors.NotFound(_("There is no such payment."))
    return intent


def person(told: str) -> Any:
    """The user with that id, ours or the public one; None when there is none."""
    user_id = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else None
    try:
        named = Q(pk=user_id) if user_id is not None else Q(public_id=uuid.UUID(told))
    except ValueError:
        return None
    return User.objects.filter(named, is_active=True).first()


def by_qr_key(payment_id: str, key: str) -> str:
    """What the QR code of a payment says, if the address is ours and somebody may still scan it. Raises NotFound."""
    intent = by_payment_id(payment_id) if ids.link_key_matches("qr", payment_id, key) else None
    action = base.next_action_from_dict(intent.next_action) if intent else None
    if intent is None or intent.status != "requires_action" or not isinstance(action, base.QrCode):
        raise errors.NotFound
    return action.content


def by_return_key(payment_id: str, key: str) -> PaymentIntent | None:
    """The attempt of a return address, if the address is ours."""
    return by_payment_id(payment_id) if ids.link_key_matches("return", payment_id, key) else None


def _uuid(text: str, prefix: str) -> uuid.UUID | None:
    try:
        found = uuid.UUID(text.removeprefix(prefix)) if text.startswith(prefix) else None
    except ValueError:
        return None
    return found if found and f"{prefix}{found}" == text else None


def machine_status(intent: PaymentIntent) -> dict[str, Any]:
    """GET /api/chinese/payment/{PYEN}/status: the answer that machines understand."""
    status = MACHINE_STATUS[intent.status]
    job = PrintJob.objects.filter(payment_third_id=intent.out_trade_no).first()
    messages = {
        1: _("Waiting for the payment"),
        2: _("The payment is being confirmed"),
        3: _("Paid"),
        4: _("The payment did not go through"),
    }
    return {
        "success": True,
        "third_id": intent.out_trade_no,
        "status": status,
        "order_id": job.third_order_id if job else intent.order.order_no,
        "payment_status": intent.status,
        "total_amount": intent.amount.to_decimal(),
        "currency": intent.currency,
        "created_at": iso(intent.created_at),
        "updated_at": iso(intent.updated_at),
        "paid_at": iso(intent.succeeded_at),
        "polling_complete": status in (3, 4, 5),
        "message": messages[status],
    }


def takes_money_now(third_id: str) -> bool:
    """Has the provider of the attempt with our number begun to take the money?"""
    return PaymentIntent.objects.filter(
        out_trade_no=third_id, status__in=("processing", "authorized", "expiring")
    ).exists()
