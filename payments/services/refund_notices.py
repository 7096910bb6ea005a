"""Refunds that a provider tells us of: the end of one of ours, or one made in the provider's own pages.

A refund that we did not ask for is recorded as external (origin `provider`) with a staff item: people decide what it
means. Providers tell it by name (a refund's number), by the sum given back so far, or both, in any order: what a sum told
is not recorded a second time when its name comes. Guarantees: idempotent under the payment's lock, whatever order the
notices come in; the sums never pass what was captured; what of ours was not sent yet is not sent beside one made
elsewhere. No call leaves.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db import transaction

from orders.services import fulfilment
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import refund_steps
from pimpshop.core import staff_items
from pimpshop.core.money import Money
from pimpshop.core.states import remark

log = structlog.get_logger(__name__)

EXTERNAL_KIND = "external_refund"
#: In the metadata of an external refund: the provider's numbers in it, each with its minor units; and the minor units that
#: the provider says of the whole refund where the row is only the rest of it.
NAMED, WHOLE = "named", "whole_minor"


def apply_notice(intent: PaymentIntent, notice: base.RefundNotice, *, source: str) -> str:
    """What a signed event says about a refund of `intent`; answers what became of it, for the event's row."""
    with transaction.atomic():
        locked = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        refund = _find(locked, notice)
        if refund is None:
            if notice.amount is None or notice.status == base.RefundStatus.FAILED:
                return _failed_or_unnamed(locked, notice)
            rest = _not_told_by_sums(locked, notice.amount, notice.provider_ref)
            if not rest.amount_minor:
                return "an external refund that its sum had told"
            refund = import_external(locked, rest, provider_ref=notice.provider_ref, source=source)
            if refund is None:
                return "an external refund that does not fit: staff decide"
            _remember_whole(refund, notice.amount)
        if notice.amount is not None and notice.amount != _whole(refund):
            _odd(locked, f"refund {refund.out_refund_no} is {refund.amount} here and {notice.amount} there")
            return "another amount: staff decide"
        if notice.provider_ref and not refund.provider_ref:  # known by its sum alone so far
            Refund.objects.filter(pk=refund.pk, provider_ref="").update(provider_ref=notice.provider_ref)
        result = base.RefundResult(
            status=notice.status,
            provider_ref=notice.provider_ref,
            error=notice.error,
            provider_status=notice.provider_status,
        )
        moved = refund_steps.apply_result(refund, result, source=source)
        if moved and notice.status == base.RefundStatus.FAILED and WHOLE in refund.metadata:
            _odd(locked, f"refund {notice.provider_ref} failed, and a sum had told a part of it before")
    return f"refund {refund.out_refund_no}: {notice.status}{'' if moved else ' (known)'}"


def note_total(intent: PaymentIntent, refunded: Money, *, source: str) -> None:
    """The provider counts `refunded` as given back in all. More than our refunds say: the rest was made elsewhere."""
    if refunded.currency != intent.currency:
        return
    with transaction.atomic():
        locked = PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        known = locked.refund_reserved_minor - _sum(refund_steps.lock_unsent(locked))
        missing = refunded.amount_minor - known
        if missing <= 0:
            return
        refund = import_external(locked, Money(missing, locked.currency), provider_ref="", source=source)
        if refund is not None:
            done = base.RefundResult(status=base.RefundStatus.SUCCEEDED)
            refund_steps.apply_result(refund, done, source=source)


def _find(intent: PaymentIntent, notice: base.RefundNotice) -> Refund | None:
    """By our number, by theirs, or an external one of that amount whose number was not told at first."""
    rows = list(intent.refunds.all())
    for refund in rows:
        if notice.out_refund_no and refund.out_refund_no == notice.out_refund_no:
            return refund
        if notice.provider_ref and refund.provider_ref == notice.provider_ref:
            return refund
    if notice.amount is None or not notice.provider_ref:
        return None
    return next(
        (r for r in _told_by_sum(rows) if r.amount == notice.amount and NAMED not in r.metadata), None
    )


def _told_by_sum(rows: Iterable[Refund]) -> list[Refund]:
    """External ones whose numbers at the provider are not known, as far as all of it."""
    return [
        r for r in rows if not r.provider_ref and r.origin == Refund.Origin.PROVIDER and r.status != "failed"
    ]


