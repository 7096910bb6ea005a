"""What a machine's own screen shows now: a code to scan, a phone at work, the amount, the number, the queue.

The screen makes its own sessions: while nothing else is going on there is always one fresh unclaimed session to scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from pimpshop.core import ids
from pimpshop.core.money import Money
from vending.models import Machine, PrintJob, VendingSession
from vending.services import machines, sessions

#: A code with less time left than this is replaced before somebody scans it.
FRESH_ENOUGH = timedelta(minutes=20)
#: How long the number of somebody who has just paid stays in large.
THANKS_FOR = timedelta(seconds=45)
#: A phone that is at work keeps the screen for so long after it scanned; then the next one may scan.
CONNECTED_FOR = timedelta(seconds=25)
QUEUE_STATES = {"accepted": "waiting", "printing": "printing", "printed": "ready"}
READY_SHOWN_FOR = timedelta(minutes=15)
QUEUE_LENGTH = 12


@dataclass(frozen=True)
class Shown:
    """`state`: scan | connected | pay | phone | confirming | thanks | closed. `version` changes when something shown changes.
    `seconds_left` counts down on the screen; after `life` seconds what is shown is not true any more (None: it stays true),
    and a screen that cannot ask hides it."""

    state: str
    session: VendingSession | None = None
    seconds_left: int | None = None
    amount: Money | None = None
    queue_no: str = ""
    queue: list[dict[str, str]] = field(default_factory=list)

    @property
    def life(self) -> int | None:
        if self.state == "scan" and self.session:
            return max(0, int((self.session.expires_at - timezone.now()).total_seconds()))
        return self.seconds_left

    @property
    def version(self) -> str:
        queue = ",".join(f"{entry['number']}:{entry['state']}" for entry in self.queue)
        return f"{self.state}|{self.session.session_id if self.session else ''}|{self.queue_no}|{queue}"


def show(machine: Machine) -> Shown:
    """The most urgent thing first: somebody must pay, somebody has paid, a phone has just scanned, else the code."""
    machines.note_contact(machine)
    now = timezone.now()
    queue = _queue(machine)
    paying = (
        VendingSession.objects.filter(
            machine=machine, status="payment_pending", payment_started_at__gt=now - sessions.PAYMENT_LIVE_FOR
        )
        .order_by("payment_started_at")
        .first()
    )
    if paying and paying.amount_minor is not None and paying.payment_started_at:
        left = int((paying.payment_started_at + sessions.PAYMENT_LIVE_FOR - now).total_seconds())
        if not ids.THIRD_ID.match(paying.third_id):  # not one of the machine's own numbers: paid online
            return Shown("phone", paying, left, queue=queue)
        return Shown("pay", paying, left, Money(paying.amount_minor, paying.currency), queue=queue)
    thanked = _just_paid(machine)
    if thanked:
        return Shown("thanks", thanked[0], queue_no=thanked[1], queue=queue)
    if not machines.readiness(machine):
        return Shown("closed", queue=queue)
    connected = (
        VendingSession.objects.filter(
            machine=machine,
            status__in=("active", "designing"),
            claimed_at__gt=now - CONNECTED_FOR,
            expires_at__gt=now,
        )
        .order_by("-claimed_at")
        .first()
    )
    if connected:
        return Shown("connected", connected, queue=queue)
    return _scan(machine, queue)


def show_to_anybody(machine: Machine) -> Shown:
    """What a passer-by sees of a machine whose screen has a key: the code that its own screen made, or that it is busy.
    Makes no session, tells no amount and no number, and is no sign of life of the machine."""
    if not machines.readiness(machine):
        return Shown("closed")
    session = _current_code(machine)
    return _with_code(session, []) if session else Shown("connected")


def _scan(machine: Machine, queue: list[dict[str, str]]) -> Shown:
    try:
        session = _code(machine)
    except sessions.TooManySessions:
        return Shown("connected", queue=queue)
    return _with_code(session, queue)


def _with_code(session: VendingSession, queue: list[dict[str, str]]) -> Shown:
    left = int((session.expires_at - timezone.now() - FRESH_ENOUGH).total_seconds())
    return Shown("scan", session, max(left, 0), queue=queue)


def _code(machine: Machine) -> VendingSession:
    """The unclaimed session that is on the screen; a new one when it is used up or too old."""
    return _current_code(machine) or sessions.create_session(machine=machine, source="screen")


def _current_code(machine: Machine) -> VendingSession | None:
    return (
        VendingSession.objects.filter(
            machine=machine,
            status="active",
            claim_hash="",
            user_progress="started",
            expires_at__gt=timezone.now() + FRESH_ENOUGH,
        )
        .select_related("machine")
        .order_by("-created_at")
        .first()
    )


def _just_paid(machine: Machine) -> tuple[VendingSession, str] | None:
    """The session paid within the last moments, with its queue number as far as known."""
    since = timezone.now() - THANKS_FOR
    session = (
        VendingSession.objects.filter(machine=machine, status="payment_completed", updated_at__gt=since)
        .order_by("-updated_at")
        .first()
    )
    if session is None:
        return None
    job = PrintJob.objects.filter(order_no=session.order_no).first()
    return session, job.queue_no if job else ""


def _queue(machine: Machine) -> list[dict[str, str]]:
    """The numbers that are waiting, printing or ready, oldest first."""
    now = timezone.now()
    jobs = (
        PrintJob.objects.filter(
            machine=machine, status__in=QUEUE_STATES, accepted_at__gt=now - timedelta(days=1)
        )
        .exclude(queue_no="")
        .exclude(status="printed", updated_at__lt=now - READY_SHOWN_FOR)
        .order_by("-accepted_at")[:QUEUE_LENGTH]
    )
    return [{"number": job.queue_no, "state": QUEUE_STATES[job.status]} for job in reversed(jobs)]
