"""What staff decide about a refund that was made in the provider's own pages: it was one of us after all, or it was not.

Guarantees: decided once, under the payment's lock, with who and why; the money and what was bought stay as the provider
said (payments.services.refund_notices). Not ours opens an item of its own: somebody else has a key. No call leaves.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payments.models import PaymentIntent, Refund
from payments.services import refund_notices
from pimpshop.core import errors, staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.states import remark

NOT_OURS_KIND = "external_refund_not_ours"
DECIDED = "decided"


class NotToDecide(errors.Conflict):
    code = "not_to_decide"
    message = _("This refund was decided about already, or was made here. Nothing was changed.")


def waits(refund: Refund) -> bool:
    """Was it made elsewhere, and has nobody said yet what it was?"""
    return refund.origin == Refund.Origin.PROVIDER and DECIDED not in refund.metadata


def decide(*, refund: Refund, ours: bool, actor: str, reason: str) -> None:
    """Raises NotToDecide."""
    with transaction.atomic():
        intent = PaymentIntent.objects.select_for_update(no_key=True).get(pk=refund.intent_id)
        row = Refund.objects.select_for_update(no_key=True).get(pk=refund.pk)
        if not waits(row):
            raise NotToDecide
        word = "ours" if ours else "not ours"
        row.metadata = {**row.metadata, DECIDED: {"word": word, "by": actor[:120]}}
        row.save(update_fields=["metadata"])
        remark(row, source="admin", actor=actor, reason=f"{word}: {reason}")
        AuditEntry.objects.create(
            actor=actor, action=f"external refund: {word}", subject=row.out_refund_no, reason=reason,
            data={"amount_minor": row.amount_minor, "currency": row.currency},
        )  # fmt: skip
        staff_items.resolve_about(
            kind=refund_notices.EXTERNAL_KIND,
            subject=row.out_refund_no,
            actor=actor,
            resolution=f"{word}: {reason}",
        )
        if not ours:
            staff_items.open_item(
                kind=NOT_OURS_KIND, subject=row.out_refund_no, why=reason,
                title=f"{row.amount} of order {intent.order.order_no} was paid back, and by none of us",
                detail="Change the provider's passwords and keys, and ask the provider who did it.",
            )  # fmt: skip
