"""Orders of another shop that uses our payments API: an amount and a text. Fulfilled by the outgoing event, not here.

Guarantees: one order per id that the other shop gives, whoever repeats the request or together; its amount never
changes. No call leaves.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction

from orders.models import Order, OrderLine
from pimpshop.core import ids
from pimpshop.core.money import Money
from pimpshop.core.states import remark


def make(
    *,
    public_id: uuid.UUID | None,
    total: Money,
    user: Any,
    email: str,
    description: str,
    language: str,
    actor: str,
) -> Order:
    """A pending order of kind `merchant`; the one that has `public_id` already (somebody was faster) as it is.

    The caller compares amount and owner with what it wanted.
    """
    public_id = public_id or uuid.uuid4()
    try:
        with transaction.atomic():
            order = Order.objects.create(
                public_id=public_id, order_no=ids.new_order_no(), kind=Order.Kind.MERCHANT, user=user, email=email,
                language=language, currency=total.currency, total_minor=total.amount_minor,
            )  # fmt: skip
            OrderLine.objects.create(
                order=order, unit_minor=total.amount_minor, snapshot={"name": description[:200]}
            )
            remark(order, source="api", actor=actor, reason="created")
    except IntegrityError:
        known = Order.objects.select_related("user").filter(public_id=public_id).first()
        if known is None:
            raise
        return known
    return order
