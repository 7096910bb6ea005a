"""What the ledger tells in a timeline: the postings under an order's, a refund's or a payment's number."""

from __future__ import annotations

from credits.models import Posting
from pimpshop.core.admin import timeline


@timeline.by_number
def _postings(numbers: set[str]) -> list[timeline.Entry]:
    """By the unique index (kind, reference): a posting's reference is the number that it follows from."""
    found = Posting.objects.filter(kind__in=Posting.Kind.values, reference__in=numbers)
    return [
        timeline.Entry(
            at=posting.at,
            lane="credits",
            title=f"{posting.get_kind_display()} · {posting.amount}",
            who=posting.actor,
            why=posting.reason,
        )
        for posting in found.order_by("at")[: timeline.MOST_EVENTS]
    ]