def _not_told_by_sums(intent: PaymentIntent, amount: Money, provider_ref: str) -> Money:
    """What of a named external refund no sum has told before. One sum may tell of several refunds, so each takes its part
    of those rows, once."""
    if not provider_ref or amount.currency != intent.currency:
        return amount
    rest = amount.amount_minor
    for row in _told_by_sum(intent.refunds.order_by("pk")):
        names = dict(row.metadata.get(NAMED, {}))
        part = min(rest, row.amount_minor - sum(names.values()))
        if provider_ref not in names and part:
            names[provider_ref] = part
            Refund.objects.filter(pk=row.pk).update(metadata={**row.metadata, NAMED: names})
        rest -= names.get(provider_ref, 0)
    return Money(rest, amount.currency)


def _sum(refunds: Iterable[Refund]) -> int:
    return sum(refund.amount_minor for refund in refunds)


def _remember_whole(refund: Refund, amount: Money) -> None:
    """A part of it was told by a sum before, so that the row has only the rest."""
    if refund.amount != amount:
        refund.metadata = {**refund.metadata, WHOLE: amount.amount_minor}
        refund.save(update_fields=["metadata"])


def _whole(refund: Refund) -> Money:
    return Money(refund.metadata.get(WHOLE, refund.amount_minor), refund.currency)


def _failed_or_unnamed(intent: PaymentIntent, notice: base.RefundNotice) -> str:
    rows = _told_by_sum(intent.refunds.all())
    if not notice.provider_ref or not any(notice.provider_ref in row.metadata.get(NAMED, {}) for row in rows):
        return "a failed or unnamed refund that we do not know"
    _odd(intent, f"refund {notice.provider_ref} failed, and a sum had told of it as given back")
    return "a refund that failed after a sum had told of it: staff decide"


def import_external(intent: PaymentIntent, amount: Money, *, provider_ref: str, source: str) -> Refund | None:
    """Record a refund that was made at the provider, inside the caller's transaction with the payment locked; None (and
    a staff item) when the sums do not allow it."""
    unsent = refund_steps.lock_unsent(intent)
    reserved = intent.refund_reserved_minor - _sum(unsent) + amount.amount_minor
    if amount.currency != intent.currency or reserved > intent.captured_minor:
        _odd(intent, f"an external refund of {amount} does not fit: {intent.refund_reserved_minor} reserved")
        return None
    refund_steps.withdraw(unsent, source=source)
    refund = Refund.objects.create(
        intent=intent, kind=Refund.Kind.PROVIDER, origin=Refund.Origin.PROVIDER, amount_minor=amount.amount_minor,
        currency=intent.currency, out_refund_no=f"{intent.out_trade_no}_X{intent.refunds.count() + 1}",
        provider_ref=provider_ref, reason="external",
    )  # fmt: skip
    PaymentIntent.objects.filter(pk=intent.pk).update(refund_reserved_minor=reserved)
    intent.refund_reserved_minor = reserved
    remark(refund, source=source, reason="made at the provider")
    if intent.settles_order:
        fulfilment.take_back(
            intent.order,
            part=amount.amount_minor,
            whole=intent.captured_minor,
            reference=refund.out_refund_no,
            reason="external refund",
        )
    staff_items.open_item(
        kind=EXTERNAL_KIND, subject=refund.out_refund_no, minor=refund.amount_minor, currency=refund.currency,
        title=f"{amount} of order {intent.order.order_no} was paid back in the provider's own pages",
        detail="It is recorded. Decide whether the case is still to be printed, and write down why it was done there.",
    )  # fmt: skip
    log.warning("refund_external", refund=refund.out_refund_no, payment=intent.out_trade_no)
    return refund


def _odd(intent: PaymentIntent, why: str) -> None:
    staff_items.open_item(
        kind="refund_mismatch", subject=intent.out_trade_no, why=why,
        title=f"The provider's word about a refund does not fit payment {intent.out_trade_no}",
        detail="Nothing was moved. Compare with the provider's own page and decide.",
    )  # fmt: skip
