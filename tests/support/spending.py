"""Spending credits in tests: a shopper with credits, a case that costs 19.99 GBP or 1,500 credits, and what comes of it."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from catalog.models import Design
from credits import selectors as credits
from credits.services import ledger
from orders.models import Order
from orders.services import goods_orders
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import credit_payments, online_payments, settlement
from pimpshop.core.money import Money
from tests import factories

PRICE, WHOLE = 1999, 1500


def shopper(amount: int = 2000, email: str = "") -> User:
    user = factories.user(email, password=None)
    if amount:
        ledger.grant(user_id=user.pk, amount=amount, reference=f"G{user.pk}", payment_reference=f"G{user.pk}")
    return user


def told(user: User) -> tuple[int, int]:
    """(available, held)"""
    return credits.available(user.pk), credits.held(user.pk)


def a_case() -> Design:
    """A design whose case has both prices."""
    shell = factories.sellable_shell(amount_minor=PRICE)
    factories.price(shell.model.product, amount_minor=WHOLE, currency="CREDITS")
    return factories.frozen_design(shell)


def order(user: User | None, currency: str = "GBP", design: Design | None = None, **more: Any) -> Order:
    """An order of a case at home."""
    return goods_orders.order_case(
        design=design or a_case(),
        currency=currency,
        buyer=goods_orders.Buyer(user=user),
        source="page",
        **more,
    )


def pay_all(of: Order, user: User) -> PaymentIntent:
    intent = credit_payments.pay_all(of, user=user, source="page")
    intent.refresh_from_db()
    return intent


def attempt(of: Order, *, gateway: str = "stripe", **more: Any) -> PaymentIntent:
    """An attempt in money at the amount that is due now, as `online_payments` makes it; its provider is not asked."""
    choice = online_payments.Choice(gateway=gateway, method="card")

    class Somewhere:
        account, live = "", False

    newest = of.payment_intents.order_by("-attempt").first()
    number = newest.attempt + 1 if newest else 1
    return online_payments._record(of, choice, Somewhere(), attempt=number, source="page", actor="")  # type: ignore[arg-type]


def money_comes(intent: PaymentIntent, **more: Any) -> settlement.Applied:
    """The provider says that the attempt was paid."""
    fresh = PaymentIntent.objects.select_related("order").get(pk=intent.pk)
    result = base.PaymentResult(
        status=base.PaymentStatus.SUCCEEDED, amount=fresh.amount, provider_ref=fresh.provider_ref, **more
    )
    return settlement.apply_result(fresh, result, source="webhook")


def fails(intent: PaymentIntent) -> settlement.Applied:
    fresh = PaymentIntent.objects.select_related("order").get(pk=intent.pk)
    return settlement.apply_result(
        fresh, base.PaymentResult(status=base.PaymentStatus.FAILED), source="webhook"
    )


def stands(of: Order) -> tuple[str, int]:
    """(state, due minor units while it is unpaid)"""
    from orders.services import credit_parts

    of.refresh_from_db()
    return of.status, credit_parts.due(of).amount_minor


CREDITS = Money(WHOLE, "CREDITS")
