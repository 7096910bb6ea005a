"""Requests for a second person: asked for, decided once, lapsed after a day. Rows only; what is asked for is done by the
desk (pimpshop.core.admin.second_person), in the transaction that marks it as done.

Guarantees: one open request for each act on a row; of any number of decisions one wins; nobody decides about their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors, redaction, staff_items
from pimpshop.core.models import StaffRequest
from pimpshop.core.money import Money
from pimpshop.core.states import advance, remark

KIND = "second_person"
#: Afterwards nothing moves: what was true then may not be now.
LASTS = timedelta(hours=24)


class AskedAlready(errors.Conflict):
    code = "asked_already"
    message = _("The same is waiting for a second person already. Nothing was changed.")


class DecidedAlready(errors.Conflict):
    code = "decided_already"
    message = _("This was decided already. Nothing was changed.")


class Lapsed(errors.Gone):
    code = "lapsed"
    message = _("Nobody decided within a day, so this is over. Nothing was moved. Ask again.")


class OnesOwn(errors.Conflict):
    code = "ones_own"
    message = _("You asked for this yourself: somebody else decides. Nothing was changed.")


def ask(
    *,
    act: str,
    label: str,
    model: str,
    object_id: Any,
    subject: str,
    reason: str,
    typed: dict[str, str],
    lines: Sequence[str],
    moves: Sequence[Money],
    fingerprint: str,
    above: str,
    user: Any,
) -> StaffRequest:
    """Write the request down and open its item. Raises AskedAlready.

    The lines stay for good, and in the audit: without addresses of customers, who may want to be forgotten. One that was
    typed stays only in its own column, and only until this is over."""
    now = timezone.now()
    kept = [redaction.scrub_text(line, max_bytes=1000) for line in lines]
    with transaction.atomic():
        try:
            with transaction.atomic():
                row = StaffRequest.objects.create(
                    act=act, model=model, object_id=str(object_id), subject=subject[:120], reason=reason[:500],
                    typed={name: said for name, said in typed.items() if name != "person"},
                    person=typed.get("person", ""), lines=kept, moves=[[m.amount_minor, m.currency] for m in moves],
                    fingerprint=fingerprint, above=above[:300], asked_by_id=user.pk, asked_by=str(user)[:120],
                    expires_at=now + LASTS,
                )  # fmt: skip
        except IntegrityError as error:
            raise AskedAlready from error
        remark(row, source="admin", actor=row.asked_by, reason=reason, data={"lines": row.lines})
        staff_items.open_item(
            kind=KIND, subject=row.number, title=f"Waits for a second person: {label}, {subject}"[:200],
            detail=f"{row.asked_by}: {reason}\n" + "\n".join(kept),
            path=reverse("admin:core_staffrequest_change", args=[row.pk]),
        )  # fmt: skip
    return row


def locked(pk: int) -> StaffRequest:
    """The request, for a decision in the caller's transaction."""
    return StaffRequest.objects.select_for_update(no_key=True).get(pk=pk)


def must_be_open(row: StaffRequest) -> None:
    """Raises DecidedAlready, Lapsed."""
    if row.status != "asked":
        raise Lapsed if row.status == "lapsed" else DecidedAlready
    if row.expires_at <= timezone.now():
        raise Lapsed


def end(row: StaffRequest, to: str, *, user: Any = None, reason: str = "", source: str = "admin") -> None:
    """Decide a locked request and close its item. Raises DecidedAlready."""
    who = str(user)[:120] if user is not None else ""
    fields: dict[str, Any] = {"person": ""}
    fields |= {"decided_by_id": user.pk, "decided_by": who} if user is not None else {}
    if not advance(row, to, source=source, actor=who, reason=reason, **fields):
        raise DecidedAlready
    staff_items.resolve_about(
        kind=KIND, subject=row.number, actor=who or "system", resolution=f"{to}: {reason}"[:500]
    )


def turn_down(row: StaffRequest, *, user: Any, reason: str) -> None:
    """A second person says no. Raises OnesOwn, DecidedAlready, Lapsed."""
    with transaction.atomic():
        row = locked(row.pk)
        must_be_open(row)
        if row.asked_by_id == user.pk:
            raise OnesOwn
        end(row, "turned_down", user=user, reason=reason)


def withdraw(row: StaffRequest, *, user: Any, reason: str) -> None:
    """Who asked takes it back. Raises DecidedAlready, Lapsed, and Conflict for anybody else."""
    with transaction.atomic():
        row = locked(row.pk)
        must_be_open(row)
        if row.asked_by_id != user.pk:
            raise errors.Conflict(_("Only who asked for it can take it back. Nothing was changed."))
        end(row, "withdrawn", user=user, reason=reason)


def forget_person(email: str) -> int:
    """Somebody is erased: requests that name their address know it no more. One that waits cannot be done any more then,
    and ends when somebody decides or after its day. Answers how many."""
    return StaffRequest.objects.filter(person__iexact=email).update(person="") if email else 0


def lapse_due(limit: int = 100) -> int:
    """End what nobody decided in time; a sweep round."""
    due = StaffRequest.objects.filter(status="asked", expires_at__lte=timezone.now()).order_by("pk")
    ended = 0
    for row in due[:limit]:
        with transaction.atomic():
            row = locked(row.pk)
            if row.status == "asked":
                end(row, "lapsed", reason="nobody decided within a day", source="sweeper")
                ended += 1
    return ended
