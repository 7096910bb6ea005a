"""What the ledger tells in a timeline: the postings under an order's, a refund's or a payment's number, and a person's."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from credits.models import CreditAccount, Hold, Lot, Posting, Reversal
from pimpshop.core.admin import people, timeline


def _entries(found: Iterable[Posting]) -> list[timeline.Entry]:
    return [
        timeline.Entry(
            at=posting.at,
            lane="credits",
            title=f"{posting.get_kind_display()} · {posting.amount}",
            who=posting.actor,
            why=posting.reason,
            number=posting.reference.removeprefix("restore:").partition("/lot")[0],
        )
        for posting in found
    ]


def _references(numbers: set[str]) -> set[str]:
    """What the ledger calls what follows from these numbers: grants, what was taken back of them, and holds."""
    lots = dict(Lot.objects.filter(payment_reference__in=numbers).values_list("pk", "posting__reference"))
    back = Reversal.objects.filter(lot__in=lots).values_list("reference", "lot_id")
    names = {f"{reference}/lot{lot}" for reference, lot in back}
    holds = set(Hold.objects.filter(subject__in=numbers).values_list("reference", flat=True))
    return numbers | set(lots.values()) | names | {f"restore:{name}" for name in names} | holds


@timeline.by_number
def _postings(numbers: set[str]) -> list[timeline.Entry]:
    """By the unique index (kind, reference)."""
    found = Posting.objects.filter(kind__in=Posting.Kind.values, reference__in=_references(numbers))
    return _entries(found.order_by("at")[: timeline.MOST_EVENTS])


@people.own
def _of_person(user_id: int, when: people.When) -> list[timeline.Entry]:
    """Every movement on their accounts in that time (by the indexes posting_source and posting_destination)."""
    accounts = list(CreditAccount.objects.filter(user_id=user_id).values_list("pk", flat=True))
    out = Q(source__in=accounts, source_after__isnull=False)
    into = Q(destination__in=accounts, destination_after__isnull=False)
    return _entries(when.of(Posting.objects.filter(out | into)).order_by("-pk")[: timeline.MOST_EVENTS])
