"""Plan terms: grant one after what is left, take time back in proportion, restore it.

Guarantees: idempotent by reference; a new term begins where the last unexpired one ends, whichever plan it is; terms of
a user never overlap. Locks: the user's credit account. No call outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from credits.models import PlanTerm, TermReversal
from credits.services import books


@transaction.atomic
def grant_term(
    *,
    plan_sku: str,
    days: int,
    reference: str,
    user_id: int | None = None,
    email: str = "",
    payment_reference: str = "",
    reason: str = "",
    actor: str = "",
) -> PlanTerm:
    """`days` of a plan for a user, or for whoever proves an e-mail address (they begin then).

    The second call with the same reference changes nothing and answers the first term. Raises ReferenceTaken when the
    first call said something else. Credits of a plan are granted apart (`ledger.grant`).
    """
    if days <= 0 or not reference or not plan_sku:
        raise ValueError(f"no term: {days} days of {plan_sku!r}, reference {reference!r}")
    account = books.lock_owner(user_id=user_id, email=email)
    before = PlanTerm.objects.filter(reference=reference).first()
    if before is not None:
        same_owner = before.email == account.email if before.email else before.user_id == account.user_id
        if not same_owner or before.plan_sku != plan_sku or before.duration != timedelta(days=days):
            raise books.ReferenceTaken
        return before
    term = PlanTerm(
        email=account.email, plan_sku=plan_sku, duration=timedelta(days=days), reference=reference,
        payment_reference=payment_reference, reason=reason[:500], actor=actor[:120],
    )  # fmt: skip
    if account.user_id is not None:
        begin(term, account.user_id)
    term.save()
    return term


def begin(term: PlanTerm, user_id: int) -> None:
    """Let `term` follow the user's last unexpired one. The caller holds the lock of their account and saves."""
    now = timezone.now()
    last = PlanTerm.objects.filter(user_id=user_id).aggregate(Max("ends_at"))["ends_at__max"]
    term.user_id = user_id
    term.starts_at = max(now, last) if last else now
    term.ends_at = term.starts_at + term.duration - term.removed


def has_terms(payment_reference: str) -> bool:
    """Was a term granted for that payment?"""
    return PlanTerm.objects.filter(payment_reference=payment_reference).exists()


@transaction.atomic
def revoke_term(
    *, reference: str, payment_reference: str, refunded_minor: int = 1, paid_minor: int = 1
) -> timedelta:
    """Take back the share of a term that a refund or dispute gave back; answers how much time went.

    From its end, but never what was used already; the terms after it move up. 1 of 1 is all: the term ends now.
    Answers nothing (0) for a payment that bought no term and for a reference that was done before.
    """
    if not 0 < refunded_minor <= paid_minor or not reference or not payment_reference:
        raise ValueError(f"no reversal: {refunded_minor} of {paid_minor}, reference {reference!r}")
    gone = timedelta()
    bought = PlanTerm.objects.filter(payment_reference=payment_reference, restores=None)
    for pk in bought.values_list("pk", flat=True):
        term = _locked(pk)
        if not term.reversals.filter(reference=reference).exists():
            gone += _revoke(term, reference, refunded_minor, paid_minor)
    return gone


def would_revoke(*, payment_reference: str, refunded_minor: int, paid_minor: int) -> timedelta:
    """The time that `revoke_term` would take now: it is done, and undone again. Nothing of it is kept."""
    with transaction.atomic():
        gone = revoke_term(
            reference="preview", payment_reference=payment_reference, refunded_minor=refunded_minor,
            paid_minor=paid_minor,
        )  # fmt: skip
        transaction.set_rollback(True)
    return gone


def _locked(pk: int) -> PlanTerm:
    """The term under the lock of its owner, also when it was claimed meanwhile."""
    while True:
        seen = PlanTerm.objects.get(pk=pk)
        books.lock_owner(user_id=seen.user_id, email="" if seen.user_id else seen.email)
        term = PlanTerm.objects.get(pk=pk)
        if term.user_id == seen.user_id:
            return term


