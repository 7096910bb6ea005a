"""Credits and plans that an order bought: granted in the settling transaction, taken back and given again in proportion.

A line's snapshot says what it buys: `credits` (or `points`), and for a plan `plan_sku` and `term_days`. The owner is the
order's user, else whoever proves its e-mail address. Guarantees: idempotent (postings and terms are named after order
and line, reversals after refund or dispute); a grant that cannot be made never undoes a payment: the order stays paid,
staff are told, and it is tried again; what was paid back before it could be made is taken out of it in the same
transaction. Locks: the order, then the account. No call leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from credits.services import ledger, reversals, terms
from orders.models import EarlyTakeBack, Order, OrderLine
from pimpshop.core import errors, staff_items
from pimpshop.core.states import advance

log = structlog.get_logger(__name__)

KINDS = (Order.Kind.CREDITS, Order.Kind.PLAN)
FAILED_KIND = "grant_failed"


def grant(order: Order, *, source: str) -> bool:
    """Give what the order bought and complete it, inside the caller's transaction. False: not possible now, staff know.
    Only a savepoint is lost then: the payment stands."""
    owner = _owner(order)
    try:
        if not owner:
            raise errors.ShopError("nobody to give it to: no account and no e-mail address")
        with transaction.atomic():
            for line in order.lines.all():
                _grant_line(order, line, owner)
            _take_back_early_ones(order)
    except errors.ShopError as error:
        _tell_staff(order, str(error))
        return False
    except Exception as error:  # whatever is wrong with the grant, the money was paid
        log.exception("grant_failed", order=order.order_no)
        _tell_staff(order, type(error).__name__)
        return False
    staff_items.resolve_about(kind=FAILED_KIND, subject=order.order_no, resolution="granted")
    return advance(order, "completed", source=source, reason="granted", completed_at=timezone.now())


def _owner(order: Order) -> dict[str, Any]:
    if order.user_id is not None:
        return {"user_id": order.user_id}
    return {"email": order.email} if order.email else {}


def _grant_line(order: Order, line: OrderLine, owner: dict[str, Any]) -> None:
    reference = f"{order.order_no}/{line.position}"
    credits = int(line.snapshot.get("credits") or line.snapshot.get("points") or 0) * line.quantity
    reason = str(line.snapshot.get("name", ""))[:200]
    if credits:
        ledger.grant(
            amount=credits, reference=reference, payment_reference=order.order_no, reason=reason, **owner
        )
    days = int(line.snapshot.get("term_days") or 0) * line.quantity
    if days:
        terms.grant_term(
            plan_sku=line.snapshot["plan_sku"], days=days, reference=reference, payment_reference=order.order_no,
            reason=reason, **owner,
        )  # fmt: skip


def _tell_staff(order: Order, why: str) -> None:
    staff_items.open_item(
        kind=FAILED_KIND, subject=order.order_no, why=why[:200],
        title=f"Order {order.order_no} is paid, but its credits could not be given",
        detail="The payment stands. It is tried again every minute; find out why it fails, or pay it back.",
    )  # fmt: skip


def take_back(order: Order, *, part: int, whole: int, reference: str, reason: str, actor: str) -> None:
    """`part` of `whole` (minor units) of the money goes back: so does that share of credits and time. Where nothing was
    given yet it is written down, and goes out of what is given later."""
    with transaction.atomic():
        _lock(order)
        if _was_given(order):
            _reverse(order, part=part, whole=whole, reference=reference, reason=reason, actor=actor)
            return
        EarlyTakeBack.objects.get_or_create(
            reference=reference,
            defaults={
                "order": order, "part": part, "whole": whole, "reason": reason[:500], "actor": actor[:120],
            },
        )  # fmt: skip
    log.info("nothing_to_take_back", order=order.order_no)


@dataclass(frozen=True, slots=True)
class Taken:
    """What would be taken back: `credits`, `owed` of them spent already; whole `days` of a plan; `later`: nothing was given
    yet, so it goes out of what is given."""

    credits: int = 0
    owed: int = 0
    days: int = 0
    later: bool = False


def would_take_back(order: Order, *, part: int, whole: int) -> Taken:
    """What `take_back` would take now. Nothing is kept."""
    if not _was_given(order):
        return Taken(later=True)
    share: dict[str, Any] = {
        "payment_reference": order.order_no, "refunded_minor": part, "paid_minor": whole,
    }  # fmt: skip
    credits = reversals.would_reverse(**share)
    days = terms.would_revoke(**share).days if terms.has_terms(order.order_no) else 0
    return Taken(credits.credits, credits.shortfall, days)


def _lock(order: Order) -> None:
    """A grant at this very moment is over afterwards, or waits for the caller's transaction."""
    Order.objects.select_for_update(no_key=True).get(pk=order.pk)


def _was_given(order: Order) -> bool:
    return reversals.has_lots(order.order_no) or terms.has_terms(order.order_no)


def _reverse(order: Order, *, part: int, whole: int, reference: str, reason: str, actor: str) -> None:
    share: dict[str, Any] = {
        "reference": reference, "payment_reference": order.order_no, "refunded_minor": part, "paid_minor": whole,
    }  # fmt: skip
    if reversals.has_lots(order.order_no):
        taken = reversals.reverse(**share, reason=reason, actor=actor)
        log.info("credits_taken_back", order=order.order_no, credits=taken.credits, owed=taken.shortfall)
    terms.revoke_term(**share)


def _take_back_early_ones(order: Order) -> None:
    for early in order.early_take_backs.order_by("pk"):
        _reverse(
            order, part=early.part, whole=early.whole, reference=early.reference, reason=early.reason,
            actor=early.actor,
        )  # fmt: skip
        early.delete()


def give_again(order: Order, *, reference: str, actor: str) -> None:
    """The refund `reference` failed, or the dispute was won."""
    with transaction.atomic():
        _lock(order)
        order.early_take_backs.filter(reference=reference).delete()
        reversals.restore(reference=reference, reason="not paid back after all", actor=actor)
        terms.restore_term(reference=reference)


def note_paid_back(order: Order) -> None:
    """All of the money is back: what could not be given is not to be given any more."""
    staff_items.resolve_about(kind=FAILED_KIND, subject=order.order_no, resolution="paid back")


def due(limit: int = 50) -> list[int]:
    """Paid orders of credits and plans (and other shops' orders) that are not completed, at most once a minute each."""
    rows = Order.objects.filter(status="paid", kind__in=(*KINDS, Order.Kind.MERCHANT))
    return list(rows.order_by("paid_at").values_list("pk", flat=True)[:limit])


def grant_again(order_pk: int) -> bool:
    """Try one more time to deliver a paid order of credits or a plan; another shop's order is done by being paid."""
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).filter(pk=order_pk, status="paid").first()
        if order is None:
            return False
        if order.kind == Order.Kind.MERCHANT:
            return advance(order, "completed", source="system", completed_at=timezone.now())
        return grant(order, source="system")
