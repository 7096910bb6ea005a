"""The hot path of a confirmation at a machine, in hand-written SQL: taking up the hint, the right to ask, settling.

Here: `take_up`, the lease of a stored event with its payment and the right to ask; `find` and `may_ask` for whoever has no
event; `settle`, for a payment at the machine that settles an order of cases at a known machine. Not here: everything unusual (several
attempts, surplus, other goods, no machine, a payment that is decided). `may_ask` and `settle` then say no without
having written anything, and the caller goes the plain way (`sync`, `settlement`), whose rows these must equal.
Guarantees: one statement, so all of it or nothing; locks payment, order, session in that order; the bells of the new
print jobs ring after the commit. BENCH.md, B2: through the ORM it is sixteen statements and ten times the time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import JSONField, Model
from django.utils import timezone
from psycopg import sql
from psycopg.types.json import Jsonb

from orders import states as order_states
from orders.models import Order
from payments import states
from payments.gateways import base
from payments.models import PaymentIntent, WebhookEvent
from payments.services import schedule
from pimpshop.core import bell
from vending import states as vending_states
from vending import tasks
from vending.models import PrintJob
from vending.services import print_jobs

Row = TypeVar("Row", bound=Model)

_FIND = """
    SELECT payment.*, placed.order_no AS order_order_no, placed.session_id AS order_session_id
    FROM payments_paymentintent AS payment JOIN orders_order AS placed ON placed.id = payment.order_id
    WHERE payment.out_trade_no = %s
"""
#: What may have changed since the caller read the attempt.
_FRESH = (
    "status",
    "provider_ref",
    "leased_until",
    "query_count",
    "last_query_at",
    "next_query_at",
    "updated_at",
)
_ASK = f"""
    UPDATE payments_paymentintent AS mine SET
        last_query_at = %(now)s,
        next_query_at = CASE WHEN status = ANY(%(undecided)s) THEN %(at_least_once_more)s
                             WHEN next_query_at IS NOT NULL THEN %(planned)s END
    WHERE id = %(pk)s AND (last_query_at IS NULL OR last_query_at <= %(lately)s)
      AND NOT EXISTS (SELECT 1 FROM payments_paymentintent AS other
                      WHERE other.order_id = mine.order_id AND other.id <> mine.id)
    RETURNING {", ".join(_FRESH)}
"""  # noqa: S608  (names of columns, no input)


def literal(ours: Any) -> str:
    """A constant of ours (words of the tables of states, column defaults), written into a statement once instead of being
    quoted for each call. Never for what somebody sent."""
    return sql.Literal(ours).as_string().replace("%", "%%")


_TAKE_UP = f"""SELECT (event).*, (intent).*, order_no, session_id, may_ask FROM payments_take_up(
    %s, %s, %s, %s, {literal(list(states.UNDECIDED))}, {literal(list(states.ENDED))})"""  # noqa: S608  (ours)
#: What the order may be (fulfilment.settle): a refunded one is not settled again.
UNPAID = [status for status in order_states.ORDER.sources("paid") if status in ("pending", "cancelled")]
_SESSION_FROM = vending_states.SESSION.sources("payment_completed")


@dataclass(frozen=True)
class TakenUp:
    """A leased event; the payment of its gateway that it names, where it names one; `may_ask`: the right to ask is ours."""

    event: WebhookEvent
    intent: PaymentIntent | None
    may_ask: bool


def take_up(event_pk: int, *, lease: timedelta) -> TakenUp | None:
    """Take a stored event for a while, read its payment and take the right to ask; None when it is not due or somebody
    else has it. One statement (migration 0016). The right is taken where its plan need not change; else the caller asks
    for it."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_UP,
            [event_pk, now, now + lease, now - schedule.MIN_GAP],
        )
        row = cursor.fetchone()
        names = [column.name for column in cursor.description or ()]
    if row is None:
        return None
    ends = len(WebhookEvent._meta.concrete_fields)
    event = _object(WebhookEvent, names[:ends], row[:ends])
    order_no, session_id, may_ask = row[-3:]
    if order_no is None:
        return TakenUp(event, None, may_ask=False)
    intent = _object(PaymentIntent, names[ends:-3], row[ends:-3])
    numbers = [intent.order_id, order_no, session_id]
    intent.order = Order.from_db(connection.alias, ["id", "order_no", "session_id"], numbers)
    return TakenUp(event, intent, may_ask)


