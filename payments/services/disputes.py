"""Disputes: recorded from signed events, with the deadline for evidence; what was bought is frozen meanwhile.

Opened: refunds are blocked (payments.services.refunds), credits are taken back in proportion, a case that no machine has
taken waits (vending.services.holds), staff get an item with the deadline and what is held. Won: all of it is undone.
Lost: it stays taken, the case is not printed, and staff are told; lost after it had been won: it is taken again, once for
each time that the bank turns round. Guarantees: idempotent by the provider's number under the payment's lock; an inquiry
(no money moved) freezes nothing. No call leaves.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from orders.services import fulfilment
from payments import states
from payments.gateways import base
from payments.models import Dispute, PaymentIntent
from payments.services import staff_kinds
from pimpshop.core import errors, staff_items
from pimpshop.core.clock import iso
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import Money
from pimpshop.core.states import advance, remark
from vending.services import holds, print_jobs

log = structlog.get_logger(__name__)

OPEN_KIND = "dispute_open"


class NotOpen(errors.Conflict):
    code = "dispute_not_open"
    message = _("This dispute was answered or is over. Nothing was changed.")


def mark_answered(*, dispute: Dispute, actor: str, reason: str) -> None:
    """Somebody answered the bank in the provider's own pages: it decides now, and nobody has to do anything. What is
    frozen stays so. Raises NotOpen."""
    with transaction.atomic():
        if not advance(
            dispute, "under_review", source="admin", actor=actor, reason=reason, only_from=("opened",)
        ):
            raise NotOpen
        AuditEntry.objects.create(
            actor=actor, action="dispute answered elsewhere", subject=dispute.provider_ref, reason=reason
        )
        for kind in (OPEN_KIND, staff_kinds.DUE_KIND):
            staff_items.resolve_about(
                kind=kind, subject=dispute.provider_ref, actor=actor, resolution=f"answered: {reason}"
            )


def apply_notice(intent: PaymentIntent, notice: base.DisputeNotice, *, source: str) -> str:
    """What a signed event says about a dispute of `intent`; answers what became of it."""
    with transaction.atomic():
        locked = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        dispute, new = Dispute.objects.get_or_create(
            intent=locked,
            provider_ref=notice.provider_ref,
            defaults={
                "amount_minor": notice.amount.amount_minor,
                "currency": notice.amount.currency,
                "reason": notice.reason[:64],
                "money_moved": notice.money_moved,
                "deadline": notice.deadline,
                "provider_status": notice.provider_status[:64],
            },
        )
        escalated = notice.money_moved and not dispute.money_moved  # an inquiry has become a dispute
        if new:
            remark(dispute, source=source, reason="told by the provider")
        elif escalated:
            Dispute.objects.filter(pk=dispute.pk).update(money_moved=True)
            dispute.money_moved = True
            remark(dispute, source=source, reason="it has become a dispute", data={"money_moved": True})
            staff_items.resolve_about(
                kind=OPEN_KIND, subject=dispute.provider_ref, resolution="it has become a dispute"
            )
        if new or escalated:
            _freeze(locked, dispute)
        _move(locked, dispute, notice, source=source, just_frozen=new or escalated)
    return f"dispute {notice.provider_ref}: {dispute.status}"


def note_settled(intent: PaymentIntent) -> None:
    """The payment is known to be paid only now: what banks dispute or took of it is frozen, inside the settling
    transaction."""
    known = intent.disputes.filter(money_moved=True).exclude(status__in=states.DISPUTE_FREED)
    for dispute in known.order_by("pk"):
        staff_items.resolve_about(
            kind=OPEN_KIND, subject=dispute.provider_ref, resolution="the payment is known now"
        )
        if dispute.status in states.DISPUTED:
            _freeze(intent, dispute)
        else:
            _take_back(intent, dispute)
            _drop(intent, dispute)


def _freeze(intent: PaymentIntent, dispute: Dispute) -> None:
    deadline = f" Evidence is due by {iso(dispute.deadline)}." if dispute.deadline else ""
    held = _take_back(intent, dispute) + _hold(intent, dispute)
    staff_items.open_item(
        kind=OPEN_KIND, subject=dispute.provider_ref, minor=dispute.amount_minor, currency=dispute.currency,
        title=f"The buyer's bank disputes {dispute.amount} of order {intent.order.order_no}",
        detail=f"Look at the order's history and answer the bank.{deadline} {held or 'Nothing is held.'}".rstrip(),
        reason=dispute.reason,
    )  # fmt: skip
    log.warning("dispute_opened", payment=intent.out_trade_no, dispute=dispute.provider_ref)


def _take_back(intent: PaymentIntent, dispute: Dispute) -> str:
    """What the money had bought goes back in proportion. Answers what staff are told of it."""
    if not (dispute.money_moved and intent.settles_order):
        return ""
    fulfilment.take_back(
        intent.order,
        part=_part(intent, dispute),
        whole=intent.captured_minor,
        reference=reference(dispute),
        reason="disputed",
    )
    return "" if _is_case(intent) else "What was bought is taken back meanwhile. "


def _hold(intent: PaymentIntent, dispute: Dispute) -> str:
    """A case that no machine has taken waits. Answers what staff are told of it."""
    if not (dispute.money_moved and intent.settles_order and _is_case(intent)):
        return ""
    held = holds.hold(order_no=intent.order.order_no, why=f"dispute {dispute.provider_ref}")
    names = ", ".join(job.reference for job in held)
    return f"Held meanwhile, not sent to a machine: {names}. " if held else "A machine has the case already. "


def _is_case(intent: PaymentIntent) -> bool:
    return intent.order.kind == Order.Kind.CASE


def _part(intent: PaymentIntent, dispute: Dispute) -> int:
    """Minor units of the payment that are disputed. A bank may dispute in its own currency: then it counts as all."""
    if dispute.currency != intent.currency:
        return intent.captured_minor
    return min(dispute.amount_minor, intent.captured_minor)


def taken_by_banks(intent: PaymentIntent) -> int:
    """Minor units of the payment that banks have decided to take."""
    lost = intent.disputes.filter(money_moved=True, status="lost")
    return min(sum(_part(intent, dispute) for dispute in lost), intent.captured_minor)


def _move(
    intent: PaymentIntent, dispute: Dispute, notice: base.DisputeNotice, *, source: str, just_frozen: bool
) -> None:
    to, was = str(notice.status), dispute.status
    fields: dict[str, Any] = {"provider_status": notice.provider_status[:64]}
    if notice.deadline:
        fields["deadline"] = notice.deadline
    if was == to or not advance(dispute, to, source=source, **fields):
        return
    if to in states.DISPUTED:
        return
    staff_items.resolve_about(kind=OPEN_KIND, subject=dispute.provider_ref, resolution=f"the bank says: {to}")
    if to in states.DISPUTE_FREED:
        _let_go(intent, dispute, verdict=to)
        return
    if was in states.DISPUTE_FREED and not just_frozen:
        dispute.retaken += 1
        dispute.save(update_fields=["retaken"])
        _take_back(intent, dispute)
    case = _drop(intent, dispute)
    staff_items.open_item(
        kind="dispute_lost", subject=dispute.provider_ref, minor=dispute.amount_minor, currency=dispute.currency,
        title=f"The bank decided against us: {dispute.amount} of order {intent.order.order_no} is gone",
        detail=f"Nothing more is to be done about the money. Decide about the customer's account.{case}",
    )  # fmt: skip


def _let_go(intent: PaymentIntent, dispute: Dispute, *, verdict: str) -> None:
    if not (intent.settles_order and dispute.money_moved):
        return
    fulfilment.give_again(intent.order, reference=reference(dispute))
    if not _is_case(intent):
        return
    order_no, why = intent.order.order_no, f"dispute {dispute.provider_ref} is {verdict}"
    if not intent.disputes.filter(money_moved=True, status__in=states.DISPUTED).exists():
        holds.release(order_no=order_no, why=why)
    if dispute.events.filter(to_status="lost").exists():
        for job in holds.canceled(order_no):
            staff_items.open_item(
                kind=print_jobs.CANCELED_KIND, subject=job.reference, why=why,
                title=f"The bank decided for us after all, and the case was cancelled ({order_no})",
                detail="Ask the customer to order it again at our cost, or pay them back.",
            )  # fmt: skip


def _drop(intent: PaymentIntent, dispute: Dispute) -> str:
    """The case is not printed. Answers what staff are told of it."""
    if not (intent.settles_order and dispute.money_moved and _is_case(intent)):
        return ""
    dropped, under_way = holds.drop(
        order_no=intent.order.order_no, why=f"dispute {dispute.provider_ref} is lost"
    )
    left = intent.captured_minor - intent.refund_reserved_minor - taken_by_banks(intent)
    for job in dropped if left > 0 else ():
        staff_items.open_item(
            kind=print_jobs.CANCELED_KIND, subject=job.reference,
            title=f"A paid case will not be printed ({job.order_no})",
            detail=f"The bank took a part. Pay {Money(left, intent.currency)} back to the customer.",
        )  # fmt: skip
    names = ", ".join(job.reference for job in dropped)
    told = f" Not printed any more: {names}." if dropped else ""
    return told + (" One case was being sent at that moment: see its own item." if under_way else "")


def reference(dispute: Dispute) -> str:
    """What the postings of this dispute are named by: each time that they are taken has a name of its own."""
    again = f"/{dispute.retaken + 1}" if dispute.retaken else ""
    return f"dispute:{dispute.provider_ref}"[: 120 - len(again)] + again
