"""Refunds: the row is committed before anything is paid back, within what was captured (under the payment's lock and
by CHECK). Here: who may ask for one, and marking one that was done by hand. Not here: the calls and what providers say
(payments.services.refund_steps), refunds made elsewhere (payments.services.refund_notices).

Guarantees: any number of requests at once never exceed the payment; what the money had bought is taken back in the same
transaction, in proportion; nothing is sent inside it.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.services import fulfilment
from payments import registry, states, tasks
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import disputes, refund_steps
from pimpshop.core import bell, errors, staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.states import remark
from vending.services import print_jobs

SURPLUS_KIND = refund_steps.SURPLUS_KIND


class RefundTooLarge(errors.ShopError):
    code = "REFUND_AMOUNT_INVALID"
    message = _("That is more than what is left of this payment. Nothing was paid back.")


BAD_AMOUNT = _("This is no amount of this payment's currency. Nothing was paid back.")


class AlreadyRefunded(errors.Conflict):
    code = "ALREADY_REFUNDED"
    message = _("All of this payment is paid back or on its way back. Nothing was paid back again.")


class RefundBlocked(errors.Conflict):
    code = "refund_blocked"
    message = _(
        "The buyer's bank is deciding about this payment, so it cannot be paid back now. Nothing was changed."
    )


class NotPaid(errors.Conflict):
    code = "not_paid"
    message = _("This payment was not paid, so there is nothing to pay back.")


class RefundNotOpen(errors.Conflict):
    code = "refund_not_open"
    message = _("This refund is recorded as done or failed already.")


def request_refund(
    *,
    intent: PaymentIntent,
    amount_minor: int | None = None,
    origin: str,
    actor: str,
    reason: str,
    note: str = "",
    source: str,
    metadata: dict[str, Any] | None = None,
    public_id: uuid.UUID | None = None,
) -> Refund:
    """Pay `amount_minor` (None: all that is left) of a payment back by its provider, or by hand where the provider has
    no refunds. The row is committed; the sweeper sends it (`refund_steps.send` at once, for who wants to wait). With a
    `public_id` of the caller's the second call answers the first one's refund.

    Raises NotPaid, AlreadyRefunded, RefundTooLarge, RefundBlocked (a dispute is open), and print_jobs.UnderWay while a
    step of the print job is at the manufacturer.
    """
    by_provider = _can_refund(intent)
    with transaction.atomic():
        locked = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        before = locked.refunds.filter(public_id=public_id).first() if public_id else None
        if before is not None:
            return before
        amount = _must_fit(locked, amount_minor)
        refund = _record(
            locked, amount, kind=Refund.Kind.PROVIDER if by_provider else Refund.Kind.MANUAL, origin=origin,
            actor=actor, reason=reason, note=note, source=source, metadata=metadata, public_id=public_id,
        )  # fmt: skip
        if by_provider:
            bell.ring(tasks.send_refund, refund.pk)
    return refund


def request_manual_refund(
    *, intent: PaymentIntent, amount_minor: int, actor: str, reason: str, note: str = ""
) -> Refund:
    """Staff decide to pay back by hand (at the machine): the row to be marked when it is done. What was not sent to the
    machine waits meanwhile, if all is to be paid back. Raises as `request_refund` does."""
    return record(
        intent=intent,
        amount_minor=amount_minor,
        kind=Refund.Kind.MANUAL,
        actor=actor,
        reason=reason,
        note=note,
    )


def record(
    *, intent: PaymentIntent, amount_minor: int | None, kind: str, actor: str, reason: str, note: str = ""
) -> Refund:
    """The row of a refund that staff pay themselves (by hand, as credits). Raises as `request_refund` does."""
    with transaction.atomic():
        locked = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        return _record(
            locked, _must_fit(locked, amount_minor), kind=kind, origin=Refund.Origin.STAFF, actor=actor,
            reason=reason, note=note, source="admin",
        )  # fmt: skip


def give_back_surplus(intent: PaymentIntent, *, why: str = "the order was paid already") -> Refund:
    """Money that came for an order which was paid already goes back by itself, or by hand where the provider has no
    refunds (with a staff item). Called inside the settling transaction; idempotent by the payment's number."""
    by_provider = _can_refund(intent)
    refund, new = Refund.objects.get_or_create(
        out_refund_no=f"{intent.out_trade_no}_R1",
        defaults={
            "intent": intent,
            "kind": Refund.Kind.PROVIDER if by_provider else Refund.Kind.MANUAL,
            "origin": Refund.Origin.SYSTEM,
            "amount_minor": intent.captured_minor,
            "currency": intent.currency,
            "reason": "duplicate",
            "next_query_at": timezone.now() if by_provider else None,
        },
    )
    if not new:
        return refund
    PaymentIntent.objects.filter(pk=intent.pk).update(refund_reserved_minor=intent.captured_minor)
    remark(refund, source="system", reason=why)
    if by_provider:
        bell.ring(tasks.send_refund, refund.pk)
    else:
        staff_items.open_item(
            kind=SURPLUS_KIND, subject=intent.out_trade_no, minor=intent.amount_minor, currency=intent.currency,
            path=reverse("admin:payments_refund_change", args=[refund.pk]),
            title=f"{intent.amount} is to be given back for order {intent.order.order_no}: {why}"[:200],
            detail="Pay it back by hand at the machine's operator, then mark the refund as paid back.",
        )  # fmt: skip
    return refund


