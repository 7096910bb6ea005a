"""What gateways are given: requests made from rows. Pure reading; nothing here decides or calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from orders.models import Order
from payments.gateways import base
from payments.models import PaymentIntent, ProviderCustomer
from payments.services import links
from pimpshop.core.money import Money

#: Providers want some time to be left (Stripe half an hour from the call, WeChat Pay a minute).
LEAST_LEFT = timedelta(minutes=31)


def payment_request(
    intent: PaymentIntent,
    order: Order,
    *,
    resend: bool = False,
    instrument: base.Instrument | None = None,
    idempotency_key: str = "",
) -> base.PaymentRequest:
    """The request of an attempt. With an instrument it is the one for `confirm_payment`."""
    facts = intent.metadata
    return base.PaymentRequest(
        intent_id=intent.payment_id,
        out_trade_no=intent.out_trade_no,
        order_no=order.order_no,
        amount=intent.amount,
        method=intent.method,
        description=intent.description or _description(order),
        idempotency_key=idempotency_key or intent.idempotency_key,
        return_url="" if intent.gateway == "machine" else links.return_url(intent),
        cancel_url="" if intent.gateway == "machine" else links.cancel_url(intent),
        notify_url=links.notify_url(intent.gateway),
        locale=order.language,
        client_ip=facts.get("client_ip", ""),
        platform=intent.platform,
        payer_ref=facts.get("payer_ref", ""),
        price_ref=facts.get("price_ref", ""),
        device=_device(intent, order),
        resend=resend,
        expires_at=intent.expires_at,
        metadata={name: _word(value) for name, value in facts.get("client", {}).items() if value is not None},
        provider_ref=intent.provider_ref,
        instrument=instrument,
        customer=customer_of(intent, order),
        save_method=intent.save_method,
        capture=not intent.manual_capture,
    )


def _word(value: Any) -> str:
    """A client's fact as providers keep it: a text, true and false as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def payment_ref(intent: PaymentIntent) -> base.PaymentRef:
    """An attempt that exists, for query, capture and close."""
    return base.PaymentRef(
        intent_id=intent.payment_id,
        order_no=intent.order.order_no,
        out_trade_no=intent.out_trade_no,
        amount=intent.amount,
        provider_ref=intent.provider_ref,
        transaction_ref=intent.transaction_ref,
        method=intent.method,
        idempotency_key=intent.idempotency_key,
    )


def customer_of(intent: PaymentIntent, order: Order) -> base.Customer | None:
    """The buyer as the provider knows or shall know them; None for a guest without an address."""
    user = order.user
    if user is None:
        return base.Customer(email=order.email) if order.email else None
    known = ProviderCustomer.objects.filter(user=user, gateway=intent.gateway, account=intent.account).first()
    return base.Customer(
        customer_id=str(user.public_id),
        email=user.email or order.email,
        name=user.name,
        provider_ref=known.customer_ref if known else "",
    )


def captured(intent: PaymentIntent) -> Money:
    """What was taken; below the amount where another shop took a part."""
    return Money(intent.captured_minor, intent.currency)


def pay_until(minutes: int) -> datetime:
    """When an attempt that starts now may no longer be paid."""
    return timezone.now() + max(timedelta(minutes=minutes), LEAST_LEFT)


def _device(intent: PaymentIntent, order: Order) -> base.Device | None:
    if intent.gateway != "machine":
        return None
    line = order.lines.get()
    return base.Device(machine_id=order.machine_id, mobile_model_id=line.snapshot["mobile_model_id"])


def _description(order: Order) -> str:
    """What the provider's page calls it: English, short, without anything personal."""
    names = [
        line.snapshot.get("name") or f"{line.snapshot.get('model', '')} case".strip()
        for line in order.lines.all()
    ]
    return ", ".join(filter(None, names))[:120] or f"Order {order.order_no}"
