"""What happens to a refund after its row is committed: sending, asking, and what the provider's word moves here.

`apply_result` is to a refund what settlement.apply_result is to a payment: anybody may call it at any time, together and
repeatedly. Guarantees: one send per lease, always under our `out_refund_no`; a lost answer is asked about before it is
sent again; a refund that is not decided is asked about to the end, never closed by a timer of ours; one that fails, even
after it had succeeded, puts order and credits back and tells staff.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from orders.services import fulfilment
from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import credit_settling, links, requests, staff_kinds
from pimpshop.core import staff_items, staff_limits
from pimpshop.core.states import advance, remark
from vending.services import pausing, print_jobs

log = structlog.get_logger(__name__)

SURPLUS_KIND = "surplus_payment"
FAILED_KIND = "refund_failed"
STUCK_KIND = "refund_stuck"
#: Why a refund of ours was never sent: the money went back in the provider's own pages meanwhile.
ELSEWHERE = "refunded_elsewhere"
#: Above a log-in, a look, a send and all of it again after a refused token (15 s each): nobody else sends meanwhile.
LEASE = timedelta(seconds=120)
#: (asked so many times, seconds until the next question); afterwards every six hours, for as long as it takes.
STEPS = ((3, 5), (10, 30), (20, 300), (60, 3600))
LAST_GAP = 6 * 3600


def send(refund_pk: int) -> bool:
    """Send or ask about one refund if it is due and nobody else is at it. Answers whether somebody was asked."""
    refund = _lease(refund_pk)
    if refund is None:
        return False
    try:
        result = _call(registry.get(refund.intent.gateway), refund)
    except registry.GatewayUnknown:
        _later(refund, "the gateway is switched off")
        return False
    except base.GatewayUnavailable as error:
        _later(refund, error.code)
        return True
    except base.GatewayError as error:
        _refused(refund, error)
        return True
    apply_result(refund, result, source="poll" if refund.status != "created" else "system")
    return True


def _call(gateway: base.Gateway, refund: Refund) -> base.RefundResult:
    """Send what was not sent yet, ask about the rest. One of ours that the provider does not know never got there: it is
    sent again under the same number, the gateway looks first. One that was made there is only asked about."""
    request, ours = _request(refund), refund.origin != Refund.Origin.PROVIDER
    if ours and refund.status == "created":
        return gateway.create_refund(request)
    result = gateway.query_refund(request)
    if ours and base.Flag.NOT_FOUND in result.flags:
        return gateway.create_refund(replace(request, resend=True))
    return result


def _lease(refund_pk: int) -> Refund | None:
    """Take the refund for a while. The try is counted before the call: whoever finds it above one knows that an earlier
    send may have arrived."""
    now = timezone.now()
    won = (
        Refund.objects.filter(pk=refund_pk, kind=Refund.Kind.PROVIDER, status__in=("created", "pending"))
        .filter(next_query_at__lte=now)
        .filter(Q(leased_until=None) | Q(leased_until__lt=now))
        .update(leased_until=now + LEASE, query_count=F("query_count") + 1)
    )
    return Refund.objects.select_related("intent", "intent__order").get(pk=refund_pk) if won else None


def _request(refund: Refund) -> base.RefundRequest:
    intent = refund.intent
    return base.RefundRequest(
        refund_id=refund.refund_id,
        out_refund_no=refund.out_refund_no,
        out_trade_no=intent.out_trade_no,
        amount=refund.amount,
        total=requests.captured(intent),
        idempotency_key=refund.out_refund_no,
        provider_ref=intent.provider_ref,
        transaction_ref=intent.transaction_ref or intent.provider_ref,
        refund_ref=refund.provider_ref,
        reason=refund.reason,
        notify_url=links.notify_url(intent.gateway),
        resend=refund.query_count > 1,
    )


def _later(refund: Refund, why: str) -> None:
    """Nothing is known: ask again (before sending again)."""
    Refund.objects.filter(pk=refund.pk, status__in=("created", "pending")).update(
        leased_until=None, next_query_at=next_query(refund), error_code=why[:64]
    )
    log.warning("refund_uncertain", refund=refund.out_refund_no, error=why)


def next_query(refund: Refund) -> Any:
    """When to ask about it again."""
    gap = next((seconds for limit, seconds in STEPS if refund.query_count <= limit), LAST_GAP)
    return timezone.now() + timedelta(seconds=gap)


#: Refusals of a repeat that may be about the first send: it had arrived.
_PERHAPS_DONE = (
    base.ErrorCode.ALREADY_REFUNDED,
    base.ErrorCode.REFUND_AMOUNT_INVALID,
    base.ErrorCode.DUPLICATE_REFERENCE,
)


def _refused(refund: Refund, error: base.GatewayError) -> None:
    """The provider said no. That ends a refund which was never sent before, or whose repeat is declined for a reason of
    its own. A question that is refused (our key was changed, say) tells nothing about the money: we go on asking."""
    unsent = refund.status == "created"
    declined = isinstance(error, base.GatewayDeclined) and error.code not in _PERHAPS_DONE
    if unsent and (refund.query_count == 1 or declined):
        failed = base.RefundResult(status=base.RefundStatus.FAILED, error=error.to_detail())
        apply_result(refund, failed, source="system")
        return
    _later(refund, error.code)
    staff_items.open_item(
        kind="refund_uncertain", subject=refund.out_refund_no, error=error.code,
        title=f"Refund {refund.out_refund_no} was sent, and the provider refuses to say how it stands ({error.code})",
        detail="Do not pay it back another way before you looked at the provider's own page. We go on asking.",
    )  # fmt: skip


def lock_unsent(intent: PaymentIntent) -> list[Refund]:
    """The refunds that are recorded and certainly not known to the provider, for nobody has begun to send them; nobody
    does until the caller's transaction ends. The payment is locked."""
    unsent = intent.refunds.filter(kind=Refund.Kind.PROVIDER, status="created", query_count=0)
    return list(unsent.select_for_update(no_key=True).order_by("pk"))


