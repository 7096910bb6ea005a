"""Demo data full of trouble, for trying out the staff's desk: `manage.py seed_demo --trouble`. Never on a real shop.

Here: making each once, and the troubles of money, events and messages; those of cases: `trouble_cases`. Each trouble is made once (an AuditEntry says that it was) through the services that would make it: an order is made, the
provider's word about it is made up. What nobody can bring about here (a dead event, a message that bounced) is written as
rows, with its item. `manage.py check_invariants` stays clean before and after everything is put right at the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog import selectors as catalogue
from credits import selectors as credits
from credits.services import ledger
from orders.models import Order
from orders.services import goods_orders
from payments import registry
from payments.gateways import base
from payments.models import (
    GatewaySwitch,
    PaymentEvent,
    PaymentIntent,
    ReconcileDifference,
    ShippingNotice,
    StatementRun,
    WebhookEndpoint,
    WebhookEvent,
)
from payments.services import (
    disputes,
    endpoints,
    refund_notices,
    refund_steps,
    refunds,
    settlement,
    shipping,
    switches,
)
from pimpshop.core import crypto, ids, staff_items
from pimpshop.core.models import AuditEntry, Notification
from pimpshop.core.money import Money
from pimpshop.core.states import advance, remark

ACTION, ACTOR, PACK = "seed trouble", "seed_demo", 2
_makers: dict[str, Callable[[], None]] = {}


def seed() -> list[str]:
    """Make the troubles that were not made yet, each in a transaction of its own; answers their names."""
    made = []
    for name, make in _makers.items():
        with transaction.atomic():
            if AuditEntry.objects.filter(subject=f"trouble {name}", action=ACTION).exists():
                continue
            make()
            AuditEntry.objects.create(actor=ACTOR, action=ACTION, subject=f"trouble {name}")
        made.append(name)
    return made


def trouble(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a maker; it runs once on a database."""

    def register(make: Callable[[], None]) -> Callable[[], None]:
        _makers[name] = make
        return make

    return register


# --- Buying -----------------------------------------------------------------------------------------------------------
def shopper(name: str = "alice") -> User:
    return User.objects.get(email=f"{name}@example.com")


def _order(buyer: User | None = None) -> Order:
    """500 credits for 39.90 CNY."""
    buyer = buyer or shopper()
    pack = catalogue.pack_by_number(PACK)
    who = goods_orders.Buyer(user=buyer, email=buyer.email or "", language=buyer.language)
    return goods_orders.order_pack(pack=pack, currency="CNY", buyer=who, source="seed", reuse=False)


def attempt(order: Order, *, gateway: str = "alipay", method: str = "precreate") -> PaymentIntent:
    """An attempt as if the provider had been asked for the money just now."""
    number = order.payment_intents.count() + 1
    intent = PaymentIntent.objects.create(
        order=order, attempt=number, gateway=gateway, method=method, amount_minor=order.total_minor,
        currency=order.currency, out_trade_no=ids.out_trade_no(order.order_no, number), account=_account(gateway),
        idempotency_key=f"{order.order_no}:{number}:create", next_query_at=timezone.now() + timedelta(days=1),
        query_until=timezone.now() + timedelta(days=3),
    )  # fmt: skip
    remark(intent, source="seed", actor=ACTOR, reason="created")
    return intent


def _account(gateway: str) -> str:
    """Ours at the provider, so that its answers fit when somebody asks; any where it is not set up."""
    try:
        return registry.get(gateway).account
    except registry.GatewayUnknown:
        return "demo"


def pay(intent: PaymentIntent) -> PaymentIntent:
    """The provider says that it is paid."""
    paid = base.PaymentResult(
        status=base.PaymentStatus.SUCCEEDED, amount=intent.amount, provider_ref=f"DEMO{intent.out_trade_no}"
    )
    settlement.apply_result(intent, paid, source="seed")
    intent.refresh_from_db()
    return intent


def _paid(buyer: User | None = None) -> PaymentIntent:
    return pay(attempt(_order(buyer)))


# --- Payments ---------------------------------------------------------------------------------------------------------
@trouble("surplus_payment")
def _overpaid() -> None:
    """Paid by Alipay, and once more at a machine, which cannot give it back by itself."""
    order = _order()
    first, second = attempt(order), attempt(order, gateway="machine", method="machine")
    pay(first)
    pay(second)


@trouble("paid_late")
def _paid_late() -> None:
    order = _order()
    intent = attempt(order)
    goods_orders.cancel_unpaid(order=order, source="seed", reason="nobody paid in time", actor=ACTOR)
    settlement.give_up(intent, source="seed")
    intent.refresh_from_db()
    pay(intent)


@trouble("payment_unknown")
def _unknown() -> None:
    """A confirmation that never arrived: the provider says so as soon as somebody asks."""
    intent = attempt(_order())
    advance(intent, "processing", source="seed", actor=ACTOR, confirm_count=1)
    ago = timezone.now() - timedelta(minutes=20)
    PaymentIntent.objects.filter(pk=intent.pk).update(updated_at=ago)
    PaymentEvent.objects.filter(intent=intent, to_status="processing").update(at=ago)


@trouble("payment_mismatch")
def _mismatch() -> None:
    intent = attempt(_order())
    advance(intent, "requires_action", source="seed", actor=ACTOR)
    less = Money(intent.amount_minor - 990, intent.currency)
    settlement.apply_result(
        intent, base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, amount=less), source="seed"
    )


# --- Money that goes back ---------------------------------------------------------------------------------------------
@trouble("external_refund")
def _external() -> None:
    intent = _paid()
    part = Money(990, intent.currency)
    locked = PaymentIntent.objects.select_for_update().get(pk=intent.pk)
    refund = refund_notices.import_external(
        locked, part, provider_ref=f"X{intent.out_trade_no}", source="seed"
    )
    if refund is not None:
        done = base.RefundResult(status=base.RefundStatus.SUCCEEDED)
        refund_steps.apply_result(refund, done, source="seed")


