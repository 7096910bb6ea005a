"""What an order's status page shows: its state, what to do now, what has happened. Reading only; no provider is asked.

Guarantees: a person who paid is never shown a failure; "not paid" appears only when the provider itself said so; while
nobody knows, the page says that we are checking and not to pay again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from orders import selectors as orders
from orders.models import Order
from orders.services import credit_parts, missing_cases
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import progress_words
from pimpshop.core.money import Money
from vending.models import PrintJob
from vending.services import machines, sessions

FINAL = {"collected", "cancelled", "refunded", "given", "kept", "done"}
#: Nothing more is to come of these.
ENDED = {"not_paid", "expired", "cancelled", "refunded", "late"}
#: Somebody may still pay: the page offers to begin, to try again or to choose another way.
PAYABLE = {"unpaid", "not_paid", "expired"}
#: The provider waits for the shopper, who may still choose another way (the attempt is closed there first).
UNDER_WAY = {"scan", "away", "in_app"}
#: Milliseconds until the page asks again, where nothing is about to happen.
POLL_MS = {"ready": 15000, "help": 30000, **dict.fromkeys(("not_paid", "expired", "unpaid", "choose"), 15000)}
#: (age, milliseconds) until the page asks again, ever more slowly; then SLOWEST_MS. By the age of the attempt while it is
#: being paid, of the payment while it is handed over, of the queue number while the machine works.
BACK_OFF = ((timedelta(minutes=2), 2500), (timedelta(minutes=10), 5000))
BACK_OFF_PAID = ((timedelta(minutes=1), 2000), (timedelta(minutes=10), 5000))
BACK_OFF_QUEUE = ((timedelta(minutes=15), 4000), (timedelta(hours=1), 8000))
SLOWEST_MS = 15000
#: Why a machine does not print just now, while its queue waits.
_RESTING = {"printer_out", "maintenance", "inactive"}
#: After so many tries the page says that it takes longer than usual.
DELAYED_AFTER_ATTEMPTS = 3
_JOB_STATES = {
    "waiting": "choose",
    "accepted": "queued",
    "printing": "printing",
    "printed": "ready",
    "collected": "collected",
    "failed": "help",
    "gave_up": "help",
    "canceled": "help",
}
_ACTION_STATES = {"qr_code": "scan", "redirect": "away", "client_params": "in_app"}


@dataclass(frozen=True)
class _Facts:
    """What the state is read from."""

    order: Order
    intent: PaymentIntent | None
    case: orders.CaseState | None
    action: Any = field(default=None)

    @property
    def job(self) -> PrintJob | None:
        return self.case.job if self.case else None


def order_progress(order: Order) -> dict[str, Any]:
    """{state, final, version, amount, machine_name, queue_no, ahead, reference, resting, missing, minutes_left,
    seconds_left, message, reason, notes, steps, poll_ms, kind, credits, action, action_template}: see templates/orders/_status.html."""
    facts = _facts(order)
    state = _paid_state(facts) if order.paid_at else _unpaid_state(facts)
    intent, job = facts.intent, facts.job
    queue_no = job.queue_no if job else ""
    ahead = facts.case.place - 1 if facts.case and facts.case.place else None
    shows_action = (
        state in UNDER_WAY | {"waiting"} and facts.action is not None and not _link_is_over(facts.action)
    )
    notes = progress_words.refund_notes(order)
    poll_ms = _poll_ms(state, facts)
    missing = missing_cases.standing(order, job)
    resting = state == "queued" and _rests(job)
    return {
        "state": state,
        "final": state in FINAL,
        "version": _version(state, queue_no, ahead, intent, poll_ms, shows_action, missing, resting, *notes),
        "amount": _amount(facts),
        "machine_name": _machine_name(order, job),
        "queue_no": queue_no,
        "ahead": ahead,
        "resting": resting,
        "missing": missing,
        "reference": order.order_no,
        "minutes_left": None,
        "seconds_left": _seconds_left(intent) if shows_action else None,
        "message": "",
        "reason": progress_words.reason(intent.error_code, intent.gateway)
        if intent and state == "not_paid"
        else "",
        "notes": notes,
        "steps": progress_words.steps(order, state, job, intent, ended=state in ENDED),
        "poll_ms": poll_ms,
        "kind": order.kind,
        "gateway": intent.gateway if intent else "",
        "back_as_credits": progress_words.back_as_credits(intent),
        "credits": Money(orders.credits_of(order), "CREDITS"),
        "email": progress_words.hidden(order.email) if order.user_id is None else "",
        "action": facts.action if shows_action else None,
        "action_template": f"payments/next_action/{facts.action.kind}.html" if shows_action else "",
    }


def _version(*parts: object) -> str:
    """Changes when something that is shown changes."""
    return "|".join(str(part.attempt if isinstance(part, PaymentIntent) else part) for part in parts)


def _amount(facts: _Facts) -> Money:
    """What is to be paid in money; of a paid order, what was."""
    if facts.order.paid_at and facts.intent and facts.intent.settles_order:
        return Money(facts.intent.captured_minor, facts.order.currency)
    return credit_parts.due(facts.order)


def _facts(order: Order) -> _Facts:
    case = orders.case_state(order) if order.kind == Order.Kind.CASE else None
    intent = PaymentIntent.objects.filter(order=order).order_by("-settles_order", "-attempt").first()
    action = base.next_action_from_dict(intent.next_action) if intent else None
    return _Facts(order, intent, case, action)


def _paid_state(facts: _Facts) -> str:
    order, job = facts.order, facts.job
    if order.status == "refunded":
        return "refunded"
    if order.kind in (Order.Kind.CREDITS, Order.Kind.PLAN):
        if order.status != "completed":
            return "granting"
        return "given" if order.user_id is not None else "kept"
    if order.kind == Order.Kind.MERCHANT:
        return "done" if order.status == "completed" else "granting"
    if job is None:
        return "paid"
    if job.is_kept_back:
        return "help"
    if job.status in _JOB_STATES:
        return _JOB_STATES[job.status]
    return "delayed" if job.attempts >= DELAYED_AFTER_ATTEMPTS else "paid"


def _unpaid_state(facts: _Facts) -> str:
    """Before the money is certain. `not_paid` only when the provider itself said so."""
    intent = facts.intent
    if intent is None:
        return "cancelled" if facts.order.status == "cancelled" else "unpaid"
    if intent.is_surplus:
        return "late"
    if intent.status == "created" and _nobody_has_begun(intent):
        return "unpaid"
    if intent.status in ("created", "processing", "authorized", "expiring"):
        return "confirming"
    if intent.status == "requires_action":
        if intent.gateway != "machine":
            return _ACTION_STATES.get(facts.action.kind, "confirming") if facts.action else "confirming"
        return "waiting" if timezone.now() - intent.created_at < sessions.PAYMENT_LIVE_FOR else "expired"
    if intent.status == "canceled":
        given_up = intent.gateway == "machine" or facts.order.status == "cancelled"
        return "cancelled" if given_up else "unpaid"
    return "not_paid" if intent.status == "failed" else "expired"


def _link_is_over(action: base.NextAction) -> bool:
    """Leads nowhere any more; whoever has not paid there chooses again. (A code ends with its payment.)"""
    ends = action.expires_at if isinstance(action, base.Redirect) else None
    return ends is not None and ends <= timezone.now()


def _nobody_has_begun(intent: PaymentIntent) -> bool:
    """Known to the provider, and no card was given yet: nothing can have been charged."""
    return bool(intent.provider_ref) and intent.confirm_count == 0 and intent.leased_until is None


def _poll_ms(state: str, facts: _Facts) -> int:
    order, intent, job = facts.order, facts.intent, facts.job
    if state in UNDER_WAY | {"waiting", "confirming"} and intent is not None:
        return _paced(BACK_OFF, intent.created_at)
    if state in ("paid", "delayed", "granting") and order.paid_at:
        return _paced(BACK_OFF_PAID, order.paid_at)
    if state in ("queued", "printing") and job is not None and job.accepted_at:
        return _paced(BACK_OFF_QUEUE, job.accepted_at)
    return POLL_MS.get(state, SLOWEST_MS)


def _paced(schedule: tuple[tuple[timedelta, int], ...], since: datetime) -> int:
    age = timezone.now() - since
    return next((milliseconds for limit, milliseconds in schedule if age < limit), SLOWEST_MS)


def _rests(job: PrintJob | None) -> bool:
    """Does the machine that has the case not print just now?"""
    return bool(job and job.machine and machines.readiness(job.machine).code in _RESTING)


def _seconds_left(intent: PaymentIntent | None) -> int | None:
    if intent is None or intent.expires_at is None:
        return None
    return max(0, int((intent.expires_at - timezone.now()).total_seconds()))


def _machine_name(order: Order, job: PrintJob | None) -> str:
    machine = job.machine if job else machines.find_machine(order.machine_id)
    return machine.name if machine else ""
