"""Somebody's two accounts become one: their orders. Idempotent; locks the orders. The caller has a transaction."""

from __future__ import annotations

from orders.models import CreditPart, Order
from pimpshop.core.states import remark


def has_orders(user_id: int) -> bool:
    return Order.objects.filter(user_id=user_id).exists()


def hand_over(user_id: int, to_user_id: int, *, actor: str) -> list[str]:
    """Every order of one user is the other's from now on, whatever its state; answers their numbers.

    A payment that is being settled holds its order: then this waits, and finds what it granted afterwards.
    """
    moved = []
    for order in Order.objects.select_for_update(no_key=True).filter(user_id=user_id).order_by("pk"):
        Order.objects.filter(pk=order.pk).update(user_id=to_user_id)
        remark(order, source="account", reason="two accounts of one person were joined", actor=actor)
        moved.append(order.order_no)
    CreditPart.objects.filter(user_id=user_id).update(user_id=to_user_id)  # their holds move with the ledger
    return moved