def mark_paid_back(*, refund: Refund, actor: str, note: str) -> None:
    """Staff paid it back by hand: the refund succeeds and the payment (and a fully refunded order) follows.
    Raises RefundNotOpen, and print_jobs.UnderWay while a step of the print job is at the manufacturer."""
    done = base.RefundResult(status=base.RefundStatus.SUCCEEDED)
    with transaction.atomic():
        applied = refund_steps.apply_result(
            refund, done, source="admin", actor=actor, reason=note, note=note[:500]
        )
        if not applied:
            raise RefundNotOpen
        AuditEntry.objects.create(
            actor=actor, action="mark paid back", subject=refund.out_refund_no, reason=note
        )


def fits(intent: PaymentIntent, amount_minor: int | None) -> int:
    """The minor units that would be paid back now (None: all that is left). Raises what `request_refund` would."""
    return _must_fit(intent, amount_minor)


def _can_refund(intent: PaymentIntent) -> bool:
    try:
        return registry.get(intent.gateway).can_refund
    except registry.GatewayUnknown:
        return False  # switched off since: people pay it back


def _must_fit(locked: PaymentIntent, amount_minor: int | None) -> int:
    """The amount to pay back: what a bank took for the buyer is not paid back again. Raises what says why not."""
    if locked.status not in states.PAID:
        raise NotPaid
    if locked.disputes.filter(money_moved=True, status__in=states.DISPUTED).exists():
        raise RefundBlocked
    left = locked.captured_minor - locked.refund_reserved_minor - disputes.taken_by_banks(locked)
    if left <= 0:
        raise AlreadyRefunded
    amount = left if amount_minor is None else amount_minor
    if amount <= 0 or amount > left:
        raise RefundTooLarge
    return amount


def _record(
    locked: PaymentIntent,
    amount: int,
    *,
    kind: str,
    origin: str,
    actor: str,
    reason: str,
    source: str,
    note: str = "",
    metadata: dict[str, Any] | None = None,
    public_id: uuid.UUID | None = None,
) -> Refund:
    """The row, its reservation, its event, its audit; what the money had bought is taken back. Inside the caller's
    transaction, with the payment locked."""
    reserved = locked.refund_reserved_minor + amount
    if reserved == locked.captured_minor and locked.settles_order:
        print_jobs.pause(order_no=locked.order.order_no, actor=actor, reason=reason)
    refund = Refund.objects.create(
        intent=locked, kind=kind, origin=origin, amount_minor=amount, currency=locked.currency,
        out_refund_no=f"{locked.out_trade_no}_R{locked.refunds.count() + 1}", reason=reason[:64], note=note[:500],
        actor=actor[:120], next_query_at=timezone.now() if kind == Refund.Kind.PROVIDER else None,
        metadata=metadata or {}, public_id=public_id or uuid.uuid4(),
    )  # fmt: skip
    PaymentIntent.objects.filter(pk=locked.pk).update(refund_reserved_minor=reserved)
    remark(refund, source=source, actor=actor, reason=reason)
    if locked.settles_order:
        fulfilment.take_back(
            locked.order,
            part=amount,
            whole=locked.captured_minor,
            reference=refund.out_refund_no,
            reason=reason,
            actor=actor,
        )
    if actor:
        AuditEntry.objects.create(
            actor=actor, action="request refund", subject=refund.out_refund_no, reason=reason
        )
    return refund