def withdraw(unsent: Iterable[Refund], *, source: str) -> None:
    """Money of their payment was given back elsewhere: they are not sent any more, lest the buyer gets it twice; staff
    decide. Inside the transaction of `lock_unsent`."""
    for refund in unsent:
        error = base.ErrorDetail(code=ELSEWHERE, message="given back in the provider's own pages meanwhile")
        apply_result(refund, base.RefundResult(status=base.RefundStatus.FAILED, error=error), source=source)


def apply_result(
    refund: Refund,
    result: base.RefundResult,
    *,
    source: str,
    actor: str = "",
    reason: str = "",
    **fields: Any,
) -> bool:
    """Make our rows agree with the provider's word about a refund. Answers whether it moved.

    Locks the payment, then the refund. `fields` are written with the move.
    """
    to = str(result.status)
    with transaction.atomic():
        intent = PaymentIntent.objects.select_for_update(no_key=True).get(pk=refund.intent_id)
        was = Refund.objects.values_list("status", flat=True).get(pk=refund.pk)
        learnt = _learnt(refund, result, to) | fields
        if to == "pending" and result.error is not None:
            _tell_of_stuck(intent, refund, result)
        if not advance(refund, to, source=source, actor=actor, reason=reason, data=_told(result), **learnt):
            Refund.objects.filter(pk=refund.pk, status__in=("created", "pending")).update(**learnt)
            return False
        why = reason or refund.reason
        if to == "succeeded":
            _paid_back(intent, refund, source=source, actor=actor, reason=why)
        elif to == "failed":
            _not_paid_back(intent, refund, was=was, result=result, source=source, actor=actor)
        if to != "pending":
            staff_items.resolve_about(
                kind=STUCK_KIND, subject=refund.out_refund_no, actor=actor, resolution=f"it has {to}"
            )
            log.info("refund_ended", refund=refund.out_refund_no, status=to)
    return True


def _learnt(refund: Refund, result: base.RefundResult, to: str) -> dict[str, Any]:
    ended = to in ("succeeded", "failed")
    learnt: dict[str, Any] = {
        "leased_until": None,
        "next_query_at": None if ended or refund.kind != Refund.Kind.PROVIDER else next_query(refund),
    }
    if result.provider_ref:
        learnt["provider_ref"] = result.provider_ref
    if result.error is not None:
        learnt |= {"error_code": result.error.code[:64], "error_message": result.error.message[:300]}
    if to == "succeeded":
        learnt |= {"succeeded_at": timezone.now(), "error_code": "", "error_message": ""}
    return learnt


def _paid_back(intent: PaymentIntent, refund: Refund, *, source: str, actor: str, reason: str) -> None:
    """The money is back: the payment follows, and with all of it the order."""
    total = intent.refunded_minor + refund.amount_minor
    status = "refunded" if total == intent.captured_minor else "partially_refunded"
    if not advance(intent, status, source=source, actor=actor, reason=reason, refunded_minor=total):
        # partially_refunded already: only the sum moves
        PaymentIntent.objects.filter(pk=intent.pk).update(refunded_minor=total)
        remark(intent, source=source, actor=actor, reason=reason)
    if status == "refunded" and intent.settles_order:
        advance(intent.order, "refunded", source=source, actor=actor, reason=reason)
        fulfilment.note_paid_back(intent.order)
        credit_settling.give_back(intent.order, reference=refund.out_refund_no, reason=reason, actor=actor)
        _stop_printing(intent, source=source, actor=actor, reason=reason)
    staff_items.resolve_about(
        kind=SURPLUS_KIND, subject=intent.out_trade_no, actor=actor, resolution=reason or "paid back"
    )
    if status == "refunded":
        _nothing_is_left(intent, actor=actor, reason=reason)


