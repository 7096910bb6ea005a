"""Holds: set credits apart for something that is being paid, then spend them or let them go; and give spent ones back.

Guarantees: idempotent by reference; held credits have left their lots, so they can always be committed, whatever ends or
is taken back meanwhile, and nothing else can use them (docs/adr/0015); a committed hold is exactly one spending; one
live hold for each subject. Locks: the user's account, then the hold; committing takes the hold alone. No call outside.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credits.models import CreditAccount, Hold, Posting
from credits.services import books, ledger, returning
from pimpshop.core import errors
from pimpshop.core.states import advance, remark

System = CreditAccount.System


class AlreadyHeld(errors.Conflict):
    code = "credits_already_held"
    message = _("Credits are already set aside for this. Nothing more was taken.")


class ReturnTooLarge(errors.Conflict):
    code = "return_too_large"
    message = _("That is more than what was spent. Nothing was given back.")


@transaction.atomic
def reserve(
    *,
    user_id: int,
    amount: int,
    reference: str,
    subject: str,
    expires_at: datetime,
    source: str,
    reason: str = "",
    actor: str = "",
) -> Hold:
    """Set `amount` credits of a user apart for `subject` until `expires_at`: what ends soonest first, given before bought.

    The second call with the same reference changes nothing and answers the first hold, however it stands. Raises
    ledger.NotEnoughCredits, AlreadyHeld (another live hold for the subject; nothing was held), books.ReferenceTaken.
    """
    if amount <= 0 or not reference or not subject:
        raise ValueError(f"no hold: {amount} credits, reference {reference!r}, subject {subject!r}")
    account = books.lock_owner(user_id=user_id)
    before = Hold.objects.filter(reference=reference).first()
    if before is not None:
        if (before.account_id, before.amount, before.subject) != (account.pk, amount, subject):
            raise books.ReferenceTaken
        return before
    if live(subject) is not None:
        raise AlreadyHeld
    books.expire(account, timezone.now())
    if account.balance < amount:
        raise ledger.NotEnoughCredits(details={"available": account.balance, "asked": amount})
    try:
        with transaction.atomic():
            hold = Hold.objects.create(
                reference=reference, subject=subject, account=account, amount=amount, expires_at=expires_at
            )
    except IntegrityError:  # somebody else's credits were faster
        raise AlreadyHeld from None
    remark(hold, source=source, actor=actor, reason="created")
    books.post(
        kind=Posting.Kind.HOLD, reference=reference, source=account, destination=books.system(System.HELD),
        amount=amount, changes=books.draw(account, amount), reason=reason, actor=actor,
    )  # fmt: skip
    return hold


def live(subject: str) -> Hold | None:
    """The hold that pays for `subject`: held or committed."""
    return Hold.objects.filter(subject=subject, status__in=("held", "committed")).first()


def find(reference: str) -> Hold | None:
    """The hold with that reference, however it stands."""
    return Hold.objects.filter(reference=reference).first()


def extend(hold: Hold, until: datetime) -> None:
    """Let a hold last at least `until`."""
    Hold.objects.filter(pk=hold.pk, status="held", expires_at__lt=until).update(expires_at=until)


@transaction.atomic
def commit(hold: Hold, *, source: str, reason: str = "", actor: str = "") -> bool:
    """Spend what is held, in the caller's transaction. Answers whether it moved: a hold that was released is not spent,
    and one that was committed before is not spent again."""
    if not advance(hold, "committed", source=source, actor=actor, reason=reason):
        return False
    books.post(
        kind=Posting.Kind.SPEND, reference=hold.reference, source=books.system(System.HELD),
        destination=books.system(System.SPENT), amount=hold.amount, reason=reason, actor=actor,
    )  # fmt: skip
    return True


@transaction.atomic
def release(hold: Hold, *, source: str, reason: str = "", actor: str = "") -> bool:
    """Let go what is held: back into the lots it came from (what of them has ended meanwhile expires at once), a debt is
    paid first. Answers whether it moved: committed and released ones stay."""
    account = _locked(hold)
    if not advance(hold, "released", source=source, actor=actor, reason=reason):
        return False
    drawn = Posting.objects.get(kind=Posting.Kind.HOLD, reference=hold.reference)
    returning.come_back(
        account, hold.amount, kind=Posting.Kind.RELEASE, reference=hold.reference, source=books.system(System.HELD),
        drawn=drawn, reason=reason, actor=actor,
    )  # fmt: skip
    books.expire(account, timezone.now())
    return True


@transaction.atomic
def give_back(hold: Hold, *, amount: int, reference: str, reason: str = "", actor: str = "") -> int:
    """Give `amount` of a committed hold back under `reference`, a refund's number: into the lots it came from, which live
    for returning.GRACE at least; a debt is paid first. Answers the amount; the same reference again changes nothing.

    Raises ReturnTooLarge (also for a hold that was not committed), books.ReferenceTaken.
    """
    if amount <= 0 or not reference:
        raise ValueError(f"nothing to give back: {amount} credits, reference {reference!r}")
    account = _locked(hold)
    done = returning.booked(Posting.Kind.GIVE_BACK, reference)
    if done:
        if done != amount:
            raise books.ReferenceTaken
        return done
    fits = Hold.objects.filter(pk=hold.pk, status="committed", returned__lte=F("amount") - amount)
    if not fits.update(returned=F("returned") + amount):
        raise ReturnTooLarge
    drawn = Posting.objects.get(kind=Posting.Kind.HOLD, reference=hold.reference)
    returning.come_back(
        account, amount, kind=Posting.Kind.GIVE_BACK, reference=reference, source=books.system(System.SPENT),
        drawn=drawn, lives_on=True, reason=reason, actor=actor,
    )  # fmt: skip
    return amount


@transaction.atomic
def take_again(hold: Hold, *, amount: int, reference: str, reason: str = "", actor: str = "") -> bool:
    """What was given back is spent after all (the refund failed that it belonged to): from what the user has, the rest is
    a debt. Answers whether it was done now; the same reference again changes nothing."""
    account = _locked(hold)
    kinds = (Posting.Kind.TAKE_AGAIN, Posting.Kind.SHORTFALL)
    if Posting.objects.filter(kind__in=kinds, reference=reference).exists():
        return False
    Hold.objects.filter(pk=hold.pk).update(returned=F("returned") - amount)
    books.expire(account, timezone.now())
    taken, spent = min(amount, account.balance), books.system(System.SPENT)
    if taken:
        books.post(
            kind=Posting.Kind.TAKE_AGAIN, reference=reference, source=account, destination=spent, amount=taken,
            changes=books.draw(account, taken), reason=reason, actor=actor,
        )  # fmt: skip
    if amount > taken and account.user_id is not None:
        books.post(
            kind=Posting.Kind.SHORTFALL, reference=reference, source=books.lock_debt(account.user_id),
            destination=spent, amount=amount - taken, reason=reason, actor=actor,
        )  # fmt: skip
    return True


def _locked(hold: Hold) -> CreditAccount:
    """The account that the hold's credits come back to, also when two accounts were joined meanwhile."""
    while True:
        account = CreditAccount.objects.select_for_update(no_key=True).get(pk=hold.account_id)
        if Hold.objects.filter(pk=hold.pk, account=account).exists():
            return account
        hold.refresh_from_db(fields=["account"])


def release_due(limit: int = 100) -> int:
    """Release holds whose time is over; a sweep round. Answers how many."""
    due = Hold.objects.filter(status="held", expires_at__lte=timezone.now()).order_by("expires_at")
    return sum(release(hold, source="sweeper", reason="its time was over") for hold in due[:limit])
