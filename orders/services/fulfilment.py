"""Fulfilment: what follows from an order being paid, in the settling transaction; and its completion.

Guarantees: an order is settled once (compare-and-set); the print job exists exactly if the order is paid.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from orders.models import Order, OrderLine
from orders.services import granting
from pimpshop.core import ids
from pimpshop.core.money import Money
from pimpshop.core.states import advance
from vending.models import PrintJob
from vending.services import print_jobs, sessions


def settle(
    order: Order,
    *,
    payment_third_id: str,
    at_machine: bool,
    source: str,
    captured_minor: int | None = None,
) -> bool:
    """The order is paid: start what it bought. Answers False when it had been settled before (the money is surplus).

    Call it inside the transaction that moves the payment. A cancelled order is honoured; a refunded one is not.
    `captured_minor` below the total: another shop took less than it had ordered, and that is the order's total now.
    """
    fields: dict[str, Any] = {"paid_at": timezone.now()}
    if captured_minor is not None and captured_minor != order.total_minor:
        fields["total_minor"] = captured_minor
    if not advance(order, "paid", source=source, only_from=["pending", "cancelled"], **fields):
        return False
    if order.kind in granting.KINDS:
        granting.grant(order, source=source)
    elif order.kind == Order.Kind.MERCHANT:
        advance(order, "completed", source=source, reason="another shop's order", completed_at=timezone.now())
    elif order.kind == Order.Kind.CASE:
        _print_cases(order, payment_third_id=payment_third_id, at_machine=at_machine)
    if order.session_id:
        sessions.mark_paid(order.session_id, order_no=order.order_no, amount=order.total, source=source)
    return True


def _print_cases(order: Order, *, payment_third_id: str, at_machine: bool) -> None:
    for line in order.lines.all():
        if line.design_id is None:
            raise ValueError(f"line {line} of a case order has no design")
        print_jobs.create_job(
            reference=f"{order.order_no}/{line.position}",
            order_no=order.order_no,
            session_id=order.session_id,
            machine_id=order.machine_id,
            payment_third_id=payment_third_id or ids.next_third_id("PYEN"),
            third_order_id=line.snapshot["third_order_id"],
            pay_type=print_jobs.PAY_AT_MACHINE if at_machine else print_jobs.PAID_ONLINE,
            amount=_told_price(order, line),
            mobile_model_id=line.snapshot["mobile_model_id"],
            mobile_shell_id=line.snapshot["mobile_shell_id"],
            shell_id=line.shell_id,
            design_id=line.design_id,
            print_sha256=line.snapshot["print_sha256"],
            delay_seconds=settings.MANUFACTURER_ORDER_DELAY_SECONDS if at_machine else 0,
        )


def _told_price(order: Order, line: OrderLine) -> Money:
    """What the manufacturer is told that the case cost: money, also where it was paid with credits."""
    told = line.snapshot.get("told_price")
    return Money(**told) if told else Money(line.unit_minor, order.currency)


def take_back(order: Order, *, part: int, whole: int, reference: str, reason: str, actor: str = "") -> None:
    """`part` of `whole` of the money goes back (or is disputed): what it bought goes back in proportion, inside the
    caller's transaction. Idempotent by `reference`. A case is stopped by its print job, not here."""
    if order.kind in granting.KINDS:
        granting.take_back(order, part=part, whole=whole, reference=reference, reason=reason, actor=actor)


def would_take_back(order: Order, *, part: int, whole: int) -> granting.Taken:
    """What `take_back` would take now, for whoever is to say yes to it. Nothing is kept."""
    if order.kind in granting.KINDS:
        return granting.would_take_back(order, part=part, whole=whole)
    return granting.Taken()


def give_again(order: Order, *, reference: str, actor: str = "") -> None:
    """What `take_back` took under `reference` is the buyer's again: the refund failed, or the dispute was won."""
    if order.kind in granting.KINDS:
        granting.give_again(order, reference=reference, actor=actor)


def note_paid_back(order: Order) -> None:
    """All of the money is back, inside the caller's transaction. A case is stopped by its print job, not here."""
    if order.kind in granting.KINDS:
        granting.note_paid_back(order)


def complete(order_no: str) -> bool:
    """paid -> completed when every case of the order is printed. Answers whether it moved now."""
    order = Order.objects.filter(order_no=order_no, status="paid").first()
    if order is None:
        return False
    jobs = list(PrintJob.objects.filter(order_no=order_no).values_list("status", flat=True))
    if not jobs or any(status not in ("printed", "collected") for status in jobs):
        return False
    return advance(order, "completed", source="system", reason="printed", completed_at=timezone.now())


def complete_printed(limit: int = 100) -> int:
    """Complete the paid orders whose cases are printed; a sweep round."""
    paid = Order.objects.filter(status="paid", kind=Order.Kind.CASE).order_by("paid_at")
    numbers = PrintJob.objects.filter(
        order_no__in=paid.values("order_no"), status__in=("printed", "collected")
    ).values_list("order_no", flat=True)[:limit]
    return sum(complete(order_no) for order_no in set(numbers))
