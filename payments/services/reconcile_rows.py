"""The rows of differences: stored once, closed when both sides agree (on whichever day), resolved by a person with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.db import transaction

from payments import states
from payments.models import PaymentIntent, ReconcileDifference, StatementRun
from pimpshop.core import errors, staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.states import advance, remark

Kind = ReconcileDifference.Kind


class Difference(Protocol):
    """What `reconcile` finds."""

    @property
    def kind(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def ours(self) -> int | None: ...
    @property
    def theirs(self) -> int | None: ...


class NotOpen(errors.Conflict):
    code = "difference_not_open"


def store(run: StatementRun, found: Sequence[Difference]) -> int:
    """Inside the caller's transaction: new rows for what is new, and the end of what is no difference any more. Answers
    how many are new."""
    fresh = 0
    for one in found:
        row, made = ReconcileDifference.objects.get_or_create(
            run=run, kind=one.kind, subject=one.subject[:128],
            defaults={"currency": one.currency, "ours_minor": one.ours, "theirs_minor": one.theirs},
        )  # fmt: skip
        if made:
            remark(row, source="reconcile", reason="found")
        fresh += made
    still = {(one.kind, one.subject[:128]) for one in found}
    for row in run.found.filter(status="open"):
        if (row.kind, row.subject) not in still:
            advance(row, "resolved", source="reconcile", reason="both sides agree now")
    _end_item(run, "both sides agree now")
    return fresh


def close_passed(run: StatementRun, stated: Sequence[str]) -> int:
    """Inside the caller's transaction: end the differences of the account's other days that are none any more, because the
    statement of `run` names them (`stated`, our numbers) or what it had named has ended here since. Answers how many."""
    others = ReconcileDifference.objects.filter(
        status="open", run__gateway=run.gateway, run__account=run.account
    ).exclude(run=run)
    only_here = others.filter(kind__in=(Kind.PAYMENT_ONLY_HERE, Kind.REFUND_ONLY_HERE), subject__in=stated)
    passed = [(row, f"it stands in the statement of {run.day}") for row in only_here.select_related("run")]
    unpaid = others.filter(kind=Kind.PAYMENT_UNPAID_HERE).select_related("run")
    passed += [(row, "it is paid here now") for row in unpaid if _is_paid_now(row)]
    for row, reason in passed:
        if advance(row, "resolved", source="reconcile", reason=reason):
            _end_item(row.run, reason)
    return len(passed)


def _is_paid_now(row: ReconcileDifference) -> bool:
    paid = PaymentIntent.objects.filter(
        gateway=row.run.gateway, out_trade_no=row.subject, status__in=states.PAID, currency=row.currency,
        captured_minor=row.theirs_minor or 0,
    )  # fmt: skip
    return paid.exists()


def _end_item(run: StatementRun, resolution: str, *, actor: str = "system") -> None:
    """The day's item ends with its last difference."""
    if not run.found.filter(status="open").exists():
        staff_items.resolve_about(
            kind="reconcile_difference", subject=str(run), actor=actor, resolution=resolution
        )


def resolve(*, difference: ReconcileDifference, actor: str, reason: str) -> None:
    """Staff say why it is right (or that it was put right). Raises NotOpen. The day's item ends with its last one."""
    with transaction.atomic():
        if not advance(difference, "resolved", source="admin", actor=actor, reason=reason):
            raise NotOpen
        AuditEntry.objects.create(
            actor=actor, action="resolve difference", subject=str(difference)[:120], reason=reason
        )
        _end_item(difference.run, reason, actor=actor)
