"""The hot path of a confirmation online: a signed success is stored and settled by one statement, before it is acknowledged.

Here: which events are tried so (`is_usual`), and the call of the function of migration 0018 (`take_in`). Not here: what
the plain way decides (several states, refunds, saved cards, cases, plans, guests, a word that does not fit). Then the
function stores the event and nothing else, and a worker goes on (`inbox.process`), whose rows these must equal.
Guarantees: the event's row exists before the acknowledgement, settled or due, by one commit; locks payment, order,
account of credits in that order, and waits for each a second at the most; no call leaves. BENCH.md, B2: with a worker
it is three commits and 25 statements.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import connection
from psycopg.types.json import Jsonb

from credits.models import CreditAccount, Lot, Posting
from payments import states
from payments.gateways import base
from payments.services import at_once, stripe_mirror

log = structlog.get_logger(__name__)


class Row(NamedTuple):
    """What became of an event. Each is a row's id, or None: `known` the payment, `same` the event that was told before,
    `stored` the new row. `settled`: the order that it paid, just now."""

    known: int | None
    same: int | None
    same_status: str | None
    stored: int | None
    stored_status: str | None
    settled: str | None = None


def as_row(told: tuple[str | None, ...]) -> Row:
    """A function's record as it arrives. Called in the SELECT list it costs less than as a table, and comes as texts."""
    known, same, same_status, stored, stored_status, *settled = told
    return Row(_number(known), _number(same), same_status, _number(stored), stored_status, *settled)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


#: ledger.grant's words for what was bought: the posting, the shop's account, the lot.
_BOUGHT = [str(Posting.Kind.PURCHASE), str(CreditAccount.System.ISSUANCE), str(Lot.Origin.PURCHASED)]
_WORDS = (list(states.ASKABLE), at_once.UNPAID, _BOUGHT, f"{base.PaymentStatus.SUCCEEDED}: settled")
_CALL = f"SELECT payments_take_in({', '.join([*['%s'] * 17, *map(at_once.literal, _WORDS)])})"


def is_usual(gateway: base.Gateway, event: base.WebhookEvent) -> bool:
    """Is it a plain success, told by an event that is proof? (Whether it fits our rows the function sees.)"""
    paid = event.payment
    return (
        paid is not None and event.confirmed and gateway.webhook_is_proof
        and event.refund is None and event.dispute is None
        and paid.status == base.PaymentStatus.SUCCEEDED and not paid.flags
        and paid.amount is not None and paid.captured in (None, paid.amount)
        and (paid.refunded is None or not paid.refunded.amount_minor)
        and paid.account in ("", event.account) and paid.live in (None, gateway.live)
        and bool(event.out_trade_no) and paid.out_trade_no == event.out_trade_no
        and not paid.saved_ref and not paid.customer_ref
    )  # fmt: skip


def take_in(
    gateway: base.Gateway, event: base.WebhookEvent, *, content: dict[str, Any], now: datetime
) -> Row:
    """Store a usual event and settle what it tells of, or store it for the worker: then with its facts in `content`."""
    paid = event.payment
    if paid is None or paid.amount is None:
        raise ValueError("only for what is_usual")
    rest = {name: part for name, part in content.items() if name != "facts"}
    details = Jsonb(asdict(paid.method_details)) if paid.method_details is not None else None
    told = {"provider_status": paid.provider_status} if paid.provider_status else {}
    params: list[Any] = [
        gateway.key, event.account, event.dedupe_key[:128], event.kind[:64], event.out_trade_no[:128], gateway.live,
        Jsonb(rest), Jsonb({"facts": content["facts"]}), now,
        now if stripe_mirror.looks_at(gateway.key, content) else None,
        paid.amount.amount_minor, paid.amount.currency, paid.provider_ref, paid.transaction_ref, details,
        paid.receipt_url[:500], Jsonb(told),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CALL, params)
        (told_back,) = cursor.fetchone()
    row = as_row(told_back)
    if row.settled:
        log.info("payment_settled", payment=event.out_trade_no, order=row.settled)
    return row