def _revoke(bought: PlanTerm, reference: str, part: int, whole: int) -> timedelta:
    """The share of a bought term, as far as it is not away already: of it and of what was given back of it, the last
    first."""
    share = bought.duration * min(_parts(_live(bought)) + part, whole) // whole
    left = max(timedelta(), share - _removed(_live(bought)))
    gone = timedelta()
    for term in [*bought.pieces.order_by("-pk"), bought]:
        removed = min(left - gone, _unused(term, timezone.now()))
        if removed or term == bought:
            _shorten(term, removed)
            TermReversal.objects.create(
                reference=reference, term=term, part=part, whole=whole, removed=removed
            )
        gone += removed
    return gone


def _live(bought: PlanTerm) -> QuerySet[TermReversal]:
    """What keeps time of a bought term away now. Each reversal has one row on the bought term itself."""
    group = Q(term=bought) | Q(term__restores=bought)
    return TermReversal.objects.filter(group, restored_at=None).select_related("term").order_by("-pk")


def _parts(rows: Iterable[TermReversal]) -> int:
    return sum(row.part for row in rows if row.term.restores_id is None)


def _removed(rows: Iterable[TermReversal]) -> timedelta:
    return sum((row.removed for row in rows), timedelta())


def _shorten(term: PlanTerm, removed: timedelta) -> None:
    if removed and term.user_id is not None and term.ends_at is not None:
        later = PlanTerm.objects.filter(user_id=term.user_id, starts_at__gte=term.ends_at).exclude(pk=term.pk)
        PlanTerm.objects.filter(pk=term.pk).update(ends_at=F("ends_at") - removed)
        later.update(starts_at=F("starts_at") - removed, ends_at=F("ends_at") - removed)
    PlanTerm.objects.filter(pk=term.pk).update(removed=F("removed") + removed)


def _unused(term: PlanTerm, now: datetime) -> timedelta:
    if term.starts_at is None or term.ends_at is None:
        return term.duration - term.removed
    return max(timedelta(), term.ends_at - max(now, term.starts_at))


@transaction.atomic
def restore_term(*, reference: str) -> timedelta:
    """Give back the time that the reversal `reference` took (a won dispute, a refund that failed), as a term of its own
    after what is left. Answers how much; 0 when there is nothing to restore, it was done before, or other refunds and
    disputes of the same money keep it away."""
    back = timedelta()
    touched = TermReversal.objects.filter(reference=reference, term__restores=None, restored_at=None)
    for pk in touched.order_by("term_id").values_list("term_id", flat=True):
        bought = _locked(pk)
        given = _let_go(bought, reference)
        if given:
            again = PlanTerm(
                email=bought.email, plan_sku=bought.plan_sku, duration=given, actor=bought.actor, restores=bought,
                reference=f"{reference}/term{bought.pk}", payment_reference=bought.payment_reference,
                reason="restored",
            )  # fmt: skip
            if bought.user_id is not None:
                begin(again, bought.user_id)
            again.save()
        back += given
    return back


def _let_go(bought: PlanTerm, reference: str) -> timedelta:
    """End the reversal; answers the time that nobody else keeps away. What others do stands on their rows from now on."""
    live = list(_live(bought))
    mine = [row for row in live if row.reference == reference]
    if not mine:
        return timedelta()
    others, whole = [row for row in live if row.reference != reference], mine[0].whole
    away = bought.duration * min(_parts(others), whole) // whole
    given = max(timedelta(), min(_removed(mine), _removed(live) - away))
    for other in [row for row in others if row.term_id == bought.pk][:1]:
        TermReversal.objects.filter(pk=other.pk).update(removed=other.removed + _removed(mine) - given)
    TermReversal.objects.filter(pk__in=[row.pk for row in mine]).update(restored_at=timezone.now())
    return given
