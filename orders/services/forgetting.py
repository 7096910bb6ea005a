"""What orders stop knowing: pictures some weeks after the case was printed, and the person when somebody is erased.

Numbers, amounts, states and times stay: they are the books. Guarantees: idempotent; nothing of an order that is still to
be paid for, printed or handed over is touched. No call outside.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import User
from catalog.models import Design
from catalog.services import forgetting
from orders.models import CaseReport, Order, OrderLine
from pimpshop.core.states import remark

#: Orders that are over.
OVER = ("completed", "cancelled", "refunded")


def forget_printed(limit: int = 50) -> int:
    """Remove the pictures of cases that were printed (or never paid for) PHOTOS_KEPT_DAYS ago; a sweep round. Answers how many designs."""
    if not settings.PHOTOS_KEPT_DAYS:
        return 0
    until = timezone.now() - timedelta(days=settings.PHOTOS_KEPT_DAYS)
    kept = Design.objects.filter(forgotten_at=None).exclude(frozen_at=None)
    over = Q(order__status__in=OVER, order__completed_at__lt=until) | Q(
        order__status="cancelled", order__created_at__lt=until
    )
    lines = OrderLine.objects.filter(over, design_id__in=kept.values("pk"))
    return forgetting.forget(_designs(lines.order_by("pk")[:limit]))


def _designs(lines: QuerySet[OrderLine]) -> list[uuid.UUID]:
    return [design for design in lines.values_list("design_id", flat=True) if design is not None]


def open_orders(user: User) -> list[Order]:
    """Paid orders of `user` that are not delivered yet."""
    return list(Order.objects.filter(user=user, status="paid").order_by("pk"))


def erase_person(user: User, *, actor: str) -> dict[str, int]:
    """The orders of `user` lose their address and pictures; the caller has a transaction and has seen that none is open."""
    rows = list(Order.objects.select_for_update(no_key=True).filter(user=user).order_by("pk"))
    designs = OrderLine.objects.filter(order__in=rows, order__status__in=OVER)
    forgotten = forgetting.forget(_designs(designs))
    Order.objects.filter(pk__in=[row.pk for row in rows]).update(email="")
    CaseReport.objects.filter(order__in=rows).update(words="", contact="")
    for row in rows:
        remark(row, source="account", reason="the person was erased", actor=actor)
    others = Order.objects.alias(address=Lower("email")).filter(address=(user.email or "-").lower())
    return {"orders": len(rows), "ordered_designs": forgotten, "addresses": others.update(email="")}
