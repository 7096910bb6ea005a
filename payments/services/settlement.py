"""Settlement: the one place where a provider's truth moves our rows.

`apply_result` may be called by anybody at any time, together and repeatedly (webhook, poll, return page, admin,
sweeper): everything it does is one transaction of compare-and-sets. Guarantees: an order is settled once; a success
with a foreign account, mode, number, amount or currency moves nothing and becomes a staff item; money that
came twice is recorded as surplus with a refund row; credits held for the order are spent in the same transaction. No
call leaves.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from orders.models import Order
from orders.services import fulfilment
from payments import states
from payments.gateways import base
from payments.models import PaymentIntent, WebhookEvent
from payments.services import (
    at_once,
    credit_settling,
    disputes,
    refund_notices,
    refunds,
    saved_methods,
    schedule,
    staff_kinds,
)
from pimpshop.core import staff_items
from pimpshop.core.states import advance, remark
from vending.services import sessions

log = structlog.get_logger(__name__)

MISMATCH_KIND = "payment_mismatch"
CREDITS_GONE = "it came late, and the credits for the rest of the price are spent"


class Applied(StrEnum):
    """What became of a result."""

    SETTLED = "settled"
    SURPLUS = "surplus"
    MOVED = "moved"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


def apply_result(
    intent: PaymentIntent,
    result: base.PaymentResult,
    *,
    source: str,
    actor: str = "",
    inferred: bool = False,
    event: WebhookEvent | None = None,
) -> Applied:
    """Make our rows agree with `result`, the provider's word about `intent`. `inferred`: that it has ended is only our
    conclusion, so we go on asking as the schedule says, and a late success is seen without anybody telling us. `event`
    led to it; the usual settling ends it, and then it is `processed`."""
    result = _was_paid(result)
    trouble = _mismatch(intent, result)
    if trouble:
        return _refuse(intent, trouble, source=source)
    if base.Flag.ABNORMAL in result.flags or base.Flag.UNKNOWN_STATUS in result.flags:
        _flag(intent, result)
    succeeded = result.status == base.PaymentStatus.SUCCEEDED
    if succeeded and at_once.settle(
        intent, result, told=_told(result), source=source, actor=actor, event=event
    ):
        log.info("payment_settled", payment=intent.out_trade_no, order=intent.order.order_no)
        return Applied.SETTLED
    try:
        return _apply(intent, result, source=source, actor=actor, inferred=inferred)
    except credit_settling.CreditsGone:
        intent.refresh_from_db()
        gone = replace(result, status=base.PaymentStatus.CANCELED)
        return _apply(intent, gone, source=source, actor=actor, inferred=False)


def _apply(
    intent: PaymentIntent, result: base.PaymentResult, *, source: str, actor: str, inferred: bool
) -> Applied:
    """The transaction. Raises credit_settling.CreditsGone: all of it is taken back."""
    with transaction.atomic():
        if result.status == base.PaymentStatus.SUCCEEDED:
            applied = _succeed(intent, result, source=source, actor=actor)
            if result.refunded is not None and result.refunded.amount_minor:
                refund_notices.note_total(intent, result.refunded, source=source)
            return applied
        return _move(intent, result, source=source, actor=actor, inferred=inferred)


def give_up(intent: PaymentIntent, *, source: str) -> Applied:
    """Asked about for days without an answer: it counts as not paid. A late success is still honoured."""
    expired = base.PaymentResult(status=base.PaymentStatus.EXPIRED)
    return apply_result(intent, expired, source=source, inferred=True)


def _was_paid(result: base.PaymentResult) -> base.PaymentResult:
    """Paid back (in part) means that it was paid: settle that first, the refund follows by its amount."""
    if result.status == base.PaymentStatus.REFUNDED:
        refunded = result.refunded or result.captured or result.amount
        return replace(result, status=base.PaymentStatus.SUCCEEDED, refunded=refunded)
    if result.status == base.PaymentStatus.PARTIALLY_REFUNDED:
        return replace(result, status=base.PaymentStatus.SUCCEEDED)
    return result


def _mismatch(intent: PaymentIntent, result: base.PaymentResult) -> str:
    """Why `result` cannot be about `intent`; "" when it can. What the provider does not tell is not compared."""
    if result.account and intent.account and result.account != intent.account:
        return f"account {result.account} instead of {intent.account}"
    if result.live is not None and result.live != intent.live:
        return "test and live mixed"
    if result.out_trade_no and result.out_trade_no != intent.out_trade_no:
        return f"number {result.out_trade_no} instead of {intent.out_trade_no}"
    if _another(intent, result):
        return "another payment of the provider"
    if (
        result.amount is None
        and result.status == base.PaymentStatus.SUCCEEDED
        and intent.gateway != "machine"
    ):
        return "paid, and no amount is told"  # the machine alone tells none: its amount was fixed by payData
    if result.amount is not None and result.amount != intent.amount:
        return f"amount {result.amount} instead of {intent.amount}"
    if result.captured is not None and not _captured_fits(intent, result):
        return f"captured {result.captured} of {intent.amount}"
    return ""


def _another(intent: PaymentIntent, result: base.PaymentResult) -> bool:
    """Do the references tell of another payment? A provider may name the attempt (a checkout session) or only its money
    (the transaction in it), and each of them may not have been known so far."""
    ours = {ref for ref in (intent.provider_ref, intent.transaction_ref) if ref}
    theirs = {ref for ref in (result.provider_ref, result.transaction_ref) if ref}
    if not ours or not theirs or ours & theirs:
        return False
    only_money = theirs == {result.transaction_ref}
    return not (only_money and not intent.transaction_ref)


def _captured_fits(intent: PaymentIntent, result: base.PaymentResult) -> bool:
    """All of it; or a part, where another shop decides what it takes."""
    captured = result.captured
    if captured is None or captured == intent.amount or result.status != base.PaymentStatus.SUCCEEDED:
        return True
    fits = captured.currency == intent.currency and 0 < captured.amount_minor < intent.amount_minor
    return fits and intent.manual_capture and intent.order.kind == Order.Kind.MERCHANT


def _refuse(intent: PaymentIntent, why: str, *, source: str) -> Applied:
    """Told once for each reason: we go on asking, and what a person has closed is not put before them again."""
    known = staff_items.was_answered(kind=MISMATCH_KIND, subject=intent.out_trade_no, why=why)
    with transaction.atomic():
        new = not known and staff_items.open_item(
            kind=MISMATCH_KIND, subject=intent.out_trade_no, why=why, minor=intent.amount_minor,
            currency=intent.currency,
            title=f"The provider's word does not fit payment {intent.out_trade_no}",
            detail="Nothing was moved. Compare with the provider's own page and decide.",
        )  # fmt: skip
        if new:
            remark(intent, source=source, reason=f"refused: {why}")
    log.error("payment_result_refused", payment=intent.out_trade_no, why=why)
    return Applied.REFUSED


def _flag(intent: PaymentIntent, result: base.PaymentResult) -> None:
    staff_items.open_item(
        kind="payment_odd_status", subject=intent.out_trade_no, status=result.provider_status,
        title=f"The provider gives payment {intent.out_trade_no} the status {result.provider_status}",
        detail="It counts as not decided. Ask the provider if it stays so.",
    )  # fmt: skip


def _succeed(intent: PaymentIntent, result: base.PaymentResult, *, source: str, actor: str) -> Applied:
    captured = result.captured.amount_minor if result.captured is not None else intent.amount_minor
    fields: dict[str, Any] = {
        "captured_minor": captured,
        "succeeded_at": timezone.now(),
        "next_query_at": None,
        "leased_until": None,
        "error_code": "",
        "error_message": "",
        **_learnt(intent, result),
    }
    # Not from a payment that was paid back, in part or whole: a success told again must not settle it a second time (and
    # come back as surplus). That a refund failed after all is said by the refund.
    moved = advance(
        intent, "succeeded", source=source, actor=actor, data=_told(result), only_from=states.ASKABLE, **fields
    )  # fmt: skip
    if not moved:
        return Applied.UNCHANGED
    order = Order.objects.get(pk=intent.order_id)
    _learn_buyer(order, result)
    was = order.status
    at_machine = intent.gateway == "machine"
    whole = credit_settling.is_whole(intent, order, captured, source=source)
    settled = whole and fulfilment.settle(
        order,
        payment_third_id=intent.out_trade_no if at_machine else "",
        at_machine=at_machine,
        captured_minor=captured if order.kind == Order.Kind.MERCHANT else None,
        source=source,
    )
    flags = {"settles_order": settled, "is_surplus": not settled}
    PaymentIntent.objects.filter(pk=intent.pk).update(**flags)
    intent.settles_order, intent.is_surplus = settled, not settled
    saved_methods.remember(intent, result)
    if settled:
        disputes.note_settled(intent)
        if was == "cancelled":
            _tell_of_late(intent)
    else:
        refunds.give_back_surplus(intent, why="the order was paid already" if whole else CREDITS_GONE)
    log.info(
        "payment_settled" if settled else "payment_surplus", payment=intent.out_trade_no, order=order.order_no
    )
    return Applied.SETTLED if settled else Applied.SURPLUS


def _tell_of_late(intent: PaymentIntent) -> None:
    """The order had been given up when its money came; it is paid again, and perhaps nobody wants it any more."""
    staff_items.open_item(
        kind=staff_kinds.LATE_KIND, subject=intent.out_trade_no, minor=intent.amount_minor, currency=intent.currency,
        title=f"Order {intent.order.order_no} was paid after it had been cancelled",
        detail="It counts as paid again. Does the customer still want it? If not, pay it back.",
    )  # fmt: skip


def _learn_buyer(order: Order, result: base.PaymentResult) -> None:
    """A guest who gave no address: what was bought belongs to the one that they typed at the provider."""
    email = result.payer_email.strip().lower()
    if order.user_id is None and not order.email and "@" in email and len(email) <= 254:
        Order.objects.filter(pk=order.pk, user=None, email="").update(email=email)
        order.email = email


def _move(
    intent: PaymentIntent, result: base.PaymentResult, *, source: str, actor: str, inferred: bool
) -> Applied:
    """Everything but a success. The same status again only renews the schedule and what was not known yet."""
    to = str(result.status)
    final = to not in states.UNDECIDED
    ends_questions = final and not inferred
    fields: dict[str, Any] = {
        "next_query_at": None if ends_questions else schedule.next_query(intent),
    }
    # Not known there (yet): somebody may be creating it this very moment and keeps the lease.
    if to != "created":
        fields |= {"leased_until": None, "error_code": "", "error_message": ""}
    fields |= _learnt(intent, result)
    if result.next_action is not None:
        fields["next_action"] = result.next_action.to_dict()
    if result.error is not None:
        fields |= {"error_code": result.error.code[:64], "error_message": result.error.message[:300]}
    known = intent.status == to
    if known or not advance(intent, to, source=source, actor=actor, data=_told(result), **fields):
        # The row stands elsewhere or already there: learn what is new, never overwrite a decision.
        PaymentIntent.objects.filter(pk=intent.pk, status__in=states.UNDECIDED).update(**fields)
        if ends_questions:  # what we had concluded, the provider says now
            PaymentIntent.objects.filter(pk=intent.pk, status__in=states.ENDED).update(next_query_at=None)
        return Applied.UNCHANGED
    order = intent.order
    too_old = inferred and schedule.is_over(intent)  # not the provider's word: the session goes on waiting
    if final and order.session_id and not too_old:
        sessions.mark_payment_failed(
            order.session_id, third_id=intent.out_trade_no, source=source, reason=result.provider_status or to
        )
    if result.provider_ref and order.session_id and intent.gateway == "machine":
        sessions.note_provider_payment(
            order.session_id, third_id=intent.out_trade_no, provider_payment_id=result.provider_ref
        )
    return Applied.MOVED


def _learnt(intent: PaymentIntent, result: base.PaymentResult) -> dict[str, Any]:
    """What was not known of the attempt so far. A reference that stands is not replaced."""
    learnt: dict[str, Any] = {}
    if result.provider_ref and not intent.provider_ref:
        learnt["provider_ref"] = result.provider_ref
    if result.transaction_ref:
        learnt["transaction_ref"] = result.transaction_ref
    if result.method_details is not None:
        learnt["method_details"] = asdict(result.method_details)
    if result.receipt_url:
        learnt["receipt_url"] = result.receipt_url[:500]
    return learnt


def _told(result: base.PaymentResult) -> dict[str, str]:
    """What the event row remembers of the provider's own words; the reason of a decline is for staff, and decides
    whether the same card may be tried again."""
    reason = result.error.provider_code if result.error and result.status == base.PaymentStatus.FAILED else ""
    told = {"provider_status": result.provider_status, "decline_code": reason}
    return {name: word for name, word in told.items() if word}