def _object(model: type[Row], names: Sequence[str], values: Sequence[Any]) -> Row:
    """A row as the ORM makes one, from columns in the table's order."""
    told: dict[str | None, Any] = dict(zip(names, values, strict=True))
    fields = model._meta.concrete_fields
    for field in fields:
        if isinstance(field, JSONField):
            told[field.column] = _parsed(told[field.column])
    return model.from_db(
        connection.alias, [field.attname for field in fields], [told[field.column] for field in fields]
    )


def _parsed(text: str | None) -> Any:
    """Django has PostgreSQL's JSON come as text."""
    return None if text is None else json.loads(text)


def find(out_trade_no: str) -> PaymentIntent | None:
    """`intents.by_number` without what the ORM takes to write a SELECT of two tables (half of a confirmation).

    Of the order only its numbers are there; whoever looks at more of it reads it then.
    """
    intent = next(iter(PaymentIntent.objects.raw(_FIND, [out_trade_no])), None)
    if intent is not None:
        told = vars(intent)  # what the statement names beside the columns stands on the object
        numbers = [intent.order_id, told.pop("order_order_no"), told.pop("order_session_id")]
        intent.order = Order.from_db(intent._state.db, ["id", "order_no", "session_id"], numbers)
    return intent


def may_ask(intent: PaymentIntent) -> bool:
    """Take the right to ask about the only attempt of an order, and read the attempt again on the way.

    False: somebody asked within three seconds, or there are several attempts (`sync` then decides under locks).
    """
    now = timezone.now()
    planned = schedule.next_query(intent, now)
    params: dict[str, Any] = {
        "pk": intent.pk, "now": now, "lately": now - schedule.MIN_GAP, "undecided": list(states.UNDECIDED),
        "planned": planned, "at_least_once_more": planned or now + schedule.LAST_GAP,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ASK, params)
        fresh = cursor.fetchone()
    if fresh is None:
        return False
    for name, value in zip(_FRESH, fresh, strict=True):
        setattr(intent, name, value)
    return True


def settle(
    intent: PaymentIntent,
    result: base.PaymentResult,
    *,
    told: dict[str, str],
    source: str,
    actor: str,
    event: WebhookEvent | None = None,
) -> bool:
    """Settle `intent` and all that follows, and end the `event` that led to it. False: nothing was written, go the plain
    way."""
    if intent.gateway != "machine":
        return False
    now = timezone.now()
    delay = settings.MANUFACTURER_ORDER_DELAY_SECONDS
    params: list[Any] = [
        intent.pk, source[:32], actor[:120], Jsonb(told), result.provider_ref, timedelta(seconds=delay), now,
        event and event.pk,
        f"asked the provider: {result.provider_status or 'settled'}"[:200],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_call(), params)
        (jobs,) = cursor.fetchone()
    if jobs is None:
        return False
    for job in jobs:
        bell.ring(tasks.advance_print_job, job, after=delay, thin=True)
    _renew(intent, result, now)
    if event is not None:
        event.status, event.due_at, event.leased_until = "processed", None, None
    return True


@cache
def _call() -> str:
    words = [literal(list(states.ASKABLE)), literal(UNPAID), literal(_SESSION_FROM)]
    job = literal(Jsonb(_job_defaults()))
    return f"SELECT payments_settle_at_once(%s, {', '.join(words)}, %s, %s, %s, %s, %s, {job}, %s, %s, %s)"


def _job_defaults() -> dict[str, Any]:
    """A print job's columns as the model's defaults have them, with what is the same for every case paid at a machine.
    So a new column needs no change here or in the function."""
    job = PrintJob(status="submitting", pay_type=print_jobs.PAY_AT_MACHINE)
    columns = {str(field.column): getattr(job, field.attname) for field in PrintJob._meta.concrete_fields}
    plain = (str, int, bool, list, dict, type(None))
    return {name: value for name, value in columns.items() if isinstance(value, plain)}


def _renew(intent: PaymentIntent, result: base.PaymentResult, now: Any) -> None:
    """What the function wrote, on the caller's object."""
    intent.status, intent.captured_minor = "succeeded", intent.amount_minor
    intent.succeeded_at = intent.updated_at = now
    intent.next_query_at = intent.leased_until = None
    intent.error_code = intent.error_message = ""
    intent.settles_order, intent.is_surplus = True, False
    intent.provider_ref = result.provider_ref or intent.provider_ref