@trouble("refund_failed")
def _refund_failed() -> None:
    refund = refunds.request_refund(
        intent=_paid(), amount_minor=None, origin="staff", actor=ACTOR, reason="requested", source="admin"
    )
    failed = base.RefundResult(
        status=base.RefundStatus.FAILED,
        error=base.ErrorDetail(code="account_closed", message="The account is closed."),
    )
    refund_steps.apply_result(refund, failed, source="seed")


@trouble("dispute_due")
def _dispute() -> None:
    intent = _paid()
    notice = base.DisputeNotice(
        provider_ref=f"dp_demo_{intent.pk}", status=base.DisputeStatus("opened"), amount=intent.amount,
        reason="fraudulent", deadline=timezone.now() + timedelta(hours=30),
    )  # fmt: skip
    disputes.apply_notice(intent, notice, source="seed")


@trouble("credits_owed")
def _debt() -> None:
    """Bob buys credits, spends them all, and then the money goes back in the provider's pages."""
    bob = shopper("bob")
    intent = _paid(bob)
    ledger.spend(
        user_id=bob.pk, amount=credits.available(bob.pk), reference=f"demo {intent.order.order_no}",
        reason="a demo of a debt", actor=ACTOR,
    )  # fmt: skip
    locked = PaymentIntent.objects.select_for_update().get(pk=intent.pk)
    whole = f"X{intent.out_trade_no}"
    refund = refund_notices.import_external(locked, intent.amount, provider_ref=whole, source="seed")
    if refund is not None:
        done = base.RefundResult(status=base.RefundStatus.SUCCEEDED)
        refund_steps.apply_result(refund, done, source="seed")


# --- Events, statements, messages -------------------------------------------------------------------------------------
@trouble("inbox_parked")
def _dead_event() -> None:
    event = WebhookEvent.objects.create(
        gateway="machine", event_id="demo-dead-event", kind="payStatus", subject="PYEN000000000000"
    )
    remark(event, source="seed", reason="received")
    advance(event, "parked", source="seed", due_at=None, outcome="the provider did not answer", attempts=10)
    staff_items.open_item(
        kind="inbox_parked", subject=f"machine:{event.event_id}",
        title=f"An event about {event.subject} could not be worked on", detail="Process it again.",
    )  # fmt: skip


@trouble("reconcile_difference")
def _difference() -> None:
    day = (timezone.now() - timedelta(days=2)).date()
    run, _new = StatementRun.objects.get_or_create(
        gateway="alipay", account="demo", day=day, defaults={"lines": 1, "differences": 1, "done_at": timezone.now()}
    )  # fmt: skip
    found = ReconcileDifference.objects.create(
        run=run, kind=ReconcileDifference.Kind.PAYMENT_ONLY_THERE, subject="DEMO-NOT-OURS", currency="CNY",
        theirs_minor=990,
    )  # fmt: skip
    remark(found, source="seed", reason="found")
    staff_items.open_item(
        kind="reconcile_difference", subject=str(run), count=1,
        title=f"alipay: 1 difference between the statement of {day} and our books",
        detail="Look at each of them and say why it is right, or put it right.",
    )  # fmt: skip


@trouble("webhook_endpoint_off")
def _endpoint_off() -> None:
    endpoint = WebhookEndpoint.objects.create(
        url="https://merchant.example/hooks", events=["*"], description="A demo",
        secret_sealed=crypto.seal("whsec_" + "REVNTw==" * 4),
    )  # fmt: skip
    endpoints.switch_off(endpoint, reason="it answered 410")


@trouble("message_not_sent")
def _message() -> None:
    order = _paid().order
    note, _new = Notification.objects.get_or_create(
        reference=order.order_no, kind="credits_granted", defaults={"recipient": "nobody@example.com"}
    )
    ended: dict[str, Any] = {
        "due_at": None, "outcome": Notification.Outcome.GAVE_UP, "attempts": 9, "last_error": "refused: [550]",
    }  # fmt: skip
    Notification.objects.filter(pk=note.pk).update(**ended)
    staff_items.open_item(
        kind="message_not_sent", subject=note.reference, message=note.kind,
        title=f"A customer could not be told ({note.kind}, {note.reference})",
        detail="Look at the address, then send the message again or tell them another way.",
        path=reverse("admin:core_notification_change", args=[note.pk]),
    )  # fmt: skip


@trouble("wechat_delivery_not_told")
def _delivery() -> None:
    """Credits that a mini program sold, of which WeChat knows nothing: somebody enters it in its console."""
    intent = pay(attempt(_order(), gateway="wechatpay", method="mini"))
    PaymentIntent.objects.filter(pk=intent.pk).update(metadata={"payer_ref": "odemo00000000000000000000000"})
    why = "10060001: the order does not exist"
    ShippingNotice.objects.create(
        intent=intent, logistics_type=ShippingNotice.Kind.VIRTUAL, description="积分 × 1", attempts=8,
        next_attempt_at=None, ended_at=timezone.now(), last_error=why,
    )  # fmt: skip
    staff_items.open_item(
        kind=shipping.FAILED_KIND, subject=intent.out_trade_no, why=why,
        title=f"WeChat was not told that {intent.order.order_no} is delivered", detail="Tell it again.",
    )  # fmt: skip


@trouble("gateway_resting")
def _resting() -> None:
    for _failure in range(switches.RESTS_AFTER):
        switches.note_failure("airwallex")
    GatewaySwitch.objects.filter(gateway="airwallex").update(
        rests_until=timezone.now() + timedelta(minutes=5)
    )
