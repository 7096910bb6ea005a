"""Money that came after its order was over: staff say that it is wanted (or pay it back with a refund).

Guarantees: said once for each item, with who and why; nothing moves, for the order counts as paid already. No call leaves.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payments.models import PaymentIntent
from payments.services import staff_kinds
from pimpshop.core import errors, staff_items
from pimpshop.core.models import AuditEntry, StaffItem
from pimpshop.core.states import remark


class NotLate(errors.Conflict):
    code = "not_late"
    message = _(
        "This payment did not come late, or somebody said already what becomes of it. Nothing was changed."
    )


def waits(intent: PaymentIntent) -> bool:
    """Did the money come late, and has nobody said yet what becomes of it?"""
    items = StaffItem.objects.filter(
        kind=staff_kinds.LATE_KIND, subject=intent.out_trade_no, resolved_at=None
    )
    return items.exists()


def accept(*, intent: PaymentIntent, actor: str, reason: str) -> None:
    """The customer still wants it. Raises NotLate."""
    with transaction.atomic():
        ended = staff_items.resolve_about(
            kind=staff_kinds.LATE_KIND,
            subject=intent.out_trade_no,
            actor=actor,
            resolution=f"accepted: {reason}",
        )
        if not ended:
            raise NotLate
        remark(intent, source="admin", actor=actor, reason=f"late, and accepted: {reason}")
        AuditEntry.objects.create(
            actor=actor, action="accept late payment", subject=intent.out_trade_no, reason=reason
        )
