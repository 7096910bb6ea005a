"""Who is touched by what staff are about to do at a machine: so many people in front of it, so many paid cases for it,
and what a phone reads whose session is ended.

Questions to the rows only; the numbers are of this moment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vending.models import Machine, PrintJob, VendingSession
from vending.services import print_jobs, sessions, turns


@dataclass(frozen=True)
class AtMachine:
    """Sessions that are open, those of them that are asked for money, and paid cases that the machine has not taken."""

    sessions: int
    paying: int
    cases: int

    def as_facts(self) -> dict[str, int]:
        return asdict(self)


def at_machine(machine: Machine) -> AtMachine:
    return AtMachine(
        sessions=VendingSession.objects.filter(sessions.live_filter(), machine=machine).count(),
        paying=turns.paying(machine).count(),
        cases=PrintJob.objects.filter(machine=machine, status__in=print_jobs.UNSENT).count(),
    )


def must_be_cancellable(session: VendingSession) -> None:
    """Raises sessions.CannotCancel."""
    if not session.STATES.allows(session.status, "cancelled"):
        raise sessions.CannotCancel


def words_after_end(session: VendingSession) -> Any:
    """What the phone reads when the session was ended: another text once money was asked for."""
    return (
        sessions.SessionExpired.message
        if session.payment_started_at is None
        else sessions.SessionEnded.message
    )
