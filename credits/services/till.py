"""Pay with credits, in the words of a provider: what the gateway `credits` is given as callables.

Here: a word for each outcome, so that the gateway need not know this app. Not here: what the words mean for a payment
(payments.gateways.credits), and committing, which belongs to the transaction that settles the payment.
Guarantees: those of `holds`; each call is a transaction of its own.
"""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from credits.models import Posting
from credits.services import books, holds, ledger, returning

NOT_ENOUGH, TAKEN, ALREADY_HELD, NOBODY, UNKNOWN = "not_enough", "taken", "already_held", "nobody", "unknown"
GIVEN_BACK, TOO_MUCH = "given_back", "too_much"
#: Who holds, in the events of a hold.
SOURCE = "payment"


def hold(*, payer: str, amount: int, reference: str, subject: str, until: datetime) -> str:
    """Set `amount` credits of the user `payer` (their number) apart; answers how the hold stands, or why there is none. A
    repeat finds its hold, whoever owns it by now (two accounts may have been joined)."""
    before = holds.find(reference)
    if before is not None:
        return before.status if (before.amount, before.subject) == (amount, subject) else TAKEN
    if not User.objects.filter(
        pk=int(payer) if payer.isascii() and payer.isdigit() else 0, is_active=True
    ).exists():
        return NOBODY
    try:
        made = holds.reserve(
            user_id=int(payer), amount=amount, reference=reference, subject=subject, expires_at=until, source=SOURCE,
            reason=f"order {subject}",
        )  # fmt: skip
    except ledger.NotEnoughCredits:
        return NOT_ENOUGH
    except books.ReferenceTaken:
        return TAKEN
    except holds.AlreadyHeld:
        return ALREADY_HELD
    return made.status


def look(*, reference: str) -> tuple[str, int]:
    """How a hold stands, and its credits; UNKNOWN and 0 when there is none."""
    found = holds.find(reference)
    return (found.status, found.amount) if found is not None else (UNKNOWN, 0)


def release(*, reference: str) -> tuple[str, int]:
    """Let a hold go, unless it was committed; answers how it stands then."""
    found = holds.find(reference)
    if found is not None:
        holds.release(found, source=SOURCE, reason="closed")
    return look(reference=reference)


def give_back(*, reference: str, amount: int, refund: str, reason: str) -> str:
    """Give `amount` of a committed hold back under the number `refund`."""
    found = holds.find(reference)
    if found is None:
        return UNKNOWN
    try:
        holds.give_back(found, amount=amount, reference=refund, reason=reason)
    except holds.ReturnTooLarge:
        return TOO_MUCH
    except books.ReferenceTaken:
        return TAKEN
    return GIVEN_BACK


def look_refund(*, refund: str) -> tuple[str, int]:
    """What was given back under that number; UNKNOWN and 0 for nothing."""
    amount = returning.booked(Posting.Kind.GIVE_BACK, refund)
    return (GIVEN_BACK, amount) if amount else (UNKNOWN, 0)
