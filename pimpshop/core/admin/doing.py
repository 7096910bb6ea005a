"""Doing an act on one row: what was shown must still be true, limits are kept, the second person is asked.

Guarantees: an act with a preview is done in one transaction with the check of what was shown, the count for the day's limit
and its audit entry, or not at all; calls to others follow after the commit. Above a limit nothing moves: a request is
written instead (pimpshop.core.staff_requests).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from pimpshop.core import staff_limits, staff_requests
from pimpshop.core.admin.acts import TYPED, Act, Did, Doing, Preview, fingerprint, plain_preview
from pimpshop.core.models import AuditEntry, StaffRequest


@dataclass(frozen=True)
class Outcome:
    """What became of it: done, nothing to do (`did` None), waits for a second person (`asked`), or what would move has
    `changed` since it was shown and nothing was done."""

    did: Did | None = None
    asked: StaffRequest | None = None
    above: str = ""
    changed: bool = False


def do(*, act: Act, obj: Any, doing: Doing, user: Any, subject: str, seen: str = "") -> Outcome:
    """Do `act` to `obj` as `user`. Raises what the service raises (nothing moved then)."""
    if act.preview is None:
        return Outcome(run(act, obj, doing, subject))
    if act.calls:
        if fingerprint(act, obj, doing, plain_preview(act, obj, doing)) != seen:
            return Outcome(changed=True)
        return Outcome(run(act, obj, doing, subject))
    outcome = _do_within_limits(act, obj, doing, user, subject, seen)
    return Outcome(after(outcome.did)) if outcome.did is not None else outcome


def _do_within_limits(act: Act, obj: Any, doing: Doing, user: Any, subject: str, seen: str) -> Outcome:
    with transaction.atomic():
        if plain_preview(act, obj, doing).moves:
            staff_limits.lock(user.pk)
        obj = act.lock(obj)
        shown = plain_preview(act, obj, doing)
        print_ = fingerprint(act, obj, doing, shown)
        if print_ != seen:
            return Outcome(changed=True)
        above = _always(act, obj, doing, shown) or staff_limits.above(user, shown.moves)
        if above:
            asked = staff_requests.ask(
                act=act.name, label=str(act.label), model=obj._meta.label_lower, object_id=obj.pk, subject=subject,
                reason=doing.reason, typed={name: getattr(doing, name) for name in TYPED},
                lines=shown.lines, moves=shown.moves, fingerprint=print_, above=above, user=user,
            )  # fmt: skip
            return Outcome(asked=asked, above=above)
        did = run(act, obj, doing, subject)
        if did is not None:
            count(act, did, shown, subject, user.pk, doing.actor)
        return Outcome(did)


def _always(act: Act, obj: Any, doing: Doing, shown: Preview) -> str:
    """Why a second person decides about this one whatever the limits say, in the reader's language; "" if none need."""
    return act.preview(obj, doing).second if shown.second and act.preview is not None else ""


def count(
    act: Act, did: Did, shown: Preview, subject: str, person_id: int, person: str, second: str = ""
) -> None:
    """Write down what moved, in the transaction that moved it."""
    staff_limits.note(
        person_id=person_id, person=person, second_person=second, act=act.name, subject=subject,
        reference=did.reference or f"{act.name}/{subject}", moves=shown.moves,
    )  # fmt: skip


def run(act: Act, obj: Any, doing: Doing, subject: str) -> Did | None:
    """Call the service; an act that writes no audit entry itself gets one here."""
    answer = act.run(obj, doing)
    if answer is False:
        return None
    if not act.audited:
        AuditEntry.objects.create(
            actor=doing.actor, action=act.name.replace("-", " "), subject=subject[:120], reason=doing.reason,
            data=answer.facts if isinstance(answer, Did) else {},
        )  # fmt: skip
    if isinstance(answer, Did):
        return answer
    return Did(said=answer if isinstance(answer, str) else "")


def after(did: Did) -> Did:
    """What follows a commit, and what there is to say then."""
    said = did.after() if did.after is not None else did.said
    return Did(said=said or gettext("done"), reference=did.reference, tone=did.tone)
