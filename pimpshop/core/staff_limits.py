"""How much a member of staff may move alone: at once, and in a day (UTC), per currency.

Guarantees: `lock` first, then ask, act and `note` in one transaction: any number of acts at once never pass the day's
limit. What was moved is counted from append-only rows; only what failed after all (`undo`) frees it again. No call leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from pimpshop.core.models import StaffLimit, StaffMove
from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop

#: The advisory locks of people are of this class; no other module uses it.
_LOCKS = 0x5AFF


@dataclass(frozen=True, slots=True)
class Limit:
    """Minor units of one currency."""

    at_once: int
    per_day: int


def lock(person_id: int) -> None:
    """Let one act of that person after the other through, until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, person_id % 2**31])


def of(user: Any, currency: str) -> Limit:
    """The person's limit: the highest of their groups', else everybody's row, else the settings'. Nothing says anything
    about the currency: a second person decides about all of it."""
    rows = StaffLimit.objects.filter(currency=currency)
    found = list(rows.filter(group__in=user.groups.all())) or list(rows.filter(group=None))
    if found:
        return Limit(max(row.at_once_minor for row in found), max(row.per_day_minor for row in found))
    return Limit(
        settings.STAFF_SECOND_PERSON_MINOR.get(currency, 0), settings.STAFF_PER_DAY_MINOR.get(currency, 0)
    )


def moved_today(person_id: int, currency: str) -> int:
    """Minor units that the person has moved since midnight (UTC)."""
    rows = StaffMove.objects.filter(person_id=person_id, day=timezone.now().date(), currency=currency)
    return int(rows.aggregate(Sum("amount_minor"))["amount_minor__sum"] or 0)


def above(user: Any, moves: Iterable[Money]) -> str:
    """Which limit `moves` would pass, in words; "" for none."""
    for move in moves:
        limit = of(user, move.currency)
        today = moved_today(user.pk, move.currency) + move.amount_minor
        told = {
            "amount": _money(move.amount_minor, move.currency),
            "limit": _money(limit.at_once, move.currency),
            "today": _money(today, move.currency),
            "day": _money(limit.per_day, move.currency),
        }
        if move.amount_minor > limit.at_once:
            return _("%(amount)s is more than one person moves alone at once (%(limit)s).") % told
        if today > limit.per_day:
            return _("With this you would have moved %(today)s today; alone it is %(day)s at most.") % told
    return ""


def _money(minor: int, currency: str) -> str:
    return shop.money(Money(minor, currency))


def note(
    *,
    person_id: int,
    person: str,
    act: str,
    subject: str,
    reference: str,
    moves: Sequence[Money],
    second_person: str = "",
) -> None:
    """Write down what moved, in the transaction that moves it."""
    StaffMove.objects.bulk_create(
        StaffMove(
            person_id=person_id, person=person[:120], second_person=second_person[:120], act=act,
            subject=subject[:120], reference=reference[:120], amount_minor=move.amount_minor,
            currency=move.currency, day=timezone.now().date(),
        )
        for move in moves
    )  # fmt: skip


def undo(reference: str) -> None:
    """What was moved under that number did not move after all: it counts no more, on its own day. Idempotent."""
    rows = StaffMove.objects.filter(reference=reference, amount_minor__gt=0)
    StaffMove.objects.bulk_create(
        (
            StaffMove(
                person_id=row.person_id, person=row.person, second_person=row.second_person, act=row.act,
                subject=row.subject, reference=row.reference, amount_minor=-row.amount_minor,
                currency=row.currency, day=row.day,
            )
            for row in rows
        ),
        ignore_conflicts=True,
    )  # fmt: skip