def _nothing_is_left(intent: PaymentIntent, *, actor: str, reason: str) -> None:
    """All of it is back: what asked for that is done, a refund that failed on the way to it included."""
    staff_items.resolve_about(
        kind=staff_kinds.LATE_KIND, subject=intent.out_trade_no, actor=actor, resolution=reason or "paid back"
    )
    for number in intent.refunds.filter(status="failed").values_list("out_refund_no", flat=True):
        staff_items.resolve_about(
            kind=FAILED_KIND, subject=number, actor=actor, resolution="paid back another way"
        )


def _stop_printing(intent: PaymentIntent, *, source: str, actor: str, reason: str) -> None:
    try:
        print_jobs.paid_back(order_no=intent.order.order_no, actor=actor, reason=reason)
    except print_jobs.UnderWay:
        if source == "admin":
            raise  # a person can wait a minute
        staff_items.open_item(
            kind="refund_while_printing", subject=intent.order.order_no,
            title=f"Order {intent.order.order_no} was paid back while it was being sent to the machine",
            detail="Look whether the case is printed, and take it out of the machine.",
        )  # fmt: skip


def _not_paid_back(
    intent: PaymentIntent, refund: Refund, *, was: str, result: base.RefundResult, source: str, actor: str
) -> None:
    """It failed, perhaps after it had been said to be done: the reservation is free again, order and goods come back."""
    reserved = intent.refund_reserved_minor - refund.amount_minor
    fields: dict[str, Any] = {"refund_reserved_minor": reserved}
    if was == "succeeded":
        left = intent.refunded_minor - refund.amount_minor
        fields["refunded_minor"] = left
        to = "partially_refunded" if left else "succeeded"
        reason = f"refund {refund.out_refund_no} failed after all"
        if not advance(intent, to, source=source, actor=actor, reason=reason, **fields):
            PaymentIntent.objects.filter(pk=intent.pk).update(**fields)
        if intent.settles_order and intent.order.status == "refunded":
            advance(intent.order, "paid", source=source, actor=actor, reason=reason, only_from=["refunded"])
            credit_settling.take_again(
                intent.order, reference=refund.out_refund_no, reason=reason, actor=actor
            )
    else:
        PaymentIntent.objects.filter(pk=intent.pk).update(**fields)
    if intent.settles_order:
        fulfilment.give_again(intent.order, reference=refund.out_refund_no, actor=actor)
        pausing.note_money_stays(intent.order.order_no)
    staff_limits.undo(refund.out_refund_no)
    error = result.error
    title = f"The refund of {refund.amount} for order {intent.order.order_no} failed"
    detail = "The customer has not got the money. Try again, or pay it back another way."
    if error is not None and error.code == ELSEWHERE:
        title = f"The refund of {refund.amount} for order {intent.order.order_no} was not sent"
        detail = "Money was given back in the provider's own pages meanwhile. Is this refund still wanted? Ask again."
    staff_items.open_item(
        kind=FAILED_KIND, subject=refund.out_refund_no, title=title, detail=detail,
        minor=refund.amount_minor, currency=refund.currency,
        error=(error.code if error else ""), path=reverse("admin:payments_refund_change", args=[refund.pk]),
    )  # fmt: skip


def _tell_of_stuck(intent: PaymentIntent, refund: Refund, result: base.RefundResult) -> None:
    """Not ended, and it will not end by itself: WeChat Pay's ABNORMAL waits for people to send it elsewhere."""
    staff_items.open_item(
        kind=STUCK_KIND, subject=refund.out_refund_no, status=result.provider_status,
        minor=refund.amount_minor, currency=refund.currency,
        title=f"The refund of {refund.amount} for order {intent.order.order_no} does not arrive",
        detail="The customer's bank or account did not take it. Send it another way in the provider's own pages.",
        path=reverse("admin:payments_refund_change", args=[refund.pk]),
    )  # fmt: skip


def _told(result: base.RefundResult) -> dict[str, str]:
    return {"provider_status": result.provider_status} if result.provider_status else {}


def due(limit: int = 50) -> list[int]:
    """Refunds to be sent or asked about now, oldest first."""
    now = timezone.now()
    return list(
        Refund.objects.filter(next_query_at__lte=now)
        .filter(Q(leased_until=None) | Q(leased_until__lt=now))
        .order_by("next_query_at")
        .values_list("pk", flat=True)[:limit]
    )
