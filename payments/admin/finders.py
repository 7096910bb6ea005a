"""How what waits for a person finds its row (disputes, events, statements, ways to pay, endpoints), and what beside it may put
it right: the payment of an order, a case or a refund, the differences of a statement."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date

from orders.models import Order
from payments.models import (
    Dispute,
    GatewaySwitch,
    PaymentIntent,
    ReconcileDifference,
    Refund,
    ShippingNotice,
    StatementRun,
    WebhookEndpoint,
    WebhookEvent,
)
from pimpshop.core.admin import finding, item_steps
from vending.models import PrintJob

#: So many differences of a statement are offered on its item's page.
MOST_DIFFERENCES = 5


@finding.finder("dispute", permission="payments.view_dispute")
def _dispute(number: str) -> Dispute | None:
    return Dispute.objects.filter(provider_ref=number).order_by("-pk").first()


@finding.finder("event", permission="payments.view_webhookevent")
def _event(name: str) -> WebhookEvent | None:
    """By "gateway:event id"."""
    gateway, _colon, event_id = name.partition(":")
    return WebhookEvent.objects.filter(gateway=gateway, event_id=event_id).first() if event_id else None


@finding.finder("statement", permission="payments.view_statementrun")
def _statement(name: str) -> StatementRun | None:
    """By "gateway day"; of several accounts the one that differs most."""
    gateway, _space, day = name.partition(" ")
    try:
        runs = StatementRun.objects.filter(gateway=gateway, day=date.fromisoformat(day))
        return runs.order_by("-differences", "pk").first()
    except ValueError:
        return None


@finding.finder("way to pay", permission="payments.view_gatewayswitch")
def _way(gateway: str) -> GatewaySwitch | None:
    return GatewaySwitch.objects.filter(gateway=gateway).first()


@finding.finder("endpoint", permission="payments.view_webhookendpoint")
def _endpoint(number: str) -> WebhookEndpoint | None:
    try:
        return WebhookEndpoint.objects.filter(public_id=uuid.UUID(number.removeprefix("we_"))).first()
    except ValueError:
        return None


# --- beside the row
def _money(**of: object) -> Iterator[PaymentIntent | Refund]:
    """The payments that settled an order, and what is to be paid back by hand of each."""
    for intent in PaymentIntent.objects.filter(settles_order=True, **of).order_by("pk"):
        yield intent
        yield from _by_hand(intent)


def _by_hand(intent: PaymentIntent) -> Iterable[Refund]:
    return intent.refunds.filter(kind=Refund.Kind.MANUAL, status__in=("created", "pending")).order_by("pk")


@item_steps.beside(Order)
def _money_of_order(order: Order) -> Iterable[PaymentIntent | Refund]:
    return _money(order=order)


@item_steps.beside(PrintJob)
def _money_of_case(job: PrintJob) -> Iterable[PaymentIntent | Refund]:
    return _money(order__order_no=job.order_no)


@item_steps.beside(PaymentIntent)
def _of_payment(intent: PaymentIntent) -> Iterable[Refund | ShippingNotice]:
    return [*_by_hand(intent), *ShippingNotice.objects.filter(intent=intent)]


@item_steps.beside(Refund)
def _of_refund(refund: Refund) -> Iterable[PaymentIntent | Refund]:
    return [refund.intent, *_by_hand(refund.intent)]


@item_steps.beside(StatementRun)
def _differences(run: StatementRun) -> Iterable[ReconcileDifference]:
    return run.found.filter(status="open").order_by("pk")[:MOST_DIFFERENCES]
